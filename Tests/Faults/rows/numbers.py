"""Section E: numbers, and state that is not ours."""
from __future__ import annotations

import time

import check
from history import Limit
from scenario import SECOND, Scenario, codes, row, standard

DAY = 86_400 * SECOND
EXACT = 2**53
COUNTING = ("sliding_window_log", "token_bucket", "fixed_window", "sliding_window_counter")


@row("58", "extreme limits and costs", "refused before Redis, or exact; cost > L denied for good and uncharged", short=True, alone=False)
def extremes(s: Scenario) -> None:
    redis = s.redis()
    good, bad = [], []
    for number, algorithm in enumerate(COUNTING):
        good += [
            Limit(f"tiny{number}", algorithm, 1, 1_000),
            Limit(f"long{number}", algorithm, 3, 400 * DAY),
            Limit(f"none{number}", algorithm, 0, SECOND, burst=0 if algorithm == "token_bucket" else None),
        ]
        bad += [
            Limit(f"short{number}", algorithm, 1, 999),
            Limit(f"longer{number}", algorithm, 1, 400 * DAY + SECOND),
            Limit(f"negative{number}", algorithm, -1, SECOND),
            Limit(f"dense{number}", algorithm, SECOND + 1, SECOND),
            Limit(f"over{number}", algorithm, EXACT + 1, 400 * DAY),
            Limit(f"zero{number}", algorithm, 1, 0),
        ]
        # A log of so many units has coarse slots; all count to 10^12.
        good.append(Limit(f"huge{number}", algorithm, 10**12, 400 * DAY))
    bad += [Limit("slots", "concurrency", 10_001, SECOND), Limit("brief", "concurrency", 1, 1_000)]
    worker = s.worker(redis.url, good + bad, deadline=1000)
    worker.metrics()
    refused = set(worker.invalid)
    s.demand(refused == {limit.id for limit in bad}, f"refused at load, beside or instead: {refused ^ {limit.id for limit in bad}}")
    s.demand(set(worker.invalid.values()) <= {"invalidLimit"}, f"{set(worker.invalid.values())}")
    calls = redis.calls("evalsha")
    for cost in (0, -1, EXACT, EXACT + 1, 2**62):
        answer = worker.acquire("a", "long0", cost)[0]
        s.demand((answer["o"], answer.get("x")) == ("X", "badRequest"), f"a cost of {cost} is answered {answer['o']} {answer.get('x')}")
    s.demand(redis.calls("evalsha") == calls, "Redis was asked about a bad cost")
    for limit in good:
        if limit.id.startswith("huge"):
            half = worker.acquire("a", limit.id, 5 * 10**11)[0]
            s.demand((half["o"], half["r"]) == ("A", [5 * 10**11]), f"{limit.id}: {half}")
            rest = worker.acquire("a", limit.id, 5 * 10**11)[0]
            refilled = 30_000 if limit.algorithm == "token_bucket" else 1  # 28,935 units a second.
            s.demand(rest["o"] == "A" and rest["r"][0] <= refilled, f"{limit.id}: {rest}")
            more = worker.acquire("a", limit.id, 10**6)[0]
            s.demand(more["o"] == "D" and more["ra"] > 0, f"{limit.id}: {more}")
        elif limit.id.startswith("none"):
            answer = worker.acquire("a", limit.id)[0]
            s.demand(answer["o"] == "D" and "ra" not in answer, f"{limit.id}: {answer}")
        else:
            over = worker.acquire("b", limit.id, limit.capacity + 1)[0]
            s.demand(over["o"] == "D" and "ra" not in over, f"{limit.id}: a cost above the limit is answered {over}")
            first = worker.acquire("b", limit.id, limit.capacity)[0]
            s.demand(first["o"] == "A", f"{limit.id}: a denial was charged: {first}")
            if limit.id.startswith("tiny"):
                worker.burst(200, "t", limit.id)
    s.proof(len(refused) > 20, f"{len(refused)} limits refused")
    records = [r for r in s.finish(redis) if r.x != "badRequest"]
    s.demand(not any(r.degraded for r in records), codes(records))
    s.figure(f"{len(refused)} limits refused at load, 5 costs before Redis, {len(good)} extreme limits exact over {len(records)} decisions")


@row("59", "10,000 calls at once", "exactly L admitted", short=True, alone=False)
def burst(s: Scenario) -> None:
    redis = s.redis()
    limits = [Limit(f"x{n}", algorithm, 1000, 3600 * SECOND) for n, algorithm in enumerate(COUNTING)]
    worker = s.worker(redis.url, limits, deadline=30_000)
    worker.acquire("w", "x0")
    for limit in limits:
        worker.burst(10_000, "a", limit.id, seconds=60)
    records = [r for r in s.finish(redis) if r.b]
    counts = {}
    for limit in limits:
        admitted = check.admitted_units(records, "a", limit.id)
        counts[limit.algorithm] = admitted
        span = max((r.t or 0) for r in records if r.l == limit.id) - min(r.t or 0 for r in records if r.l == limit.id and r.t)
        # A bucket refills one unit each 3.6 s meanwhile.
        more = span * limit.units // limit.window + 1 if limit.algorithm == "token_bucket" else 0
        s.demand(1000 <= admitted <= 1000 + more, f"{limit.algorithm}: {admitted} admitted of 1000")
    same = len(records) - len({(r.l, r.t) for r in records})
    s.proof(len(records) == 40_000, f"{len(records)} decisions")
    s.figure(f"admitted {counts}; {same} of 40,000 calls shared their microsecond with another")


def corruptions(redis, key: str, form: str) -> dict[str, list[list]]:
    """What somebody might have left at a key, by what it is."""
    later = (int(redis.call("TIME")[0]) + 10**7) * SECOND
    now = int(redis.call("TIME")[0]) * SECOND
    texts = ["garbage", "", "-5 -5", "-5", "nan", "nan nan nan", "inf", "1e400", "1e400 1", f"{EXACT + 1} 1", "1", "3 x", " 3 3",
             f"3 {later}", f"{later}", f"{later} 1", f"3 3 {later}", f"99999999 99999999 {now}", f"99999999 {now}", "0x10 0x10"]
    kinds: dict[str, list[list]] = {f"text '{text}'": [["SET", key, text]] for text in texts}
    for text in ("x", f"3 {later} 3", f"3 {now} 3", f"-1 {now} -1", "nan 1 1", f"3 {now} 5", f"1e3 {now} 1"):
        kinds[f"list '{text}'"] = [["RPUSH", key, text]]
        kinds[f"list '{text}' and half an entry"] = [["RPUSH", key, text, now - 10]]
        kinds[f"list '{text}' and a false entry"] = [["RPUSH", key, text, "x", "y"]]
        for name, more in (("alone", ""), ("and half an entry", f" {now - 10}"), ("and a false entry", " x y"), ("and too little", f" {now - 10} 1 ")):
            kinds[f"text '{text}' {name}"] = [["SET", key, text + more]]
    kinds["list out of order"] = [["RPUSH", key, f"3 {now} 1", now - 5, 1, now - 10, 1]]
    kinds["text out of order"] = [["SET", key, f"3 {now} 1 {now - 5} 1 {now - 10} 1"]]
    kinds["hash"] = [["HSET", key, "tokens", "5"]]
    kinds["set"] = [["SADD", key, "x"]]
    kinds["stream"] = [["XADD", key, "*", "a", "b"]]
    for score in ("inf", "-inf", "1e300", "-5", "0.5", later):
        kinds[f"sorted set of score {score}"] = [["ZADD", key, score, "somebody"]]
    kinds["full sorted set of the future"] = [["ZADD", key, *[v for n in range(20) for v in (later, f"m{n}")]]]
    return kinds


@row("60", "corrupt or foreign state at our keys", "absent or clamped; never an error, never unlimited, never locked out > W", short=True, alone=False)
def corrupt(s: Scenario) -> None:
    redis = s.redis()
    window = SECOND // 5
    limits = [Limit(a, a, 5, window) for a in COUNTING] + [Limit("concurrency", "concurrency", 5, window)]
    forms = {"sliding_window_log": "log1", "token_bucket": "tb1", "fixed_window": "fw1", "sliding_window_counter": "swc1", "concurrency": "con1"}
    worker = s.worker(redis.url, limits, deadline=1000)
    tried = 0
    for immortal in (False, True):
        cases = []
        for limit in limits:
            for number, (kind, commands) in enumerate(corruptions(redis, "{key}", forms[limit.id]).items()):
                account = f"c{int(immortal)}n{number}"
                key = f"hg:{{a:{account}}}:{limit.id}:{forms[limit.id]}"
                for command in commands:
                    redis.call(*[key if part == "{key}" else part for part in command])
                if not immortal:
                    redis.call("PEXPIRE", key, 60_000)
                cases.append((limit, kind, account, key))
                tried += 1
        first = {}
        for limit, kind, account, key in cases:
            answers = worker.acquire(account, limit.id, 1, 8)
            s.demand(all(a["o"] in "AD" for a in answers), f"{limit.id}, {kind}: answered {[a.get('x') for a in answers if a['o'] not in 'AD'][:1]}")
            admitted = sum(a["o"] == "A" for a in answers)
            span = (answers[-1]["t"] - answers[0]["t"]) if all("t" in a for a in answers) else 0
            if span < window // 8 and limit.id not in ("fixed_window", "sliding_window_counter"):
                s.demand(admitted <= 5 + (span * 5 // window + 1) * (limit.id == "token_bucket"), f"{limit.id}, {kind}: {admitted} of 5 admitted")
            first[limit.id, account] = time.monotonic()
        time.sleep(2 * window / SECOND)
        for limit, kind, account, key in cases:
            answer = worker.acquire(account, limit.id)[0]
            s.demand(answer["o"] == "A", f"{limit.id}, {kind}: locked out after two windows: {answer}")
            s.demand(redis.call("PTTL", key) != -1, f"{limit.id}, {kind}: the key is immortal")
    s.proof(tried > 300, f"{tried} cases")
    records = s.finish(judge=False)
    s.figure(f"{tried} corrupt states, {len(records)} decisions, {sum(r.o == 'A' for r in records)} admitted")


@row("61", "immortal key: PERSIST", "time to live set by each write, and repaired when it is gone", short=True, alone=False)
def immortal(s: Scenario) -> None:
    redis = s.redis()
    limits = standard(units=6, window=60 * SECOND)
    worker = s.worker(redis.url, limits, deadline=1000)
    forms = {"log": "log1", "bucket": "tb1", "fixed": "fw1", "counter": "swc1", "slots": "con1"}
    persisted, unrepaired = 0, []
    for limit in limits:
        key = f"hg:{{a:a}}:{limit.id}:{forms[limit.id]}"
        worker.acquire("a", limit.id)
        persisted += redis.call("PERSIST", key)
        worker.acquire("a", limit.id)
        s.demand(redis.call("PTTL", key) > 0, f"{limit.id}: an admission leaves the key immortal")
        worker.acquire("a", limit.id, 1, 6)
        persisted += redis.call("PERSIST", key)
        answer = worker.acquire("a", limit.id)[0]
        if answer["o"] == "D" and redis.call("PTTL", key) == -1:
            unrepaired.append(limit.id)
            redis.call("PEXPIRE", key, 60_000)
    s.demand(not unrepaired, f"a denial leaves the key immortal: {', '.join(unrepaired)}")
    s.proof(persisted == 10, f"{persisted} keys were made immortal")
    records = s.finish(redis, judge=False)
    s.figure(f"{persisted} keys made immortal, repaired but for {', '.join(unrepaired) or 'none'}; {len(records)} decisions")


@row("62", "windows of about a millisecond", "never over: time to live is rounded up and one more", short=True, alone=False)
def edge(s: Scenario) -> None:
    redis = s.redis()
    limits = [
        Limit(f"e{window}n{number}", algorithm, units, window)
        for window in (1_000, 1_001, 1_499, 1_999, 2_000, 2_501, 5_003) for number, algorithm in enumerate(COUNTING) for units in [3]
    ]
    worker = s.worker(redis.url, limits, deadline=5000)
    worker.acquire("w", limits[0].id)
    for limit in limits:
        # Apart, so that windows pass between them however fast they are.
        for _ in range(6):
            worker.burst(50, "a", limit.id)
    records = s.finish(redis)
    admitted, denied = sum(r.o == "A" for r in records), sum(r.o == "D" for r in records)
    s.proof(admitted > 200 and denied > 200, f"{admitted} admitted, {denied} denied")
    s.figure(f"{len(limits)} limits, {len(records)} decisions, {admitted} admitted, none over, none denied without need")
