"""Section A: one Redis process."""
from __future__ import annotations

import time

import check
import history
from scenario import COUNT_CLOSED, Scenario, between, codes, row, standard
from topology import now


@row("4", "hang, TCP alive: SIGSTOP 5 s", "each decision <= D; breaker opens <= 1 s; open: p99 <= 1 ms, <= 4 probes/s; T_rec", short=True)
def hang(s: Scenario) -> None:
    redis = s.redis()
    probe = s.probe(redis)
    s.load(redis.url)
    s.sleep(1.5)
    sockets = max(worker.sockets for worker in s.workers)
    stopped = redis.stop()
    s.nemesis.note("SIGSTOP")
    s.sleep(1.5)
    s.proof(s.nemesis.is_stopped(redis), "the process is not stopped")
    states = [worker.metrics().get("headgate_breaker_state") for worker in s.workers]
    most = 0
    for _ in range(30):
        most = max([most] + [worker.sockets for worker in s.workers])
        time.sleep(0.1)
    resumed = redis.resume()
    writable = probe.writable_after(resumed)
    s.sleep(2.5)
    records = s.finish(redis)
    s.proof(probe.saw_outage(stopped, resumed), "the probe could write all the time")
    s.within_deadline(between(records, stopped, resumed), what="decisions while stopped")
    opened = between(records, stopped + 1_500_000_000, resumed - 100_000_000)
    s.proof(all(record.degraded for record in opened), "some were decided while Redis was stopped")
    p99 = history.percentile([record.milliseconds for record in opened], 0.99)
    slow = sum(1 for record in opened if record.milliseconds > 25) / len(s.workers) / 3.0
    s.figure(f"breaker open: p99 {p99:.1f} ms, {slow:.1f} waiting calls/s a process")
    s.demand(all(state == 1 for state in states), f"headgate_breaker_state is {states} after 1.5 s, expected 1")
    s.demand(p99 <= 5, f"p99 {p99:.1f} ms with the breaker open, at most 5 (1 without noise)")
    s.demand(slow <= 4, f"{slow:.1f} calls/s waited for a Redis that hangs, at most 4")
    s.figure(f"sockets {sockets} before, at most {most}")
    s.demand(most <= sockets + 1, f"sockets grew from {sockets} to {most}")
    s.recovered(records, writable)


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
    loads = redis.calls("script|load") - before
    s.proof(redis.errors("NOSCRIPT") >= 20, f"NOSCRIPT {redis.errors('NOSCRIPT')} times")
    records = s.finish(redis)
    bad = [record for record in records if record.degraded]
    s.demand(not bad, f"{len(bad)} decisions degraded: {codes(bad)}")
    s.demand(loads <= 50 * connections, f"{loads} loads in 50 flushes on {connections} connections")
    for key in "abc":
        counted = int(redis.call("GET", f"hg:{{a:{key}}}:count:fw1").split()[0])
        admitted = check.admitted_units(records, key, "count")
        s.demand(counted == admitted, f"{key}: Redis counts {counted}, {admitted} were admitted")
    s.figure(f"{len(records)} decisions, {redis.errors('NOSCRIPT')} NOSCRIPT, {loads} loads on {connections} connections, 0 degraded")
