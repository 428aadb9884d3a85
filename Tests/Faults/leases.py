"""Concurrency by its definition: at every instant no more unexpired and unreleased leases than slots."""
from __future__ import annotations

from history import Clock, Limit, Loss, Record

SLACK = 5_000


def concurrency(
    records: list[Record], limit: Limit, losses: list[Loss], clock: Clock, masters: int
) -> tuple[list[str], set[tuple[str, int]]]:
    """Problems of one key, and the denials that it explains.

    A lease certainly holds from its grant up to the call of its release, and possibly up to the release's return.
    """
    problems: list[str] = []
    released: dict[str, Record] = {r.lease: r for r in records if r.o == "R" and r.lease}
    lost = [(clock.at(loss.start), clock.at(loss.end)) for loss in losses]
    forgotten = [(clock.at(loss.start), clock.at(loss.end), loss.last) for loss in losses if loss.last is not None]
    certain: list[tuple[int, int, Record]] = []
    possible: list[tuple[int, int]] = []
    for record in records:
        if record.o == "A" and record.t is not None and record.lease:
            release = released.get(record.lease)
            ends = record.t + limit.window
            sure = min([ends] + ([clock.at(release.s) - SLACK] if release else []))
            maybe = min([ends] + ([clock.at(release.e) + SLACK] if release and not release.unknown and release.ch is None else []))
            if release and any(start - last <= clock.at(release.e) and clock.at(release.s) <= end for start, end, last in forgotten):
                maybe = ends  # It was released, and that was lost.
            sure = min([sure] + [start for start, end in lost if end > record.t])
            certain.append((record.t, max(record.t + 1, sure), record))
            possible.append((record.t, maybe))
        elif record.unknown and record.o != "R":
            # Taken, perhaps, until its time to live ends; freed behind its caller's back, perhaps.
            possible.append((clock.at(record.s) - SLACK, clock.at(record.e) + limit.window + 30_000_000))
    most = 0
    events = sorted([(start, 1) for start, _, _ in certain] + [(end, -1) for _, end, _ in certain])
    held = 0
    for when, change in events:
        held += change
        if held > limit.capacity * masters and not any(start <= when <= end for start, end in lost):
            most = max(most, held)
    if most:
        problems.append(f"{most} leases at once, {limit.capacity} slots")
    explained = set()
    for record in records:
        if record.o == "D" and record.t is not None:
            if sum(1 for start, end in possible if start <= record.t < end) >= limit.capacity:
                explained.add((record.w, record.n))
    return problems, explained
