"""What a run says: tables, and which targets were reached."""
import datetime
import os
import platform
import subprocess

from contestants import HERE
from results import Case

WORKLOADS = {"uniform": "W1", "hot": "W2", "denied": "W3", "zipf": "W4", "policy": "W5"}
PLAIN = Case("plain script", "uniform", "GCRA", "8 x 64")
CEILING = Case("`return 1`", "-", "-", "8 x 64")
NAIVE = Case("naive hiredis wrapper", "uniform", "GCRA", 16)
LONE = Case("naive hiredis wrapper", "uniform", "GCRA", 1)
TWO = Case("headgate", "policy, 2 limits", "sliding_window_log", 256)
FOUR = Case("headgate", "policy, 4 limits", "mixed", 256)
PACED = Case("headgate", "uniform, paced at 30 %", "token_bucket", 256)


def ours(workload, algorithm="token_bucket"):
    return Case("headgate", workload, algorithm, 256)


OURS, LOG = ours("uniform"), ours("uniform", "sliding_window_log")


def targets(results, bytes_each, resolution):
    """What is wanted, what was measured, and whether it is enough; what was not measured is left out."""
    rate, client, redis = "decisions_per_second", "client_cpu_us", "redis_cpu_us"
    calls = results.median(ours("denied"), "redis_calls") / results.median(ours("denied"), rate)
    four = results.ratio(FOUR, PLAIN, rate)
    yield "W1 uniform: decisions/s to the plain script's", ">= 1.6", results.ratio(OURS, PLAIN, rate)
    yield "W1: Redis CPU a decision to the plain script's", "<= 0.6", results.ratio(OURS, PLAIN, redis)
    yield "W1: client CPU a decision, us", "<= 5", results.median(OURS, client)
    yield "W1: client CPU a decision to the naive wrapper's", "<= 0.2", results.ratio(OURS, NAIVE, client)
    yield "W1, sliding-window log: decisions/s to the token bucket's", ">= 0.7", results.ratio(LOG, OURS, rate)
    yield "W2 hot, all allowed: decisions/s to the plain script's", ">= 15", results.ratio(ours("hot"), PLAIN, rate)
    yield "W3 hot, all denied: decisions/s to the plain script's", ">= 30", results.ratio(ours("denied"), PLAIN, rate)
    yield "W3: client CPU a decision, us", "<= 0.4", results.median(ours("denied"), client)
    yield "W3: script calls a decision (only the store's own watch)", "<= 0.0001", calls
    yield "W4 Zipf: decisions/s to the plain script's", ">= 4", results.ratio(ours("zipf"), PLAIN, rate)
    yield "W5 policy, 2 limits: Redis CPU to one limit's", "<= 1.5", results.ratio(TWO, LOG, redis)
    yield "W5 policy, 4 limits: decisions/s to four calls of the plain script", ">= 3", four * 4
    yield "30 % load, 256 callers: p50 to a lone hiredis round trip's", "<= 1.5", results.ratio(PACED, LONE, "p50_us")
    yield "30 % load, 256 callers: p99 to a lone hiredis round trip's", "<= 4", results.ratio(PACED, LONE, "p99_us")
    yield "W1: bytes a subject beside its key's name", "<= 130", bytes_each["token_bucket"][0]
    yield "policy of 500 rules: ns a resolution", "<= 300", resolution["nanoseconds"]
    yield "policy of 500 rules: allocations a resolution", "<= 0", resolution["allocations"]


def is_reached(bound, figure):
    relation, number = bound.split()
    return figure >= float(number) if relation == ">=" else figure <= float(number)


def impossible(results):
    """What no noise explains, in words."""
    rate = "decisions_per_second"
    python = Case("limits, redispy", "uniform", "fixed", 64)
    for case in results:
        if results.errors(case):
            yield f"{case.limiter}, {case.workload}: {results.errors(case)} errors"
    for case, other, least in ((OURS, python, 1.2), (ours("denied"), OURS, 2)):
        if results.ratio(case, other, rate) < least:
            yield f"{case.limiter}, {case.workload} makes less than {least} times the decisions of {other.limiter}, {other.workload}"


def number(figure):
    if figure is None:
        return ""
    return f"{figure:,.0f}" if figure >= 1000 else f"{figure:.3g}"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def figures(results):
    head = ["limiter", "workload", "algorithm", "callers", "decisions/s", "to plain"]
    head += ["p50 us", "p99 us", "p99.9 us", "Redis us", "client us"]
    names = ["p50_us", "p99_us", "p999_us", "redis_cpu_us", "client_cpu_us"]
    rows = []
    for case in sorted(results, key=order):
        rate = number(results.median(case, "decisions_per_second"))
        ratio = number(results.ratio(case, PLAIN, "decisions_per_second"))
        named = case._replace(workload=" ".join(filter(None, (WORKLOADS.get(case.workload.split(",")[0]), case.workload))))
        rows.append([*named, rate, ratio, *(number(results.median(case, name)) for name in names)])
    return table(head, rows)


def order(case):
    """Neighbours first, then by workload."""
    number = list(WORKLOADS).index(case.workload.split(",")[0]) if case.workload != "-" else 0
    return case.limiter == "headgate", case.limiter, number, case.workload, case.algorithm, str(case.callers).zfill(6)


def machine(redis):
    """What it ran on."""
    names = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = platform.freedesktop_os_release()["PRETTY_NAME"] if os.path.exists("/etc/os-release") else platform.system()

    def said(*command):
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE)
        return done.stdout.strip().split("\n")[0]

    now = datetime.datetime.now(datetime.timezone.utc)
    packages = [line for line in open(HERE / "requirements.txt") if line.startswith(("limits=", "redis=", "hiredis=", "coredis="))]
    versions = ", ".join(package.strip().replace("==", " ") for package in packages)
    return [
        f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB; {system}, Linux {platform.release()}",
        f"redis-server {redis} without persistence, 127.0.0.1; clients and server share the cores",
        f"{said('swift', '--version')}, release build of {said('git', 'describe', '--always', '--dirty')}; {versions}",
        f"load average of the last minute at the end: {os.getloadavg()[0]:.1f}; {now:%Y-%m-%d %H:%M} UTC",
    ]


def text(results, bytes_each, resolution, about, rounds):
    reached = [
        [what, bound, number(figure), "reached" if is_reached(bound, figure) else "not reached"]
        for what, bound, figure in targets(results, bytes_each, resolution)
        if figure is not None
    ]
    memory = [[name, number(each), f"{times:.1f}"] for name, (each, times) in bytes_each.items()]
    return "\n\n".join([
        "# Measured",
        f"Written by `make bench`: medians of {rounds} rounds, each of which measures everything once. Other machines and other loads give "
        "other figures; the ratios within a run are what to look at.",
        "\n".join(f"- {line}" for line in about),
        "## Targets",
        table(["what", "target", "measured", ""], reached),
        "## Figures",
        "\"To plain\" is decisions a second to those of the plain script: one limit, one EVALSHA a decision (`plain.lua`), driven by "
        "`redis-benchmark -c 8 -P 64 -r 100000`. Redis us and client us are microseconds of CPU a decision, user and kernel, of the whole process.",
        figures(results),
        "## Memory",
        "Bytes of Redis' memory a subject beside its key's name, 100 requests a day, and how many requests of each were counted.",
        table(["algorithm", "bytes", "requests"], memory),
    ]) + "\n"
