"""The faults, each noted with what it allows: how much state may be lost (k, d), and when."""
from __future__ import annotations

import json
import os
import pathlib
import time

from history import Loss
from topology import Redis, now


class Nemesis:
    """Does harm, and keeps the log by which the checkers know what they must forgive."""

    def __init__(self, path: pathlib.Path):
        self.path = path
        self.losses: list[Loss] = []

    def note(self, what: str, **more: object) -> int:
        at = now()
        with open(self.path, "a") as log:
            log.write(json.dumps({"at": at, "what": what, **more}) + "\n")
        return at

    def allow(self, start: int, end: int, last: int | None = None) -> None:
        """State may be lost between two instants: all of it, or that of the last microseconds."""
        self.losses.append(Loss(start, end, last))
        self.note("allowed", start=start, end=end, k=1, d=last)

    def crash(self, redis: Redis, down: float, keeps: bool = False, last: int | None = None) -> tuple[int, int]:
        """kill -9, and a start after some seconds; returns both instants."""
        killed = redis.kill9()
        self.note("kill -9", port=redis.port)
        time.sleep(down)
        started = redis.start()
        self.note("start", port=redis.port)
        if not keeps or last is not None:
            self.allow(killed, started, last)
        return killed, started

    def hang(self, redis: Redis, seconds: float) -> tuple[int, int]:
        """SIGSTOP, and SIGCONT after some seconds."""
        stopped = redis.stop()
        self.note("SIGSTOP", port=redis.port)
        time.sleep(seconds)
        resumed = redis.resume()
        self.note("SIGCONT", port=redis.port)
        return stopped, resumed

    def flush_all(self, redis: Redis) -> None:
        start = now()
        redis.call("FLUSHALL")
        self.allow(start, now())

    def run(self, redis: Redis, *arguments: object) -> int:
        """One command that does harm."""
        at = self.note(" ".join(str(a) for a in arguments[:4]), port=redis.port)
        redis.call(*arguments)
        return at

    def is_stopped(self, redis: Redis) -> bool:
        """Whether the kernel says that the process is stopped."""
        assert redis.process
        stat = pathlib.Path(f"/proc/{redis.process.pid}/stat")
        return os.path.exists(stat) and stat.read_text().rsplit(")", 1)[1].split()[0] == "T"
