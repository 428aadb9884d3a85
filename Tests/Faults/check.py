"""Judges histories by the definitions of the limits alone: never over, never denied without need, times true.

Each function returns problems as sentences; none means that it holds.
"""
from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import replace
from typing import Iterable

from history import Clock, Limit, Loss, Record
from leases import concurrency
from states import Bucket, left, state

RECORDS = (":policy",)  # Ends of keys that are records of a server and no counts.
SLACK = 5_000  # Microseconds by which the clocks' readings may differ.


def verify(
    records: list[Record],
    limits: Iterable[Limit],
    losses: Iterable[Loss] = (),
    clock: Clock | None = None,
    late: int = 30_000_000,
    masters: int = 1,
    grace: tuple[int, int] | None = None,
) -> list[str]:
    """All of the invariants.

    `late` is how many microseconds after its caller gave up a call may still be run by Redis; `masters` how many servers
    took writes at once; in the `grace` of Redis' time a denial needs no reason.
    """
    clock = clock or Clock()
    losses = sorted(losses, key=lambda loss: loss.start)
    problems = times(records, clock)
    by_id = {limit.id: limit for limit in limits}
    groups: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records:
        for name in record.l.split("+"):
            groups[record.k, name].append(record)
    explained: set[tuple[str, int]] = set()
    denied: dict[tuple[str, int], Record] = {}
    for (key, name), own in sorted(groups.items()):
        if by_id[name].algorithm == "concurrency":
            found, reasons = concurrency(own, by_id[name], losses, clock, masters)
        else:
            found, reasons = counted(own, by_id[name], losses, clock, late, masters, grace)
        problems += [f"{key}/{name}: {problem}" for problem in found]
        explained |= reasons
        denied.update({(record.w, record.n): record for record in own if record.o == "D" and record.t})
    for identifier, record in denied.items():
        if grace and record.t is not None and grace[0] <= record.t <= grace[1]:
            continue
        if identifier not in explained:
            problems.append(f"{record.k}/{record.l}: denied without need, cost {record.c} at {record.t} ({record.w} {record.n})")
    return problems


def times(records: list[Record], clock: Clock) -> list[str]:
    """Redis' time lies between call and return, and never goes back from one call to a later one of the same key."""
    problems = []
    by_key: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.t is None or clock.crossed(record.s, record.e):
            continue
        if not clock.at(record.s) - SLACK <= record.t <= clock.at(record.e) + SLACK:
            away = record.t - clock.at(record.s)
            problems.append(f"{record.k}: a time {away} us from its call, which took {record.milliseconds:.1f} ms ({record.w} {record.n})")
        by_key[record.k].append(record)
    for key, own in by_key.items():
        ended: list[tuple[int, int]] = []
        newest, newest_end = 0, 0
        for record in own:
            while ended and ended[0][0] < record.s:
                end, time = heapq.heappop(ended)
                if time >= newest:
                    newest, newest_end = time, end
            if record.t < newest and not clock.crossed(newest_end, record.s):
                problems.append(f"{key}: time went back by {newest - record.t} us")
            if clock.crossed(newest_end, record.s):
                newest = 0
            heapq.heappush(ended, (record.e, record.t))
    return problems


def counted(
    records: list[Record], limit: Limit, losses: list[Loss], clock: Clock, late: int, masters: int, grace: tuple[int, int] | None = None
) -> tuple[list[str], set[tuple[str, int]]]:
    """One key of one counting limit: problems, and the denials that it explains."""
    problems: list[str] = []
    explained: set[tuple[str, int]] = set()
    unknowns = [(clock.at(r.s) - SLACK, clock.at(r.e) + late, r.c) for r in records if r.unknown]
    decided = sorted((r for r in records if r.decided), key=lambda r: (r.t, r.o, r.e))
    lost = [(clock.at(loss.start), clock.at(loss.end), loss.last) for loss in losses]
    # Each of several masters admits all that the limit says: burst and rate are so many times as much.
    burst = None if limit.burst is None else limit.burst * masters
    together = replace(limit, units=limit.units * masters, burst=burst)
    strict, lenient = state(together), state(limit, lenient=True)
    admitted: list[Record] = []
    counts: dict[int, int] = defaultdict(int)
    for record in decided:
        counts[record.t] += 1
    first_trouble = min([u[0] for u in unknowns] + [start for start, _, _ in lost] + ([grace[0]] if grace else []), default=None)
    at, stepped = 0, False
    for record in decided:
        t, cost = record.t, record.c
        assert t is not None
        while at < len(lost) and lost[at][1] < t:
            strict = forget(together, admitted, lost[at])
            at += 1
        bound = strict.full * (2 if at < len(lost) and lost[at][0] <= t else 1)
        if grace and t >= grace[0] and not stepped:
            # A clock that went back leaves a bucket that counts as empty, for as long as it is never full again.
            stepped = t > grace[0] + 50_000
            if isinstance(lenient, Bucket):
                lenient.value, lenient.when = lenient.full, t
        exact = counts[t] == 1 and "+" not in record.l and masters == 1 and (first_trouble is None or t < first_trouble) and not clock.steps
        if record.o == "A":
            strict.add(t, cost)
            lenient.add(t, cost)
            admitted.append(record)
            if strict.level(t) > bound:
                over = -(-(strict.level(t) - bound) // strict.unit)
                problems.append(f"{over} units over {limit.capacity} at {t} ({record.w} {record.n})")
        else:
            extra = sum(c for low, high, c in unknowns if low <= t and high > t - limit.memory) * lenient.unit
            if lenient.level(t) + extra + cost * lenient.unit > lenient.full:
                explained.add((record.w, record.n))
            if exact and record.ra is not None:
                problems += waits(record, strict, lenient)
        if exact and record.r:
            expected = left(limit, strict.level(t), strict.unit, strict.full)
            if record.r[0] != expected:
                problems.append(f"remaining {record.r[0]}, expected {expected} at {t} ({record.w} {record.n})")
    return problems, explained


def waits(record: Record, strict, lenient) -> list[str]:
    """A caller that waits as long as it was told is admitted, and a microsecond earlier it is not."""
    assert record.t is not None and record.ra is not None
    then = record.t + record.ra
    need = record.c * strict.unit
    if strict.level(then) + need > strict.full:
        return [f"told to wait {record.ra} us, which is too short ({record.w} {record.n})"]
    if lenient.level(then - 1) + need <= lenient.full:
        return [f"told to wait {record.ra} us, which is too long ({record.w} {record.n})"]
    return []


def forget(limit: Limit, admitted: list[Record], loss: tuple[int, int, int | None]):
    """The state after a loss: what was charged before the last microseconds, or nothing."""
    start, _, last = loss
    after = state(limit)
    if last is not None:
        for record in admitted:
            assert record.t is not None
            if record.t <= start - last:
                after.add(record.t, record.c)
    return after


def admitted_units(records: Iterable[Record], key: str, limit: str) -> int:
    return sum(r.c for r in records if r.o == "A" and r.k == key and limit in r.l.split("+"))


def unknown_units(records: Iterable[Record], key: str, limit: str) -> int:
    return sum(r.c for r in records if r.unknown and r.k == key and limit in r.l.split("+"))


def metric_counts(records: list[Record], metrics: dict[str, float]) -> list[str]:
    """Errors by kind and decisions by outcome are the same in metrics and history."""
    problems = []
    expected: dict[str, int] = defaultdict(int)
    for record in records:
        if record.x and record.x not in ("cancelled", "notHeld", "badRequest", "invalidLimit"):
            expected[record.x] += 1
    kinds = {name.split("kind=")[1].rstrip("}"): int(v) for name, v in metrics.items() if name.startswith("headgate_backend_errors_total{")}
    for kind in sorted(set(expected) | set(kinds) - {"badRequest"}):
        if expected.get(kind, 0) != kinds.get(kind, 0):
            problems.append(f"metrics count {kinds.get(kind, 0)} errors of kind {kind}, the history {expected.get(kind, 0)}")
    return problems + outcome_counts(records, metrics)


OUTCOMES = {"A": "allowed", "D": "denied", "FO": "failopen_allowed", "FC": "failclosed_denied", "LA": "local_allowed", "LD": "local_denied"}


def outcome_counts(records: list[Record], metrics: dict[str, float]) -> list[str]:
    """Decisions by outcome, where there is such a metric and each decision is about one limit."""
    counted: dict[str, int] = defaultdict(int)
    for name, value in metrics.items():
        if name.startswith("headgate_decisions_total{") and "outcome=" in name:
            counted[name.split("outcome=")[1].split(",")[0].rstrip("}")] += int(value)
    if not counted or any("+" in record.l for record in records):
        return []
    expected: dict[str, int] = defaultdict(int)
    for record in records:
        if record.o in OUTCOMES and (record.decided or record.o != "D"):
            expected[OUTCOMES[record.o]] += 1
    return [
        f"headgate_decisions_total counts {counted.get(outcome, 0)} {outcome}, the history {expected.get(outcome, 0)}"
        for outcome in sorted(set(counted) | set(expected)) if counted.get(outcome, 0) != expected.get(outcome, 0)
    ]


def immortal(client, prefix: str = "hg:") -> tuple[int, list[str]]:
    """How many keys there are, and those that have no time to live or a foreign prefix."""
    cursor, keys = b"0", []
    while True:
        cursor, page = client.call("SCAN", cursor, "COUNT", 1000)
        keys += page
        if cursor == b"0":
            break
    problems = []
    lives = client.pipeline([("PTTL", key) for key in keys])
    for key, life in zip(keys, lives):
        name = key.decode("utf-8", "replace")
        if name.startswith(("filler", "fault-probe")):
            continue
        if not name.startswith(prefix):
            problems.append(f"a key outside of the prefix: {name}")
        elif life == -1 and not name.endswith(RECORDS):
            problems.append(f"a key without time to live: {name}")
    return len(keys), problems
