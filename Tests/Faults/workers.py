"""FaultWorker processes: the library under test."""
from __future__ import annotations

import json
import os
import pathlib
import queue
import signal
import subprocess
import threading
import time
from typing import Any, Iterable

import history
from history import Limit, Record
from topology import Topology, die_with_parent

ROOT = pathlib.Path(__file__).resolve().parents[2]


def binary(name: str = "FaultWorker") -> str:
    """A built product; BIN names another folder of them."""
    return str(pathlib.Path(os.environ.get("BIN", ROOT / ".build" / "debug")) / name)


class Worker:
    """One process with the library."""

    def __init__(
        self, topology: Topology, name: str, url: str, limits: Iterable[Limit], prefix: list[str] | None = None,
        environment: dict[str, str] | None = None, ready: bool = True, **plan: Any,
    ):
        self.name, self.limits = name, list(limits)
        self.path = topology.directory / f"{name}.jsonl"
        self.log = topology.directory / f"{name}.log"
        plan = {**plan, "limits": [limit.plan() for limit in self.limits]}
        plan_path = topology.directory / f"{name}.plan.json"
        plan_path.write_text(json.dumps(plan))
        arguments = (prefix or []) + [
            binary(), "--redis", url, "--plan", str(plan_path), "--history", str(self.path), "--name", name,
        ]
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(
                arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1,
                preexec_fn=die_with_parent, env={**os.environ, **(environment or {})},
            )
        topology.on_close(self.kill)
        self.lines: queue.Queue[dict] = queue.Queue()
        self.invalid: dict[str, str] = {}
        self.final: dict | None = None
        threading.Thread(target=self._read, daemon=True).start()
        if ready:
            self.answer("ready", 10)

    def _read(self) -> None:
        assert self.child.stdout
        for line in self.child.stdout:
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if value.get("final"):
                self.final = value
            if "invalid" in value:
                self.invalid[value["invalid"]] = value["code"]
            else:
                self.lines.put(value)
        self.lines.put({"ended": True})

    def answer(self, field: str, seconds: float = 10) -> dict:
        """The next line that has a field."""
        end = time.monotonic() + seconds
        while True:
            value = self.lines.get(timeout=max(0.01, end - time.monotonic()))
            if field in value:
                return value
            if "ended" in value:
                raise RuntimeError(f"{self.name} ended: {self.log.read_text()[:300].strip()}")

    def tell(self, line: str) -> None:
        assert self.child.stdin
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()

    def acquire(self, key: str, limits: str, cost: int = 1, times: int = 1, seconds: float = 20) -> list[dict]:
        """Decisions one after the other."""
        self.tell(f"acquire {key} {limits} {cost} {times}")
        return [self.answer("o", seconds) for _ in range(times)]

    def burst(self, count: int, key: str, limit: str, cost: int = 1, seconds: float = 30) -> dict:
        """Decisions all at once."""
        self.tell(f"burst {count} {key} {limit} {cost}")
        return self.answer("burst", seconds)

    def probe(self) -> dict:
        self.tell("probe")
        return self.answer("probe")

    def metrics(self) -> dict[str, float]:
        self.tell("metrics")
        return self.answer("metrics")["metrics"]

    @property
    def breaker(self) -> float | None:
        """1 when a breaker is open, by the worker's metric of each node."""
        states = [value for name, value in self.metrics().items() if name.startswith("headgate_breaker_state")]
        return max(states) if states else None

    @property
    def fds(self) -> int:
        return len(os.listdir(f"/proc/{self.child.pid}/fd"))

    @property
    def sockets(self) -> int:
        count = 0
        for name in os.listdir(f"/proc/{self.child.pid}/fd"):
            try:
                count += os.readlink(f"/proc/{self.child.pid}/fd/{name}").startswith("socket:")
            except OSError:
                pass
        return count

    @property
    def rss(self) -> int:
        """Resident bytes."""
        with open(f"/proc/{self.child.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    @property
    def cpu(self) -> float:
        """Seconds of processor time."""
        with open(f"/proc/{self.child.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def alive(self) -> bool:
        return self.child.poll() is None

    def signal(self, number: int) -> None:
        if self.alive:
            self.child.send_signal(number)

    def stop(self, seconds: float = 10) -> dict:
        """Ends the work; returns the final metrics."""
        if self.alive:
            try:
                self.tell("stop")
            except OSError:
                pass
        self.child.wait(seconds)
        end = time.monotonic() + 2
        while self.final is None and time.monotonic() < end:
            time.sleep(0.01)
        return (self.final or {}).get("metrics", {})

    def kill(self) -> None:
        if self.alive:
            self.child.send_signal(signal.SIGCONT)
            self.child.kill()
        self.child.wait()

    def records(self) -> list[Record]:
        return history.load([self.path])

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")
