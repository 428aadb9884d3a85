"""Section A: one Redis process that goes, hangs, or forgets."""
from __future__ import annotations

import threading
import time
from typing import Iterable

import check
import history
from scenario import COUNT_CLOSED, RECOVERY, SECOND, Scenario, between, codes, row, standard
from servers import Server
from topology import Redis, now, wait_for

LOSS = "headgate_state_loss_suspected_total"


def suspected(metrics: dict[str, float], reason: str = "") -> float:
    """How often a worker suspected that state was lost."""
    return sum(v for k, v in metrics.items() if k.startswith(LOSS) and (not reason or f"reason={reason}" in k))


@row("1", "Redis absent at start", "library starts; server up <= 2 s, /livez 200, /readyz 503; decision <= T_rec after start", short=True)
def absent(s: Scenario) -> None:
    redis = s.redis(start=False)
    start = now()
    server = Server(s.topology, redis.url)
    server.wait(5)
    up = (now() - start) / 1e9
    s.demand(up <= 2.5, f"the server listened after {up:.2f} s, at most 2 (2.5 on a busy machine)")
    s.load(redis.url, standard("closed", only="log slots") + [COUNT_CLOSED])
    s.sleep(1)
    live, ready = server.get("/livez")[0], server.get("/readyz")
    s.demand(live == 200, f"/livez is {live} without Redis")
    s.demand(ready[0] == 503, f"/readyz is {ready[0]} without Redis")
    answer = server.authorize()
    s.demand(answer[0] == 200 and "x-headgate-degraded" in answer[1], f"a decision without Redis is {answer[0]} {answer[1]}")
    s.proof(not redis.process, "Redis was there")
    begun = redis.start()
    wait_for(lambda: server.get("/readyz")[0] == 200, 5, "/readyz 200")
    serving = (now() - begun) / 1e9
    s.demand(serving <= RECOVERY, f"the server was ready {serving:.2f} s after Redis, at most {RECOVERY}")
    s.sleep(2.5)
    records = s.finish(redis)
    before = between(records, start, begun - 200_000_000)
    s.proof(bool(before) and all(r.degraded for r in before), "decisions before the start of Redis")
    s.demand(all(r.o == "FC" and r.ch == "no" for r in before), f"before: {codes(before)}, expected all refused and not charged")
    s.within_deadline(before, what="decisions without Redis")
    s.recovered(records, begun)
    s.figure(f"server up {up:.2f} s, ready {serving:.2f} s after Redis")


@row("2", "crash, empty restart 3 s later", "degraded <= 3 s + T_rec; over-admission <= 1 x L; state-loss metric {run_id} +1", short=True)
def crash_empty(s: Scenario) -> None:
    redis = s.redis()
    probe = s.probe(redis)
    s.load(redis.url, standard(units=40, window=10 * SECOND))
    s.sleep(2)
    before = redis.run_id
    killed, _ = s.nemesis.crash(redis, 3)
    writable = probe.writable_after(killed + 200_000_000)
    s.sleep(3)
    s.proof(redis.run_id != before, "the run id is the same")
    losses = [suspected(worker.metrics(), "run_id") for worker in s.workers]
    records = s.finish(redis)
    s.within_deadline(between(records, killed, writable), what="decisions while down")
    s.recovered(records, writable)
    s.demand(all(loss == 1 for loss in losses), f"{LOSS}{{reason=run_id}} is {losses}, expected 1 each")
    s.figure(f"state loss suspected {losses}")


@row("3", "crash, restart from AOF (everysec)", "as 2; windows that are over do not deny; oracle passes with k=1, d=1.5 s")
def crash_append_only(s: Scenario) -> None:
    redis = s.redis("--appendonly", "yes", "--appendfsync", "everysec")
    probe = s.probe(redis)
    s.load(redis.url, standard(units=40, window=5 * SECOND))
    s.sleep(3)
    before, keys = redis.run_id, redis.call("DBSIZE")
    killed, started = s.nemesis.crash(redis, 2, keeps=True, last=1_500_000)
    restored = int(redis.info("persistence").get("aof_base_size", 0)) + redis.call("DBSIZE")
    writable = probe.writable_after(killed + 200_000_000)
    s.sleep(4)
    s.proof(redis.run_id != before and keys > 5 and restored > 0, f"{restored} keys were restored of {keys}")
    losses = [suspected(worker.metrics(), "run_id") for worker in s.workers]
    records = s.finish(redis)
    s.within_deadline(between(records, killed, writable), what="decisions while down")
    s.recovered(records, writable)
    s.demand(all(loss == 1 for loss in losses), f"{LOSS}{{reason=run_id}} is {losses}, expected 1 each")


@row("3b", "crash, restart from an RDB of 1.5 s before", "as 3; oracle passes with k=1, d=2 s")
def crash_snapshot(s: Scenario) -> None:
    redis = s.redis()
    probe = s.probe(redis)
    s.load(redis.url, standard(units=40, window=5 * SECOND))
    s.sleep(2)
    redis.call("SAVE")
    saved = now()
    s.sleep(1.5)
    before = redis.run_id
    killed, _ = s.nemesis.crash(redis, 1.5, keeps=True, last=(now() - saved) // 1000 + 300_000)
    restored = redis.call("DBSIZE")
    writable = probe.writable_after(killed + 200_000_000)
    s.sleep(4)
    s.proof(redis.run_id != before and restored > 5, f"{restored} keys were restored")
    losses = [suspected(worker.metrics(), "run_id") for worker in s.workers]
    records = s.finish(redis)
    s.within_deadline(between(records, killed, writable), what="decisions while down")
    s.recovered(records, writable)
    s.demand(all(loss == 1 for loss in losses), f"{LOSS}{{reason=run_id}} is {losses}, expected 1 each")


def hung(s: Scenario, harm, length: float, name: str) -> None:
    """A Redis that accepts connections and answers nothing for a time."""
    redis = s.redis()
    probe = s.probe(redis)
    s.load(redis.url)
    s.sleep(1.2)
    sockets = max(worker.sockets for worker in s.workers)
    began = harm(redis, True)
    s.nemesis.note(name)
    s.sleep(1.5)
    states = [worker.breaker for worker in s.workers]
    most, end = 0, began + int(length * 1e9)
    while now() < end:
        most = max([most] + [worker.sockets for worker in s.workers])
        time.sleep(0.05)
    harm(redis, False)
    writable = probe.writable_after(end)
    s.sleep(2.5)
    records = s.finish(redis)
    s.proof(probe.saw_outage(began, end), "the probe could write all the time")
    s.within_deadline(between(records, began, end), what="decisions meanwhile")
    first = [r.s for r in between(records, began, end) if r.degraded]
    s.proof(bool(first), "no decision met it")
    opened = between(records, began + 1_500_000_000, end - 100_000_000)
    s.demand(all(record.degraded for record in opened), "some were decided meanwhile")
    p99 = history.percentile([record.milliseconds for record in opened], 0.99)
    slow = sum(1 for record in opened if record.milliseconds > 25) / len(s.workers) / max(0.1, length - 1.6)
    s.figure(f"breaker open: p99 {p99:.1f} ms, {slow:.1f} waiting calls/s a process; sockets {sockets} before, at most {most}")
    s.demand(all(state == 1 for state in states), f"headgate_breaker_state is {states} after 1.5 s, expected 1")
    s.demand(p99 <= 5, f"p99 {p99:.1f} ms with the breaker open, at most 5 (1 without noise)")
    s.demand(slow <= 4, f"{slow:.1f} calls/s waited for a Redis that hangs, at most 4")
    s.demand(most <= sockets + 1, f"sockets grew from {sockets} to {most}")
    s.recovered(records, writable)


@row("4", "hang, TCP alive: SIGSTOP 5 s", "each decision <= D; breaker opens <= 1 s; open: p99 <= 1 ms, <= 4 probes/s; sockets; T_rec", short=True)
def hang(s: Scenario) -> None:
    def harm(redis: Redis, begin: bool) -> int:
        if not begin:
            return redis.resume()
        at = redis.stop()
        time.sleep(0.05)
        s.proof(s.nemesis.is_stopped(redis), "the process is not stopped")
        return at

    hung(s, harm, 5, "SIGSTOP")


@row("6", "CLIENT PAUSE 2000 WRITE", "as 4")
def paused_writes(s: Scenario) -> None:
    hung(s, lambda redis, begin: s.nemesis.run(redis, "CLIENT", "PAUSE", 2500, "WRITE") if begin else now(), 2.5, "CLIENT PAUSE WRITE")


@row("6b", "CLIENT PAUSE 2000 ALL", "as 4")
def paused(s: Scenario) -> None:
    hung(s, lambda redis, begin: s.nemesis.run(redis, "CLIENT", "PAUSE", 2500, "ALL") if begin else now(), 2.5, "CLIENT PAUSE ALL")


@row("5", "slow, not dead: DEBUG SLEEP 0.3 each second", "only calls during a sleep degrade; breaker changes <= 1/s; no late reply reaches a later call")
def slow(s: Scenario) -> None:
    redis = s.redis()
    s.load(redis.url)
    s.sleep(1)
    sleeps: list[tuple[int, int]] = []

    def sleeper() -> None:
        for _ in range(5):
            start = now()
            s.nemesis.run(redis, "DEBUG", "SLEEP", "0.3")
            sleeps.append((start, now()))
            time.sleep(0.7)

    thread = threading.Thread(target=sleeper)
    thread.start()
    changes, last = 0, None
    while thread.is_alive():
        state = s.workers[0].breaker
        changes += last is not None and state != last
        last = state
        time.sleep(0.05)
    records = s.finish(redis)
    s.proof(len(sleeps) == 5 and all(end - start > 290_000_000 for start, end in sleeps), "sleeps")
    during = [r for r in records if any(r.e >= start and r.s <= end for start, end in sleeps)]
    s.proof(sum(r.degraded for r in during) > 20, f"{sum(r.degraded for r in during)} decisions degraded")
    outside = [r for r in records if r.degraded and not any(r.e >= a - 5_000_000 and r.s <= b + 300_000_000 for a, b in sleeps)]
    s.demand(not outside, f"{len(outside)} decisions degraded outside of the sleeps: {codes(outside)}")
    s.demand(changes <= 10, f"the breaker changed {changes} times in 5 s")
    s.within_deadline(during, what="decisions during sleeps")
    s.figure(f"{sum(r.degraded for r in during)} degraded during sleeps, {len(outside)} outside, {changes} changes of the breaker")


@row("7", "script cache lost: SCRIPT FLUSH 50x under load", "0 errors; <= 1 load per connection and flush; counts exact", short=True)
def script_flush(s: Scenario) -> None:
    redis = s.redis()
    s.load(redis.url, standard() + [COUNT_CLOSED], deadline=500)
    s.sleep(0.8)
    before = redis.calls("script|load")
    for _ in range(50):
        s.nemesis.run(redis, "SCRIPT", "FLUSH")
        time.sleep(0.05)
    s.sleep(0.5)
    connections = int(redis.info("clients")["connected_clients"]) - 1
    loads, missing = redis.calls("script|load") - before, redis.errors("NOSCRIPT")
    s.proof(missing >= 20, f"NOSCRIPT {missing} times")
    records = s.finish(redis)
    bad = [record for record in records if record.degraded]
    s.demand(not bad, f"{len(bad)} decisions degraded: {codes(bad)}")
    s.demand(loads <= 50 * connections, f"{loads} loads in 50 flushes on {connections} connections")
    exact(s, redis, records)
    s.figure(f"{len(records)} decisions, {missing} NOSCRIPT, {loads} loads on {connections} connections, {len(bad)} degraded")


@row("8", "counts lost: FLUSHALL under load", "over-admission <= 1 x L per key and flush; state-loss metric within 1 s", short=True)
def flush_all(s: Scenario) -> None:
    redis = s.redis()
    s.load(redis.url, standard(units=40, window=10 * SECOND))
    s.sleep(2)
    delays, missed = [], 0
    for _ in range(2):
        before = [suspected(worker.metrics()) for worker in s.workers]
        flushed = now()
        s.nemesis.flush_all(redis)
        while now() < flushed + 2_000_000_000:
            if all(suspected(w.metrics()) > b for w, b in zip(s.workers, before)):
                delays.append((now() - flushed) / 1e9)
                break
            time.sleep(0.05)
        else:
            missed += 1
    s.sleep(1)
    records = s.finish(redis)
    s.proof(redis.calls("flushall") == 2, "FLUSHALL")
    s.demand(not missed, f"{missed} of 2 flushes were not noticed within 2 s ({LOSS})")
    over = sum(r.o == "A" for r in records)
    s.figure(f"noticed after {', '.join(f'{d:.2f}' for d in delays) or 'never'} s; {over} admitted of {len(records)}, none beyond L per flush")


def exact(s: Scenario, redis: Redis, records: list[history.Record], keys: Iterable[str] = "abc", limit: str = "count") -> None:
    """What Redis counts is what was admitted, and at most what is unknown beside."""
    for key in keys:
        value = redis.call("GET", f"hg:{{a:{key}}}:{limit}:fw1")
        counted = int(value.split()[0]) if value else 0
        admitted, maybe = check.admitted_units(records, key, limit), check.unknown_units(records, key, limit)
        s.demand(admitted <= counted <= admitted + maybe, f"{key}: Redis counts {counted}; {admitted} admitted, {maybe} unknown")
