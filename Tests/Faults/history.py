"""Histories of workers, and what they are judged by."""
from __future__ import annotations

import json
import pathlib
import time
from dataclasses import dataclass, field
from typing import Callable, Iterable


@dataclass(frozen=True)
class Limit:
    """One limit of a plan; times are microseconds."""

    id: str
    algorithm: str
    units: int
    window: int
    burst: int | None = None
    policy: str = "open"
    # A name under which all keys share the limit.
    shared: str | None = None

    @property
    def capacity(self) -> int:
        return self.units if self.burst is None else self.burst

    @property
    def slot(self) -> int:
        """By how much a log may give a unit back late."""
        return 1 if self.units <= 1000 else max(1, self.window // 1000)

    @property
    def memory(self) -> int:
        """For how long a charge can matter."""
        if self.algorithm == "token_bucket":
            return self.capacity * self.window // max(1, self.units) + 1
        return self.window * (2 if self.algorithm == "sliding_window_counter" else 1)

    def plan(self) -> dict:
        plan = {"id": self.id, "algorithm": self.algorithm, "units": self.units, "window": self.window, "onRedisFailure": self.policy}
        if self.burst is not None:
            plan["burst"] = self.burst
        if self.shared is not None:
            plan["shared"] = self.shared
        return plan


@dataclass(frozen=True)
class Record:
    """One line of a history; see Tests/FaultWorker/History.swift."""

    w: str
    n: int
    l: str
    k: str
    c: int
    s: int
    e: int
    o: str
    t: int | None = None
    r: tuple[int, ...] | None = None
    ra: int | None = None
    x: str | None = None
    ch: str | None = None
    lease: str | None = None
    b: int | None = None
    m: str | None = None

    @property
    def milliseconds(self) -> float:
        return (self.e - self.s) / 1e6

    @property
    def decided(self) -> bool:
        """Whether Redis decided."""
        return self.o in "AD" and self.t is not None

    @property
    def unknown(self) -> bool:
        return self.ch == "unknown"

    @property
    def degraded(self) -> bool:
        return self.o != "R" and not self.decided


def load(paths: Iterable[pathlib.Path]) -> list[Record]:
    """All records by the time of their call; a line that a kill cut off is left out."""
    records = []
    for path in paths:
        for line in path.read_text().splitlines():
            try:
                fields = json.loads(line)
            except ValueError:
                continue
            if "r" in fields:
                fields["r"] = tuple(fields["r"])
            records.append(Record(**fields))
    return sorted(records, key=lambda record: record.s)


def wall_offset() -> int:
    """Microseconds between CLOCK_MONOTONIC and the wall clock."""
    offsets = []
    for _ in range(9):
        a = time.monotonic_ns()
        wall = time.time_ns()
        b = time.monotonic_ns()
        offsets.append((b - a, (wall - (a + b) // 2) // 1000))
    return min(offsets)[1]


@dataclass(frozen=True)
class Loss:
    """State that was lost at some instant between two, in nanoseconds of CLOCK_MONOTONIC.

    `last` says of how many microseconds the newest charges may be lost; None means of all of them.
    """

    start: int
    end: int
    last: int | None = None


@dataclass
class Clock:
    """What Redis' clock was, in microseconds, at an instant of CLOCK_MONOTONIC."""

    offset: int = field(default_factory=wall_offset)
    # (instant in ns, microseconds added from then on), in order; and the intervals in which a step happened.
    steps: list[tuple[int, int]] = field(default_factory=list)

    def at(self, instant: int) -> int:
        added = 0
        for when, amount in self.steps:
            if when <= instant:
                added = amount
        return instant // 1000 + self.offset + added

    def crossed(self, start: int, end: int) -> bool:
        """Whether a step lies in or close to an interval."""
        return any(start - 50_000_000 <= when <= end + 50_000_000 for when, _ in self.steps)


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def count(records: Iterable[Record], condition: Callable[[Record], bool]) -> int:
    return sum(1 for record in records if condition(record))
