"""A mix of the faults of section A, drawn by the seed: never over while they last, and well again when they end."""
from __future__ import annotations

import os
import time

from scenario import COUNT_CLOSED, SECOND, Scenario, between, codes, row, standard
from topology import now

SECONDS = int(os.environ.get("MIX_SECONDS", "20"))


@row("90", "faults at random, one after the other", "all invariants with the losses that were caused; T_rec after the last", seconds=SECONDS + 40)
def mix(s: Scenario) -> None:
    redis = s.redis()
    s.load(redis.url, standard("closed", units=40, window=4 * SECOND) + [COUNT_CLOSED], rate=300)
    probe = s.probe(redis)
    s.sleep(1)
    faults = {
        "crash": lambda: s.nemesis.crash(redis, s.random.uniform(0.1, 1.5)),
        "hang": lambda: s.nemesis.hang(redis, s.random.uniform(0.05, 2)),
        "flush": lambda: s.nemesis.flush_all(redis),
        "scripts": lambda: s.nemesis.run(redis, "SCRIPT", "FLUSH"),
        "kill": lambda: s.nemesis.run(redis, "CLIENT", "KILL", "TYPE", "normal"),
        "pause": lambda: s.nemesis.run(redis, "CLIENT", "PAUSE", s.random.randrange(50, 1000), "ALL"),
        "sleep": lambda: s.nemesis.run(redis, "DEBUG", "SLEEP", s.random.uniform(0.02, 0.5)),
        "full": lambda: (s.nemesis.run(redis, "CONFIG", "SET", "maxmemory", 1), time.sleep(0.3), redis.call("CONFIG", "SET", "maxmemory", 0)),
        "demote": lambda: (s.nemesis.run(redis, "REPLICAOF", "127.0.0.1", 1), time.sleep(0.4), redis.call("REPLICAOF", "NO", "ONE")),
    }
    done: dict[str, int] = {}
    start = now()
    while now() < start + SECONDS * 1_000_000_000:
        name = s.random.choice(sorted(faults))
        done[name] = done.get(name, 0) + 1
        faults[name]()
        time.sleep(s.random.uniform(0.05, 1.2))
    last = now()
    writable = probe.writable_after(probe.changes[-1][0] if probe.changes[-1][1] else last)
    s.sleep(4)
    records = s.finish(redis)
    during = between(records, start, last)
    s.proof(len(done) >= 4 and sum(r.degraded for r in during) > 20, f"{done}, {sum(r.degraded for r in during)} degraded")
    s.within_deadline(during, what="decisions meanwhile")
    s.recovered(records, max(writable, last))
    s.figure(f"{', '.join(f'{k} {v}' for k, v in sorted(done.items()))}; {sum(r.degraded for r in during)} of {len(during)} degraded: {codes(during)}")
