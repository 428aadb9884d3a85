"""Section E: clocks."""
from __future__ import annotations

import re
import time
from dataclasses import replace

import check
import linearize
from clocks import ShiftedClock
from history import Clock, Record
from netns import Hosts
from scenario import SECOND, Scenario, between, codes, row, standard
from topology import now, wait_for

HOUR = 3_600 * SECOND
STEPS = "headgate_clock_step_total"


def steps(metrics: dict[str, float], direction: str) -> float:
    return sum(v for k, v in metrics.items() if k.startswith(STEPS) and direction in k)


@row("54", "clocks of the processes: +1 h, -1 h, drifting", "no effect at all: only Redis' TIME decides", short=True)
def application_clock(s: Scenario) -> None:
    redis = s.redis()
    clocks = [ShiftedClock(s.topology, name, off) for name, off in (("plus", HOUR), ("minus", -HOUR), ("drift", 0))]
    for number, clock in enumerate([None, *clocks]):
        s.worker(
            redis.url, standard(), f"w{number}", keys=["a", "b"], rate=100, environment=clock.environment if clock else None,
        )
    for step in range(100):
        clocks[2].set(step * 200_000)  # 20 s in 4 s
        time.sleep(0.04)
    records = s.finish(redis)
    stamps = [re.findall(r"T(\d\d):", w.log_text()[:40]) for w in s.workers]
    s.proof(stamps[1] != stamps[0] and stamps[2] != stamps[0] and all(stamps), f"the hours of the logs are {stamps}")
    degraded = sum(r.degraded for r in records)
    s.demand(not degraded, f"{degraded} degraded: {codes(records)}")
    ordered, unordered = linearize.all_keys(records, standard())
    s.problems += unordered
    s.demand(ordered > 500, f"only {ordered} operations could be put into an order")
    counts = {w.name: sum(r.o == "A" for r in records if r.w == w.name) for w in s.workers}
    s.demand(min(counts.values()) > 0, f"admitted by worker: {counts}")
    s.figure(f"{len(records)} decisions of 4 processes, admitted {counts}, all invariants hold; {ordered} linearized")


def unshifted(records: list[Record], clock: Clock) -> list[Record]:
    """Records with Redis' times as they would be without steps."""
    offsets = [0] + [amount for _, amount in clock.steps]
    plain = []
    for record in records:
        if record.t is not None:
            middle = (record.s + record.e) // 2 // 1000 + clock.offset
            nearest = min(offsets, key=lambda amount: abs(record.t - amount - middle))
            record = replace(record, t=record.t - nearest)
        plain.append(record)
    return plain


def judged(s: Scenario, redis, at: int, amount: int, window: int) -> list[Record]:
    """Judges a run with one step of Redis' clock."""
    records = s.finish(redis, judge=False)
    limits = s.workers[0].limits
    clock = Clock(steps=[(at, amount)])
    found = check.times(records, clock)
    if amount > 0:
        # Forward, Redis' own time only leaves windows earlier: by it nothing may be over.
        found += check.verify(records, limits, (), clock)
    else:
        plain = Clock()
        when = plain.at(at)
        real = unshifted(records, clock)
        for limit in limits:
            own = [(raw, r) for raw, r in zip(records, real) if limit.id in r.l.split("+")]
            if limit.id in ("fixed", "counter"):
                # Windows are of Redis' own time; they may admit L once more, and lock out for no longer than a window.
                before = [raw for raw, r in own if raw.t is None or raw.t == r.t]
                after = [raw for raw, r in own if raw.t is not None and raw.t != r.t]
                grace = (when + amount - 20_000, when + amount + 2 * window + 20_000)
                found += check.verify(before, [limit], (), clock) + check.verify(after, [limit], (), clock, grace=grace)
            else:
                grace = (when - 20_000, when + 2 * window + 20_000)
                found += check.verify([r for _, r in own], [limit], (), plain, grace=grace)
    s.problems += found[:6] + ([f"and {len(found) - 6} more of that kind"] if len(found) > 6 else [])
    for limit in limits:
        for key in sorted({r.k for r in records}):
            own = [r for r in records if r.l == limit.id and r.k == key and r.s > at]
            first = next((r for r in own if r.o == "A"), None)
            locked = (first.s - at) / 1e9 if first else 99.0
            longest = max(window, limit.window) / SECOND + 0.5
            s.demand(locked <= longest, f"{limit.id}/{key} locked out for {locked:.1f} s")
    return records


def stepped(s: Scenario, amount: int, direction: str) -> None:
    clock = ShiftedClock(s.topology, "redis")
    redis = s.redis(start=False)
    redis.environment = clock.environment
    redis.start()
    s.load(redis.url, standard(window=2 * SECOND), rate=400)
    s.sleep(3.3)
    before = int(redis.call("TIME")[0])
    at = clock.set(amount)
    s.nemesis.note(f"clock moved by {amount / SECOND:.0f} s")
    after = int(redis.call("TIME")[0])
    s.sleep(6)
    told = [steps(worker.metrics(), direction) for worker in s.workers]
    s.proof(abs(after - before - amount // SECOND) <= 2, f"Redis' clock went from {before} to {after}")
    records = judged(s, redis, at, amount, 2 * SECOND)
    s.demand(not any(r.degraded for r in records), f"degraded: {codes(records)}")
    negative = [r for r in records if (r.ra or 0) < 0 or any(left < 0 for left in r.r or ())]
    s.demand(not negative, f"{len(negative)} negative numbers")
    long = [r for r in records if r.o == "D" and (r.ra or 0) > 2 * 2 * SECOND]
    s.demand(not long, f"told to wait {max((r.ra or 0 for r in long), default=0)} us for a window of 2 s")
    s.demand(all(count >= 1 for count in told), f"{STEPS}{{dir={direction}}} is {told}, expected 1 each")
    s.figure(f"{len(records)} decisions, {sum(r.o == 'A' for r in records)} admitted; metric {told}")


@row("55", "Redis' clock back 1 h", "over-admission 0 (log, bucket, lease), <= L (fixed, counter); locked out <= W; metric", short=True)
def clock_back(s: Scenario) -> None:
    stepped(s, -HOUR, "back")


@row("56", "Redis' clock forward 1 h", "<= 1 x L or B for the step; metric")
def clock_forward(s: Scenario) -> None:
    stepped(s, HOUR, "forward")


def skewed(s: Scenario, skew: int) -> None:
    """A replica with another clock is promoted."""
    first, second = (s.redis(start=False, host=host) for host in ("127.0.0.6", "127.0.0.7"))
    second.port = first.port
    clock = ShiftedClock(s.topology, "second", skew)
    second.environment = clock.environment
    for redis in (first, second):
        redis.directory = s.topology.directory / redis.host
        redis.directory.mkdir()
        redis.start()
    second.call("REPLICAOF", first.host, first.port)
    wait_for(lambda: second.info("replication").get("master_link_status") == "up", 10, "a replica")
    hosts = Hosts(s.topology, redis_test=first.host)
    for number in range(2):
        s.worker(f"redis://redis.test:{first.port}", standard(window=2 * SECOND), f"w{number}", keys=["a", "b"], rate=150, prefix=hosts.prefix)
    s.sleep(3.3)
    # The old master takes no more writes before the new one does: nothing is lost, and only the clocks differ.
    first.call("CONFIG", "SET", "min-replicas-to-write", 5)
    time.sleep(0.1)
    at = now()
    second.call("REPLICAOF", "NO", "ONE")
    hosts.set(redis_test=second.host)
    first.kill9()
    s.nemesis.note("promoted", skew=skew)
    s.sleep(5)
    s.proof(second.calls("evalsha") > 50, "the promoted server decides nothing")
    records = judged(s, second, at, skew, 2 * SECOND)
    negative = [r for r in records if (r.ra or 0) < 0 or any(left < 0 for left in r.r or ())]
    s.demand(not negative, f"{len(negative)} negative numbers")
    after = between(records, at + 2_000_000_000, now())
    s.demand(any(r.decided for r in after) and not any(r.degraded for r in after), f"after 2 s: {codes(after)}")
    s.figure(f"skew {skew / SECOND:+.1f} s: {sum(r.o == 'A' for r in records)} admitted of {len(records)}, {sum(r.degraded for r in records)} degraded")


@row("57", "promoted replica is 0.7 s ahead", "<= min(B, R x s) more; no negative number")
def ahead(s: Scenario) -> None:
    skewed(s, 700_000)


@row("57b", "promoted replica is 0.7 s behind", "nothing more; locked out <= W; no negative number")
def behind(s: Scenario) -> None:
    skewed(s, -700_000)


