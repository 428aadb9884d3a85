"""The algorithms by their definitions, slow and plain: what is used at an instant, in exact integers.

`level(t)` is what is used, in units of which a unit of cost is `unit`; a request of cost c has room when
`level(t) + c * unit <= full`. Nothing here knows how the product counts.
"""
from __future__ import annotations

from collections import deque

from history import Limit


class Log:
    """All charges of (t - window, t]."""

    def __init__(self, limit: Limit, slack: int = 0):
        self.window, self.unit, self.full, self.slack = limit.window, 1, limit.capacity, slack
        self.entries: deque[tuple[int, int]] = deque()

    def add(self, t: int, cost: int) -> None:
        while self.entries and self.entries[0][0] <= t - 2 * self.window - self.slack:
            self.entries.popleft()
        self.entries.append((t, cost))

    def level(self, t: int) -> int:
        return sum(cost for when, cost in self.entries if when > t - self.window - self.slack)


class Bucket:
    """A level that leaks at the rate: units * window is one unit of cost, units leak each microsecond."""

    def __init__(self, limit: Limit, slack: int = 0):
        self.rate, self.unit, self.full = limit.units, limit.window, limit.capacity * limit.window
        self.value, self.when, self.slack = 0, 0, slack

    def level(self, t: int) -> int:
        return max(0, self.value - self.rate * max(0, t - self.when)) + self.slack * self.rate

    def add(self, t: int, cost: int) -> None:
        self.value = max(0, self.value - self.rate * max(0, t - self.when)) + cost * self.unit
        self.when = max(self.when, t)


class Fixed:
    """A counter for each aligned window."""

    def __init__(self, limit: Limit, slack: int = 0):
        self.window, self.unit, self.full = limit.window, 1, limit.capacity
        self.counts: dict[int, int] = {}

    def level(self, t: int) -> int:
        return self.counts.get(t // self.window, 0)

    def add(self, t: int, cost: int) -> None:
        self.counts[t // self.window] = self.level(t) + cost


class Counter(Fixed):
    """current + ceil(previous * rest / window)."""

    def level(self, t: int) -> int:
        number, into = divmod(t, self.window)
        rest = self.window - into
        return self.counts.get(number, 0) - (-self.counts.get(number - 1, 0) * rest // self.window)

    def add(self, t: int, cost: int) -> None:
        self.counts[t // self.window] = self.counts.get(t // self.window, 0) + cost


def state(limit: Limit, lenient: bool = False):
    """An empty state; a lenient one denies as late as the documentation allows."""
    made = {"sliding_window_log": Log, "token_bucket": Bucket, "fixed_window": Fixed, "sliding_window_counter": Counter}
    slack = 0
    if lenient:
        slack = limit.slot - 1 if limit.algorithm == "sliding_window_log" else 1 if limit.algorithm == "token_bucket" else 0
    return made[limit.algorithm](limit, slack)


def left(limit: Limit, level: int, unit: int, full: int) -> int:
    """Whole units that are left."""
    return max(0, (full - level) // unit)
