"""Section A: a Redis that is there and refuses."""
from __future__ import annotations

import re
import shutil
import subprocess
import threading
import time
from typing import Callable

import resp
from rows.standalone import exact
from scenario import COUNT_CLOSED, Scenario, between, codes, row, standard
from topology import Redis, now
from workers import binary


def refusing(
    s: Scenario, redis: Redis, code: str, spoil: Callable[[], object], mend: Callable[[], object], seconds: float = 1.5,
    settle: float = 0.3, probe: bool = True, charge: str = "no",
) -> list:
    """Load meets a server that refuses, by policy and uncharged, and goes on when it serves again."""
    watch = s.probe(redis) if probe else None
    s.load(redis.url, standard("open", only="log") + standard("closed", only="slots") + [COUNT_CLOSED])
    s.sleep(1)
    spoil()
    spoiled = now()
    s.sleep(seconds)
    mended = now()
    mend()
    writable = watch.writable_after(mended) if watch else now()
    s.sleep(2.5)
    records = s.finish(redis)
    during = between(records, spoiled + int(settle * 1e9), mended - 60_000_000)
    seen = [r for r in during if r.x == code]
    s.proof(bool(seen), f"no decision met {code}: {codes(during)}")
    # Who is denied writes nothing, so a server that refuses writes may say so; and one that is full lets a script go on that
    # began with the deletion of what is over.
    fair = "AD" if code == "outOfMemory" else "D"
    others = [r for r in during if r.x != code and r.o not in fair]
    s.demand(len(others) <= len(during) // 20, f"{len(others)} of {len(during)} met something else: {codes(others)}, decided {sum(r.decided for r in others)}")
    for record in seen:
        if record.o != ("FO" if record.l == "log" else "FC") or record.ch not in (charge, "no"):
            s.demand(False, f"{record.l} was answered {record.o}, charge {record.ch}")
            break
    s.within_deadline(between(records, spoiled, mended), what="decisions while refused")
    s.recovered(records, writable)
    exact(s, redis, records)
    s.figure(codes(between(records, spoiled, mended)))
    return records


@row("9", "memory full: maxmemory 1mb, noeviction", "kind outOfMemory; policy; no partial charge; recovery <= 1 s; metric", short=True, alone=False)
def memory_full(s: Scenario) -> None:
    redis = s.redis()

    def fill() -> None:
        with redis.client() as client:
            client.pipeline([("SET", f"filler:{i}", b"x" * 10_000) for i in range(300)])
        s.nemesis.run(redis, "CONFIG", "SET", "maxmemory", "1mb")

    def free() -> None:
        with redis.client() as client:
            client.pipeline([("DEL", f"filler:{i}") for i in range(300)])
            client.call("CONFIG", "SET", "maxmemory", "100mb")

    both = s.worker(redis.url, [COUNT_CLOSED, *standard("closed", 10**6, only="fixed")], together=True, keys=["both"], rate=50)
    refusing(s, redis, "outOfMemory", fill, free)
    s.proof(redis.errors("OOM") > 0, "OOM")
    errors = (both.final or {}).get("metrics", {}).get("headgate_backend_errors_total{kind=outOfMemory}", 0)
    s.demand(errors > 0, "no metric shows it")
    admitted = sum(r.o == "A" for r in both.records())
    counted = int(redis.call("GET", "hg:{a:both}:count:fw1").split()[0])
    s.demand(admitted == counted, f"of two limits in one decision, the first counts {counted}, admitted {admitted}")


def evicts(s: Scenario, policy: str) -> None:
    redis = s.redis("--maxmemory-policy", policy)
    worker = s.worker(redis.url, [COUNT_CLOSED], keys=["a"], rate=50, deadline=500)
    s.sleep(1.5)
    gauge = max((v for k, v in worker.metrics().items() if k.startswith("headgate_eviction_policy_unsafe")), default=None)
    s.nemesis.run(redis, "CONFIG", "SET", "maxmemory", "2mb")
    with redis.client() as client:
        client.pipeline([("SET", f"filler:{i}", b"x" * 10_000, "EX", 500) for i in range(400)])
    s.sleep(3)  # The server is asked about itself every two seconds.
    evicted = int(redis.info("stats")["evicted_keys"])
    metrics = worker.metrics()
    s.proof(evicted > 50, f"{evicted} keys evicted")
    records = s.finish(judge=False)
    s.demand(gauge == 1, f"headgate_eviction_policy_unsafe is {gauge}, expected 1")
    log = [line for line in worker.log_text().splitlines() if " error " in line and policy in line]
    s.demand(bool(log), f"no error in the log names {policy}")
    noticed = sum(v for k, v in metrics.items() if "evicted" in k)
    s.demand(noticed > 0, f"no metric follows evicted_keys, which is {evicted}")
    s.figure(f"{policy}: {evicted} evicted, gauge {gauge}, {len(records)} decisions")


@row("10", "eviction: allkeys-lru", "gauge headgate_eviction_policy_unsafe 1, error in the log, evicted keys in a metric", alone=False)
def evicts_all(s: Scenario) -> None:
    evicts(s, "allkeys-lru")


@row("10b", "eviction: volatile-ttl", "as 10: all our keys have a time to live", alone=False)
def evicts_volatile(s: Scenario) -> None:
    evicts(s, "volatile-ttl")


@row("11", "cannot persist: BGSAVE fails", "kind misconfigured; policy; recovery <= 1 s", alone=False)
def cannot_persist(s: Scenario) -> None:
    redis = s.redis("--save", "3600 1000000")
    block = redis.directory / "dump.rdb"

    def saved(status: str) -> None:
        redis.call("BGSAVE")
        for _ in range(200):
            persistence = redis.info("persistence")
            if persistence["rdb_bgsave_in_progress"] == "0" and persistence["rdb_last_bgsave_status"] == status:
                return
            time.sleep(0.01)

    def spoil() -> None:
        (block / "x").mkdir(parents=True)
        saved("err")

    def mend() -> None:
        shutil.rmtree(block)
        saved("ok")

    refusing(s, redis, "misconfigured", spoil, mend)
    s.proof(redis.errors("MISCONF") > 0, "MISCONF")


@row("12", "no replicas: min-replicas-to-write 1", "kind noReplicas; policy", alone=False)
def no_replicas(s: Scenario) -> None:
    redis = s.redis()
    refusing(
        s, redis, "noReplicas", lambda: s.nemesis.run(redis, "CONFIG", "SET", "min-replicas-to-write", 1),
        lambda: redis.call("CONFIG", "SET", "min-replicas-to-write", 0),
    )
    s.proof(redis.errors("NOREPLICAS") > 0, "NOREPLICAS")


def blocked(s: Scenario, writes: bool) -> None:
    """Another client's script holds the server for two seconds and more."""
    redis = s.redis("--busy-reply-threshold", "200")
    first = "redis.call('SET', 'filler:x', '1', 'PX', 60000)" if writes else ""
    script = first + """
        local t = redis.call('TIME')
        local till = t[1] * 1000000 + t[2] + 2200000
        repeat t = redis.call('TIME') until t[1] * 1000000 + t[2] > till
        return 1"""
    foreign = threading.Thread(target=lambda: harmless(lambda: redis.call("EVAL", script, 0, timeout=20)))
    kills: list[str] = []

    def mend() -> None:
        try:
            redis.call("SCRIPT", "KILL")
        except resp.RespError as error:
            kills.append(str(error))
        foreign.join()

    s.nemesis.note("foreign script", writes=writes)
    refusing(s, redis, "busy", foreign.start, mend, seconds=1.8, settle=0.5)
    s.proof(redis.errors("BUSY") > 0, "BUSY")
    if writes:
        s.proof(any("UNKILLABLE" in kill for kill in kills), f"the script could be killed: {kills}")
    s.demand(redis.calls("script|kill") <= 1, "somebody else than the nemesis sent SCRIPT KILL")


@row("13", "foreign slow script", "kind busy; policy within D; SCRIPT KILL is never sent", alone=False)
def foreign_script(s: Scenario) -> None:
    blocked(s, writes=False)


@row("14", "foreign script that wrote", "as 13", alone=False)
def foreign_writer(s: Scenario) -> None:
    blocked(s, writes=True)


def harmless(body: Callable[[], object]) -> None:
    try:
        body()
    except (OSError, resp.RespError):
        pass


@row("15", "loading: DEBUG RELOAD of 30,000 keys", "kind loading; T_rec after it ends", alone=False)
def loading(s: Scenario) -> None:
    redis = s.redis("--key-load-delay", "60", "--loading-process-events-interval-bytes", "1024")
    redis.call("DEBUG", "POPULATE", 30_000, "filler", timeout=20)
    done = threading.Event()

    def reload() -> None:
        harmless(lambda: redis.call("DEBUG", "RELOAD", timeout=60))
        done.set()

    thread = threading.Thread(target=reload)

    def spoil() -> None:
        thread.start()
        for _ in range(500):
            if redis.info("persistence")["loading"] == "1":
                break
            time.sleep(0.01)

    refusing(s, redis, "loading", spoil, lambda: done.wait(30), seconds=1.0)
    s.proof(redis.errors("LOADING") > 0, "LOADING")


@row("20", "ACL lacks a command: -time", "kind permission; the self-test names what is missing", alone=False)
def lacks_command(s: Scenario) -> None:
    redis = s.redis()
    worker = s.worker(redis.url, [COUNT_CLOSED], name="idle", deadline=500)
    refusing(
        s, redis, "permission", lambda: s.nemesis.run(redis, "ACL", "SETUSER", "default", "-time"),
        lambda: redis.call("ACL", "SETUSER", "default", "+time"), probe=False, charge="unknown",
    )
    s.proof(any("time" in str(entry) for entry in [redis.call("ACL", "LOG")]), "the ACL log has no TIME")
    redis.call("ACL", "SETUSER", "default", "-time")
    late = s.worker(redis.url, [COUNT_CLOSED], name="late", deadline=500)
    s.sleep(1)
    told = late.probe().get("message", "") + "".join(line for line in late.log_text().splitlines() if " error " in line or " warning " in line)
    s.demand(bool(re.search(r"\btime\b", told, re.I)), f"what is missing is not named: {told[:200]}")
    redis.call("ACL", "SETUSER", "default", "+time")
    del worker


@row("21", "ACL lacks the key pattern: ~other:*", "as 20, before readiness", alone=False)
def lacks_keys(s: Scenario) -> None:
    redis = s.redis()
    refusing(
        s, redis, "permission", lambda: s.nemesis.run(redis, "ACL", "SETUSER", "default", "resetkeys", "~other:*"),
        lambda: redis.call("ACL", "SETUSER", "default", "allkeys"), probe=False,
    )
    redis.call("ACL", "SETUSER", "default", "resetkeys", "~other:*")
    late = s.worker(redis.url, [COUNT_CLOSED], name="late", deadline=500)
    s.sleep(1)
    answer = late.probe()
    s.demand(answer["probe"] == "permission", f"the probe says {answer}")
    s.proof(len(redis.call("ACL", "LOG")) > 0, "the ACL log is empty")


@row("20b", "the ACL that the product prints", "headgate redis-acl makes a user by which all works, and nothing more", alone=False)
def shipped_acl(s: Scenario) -> None:
    redis = s.redis()
    printed = subprocess.run([binary("headgate"), "redis-acl"], capture_output=True, text=True, timeout=20)
    rules = [w for w in printed.stdout.split() if w[:1] in "+-~&%@" or w in ("resetkeys", "resetchannels", "allchannels")]
    s.demand(printed.returncode == 0 and bool(rules), f"headgate redis-acl: {printed.returncode} {printed.stderr[:100]}")
    s.proof(True, "")
    if not rules:
        return
    redis.call("ACL", "SETUSER", "limited", "on", ">s3cret-acl", *rules)
    s.secrets.append("s3cret-acl")
    s.load(redis.url.replace("//", "//limited:s3cret-acl@"), standard("closed") + [COUNT_CLOSED], deadline=500)
    s.sleep(2)
    records = s.finish(redis)
    bad = [r for r in records if r.degraded]
    s.demand(not bad, f"{len(bad)} of {len(records)} degraded: {codes(bad)}")
    for forbidden in (["KEYS", "*"], ["FLUSHALL"], ["CONFIG", "GET", "*"], ["GET", "other"], ["SET", "other", "1"]):
        reply = resp.command(redis.port, "ACL", "DRYRUN", "limited", *forbidden)
        s.demand(b"OK" != reply and reply != "OK", f"the user may {' '.join(forbidden)}")
    s.figure(f"{len(rules)} rules, {len(records)} decisions")
