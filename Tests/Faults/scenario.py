"""What every row shares: its processes, its demands, and its figure."""
from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Any, Callable, Iterable

import check
import history
from history import Clock, Limit, Record
from nemesis import Nemesis
from probe import Probe
from topology import Redis, Topology, now
from workers import Worker

SECOND = 1_000_000
# What these noisy two cores may add to a bound of time.
P99_SLACK, MAX_SLACK = 50.0, 250.0
RECOVERY = 2.0
# What a worker has open without any connection (15): its streams, its history, two event loops, signals; and one.
DESCRIPTORS = 16


class Skipped(Exception):
    """The machine cannot produce the fault; the text says why."""


@dataclass
class Row:
    """A line of the fault table."""

    number: str
    fault: str
    demand: str
    body: Callable[["Scenario"], None]
    short: bool = False
    alone: bool = True
    seconds: int = 60


ROWS: dict[str, Row] = {}


def row(number: str, fault: str, demand: str, **options: Any) -> Callable:
    """Makes a function the scenario of a row."""
    def register(body: Callable[["Scenario"], None]) -> Callable:
        assert number not in ROWS, f"row {number} is there twice"
        ROWS[number] = Row(number, fault, demand, body, **options)
        return body
    return register


def standard(policy: str = "open", units: int = 20, window: int = SECOND, only: str = "") -> list[Limit]:
    """One limit of each algorithm, small enough that load meets it."""
    limits = [
        Limit("log", "sliding_window_log", units, window, policy=policy),
        # No whole number of microseconds a unit, so that what is rounded shows.
        Limit("bucket", "token_bucket", units, window + 7, burst=units // 2, policy=policy),
        Limit("fixed", "fixed_window", units, window, policy=policy),
        Limit("counter", "sliding_window_counter", units, window, policy=policy),
        Limit("slots", "concurrency", 3, 5 * SECOND, policy=policy),
    ]
    return [limit for limit in limits if not only or limit.id in only.split()]


# Never denies, and its count stays: how often a decision was charged.
COUNT = Limit("count", "fixed_window", 10**9, 86_400 * SECOND)
COUNT_CLOSED = Limit("count", "fixed_window", 10**9, 86_400 * SECOND, policy="closed")


class Scenario:
    """One run of one row."""

    def __init__(self, number: str, seed: int):
        self.row = ROWS[number]
        self.seed = seed
        self.random = random.Random(seed)
        self.topology = Topology(f"row{number}")
        self.nemesis = Nemesis(self.topology.directory / "nemesis.jsonl")
        self.clock = Clock()
        self.workers: list[Worker] = []
        self.problems: list[str] = []
        self.figures: list[str] = []
        self.proofs = 0
        self.secrets: list[str] = []

    # Results

    def demand(self, holds: bool, what: str) -> None:
        if not holds:
            self.problems.append(what)

    def proof(self, seen: bool, what: str) -> None:
        """The fault has to have happened, or the row says nothing."""
        self.proofs += 1
        if not seen:
            self.problems.append(f"the fault was not seen: {what}")

    def figure(self, text: str) -> None:
        self.figures.append(text)

    # Processes

    def redis(self, *options: str, **more: Any) -> Redis:
        return self.topology.redis(*options, **more)

    def probe(self, redis: Redis) -> Probe:
        probe = Probe(redis.port, redis.host, redis.password)
        self.topology.on_close(probe.close)
        return probe

    def worker(self, url: str, limits: Iterable[Limit], name: str | None = None, **plan: Any) -> Worker:
        plan.setdefault("seed", self.seed)
        worker = Worker(self.topology, name or f"w{len(self.workers)}", url, limits, **plan)
        self.workers.append(worker)
        return worker

    def load(self, url: str, limits: list[Limit] | None = None, workers: int = 2, rate: int = 400, **plan: Any) -> None:
        """Workers that decide at a pace, until `finish`."""
        plan.setdefault("keys", ["a", "b", "c"])
        for _ in range(workers):
            self.worker(url, limits or standard(), rate=rate // workers, **plan)

    def sleep(self, seconds: float) -> int:
        time.sleep(seconds)
        return now()

    # Judgement

    def finish(self, redis: Redis | None = None, metrics: bool = True, judge: bool = True, lookups: int = 0, **options: Any) -> list[Record]:
        """Stops the workers and judges their histories by all invariants; a name that is looked up still holds a descriptor."""
        records: list[Record] = []
        for worker in self.workers:
            counts = worker.stop()
            own = worker.records()
            records += own
            self.demand(worker.child.returncode == 0, f"{worker.name} ended with {worker.child.returncode}: {worker.log_text()[-300:]}")
            descriptors = (worker.final or {}).get("footprint", {}).get("fds", 0)
            self.demand(descriptors <= DESCRIPTORS + lookups, f"{worker.name} has {descriptors} descriptors open when all is over")
            if metrics:
                self.problems += check.metric_counts(own, counts)
        records.sort(key=lambda record: record.s)
        limits = {limit.id: limit for worker in self.workers for limit in worker.limits}
        found = check.verify(records, limits.values(), self.nemesis.losses, self.clock, **options) if judge else []
        self.problems += found[:5] + ([f"and {len(found) - 5} more of that kind"] if len(found) > 5 else [])
        if redis:
            with redis.client() as client:
                self.problems += check.immortal(client)[1][:5]
        self._grep()
        return records

    def _grep(self) -> None:
        for worker in self.workers:
            text = worker.log_text()
            for secret in self.secrets:
                self.demand(secret not in text, f"a secret stands in the log of {worker.name}")
            self.demand("Fatal error" not in text, f"{worker.name} says: {text[text.find('Fatal error'):][:200]}")

    def within_deadline(self, records: list[Record], deadline: float = 50, what: str = "decisions") -> None:
        """Every decision of these ended by its deadline, and what the machine may add."""
        times = [r.milliseconds for r in records if r.o != "R"]
        p99, longest = history.percentile(times, 0.99), max(times, default=0)
        self.figure(f"{what}: {len(times)}, p99 {p99:.1f} ms, max {longest:.1f} ms")
        self.demand(bool(times), f"there were no {what}")
        self.demand(p99 <= deadline + P99_SLACK, f"{what}: p99 {p99:.1f} ms, at most {deadline + P99_SLACK:.0f}")
        self.demand(longest <= deadline + MAX_SLACK, f"{what}: max {longest:.1f} ms, at most {deadline + MAX_SLACK:.0f}")

    def recovered(self, records: list[Record], writable: int, limit: float = RECOVERY, what: str = "recovery") -> float:
        """Each worker decided by Redis again soon after it could be written to, and went on so."""
        slowest = 0.0
        for name in sorted({record.w for record in records}):
            after = [r for r in records if r.w == name and r.s >= writable]
            good = [r.e for r in after if r.decided]
            taken = (min(good) - writable) / 1e9 if good else float("inf")
            slowest = max(slowest, taken)
            settled = [r for r in after if r.degraded and r.s > writable + int(limit * 1e9)]
            self.demand(not settled, f"{name}: {len(settled)} decisions degraded {limit} s after Redis was back: {codes(settled)}")
        self.figure(f"{what} {slowest:.2f} s")
        self.demand(slowest <= limit, f"{what} took {slowest:.2f} s, at most {limit}")
        return slowest


def codes(records: Iterable[Record]) -> str:
    """How often each error occurred."""
    found: dict[str, int] = {}
    for record in records:
        if record.x:
            found[record.x] = found.get(record.x, 0) + 1
    return ", ".join(f"{code} {number}" for code, number in sorted(found.items())) or "none"


def between(records: list[Record], start: int, end: int) -> list[Record]:
    """Those that were called in an interval."""
    return [r for r in records if start <= r.s < end]
