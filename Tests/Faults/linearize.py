"""Is there one order of all operations of a key, each at some time between its call and its return, that the limit's definition
allows? A search after Wing, Gong and Lowe, which believes nothing that Redis said of time.

The time of an operation is known to an interval only, so a level is too: an admission must be possible at the lowest level, a
denial at the highest. That never accuses a right history; it finds lost charges and clocks that are off by more than a call
takes. Operations of unknown outcome may have happened at any time from their call on, or never.
"""
from __future__ import annotations

import sys
from dataclasses import dataclass

from history import Clock, Limit, Record

MOST = 200
ALGORITHMS = ("sliding_window_log", "token_bucket", "fixed_window")
NEVER = 2**62


@dataclass(frozen=True)
class Operation:
    """Times are microseconds of the wall clock."""

    start: int
    end: int
    cost: int
    kind: str


Entry = tuple[int, int, int]  # Earliest, latest, cost.


def lowest(limit: Limit, entries: tuple[Entry, ...], earliest: int, latest: int) -> int:
    """The least that may be used at a time of an interval."""
    if limit.algorithm == "sliding_window_log":
        return sum(cost for low, _, cost in entries if low > latest - limit.window)
    if limit.algorithm == "fixed_window":
        windows = range(earliest // limit.window, latest // limit.window + 1)
        return min(sum(c for low, high, c in entries if low // limit.window == n == high // limit.window) for n in windows)
    return leaked(limit, [(low, cost) for low, _, cost in entries], latest)


def highest(limit: Limit, entries: tuple[Entry, ...], earliest: int, latest: int) -> int:
    """The most that may be used at a time of an interval."""
    if limit.algorithm == "sliding_window_log":
        return sum(cost for _, high, cost in entries if high > earliest - limit.window - limit.slot)
    if limit.algorithm == "fixed_window":
        windows = range(earliest // limit.window, latest // limit.window + 1)
        return max(sum(c for low, high, c in entries if low // limit.window <= n <= high // limit.window) for n in windows)
    return leaked(limit, [(high, cost) for _, high, cost in entries], earliest) + limit.units


def leaked(limit: Limit, charges: list[tuple[int, int]], at: int) -> int:
    """A bucket's level, in units of which the window makes one."""
    level, when = 0, 0
    for time, cost in charges:
        level = max(0, level - limit.units * max(0, time - when)) + cost * limit.window
        when = max(when, time)
    return max(0, level - limit.units * max(0, at - when))


def operations(records: list[Record], clock: Clock) -> list[Operation]:
    """What is judged: up to the last moment before the bound at which nothing was under way."""
    found = []
    for record in sorted(records, key=lambda record: record.s):
        kind = record.o if record.decided else "U" if record.unknown else ""
        if kind:
            found.append(Operation(clock.at(record.s), NEVER if kind == "U" else clock.at(record.e) + 1, record.c, kind))
    if len(found) <= MOST:
        return found
    for size in range(MOST, 0, -1):
        if max(op.end for op in found[:size]) < found[size].start:
            return found[:size]
    return []


def linearizable(records: list[Record], limit: Limit, clock: Clock | None = None) -> tuple[int, str | None]:
    """How many operations were judged, and which one no order explains; None when some order explains all."""
    todo = operations(records, clock or Clock())
    unit = limit.window if limit.algorithm == "token_bucket" else 1
    full = limit.capacity * unit
    everything = (1 << len(todo)) - 1
    failed: set[tuple[int, tuple[Entry, ...]]] = set()
    deepest = (0, 0)
    sys.setrecursionlimit(10_000)

    def search(done: int, now: int, entries: tuple[Entry, ...]) -> bool:
        nonlocal deepest
        remaining = [index for index in range(len(todo)) if not done >> index & 1]
        if all(todo[index].kind == "U" for index in remaining):
            return True
        if limit.algorithm != "token_bucket":  # A bucket that is never full again forgets nothing.
            entries = tuple(entry for entry in entries if entry[1] > now - 3 * limit.memory)
        if (done, entries) in failed:
            return False
        horizon = min(todo[index].end for index in remaining)
        for index in remaining:
            op = todo[index]
            if op.start > horizon:
                break
            # Whatever follows comes later than all that began before it in this order.
            low, high = max(now, op.start), min(op.end, horizon) if op.kind == "U" else op.end
            high = max(low, high)
            if op.kind == "D":
                if highest(limit, entries, low, high) + op.cost * unit <= full:
                    continue
                after = entries
            else:
                if op.kind == "A" and lowest(limit, entries, low, high) + op.cost * unit > full:
                    continue
                after = entries + ((low, high, op.cost),)
            if bin(done).count("1") > deepest[0]:
                deepest = (bin(done).count("1"), index)
            if search(done | 1 << index, low, after):
                return True
        failed.add((done, entries))
        return False

    if everything == 0 or search(0, 0, ()):
        return len(todo), None
    op = todo[min(deepest[1] + 1, len(todo) - 1)]
    return len(todo), f"no order explains what happened around {op.start} (operation {deepest[0] + 1} of {len(todo)}, {op.kind}, cost {op.cost})"


def all_keys(records: list[Record], limits: list[Limit]) -> tuple[int, list[str]]:
    """Every key of the limits whose definition is known here: how many operations, and what cannot be explained."""
    judged, problems = 0, []
    for limit in limits:
        if limit.algorithm in ALGORITHMS:
            for key in sorted({record.k for record in records}):
                count, problem = linearizable([r for r in records if r.k == key and r.l == limit.id and r.o != "R"], limit)
                judged += count
                if problem:
                    problems.append(f"{key}/{limit.id}: {problem}")
    return judged, problems
