"""Section A: a Redis that is another one, full, or asks who we are."""
from __future__ import annotations

import time

import resp
from history import Limit
from netns import Hosts
from rows.standalone import exact
from scenario import COUNT_CLOSED, SECOND, Scenario, between, codes, row, standard
from topology import now, wait_for


def client_ids(redis) -> set[str]:
    """The connections of workers that the server has."""
    lines = resp.text(redis.call("CLIENT", "LIST", "TYPE", "normal")).splitlines()
    return {line.split()[0] for line in lines if "name=headgate" in line}


@row("16", "live demotion: REPLICAOF on the connected master, its name moves", "connection closed on the first READONLY; name resolved anew; <= 1 failed decision per connection")
def demoted(s: Scenario) -> None:
    port = s.topology.port()
    first, second = (s.redis(start=False, host=host) for host in ("127.0.0.2", "127.0.0.3"))
    first.port = second.port = port
    for redis in (first, second):
        redis.directory = s.topology.directory / redis.host
        redis.directory.mkdir()
        redis.start()
    second.call("REPLICAOF", first.host, port)
    wait_for(lambda: second.info("replication").get("master_link_status") == "up", 10, "a replica")
    hosts = Hosts(s.topology, redis_test=first.host)
    for number in range(2):
        s.worker(f"redis://redis.test:{port}", standard("closed") + [COUNT_CLOSED], f"w{number}", keys=["a", "b", "c"], rate=200, prefix=hosts.prefix)
    s.sleep(1.5)
    before = client_ids(first)
    second.call("REPLICAOF", "NO", "ONE")
    hosts.set(redis_test=second.host)
    start = now()
    s.nemesis.run(first, "REPLICAOF", second.host, port)
    s.nemesis.allow(start - 200_000_000, now(), 200_000)
    s.sleep(3)
    after = client_ids(first) & before
    s.proof(first.errors("READONLY") > 0, f"READONLY {first.errors('READONLY')}")
    records = s.finish(second)
    failed = [r for r in records if r.degraded and r.s >= start - 100_000_000]
    s.demand(not after, f"{len(after)} of {len(before)} connections to the demoted server still stand")
    s.demand(len(failed) <= len(before), f"{len(failed)} decisions failed, {len(before)} connections: {codes(failed)}")
    s.recovered(records, start, what="decisions by the new master after")
    s.figure(f"{len(failed)} failed decisions, {len(before)} connections, {first.errors('READONLY')} READONLY")


def follower(s: Scenario, stale: str, code: str) -> None:
    """The server becomes the replica of a master that is away, and is made a master again."""
    redis = s.redis("--replica-serve-stale-data", stale)
    probe = s.probe(redis)
    s.load(redis.url, standard("closed") + [COUNT_CLOSED])
    s.sleep(1)
    spoiled = s.nemesis.run(redis, "REPLICAOF", "127.0.0.1", s.topology.port())
    s.sleep(2)
    mended = now()
    redis.call("REPLICAOF", "NO", "ONE")
    writable = probe.writable_after(mended)
    s.sleep(2.5)
    records = s.finish(redis)
    during = between(records, spoiled + 50_000_000, mended - 60_000_000)
    # A connection that is made anew asks for the role before anything else.
    s.proof(any(r.x in (code, "readOnly") for r in during), f"nobody met {code}: {codes(during)}")
    s.demand(not any(r.decided for r in during), f"{sum(r.decided for r in during)} decisions were made by a replica")
    s.demand(all(r.ch != "unknown" for r in during if r.x == code), "a refusal of a replica counts as unknown")
    s.within_deadline(during, what="decisions meanwhile")
    s.recovered(records, writable)
    exact(s, redis, records)
    s.figure(codes(during))


@row("17", "replica without master: MASTERDOWN", "as 16; never read from a replica", alone=False)
def master_down(s: Scenario) -> None:
    follower(s, "no", "masterDown")


@row("17b", "replica that serves stale data: READONLY", "as 16; never read from a replica", alone=False)
def stale_data(s: Scenario) -> None:
    follower(s, "yes", "readOnly")


@row("17c", "replica, and all of its answers would be denials", "never read from a replica: who writes nothing meets no READONLY", alone=False)
def denials_of_a_replica(s: Scenario) -> None:
    redis = s.redis()
    limit = Limit("full", "sliding_window_log", 1, 600 * SECOND, policy="closed")
    worker = s.worker(redis.url, [limit], deadline=500)
    first = worker.acquire("a", "full", 1, 2)
    s.nemesis.run(redis, "REPLICAOF", "127.0.0.1", s.topology.port())
    s.sleep(0.5)
    calls = redis.calls("evalsha")
    answers = worker.acquire("a", "full", 1, 10)
    s.proof(redis.info("replication")["role"] == "slave" and [a["o"] for a in first] == ["A", "D"], "the server is no replica")
    read = sum(a["o"] == "D" for a in answers)
    s.demand(read == 0, f"a replica decided {read} of 10")
    s.finish(judge=False)
    s.figure(f"{read} of 10 decided by the replica in {redis.calls('evalsha') - calls} calls")


@row("18", "server full: maxclients", "kind maxClients; back-off; existing connections kept", alone=False)
def full(s: Scenario) -> None:
    redis = s.redis()
    admin = redis.client()
    old = s.worker(redis.url, [COUNT_CLOSED], "old", keys=["a"], rate=100)
    s.sleep(1)
    kept = client_ids(redis)
    admin.call("CONFIG", "SET", "maxclients", 1 + len(kept))
    start = now()
    new = s.worker(redis.url, [COUNT_CLOSED], "new", keys=["b"], rate=100)
    s.sleep(3)
    stats = dict(line.split(":", 1) for line in resp.text(admin.call("INFO", "stats")).splitlines() if ":" in line)
    rejected = int(stats["rejected_connections"])
    admin.call("CONFIG", "SET", "maxclients", 1000)
    mended = now()
    s.sleep(2.5)
    s.demand(kept <= client_ids(redis), "existing connections were closed")
    records = s.finish(redis)
    during = [r for r in between(records, start + 200_000_000, mended - 60_000_000) if r.w == "new"]
    s.proof(rejected > 0, "no connection was rejected")
    named = sum(r.x == "maxClients" for r in during)
    s.demand(named >= len(during) * 0.9, f"{named} of {len(during)} say maxClients: {codes(during)}")
    s.demand(not any(r.degraded for r in records if r.w == "old"), "the connected worker was disturbed")
    s.demand(rejected <= 30, f"{rejected} attempts in 3 s, at most 10/s")
    s.recovered([r for r in records if r.w == "new"], mended)
    s.figure(f"{rejected} attempts in 3 s; {codes(during)}")
    del old, new


def attempts(redis) -> int:
    return int(redis.info("stats")["total_connections_received"])


@row("19", "password changed on the server, and changed back", "kind authentication; <= 1 attempt/s; no secret in a log; T_rec", alone=False)
def wrong_password(s: Scenario) -> None:
    redis = s.redis("--requirepass", "old-s3cret", start=False)
    redis.password = "old-s3cret"
    redis.start()
    s.secrets += ["old-s3cret", "new-s3cret"]
    s.load(redis.url.replace("//", "//:old-s3cret@"), standard("closed", only="log") + [COUNT_CLOSED])
    s.sleep(1)
    admin = redis.client()
    admin.call("CONFIG", "SET", "requirepass", "new-s3cret")
    redis.password = "new-s3cret"
    with redis.client() as client:
        client.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        admin = client
        s.nemesis.note("password changed")
        changed = now()
        before = int(resp.text(admin.call("INFO", "stats")).split("total_connections_received:")[1].split()[0])
        s.sleep(4)
        after = int(resp.text(admin.call("INFO", "stats")).split("total_connections_received:")[1].split()[0])
        denied = resp.text(admin.call("INFO", "errorstats"))
        mended = now()
        admin.call("CONFIG", "SET", "requirepass", "old-s3cret")
    redis.password = "old-s3cret"
    s.sleep(3)
    records = s.finish(redis)
    during = between(records, changed + 300_000_000, mended - 60_000_000)
    s.proof("WRONGPASS" in denied, f"errors: {denied}")
    named = sum(r.x == "authentication" for r in during)
    s.demand(named >= len(during) * 0.9, f"{named} of {len(during)} say authentication: {codes(during)}")
    rate = (after - before) / 4 / len(s.workers)
    s.demand(rate <= 1.5, f"{rate:.1f} attempts/s a process, at most 1 (1.5 at the beginning)")
    s.recovered(records, mended)
    s.figure(f"{rate:.1f} attempts/s a process; {codes(during)}")


@row("19b", "password rotated: password_file=", "credentials are read again without a restart; T_rec", alone=False)
def rotated_password(s: Scenario) -> None:
    redis = s.redis("--requirepass", "old-s3cret", start=False)
    redis.password = "old-s3cret"
    redis.start()
    s.secrets += ["old-s3cret", "new-s3cret"]
    file = s.topology.directory / "password"
    file.write_text("old-s3cret\n")
    s.load(f"{redis.url}?password_file={file}", standard("closed", only="log") + [COUNT_CLOSED])
    s.sleep(1)
    redis.call("CONFIG", "SET", "requirepass", "new-s3cret")
    redis.password = "new-s3cret"
    redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    s.sleep(1.5)
    replaced = file.with_suffix(".new")
    replaced.write_text("new-s3cret\n")
    replaced.rename(file)
    mended = now()
    s.sleep(3)
    records = s.finish(redis)
    s.proof(any(r.x == "authentication" for r in records), f"nobody was refused: {codes(records)}")
    s.recovered(records, mended)


@row("22", "server closes idle connections: timeout 1, CLIENT KILL", "found before or at first use, one silent retry; 0 errors", short=True, alone=False)
def closes_idle(s: Scenario) -> None:
    redis = s.redis("--timeout", "1")
    worker = s.worker(redis.url, [COUNT_CLOSED], deadline=500)
    answers = worker.acquire("a", "count")
    before = int(redis.info("stats")["total_connections_received"])
    for _ in range(3):
        s.sleep(2.2)
        answers += worker.acquire("a", "count")
    made = int(redis.info("stats")["total_connections_received"]) - before
    # Seldom enough that no one of them looks like a server that throws us out again and again.
    for _ in range(6):
        s.sleep(1.2)
        redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        answers += worker.acquire("a", "count")
    # The first connection is used by the watch of the server twice a second; the one that stands by is idle.
    s.proof(made >= 3, f"{made} connections were made while the server closed idle ones")
    records = s.finish(redis)
    bad = [r for r in records if r.degraded]
    s.demand(not bad, f"{len(bad)} of {len(records)} failed: {codes(bad)}")
    exact(s, redis, records, "a")
    s.figure(f"{len(records)} decisions over {len(records) - 1} closed connections, {len(bad)} failed")
