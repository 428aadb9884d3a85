#!/usr/bin/env python3
"""Measures Headgate and its neighbours side by side, on a redis-server of its own.

    run.py --headgate PROGRAM --naive PROGRAM --resolution PROGRAM [--quick] [--rounds N]

Every round measures everything once, so that what else the machine does meets all alike; figures are medians over the rounds, and
ratios are medians of the rounds' ratios. A full run writes RESULTS.md beside this file. A quick one only prints, and fails when a
ratio is so far off that no noise explains it.
"""
import argparse
import json
import signal
import subprocess
import sys
import venv

import report
from contestants import HERE, Contestants
from redis_server import RedisServer
from results import Case, Results

ROOT = HERE.parent
ENVIRONMENT = ROOT / ".build-venv-bench"
ALGORITHMS = ("token_bucket", "sliding_window_log", "fixed_window", "sliding_window_counter", "concurrency")
WORKLOADS = ("uniform", "hot", "denied", "zipf")
MEMORY_SECONDS = 6
ONE_LIMIT = """
name: one
algorithm: {algorithm}
default_tier: free
classes: {{ all: ["* /**"] }}
tiers: {{ free: {{ limits: {{ all: 100/day }} }} }}
"""


def python_environment():
    """A Python with what requirements.txt lists."""
    wanted, installed = HERE / "requirements.txt", ENVIRONMENT / "requirements.txt"
    if not installed.exists() or installed.read_bytes() != wanted.read_bytes():
        print(f"bench: installing limits into {ENVIRONMENT.name}", flush=True)
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        pip = [ENVIRONMENT / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", wanted]
        subprocess.run(pip, check=True)
        installed.write_bytes(wanted.read_bytes())
    return ENVIRONMENT / "bin/python"


def policies(contestants):
    """The TensorOne policy, whose requests have two limits, and the same with two more for every request."""
    text = (ROOT / "policies/tensorone.yaml").read_text()
    more = "\nlimits:\n  account: { limit: 20000/day }\n  burst: { limit: 600/minute burst 600 }\n"
    return contestants.policy("two", text), contestants.policy("four", text + more)


def measurements(contestants, results, quick):
    """Each case with how it is measured, in the order of a round."""
    seconds = 1 if quick else 2
    plain = (HERE / "plain.lua").read_text()
    two, four = policies(contestants)
    ask = contestants.headgate

    def headgate(workload, callers=256, algorithm="token_bucket"):
        return Case("headgate", workload, algorithm, callers), lambda: ask(workload, callers, seconds, algorithm)

    def limits(client, strategy, workload, callers=64):
        case = Case(f"limits, {client}", workload, strategy, callers)
        return case, lambda: contestants.limits(client, strategy, workload, callers, seconds)

    yield report.PLAIN, lambda: contestants.redis_benchmark(plain, 150_000 * seconds)
    yield report.CEILING, lambda: contestants.redis_benchmark("return 1", 500_000 * seconds)
    yield report.LONE, lambda: contestants.naive(1, 100_000, seconds)
    yield report.NAIVE, lambda: contestants.naive(16, 100_000, seconds)
    for workload in WORKLOADS:
        yield headgate(workload)
    yield headgate("uniform", algorithm="sliding_window_log")
    yield report.TWO, lambda: ask("policy", 256, seconds, policy=two)
    yield report.FOUR, lambda: ask("policy", 256, seconds, policy=four)
    yield report.PACED, lambda: ask("uniform", 256, seconds, rate=int(results.last(report.OURS)["decisions_per_second"] * 0.3))
    for client in ("redispy", "coredis"):
        yield limits(client, "fixed", "uniform")
    if quick:
        return
    for workload in WORKLOADS:
        yield headgate(workload, 64)
        yield headgate(workload, 1024)
        for algorithm in ALGORITHMS[1:]:
            if (workload, algorithm) != ("uniform", "sliding_window_log"):
                yield headgate(workload, algorithm=algorithm)
    for callers in (64, 1024):
        yield report.TWO._replace(callers=callers), lambda callers=callers: ask("policy", callers, seconds, policy=two)
    for client in ("redispy", "coredis"):
        for strategy in ("moving", "sliding"):
            yield limits(client, strategy, "uniform")
        for workload in WORKLOADS[1:]:
            yield limits(client, "fixed", workload)
        yield limits(client, "fixed", "uniform", 256)


def memory(contestants, quick):
    """Bytes that a subject takes beside its key's name, and how often each was counted, by algorithm."""
    server, bytes_each = contestants.server, {}
    for algorithm in ("token_bucket",) if quick else ALGORITHMS[:-1]:
        policy = contestants.policy("one", ONE_LIMIT.format(algorithm=algorithm))
        server.ask("FLUSHALL")
        before = server.memory()
        figures = contestants.headgate("policy", 256, MEMORY_SECONDS / (2 if quick else 1), policy=policy, keep=True)
        keys = int(server.ask("DBSIZE"))
        name = len(server.ask("RANDOMKEY"))
        bytes_each[algorithm] = ((server.memory() - before) / keys - name, figures["allowed"] / keys)
    return bytes_each


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for program in ("headgate", "naive", "resolution"):
        options.add_argument(f"--{program}", required=True, metavar="PROGRAM")
    options.add_argument("--quick", action="store_true")
    options.add_argument("--rounds", type=int)
    options = options.parse_args()
    python, results, rounds = python_environment(), Results(), options.rounds or (2 if options.quick else 5)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with RedisServer() as server:
        contestants = Contestants(server, options.headgate, options.naive, python)
        for number in range(rounds):
            print(f"bench: round {number + 1} of {rounds}", flush=True)
            for case, measure in measurements(contestants, results, options.quick):
                results.add(case, measure())
        bytes_each = memory(contestants, options.quick)
        redis = server.info("server")["redis_version"]
    resolution = json.loads(subprocess.run([options.resolution], capture_output=True, text=True, check=True).stdout)
    text = report.text(results, bytes_each, resolution, report.machine(redis), rounds)
    print(text)
    if options.quick:
        failures = list(report.impossible(results))
        for failure in failures:
            print(f"bench: {failure}", file=sys.stderr)
        sys.exit(1 if failures else 0)
    (HERE / "RESULTS.md").write_text(text)


if __name__ == "__main__":
    main()
