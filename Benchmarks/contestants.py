"""One measurement of each limiter, as a dictionary with the names that `headgate bench --json` uses."""
import json
import pathlib
import resource
import subprocess
import time

HERE = pathlib.Path(__file__).parent


class Contestants:
    """Everything that is measured, against one server that is emptied before each measurement."""

    def __init__(self, server, headgate, naive, python):
        self.server, self.headgate_path, self.naive_path, self.python = server, headgate, naive, python
        self.policies = pathlib.Path(server.directory.name)

    def headgate(self, workload, callers, seconds, algorithm=None, rate=None, policy=None, keep=False):
        arguments = ["--workload", workload, "--callers", str(callers), "--seconds", str(seconds), "--redis", self.server.url]
        arguments += ["--algorithm", algorithm] if algorithm else []
        arguments += ["--rate", str(rate)] if rate else []
        arguments += ["--policy", str(policy)] if policy else []
        arguments += ["--keep-keys"] if keep else []
        self.server.ask("FLUSHALL")
        return self.printed([self.headgate_path, "bench", "--json", *arguments])

    def naive(self, threads, subjects, seconds):
        """The blocking wrapper over hiredis, with a thread for each caller."""
        return self.from_outside([self.naive_path, str(self.server.port), HERE / "plain.lua", str(threads), str(seconds), str(subjects)])

    def limits(self, client, strategy, workload, callers, seconds):
        program = [self.python, HERE / "limits_client.py", str(self.server.port), client, strategy, workload]
        return self.from_outside([*program, str(callers), str(seconds)])

    def redis_benchmark(self, script, calls):
        """A script at the pace of redis-benchmark: what Redis can do at most when each decision is a call."""
        self.server.ask("FLUSHALL")
        sha = self.server.ask("SCRIPT", "LOAD", data=script)
        command = ["EVALSHA", sha, "1", "plain:{a:__rand_int__}", "600000", "60000000", "1"]
        load = ["redis-benchmark", "-p", str(self.server.port), "-c", "8", "-P", "64", "-r", "100000", "-n", str(calls), "-q", "--csv"]
        cpu, mine, start = self.server.cpu(), children_cpu(), time.monotonic()
        said = subprocess.run([*load, *command], capture_output=True, text=True, check=True).stdout
        elapsed = time.monotonic() - start
        if "rror" in said:
            raise SystemExit(f"bench: redis-benchmark says {said}")
        return {
            "decisions_per_second": calls / elapsed,
            "errors": 0,
            "redis_cpu_us": (self.server.cpu() - cpu) / calls * 1e6,
            "client_cpu_us": (children_cpu() - mine) / calls * 1e6,
        }

    def from_outside(self, command):
        """Runs a program that does not know Redis' CPU time."""
        self.server.ask("FLUSHALL")
        cpu = self.server.cpu()
        figures = self.printed(command)
        figures["redis_cpu_us"] = (self.server.cpu() - cpu) / figures["asked"] * 1e6
        return figures

    def printed(self, command):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"bench: {' '.join(map(str, command))} ended with {done.returncode}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def policy(self, name, text):
        """A policy file for the time of the run."""
        path = self.policies / f"{name}.yaml"
        path.write_text(text)
        return path


def children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
