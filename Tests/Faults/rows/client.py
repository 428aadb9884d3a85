"""Section D: names, callers, descriptors, connections."""
from __future__ import annotations

import os
import socket
import threading
import time

import history
from netns import Hosts
from proxy import Behaviour, OnReply
from rows.network import through
from rows.standalone import exact
from scenario import COUNT_CLOSED, Scenario, Skipped, between, codes, row, standard
from servers import Server
from topology import now, wait_for


@row("48", "a name with a dead address, then another address", "all addresses tried; resolved anew at each connect; T_rec")
def addresses(s: Scenario) -> None:
    first, second = (s.redis(start=False, host=host) for host in ("127.0.0.4", "127.0.0.5"))
    second.port = first.port
    for redis in (first, second):
        redis.directory = s.topology.directory / redis.host
        redis.directory.mkdir()
    first.start()
    # 127.0.0.9 has nobody who listens.
    hosts = Hosts(s.topology, redis_test=f"127.0.0.9 {first.host}")
    s.worker(f"redis://redis.test:{first.port}", [COUNT_CLOSED], keys=["a"], rate=100, prefix=hosts.prefix)
    s.sleep(1.5)
    decided = s.workers[0].metrics().get("headgate_redis_round_trip_seconds_count", 0)
    s.demand(decided > 50, f"{decided:.0f} decisions by way of the second address")
    killed = first.kill9()
    s.nemesis.note("killed, and the name moves")
    hosts.set(redis_test=second.host)
    s.sleep(0.5)
    up = second.start()
    s.nemesis.allow(killed, up)
    s.sleep(2.5)
    records = s.finish(second)
    down = between(records, killed, up - 50_000_000)
    s.proof(bool(down) and all(r.degraded for r in down[5:]), "there was no outage")
    s.within_deadline(down, what="decisions meanwhile")
    s.recovered(records, up)


@row("48b", "a name server that does not answer", "resolved off the event loop, <= 1 s budget, kind dns; threads bounded")
def silent_name_server(s: Scenario) -> None:
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        silent.bind(("127.0.0.77", 53))
    except OSError as error:
        raise Skipped(f"port 53 of a loopback address cannot be had: {error}")
    s.topology.on_close(silent.close)
    resolver = s.topology.directory / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.77\n")
    hosts = Hosts(s.topology)
    prefix = hosts.prefix
    prefix[4] = f"mount --bind {resolver} /etc/resolv.conf && " + prefix[4]
    start = now()
    worker = s.worker("redis://redis.invalid-name.test:6379", [COUNT_CLOSED], keys=["a"], rate=100, prefix=prefix)
    s.sleep(2)
    threads = thread_count(worker.child.pid)
    s.sleep(4)
    later = thread_count(worker.child.pid)
    silent.settimeout(0.01)
    asked = 0
    try:
        while True:
            silent.recv(512)
            asked += 1
    except OSError:
        pass
    records = s.finish(lookups=4)  # As many run at once, for as long as the system's resolver takes.
    s.proof(asked > 0, "no question reached the name server")
    s.within_deadline(between(records, start + 500_000_000, now()), what="decisions")
    named = [r for r in records if r.s > start + 1_500_000_000]
    refused = sum(r.x in ("dns", "connect", "deadlineExceeded") for r in named)
    s.demand(refused == len(named), codes(named))
    s.demand(any(r.x == "dns" for r in named), f"nobody is told of the name: {codes(named)}")
    s.demand(later <= threads + 8, f"threads grew from {threads} to {later}")
    s.figure(f"{asked} questions, {codes(named)}, {threads} then {later} threads")


def thread_count(pid: int) -> int:
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("Threads:"))


@row("50", "callers cancelled at 1,000 random instants", "no connection, waiter or continuation leaks; the next answer is the right one", short=True, alone=False)
def cancelled(s: Scenario) -> None:
    redis = s.redis()

    def late(connection, arguments, value, raw):
        time.sleep(0.0007)
        return raw

    behaviour = OnReply(late, on=True)
    worker = s.worker(through(s, redis, behaviour).url, standard("closed") + [COUNT_CLOSED], deadline=500)
    worker.acquire("a", "count", times=20)
    wait_for(lambda: worker.sockets == 2, 5, "the second connection")
    before = (worker.sockets, thread_count(worker.child.pid), worker.rss)
    # Others decide at the same time, on keys of their own, and are not cancelled.
    for limit in ("count", "log", "slots"):
        worker.tell(f"cancel {334 if limit == 'count' else 333} a {limit} 3")
        worker.answer("cancelled", 30)
    s.sleep(0.3)
    after = (worker.sockets, thread_count(worker.child.pid), worker.rss)
    held = redis.call("ZCARD", "hg:{a:a}:slots:con1")
    answers = worker.acquire("a", "count", times=20)
    s.demand(all(answer["o"] == "A" for answer in answers), "decisions afterwards")
    records = s.finish(redis)
    gone = [r for r in records if r.x == "cancelled"]
    s.proof(len(gone) > 200 and any(r.unknown for r in gone), f"{len(gone)} were cancelled, {sum(r.unknown for r in gone)} after they were sent")
    others = [r for r in records if r.x and r.x not in ("cancelled", "notHeld") or r.x == "cancelled" and r.k != "a"]
    s.demand(not others, f"{len(others)} others were disturbed: {codes(others)}")
    s.demand(before[0] == after[0], f"sockets: {before[0]} before, {after[0]} after")
    s.demand(after[1] <= before[1] + 1, f"threads: {before[1]} before, {after[1]} after")
    s.demand(after[2] - before[2] <= 30 * 2**20, f"{(after[2] - before[2]) >> 20} MiB more")
    exact(s, redis, records, ["a", "a-0", "a-1", "a-2"])
    granted = sum(r.o == "A" and r.l == "slots" and r.k == "a" for r in records)
    s.demand(held <= granted, f"{held} slots are held, {granted} callers hold one: leases of cancelled callers stay")
    s.figure(f"{len(gone)} cancelled, {sum(r.unknown for r in gone)} of them sent; sockets {after[0]}, {held} slots held by {granted} callers")


@row("51", "descriptors run out: ulimit -n 64, 500 clients", "no spinning (CPU < 20 %), served again <= 1 s after")
def descriptors(s: Scenario) -> None:
    redis = s.redis()
    prefix = ["sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"]
    server = Server(s.topology, redis.url, prefix=prefix)
    server.wait(10)
    wait_for(lambda: server.get("/readyz")[0] == 200, 5, "/readyz 200")
    clients: list[socket.socket] = []
    for _ in range(500):
        try:
            client = socket.create_connection(("127.0.0.1", server.port), 1)
            clients.append(client)
        except OSError:
            break
    time.sleep(0.5)
    used = cpu(server.child.pid)
    time.sleep(3)
    share = (cpu(server.child.pid) - used) / 3
    held = len(os.listdir(f"/proc/{server.child.pid}/fd"))
    for client in clients:
        client.close()
    freed = now()
    wait_for(lambda: server.authorize()[0] == 200, 10, "an answer after the clients had gone")
    again = (now() - freed) / 1e9
    s.proof(len(clients) > 64 and len(clients) > held, f"{len(clients)} clients, {held} descriptors")
    s.demand(held <= 64, f"{held} descriptors")
    s.demand(server.child.poll() is None, "the server ended")
    s.demand(share < 0.2, f"{share:.0%} CPU while no descriptor was to be had, at most 20 %")
    s.demand(again <= 1.5, f"served {again:.2f} s after, at most 1 (1.5 on a busy machine)")
    s.figure(f"{len(clients)} clients, {held} descriptors, {share:.0%} CPU, served again after {again:.2f} s")


def cpu(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


@row("52", "reconnect storm: 20 processes x 10 connections, CLIENT KILL", "<= 10 dials/s a process; peak in 100 ms <= 25 % of all connections")
def storm(s: Scenario) -> None:
    redis = s.redis()
    proxy = through(s, redis, Behaviour())
    for number in range(20):
        s.worker(proxy.url, [COUNT_CLOSED], f"w{number}", keys=[f"k{number}"], rate=10, tasks=1, connections=10, deadline=500)
    wait_for(lambda: len(proxy.connections) >= 200, 15, "200 connections")
    s.sleep(1.5)
    stable = len(proxy.connections)
    peak = busiest = 0
    start = time.monotonic()
    for _ in range(2):
        mark = len(proxy.accepts)
        redis.call("CLIENT", "KILL", "TYPE", "normal")
        s.nemesis.note("CLIENT KILL TYPE normal")
        s.sleep(3)
        new = sorted(proxy.accepts[mark:])
        peak = max([peak] + [sum(a <= b < a + 0.1 for b in new) for a in new])
        busiest = max([busiest] + [sum(a <= b < a + 1 for b in new) for a in new])
    dials = len(proxy.accepts)
    records = s.finish(redis)
    s.proof(stable >= 200, f"{stable} connections")
    s.demand(peak <= stable * 0.25, f"{peak} accepts in 100 ms, at most {stable // 4}")
    s.demand(busiest <= 20 * 10 * 1.2, f"{busiest} accepts in a second, at most 200 (240)")
    bad = [r for r in records if r.degraded]
    s.figure(f"{stable} connections, {dials} dials in {time.monotonic() - start:.0f} s, at most {peak} in 100 ms and {busiest} in a second; {len(bad)} of {len(records)} decisions degraded")


@row("53", "more callers than may wait: DEBUG SLEEP 2, 5,000 at once, 1,000 may wait", "the rest overloaded in < 1 ms; memory <= 50 MB; queue empty <= 1 s after", short=True)
def exhausted(s: Scenario) -> None:
    redis = s.redis()
    # One heap for all threads: how many glibc makes is chance, and 20 MiB.
    worker = s.worker(redis.url, [COUNT_CLOSED], waiting=1000, deadline=6000, prefix=["env", "MALLOC_ARENA_MAX=1"])
    worker.acquire("a", "count", times=50)
    memory = worker.rss
    sleeper = threading.Thread(target=lambda: redis.call("DEBUG", "SLEEP", "2"))
    sleeper.start()
    time.sleep(0.1)
    start = now()
    worker.tell("burst 5000 a count 1")
    time.sleep(1)
    grown = (worker.rss - memory) / 2**20
    sleeper.join()
    woken = now()
    end = worker.answer("burst", 20)
    empty = (now() - woken) / 1e9
    answers = worker.acquire("a", "count", times=5)
    records = [r for r in s.finish(redis) if r.b]
    s.proof(woken - start > 1_800_000_000, "the server did not sleep")
    refused = [r for r in records if r.x == "overloaded"]
    p99 = history.percentile([r.milliseconds for r in refused], 0.99)
    s.demand(len(records) == 5000 and len(refused) == 4000, f"{len(refused)} of {len(records)} refused, expected 4000 of 5000")
    s.demand(all(r.ch == "no" for r in refused), "a refused call may have been charged")
    s.demand(p99 <= 5, f"refused within {p99:.2f} ms (p99), at most 1 (5 on a busy machine)")
    s.demand(grown <= 50, f"{grown:.0f} MiB more, at most 50")
    s.demand(empty <= 1, f"the queue was empty {empty:.2f} s after, at most 1")
    s.demand(all(answer["o"] == "A" for answer in answers), "decisions afterwards")
    s.figure(f"{end['refused']} refused, p99 {p99:.2f} ms, max {max((r.milliseconds for r in refused), default=0):.1f} ms; {grown:.0f} MiB; empty after {empty:.2f} s")


