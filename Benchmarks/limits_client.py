"""Measures the Python package `limits`; runs in the environment that run.py makes, and prints one line of JSON.

    limits_client.py PORT redispy|coredis fixed|moving|sliding uniform|hot|denied|zipf CALLERS SECONDS
"""
import asyncio
import itertools
import json
import random
import sys
import time

import limits
import uvloop
from limits.aio import strategies
from limits.aio.storage import RedisStorage

SUBJECTS = 100_000
STRATEGIES = {
    "fixed": strategies.FixedWindowRateLimiter,
    "moving": strategies.MovingWindowRateLimiter,
    "sliding": strategies.SlidingWindowCounterRateLimiter,
}
LIMITS = {
    "uniform": limits.RateLimitItemPerMinute(100),
    "zipf": limits.RateLimitItemPerMinute(100),
    "hot": limits.RateLimitItemPerHour(3_600_000_000),
    "denied": limits.RateLimitItemPerDay(1),
}


def subjects(workload):
    """Whose turn it is, without end."""
    if workload in ("hot", "denied"):
        return itertools.repeat("s0")
    draw = random.Random(1)
    if workload == "uniform":
        order = draw.choices(range(SUBJECTS), k=1 << 18)
    else:
        weights = list(itertools.accumulate(rank**-1.1 for rank in range(1, SUBJECTS + 1)))
        order = draw.choices(range(SUBJECTS), cum_weights=weights, k=1 << 18)
    return itertools.cycle([f"s{number}" for number in order])


async def measure(port, client, strategy, workload, callers, seconds):
    # A connection for each caller: with fewer, redis-py refuses some.
    storage = RedisStorage(f"async+redis://127.0.0.1:{port}", implementation=client, max_connections=callers)
    limiter = STRATEGIES[strategy](storage)
    limit, order = LIMITS[workload], subjects(workload)
    asked, times = 0, []

    async def ask(until, into):
        nonlocal asked
        clock = time.perf_counter
        start = clock()
        while start < until:
            await limiter.hit(limit, next(order))
            end = clock()
            into.append(end - start)
            asked += 1
            start = end

    for duration, into in ((seconds / 4, []), (seconds, times)):
        cpu, start = time.process_time(), time.perf_counter()
        await asyncio.gather(*(ask(start + duration, into) for _ in range(callers)))
        elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    times.sort()
    print(json.dumps({
        "decisions_per_second": len(times) / elapsed,
        "asked": asked,
        "errors": 0,
        "client_cpu_us": cpu / len(times) * 1e6,
        **{name: times[int(len(times) * share)] * 1e6 for name, share in (("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999))},
    }))


if __name__ == "__main__":
    port, client, strategy, workload, callers, seconds = sys.argv[1:]
    uvloop.run(measure(int(port), client, strategy, workload, int(callers), float(seconds)))
