"""Section C: nodes that lie about the cluster, decisions of several slots, and one key that everybody wants."""
from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from typing import Callable

import history
import resp
from groups import Cluster, slot_of
from history import Limit
from rows.cluster import account, counted, exact, immortal, key
from scenario import COUNT_CLOSED, SECOND, Scenario, between, codes, row
from topology import now

DAY = 86_400 * SECOND


class FakeNode:
    """A node that greets as Redis does; what it says of slots is up to the test."""

    def __init__(self, s: Scenario, host: str = "127.0.0.1"):
        self.host = host
        self.listener = socket.create_server((host, 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.calls: dict[str, int] = {}
        self.accepts = 0
        self.open: list[socket.socket] = []
        # What it answers to CLUSTER SLOTS, and to a call of the script.
        self.slots: Callable[[], bytes] = lambda: slots_reply((0, 16383, self.host, self.port))
        self.judge: Callable[[list[bytes]], bytes] = lambda _: b"-CLUSTERDOWN Hash slot not served\r\n"
        threading.Thread(target=self._accept, daemon=True).start()
        s.topology.on_close(self.close)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.accepts += 1
            self.open.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = b""
        try:
            while more := client.recv(65536):
                data += more
                while (found := resp.parse(data)) is not None:
                    data = data[found[1]:]
                    client.sendall(self.answer(found[0]))
        except OSError:
            pass

    def answer(self, arguments: list[bytes]) -> bytes:
        name = arguments[0].decode().upper()
        self.calls[name] = self.calls.get(name, 0) + 1
        if name == "SCRIPT":
            return b"$40\r\n" + hashlib.sha1(arguments[2]).hexdigest().encode() + b"\r\n"
        if name == "CLUSTER":
            return self.slots()
        if name == "EVALSHA":
            return self.judge(arguments)
        return b"$11\r\nrun_id:fake\r\n" if name == "INFO" else b"+OK\r\n"

    def close(self) -> None:
        self.listener.close()
        for client in self.open:
            client.close()


def slots_reply(*ranges: tuple) -> bytes:
    """An answer to CLUSTER SLOTS."""
    entries = [f"*3\r\n:{first}\r\n:{last}\r\n*2\r\n${len(host)}\r\n{host}\r\n:{port}\r\n" for first, last, host, port in ranges]
    return (f"*{len(entries)}\r\n" + "".join(entries)).encode()


def sends_to(place: str, word: str = "MOVED") -> Callable[[list[bytes]], bytes]:
    """Sends every call to a place."""
    return lambda arguments: f"-{word} {slot_of(arguments[3].decode())} {place}\r\n".encode()


@row("36", "Cluster: a node lies about the topology", "<= 5 redirects or D, tooManyRedirects; map read <= 1 per 200 ms; no dial outside allow_hosts", short=True)
def lying(s: Scenario) -> None:
    fake, other, forbidden = FakeNode(s), FakeNode(s), FakeNode(s, "127.0.0.9")
    dead = s.topology.port()
    url = f"redis-cluster://127.0.0.1:{fake.port}"
    open_worker = s.worker(url, [COUNT_CLOSED], "any-host", deadline=200)
    strict = s.worker(url + "?allow_hosts=127.0.0.1,10.1.*", [COUNT_CLOSED], "allowed", deadline=200)
    other.judge = sends_to(f"127.0.0.1:{fake.port}")
    number = [20000]

    def ever_new(arguments: list[bytes]) -> bytes:
        number[0] += 1
        return sends_to(f"127.0.0.1:{number[0] % 40000 + 20000}")(arguments)

    lies = {
        "to itself": (sends_to(f"127.0.0.1:{fake.port}"), {"tooManyRedirects"}),
        "to an empty host, which is itself": (sends_to(f":{fake.port}"), {"tooManyRedirects"}),
        "ASK to itself": (sends_to(f"127.0.0.1:{fake.port}", "ASK"), {"tooManyRedirects"}),
        "a loop of two": (sends_to(f"127.0.0.1:{other.port}"), {"tooManyRedirects"}),
        "to ?": (sends_to(f"?:{fake.port}"), {"clusterDown"}),
        "to port 0": (sends_to("127.0.0.1:0"), {"clusterDown"}),
        "to port 65536": (sends_to("127.0.0.1:65536"), {"clusterDown"}),
        "to nowhere": (lambda _: b"-MOVED\r\n", {"clusterDown"}),
        "to a dead address": (sends_to(f"127.0.0.1:{dead}"), {"connect", "deadlineExceeded"}),
        "to an address that swallows all": (sends_to("192.0.2.1:6379"), {"connect", "deadlineExceeded"}),
        "to ever new ports": (ever_new, {"connect", "deadlineExceeded", "tooManyRedirects", "clusterDown"}),
    }
    most, longest, seen = 0, 0.0, 0
    for worker in (open_worker, strict):
        for name, (judge, expected) in lies.items():
            settle(fake)
            fake.judge = judge
            before = fake.calls.get("EVALSHA", 0) + other.calls.get("EVALSHA", 0)
            answers = worker.acquire("a", "count", times=3)
            sent = fake.calls.get("EVALSHA", 0) + other.calls.get("EVALSHA", 0) - before
            seen += sent
            found = {answer.get("x", answer["o"]) for answer in answers}
            allowed = expected | ({"clusterDown"} if "swallows" in name and worker is strict else set())
            s.demand(found <= allowed, f"{worker.name}: {name}: {found}, expected {allowed}")
            # What is probed by itself is not counted to the calls: two at most.
            s.demand(sent <= 3 * 6 + 2 * 6 * 2, f"{worker.name}: {name}: {sent} calls for 3 decisions")
            if found == {"tooManyRedirects"}:
                most = max(most, sent)
            longest = max([longest] + [(answer["e"] - answer["s"]) / 1e6 for answer in answers])
    s.proof(seen > 100, f"{seen} calls met a lie")
    s.demand(longest <= 200 + 250, f"a decision took {longest:.0f} ms, its deadline is 200")
    hosts(s, fake, forbidden, strict)
    rate = refreshes(s, fake, open_worker, strict)
    hostile_maps(s, fake, open_worker)
    footprint = max(worker.fds for worker in s.workers)
    s.demand(footprint < 200, f"{footprint} open files")
    s.finish(judge=False)
    s.figure(f"{seen} lies, the longest decision {longest:.0f} ms, at most {most} calls for 3 decisions; map read {rate:.1f} times/s a process; no dial to a host that is not allowed; {footprint} files")


def settle(fake: FakeNode) -> None:
    """Has the last lie forgotten: the map is read again."""
    fake.judge = lambda _: b"-CLUSTERDOWN Hash slot not served\r\n"
    time.sleep(0.35)


def hosts(s: Scenario, fake: FakeNode, forbidden: FakeNode, strict) -> None:
    """Neither a redirect nor a map leads to a host that is not allowed."""
    place = f"{forbidden.host}:{forbidden.port}"
    for word in ("MOVED", "ASK"):
        settle(fake)
        fake.judge = sends_to(place, word)
        answers = strict.acquire("a", "count", times=3)
        s.demand({a.get("x") for a in answers} == {"clusterDown"}, f"{word} to a forbidden host: {answers[0]}")
    settle(fake)
    fake.slots = lambda: slots_reply((0, 16383, forbidden.host, forbidden.port))
    strict.acquire("a", "count")
    time.sleep(0.6)
    answer = strict.acquire("a", "count")[0]
    s.demand(answer.get("x") == "clusterDown", f"a map with a forbidden host: {answer}")
    # The other process follows: the place is one that would answer.
    s.demand(connections(strict, forbidden.port) == 0, "the forbidden host was dialled")
    s.proof(forbidden.accepts > 0, "no process follows a map to another host")
    fake.slots = lambda: slots_reply((0, 16383, fake.host, fake.port))


def connections(worker, port: int) -> int:
    """Connections of a process to a port, open or half open."""
    inodes = set()
    for name in os.listdir(f"/proc/{worker.child.pid}/fd"):
        try:
            link = os.readlink(f"/proc/{worker.child.pid}/fd/{name}")
        except OSError:
            continue
        if link.startswith("socket:["):
            inodes.add(link[8:-1])
    with open("/proc/net/tcp") as table:
        lines = [line.split() for line in table.readlines()[1:]]
    return sum(1 for fields in lines if int(fields[2].split(":")[1], 16) == port and fields[9] in inodes)


def refreshes(s: Scenario, fake: FakeNode, *workers) -> float:
    """How often each process reads the map while every call asks for it."""
    fake.judge = sends_to(f"127.0.0.1:{fake.port}")
    time.sleep(0.5)
    before, start = fake.calls.get("CLUSTER", 0), now()
    while now() < start + 2_000_000_000:
        for worker in workers:
            worker.acquire("a", "count", times=5)
    rate = (fake.calls.get("CLUSTER", 0) - before) / ((now() - start) / 1e9) / len(workers)
    s.proof(rate > 1, f"the map was read {rate:.1f} times/s")
    s.demand(rate <= 5.5, f"the map was read {rate:.1f} times/s, at most 5")
    return rate


def hostile_maps(s: Scenario, fake: FakeNode, worker) -> None:
    """Answers to CLUSTER SLOTS that are none: nobody falls over them, and nothing goes where they say."""
    me = (fake.host, fake.port)
    replies = [
        b"*1\r\n*3\r\n:0\r\n:-5\r\n*2\r\n$9\r\n127.0.0.1\r\n:1\r\n", b"*1\r\n*3\r\n:-1\r\n:5\r\n*2\r\n$9\r\n127.0.0.1\r\n:1\r\n",
        slots_reply((5, 4, *me)), slots_reply((0, 16384, *me)), slots_reply((0, 2**62, *me)), slots_reply((2**62, 2**63 - 1, *me)),
        slots_reply(*[(0, 16383, *me)] * 4000), slots_reply(*[(n, n, "127.0.0.1", n % 60000 + 1) for n in range(5000)]),
        slots_reply((0, 16383, "127.0.0.1", -1)), slots_reply((0, 16383, "127.0.0.1", 70000)), slots_reply((0, 16383, "?", 6379)),
        slots_reply((0, 16383, "a\r\nb", 6379)), slots_reply((0, 16383, "x" * 5000, 6379)), b"*0\r\n", b":1\r\n", b"$-1\r\n", b"-ERR no\r\n",
        b"*1\r\n*0\r\n", b"*1\r\n*3\r\n:0\r\n:1\r\n*0\r\n", b"*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$-1\r\n$1\r\n7\r\n",
    ]
    fake.judge = sends_to(f"127.0.0.1:{fake.port}")
    for reply in replies:
        fake.slots = lambda r=reply: r
        before, until = fake.calls.get("CLUSTER", 0), now() + 2_000_000_000
        while fake.calls.get("CLUSTER", 0) == before and now() < until:
            worker.acquire("a", "count")
        s.demand(worker.alive and now() < until, f"the process ended over {reply[:60]!r}, or hangs")
    fake.slots = lambda: slots_reply((0, 16383, *me))


def shared(name: str, units: int, identifier: str) -> Limit:
    return Limit(identifier, "fixed_window", units, DAY, policy="closed", shared=name)


@row("37", "Cluster: a decision with an account's limit and a global one, in different slots", "no CROSSSLOT; in steps with refund: never over, and exact once refunds have come back")
def two_slots(s: Scenario) -> None:
    cluster = Cluster(s.topology)
    names = [account(shard) for shard in range(3)]
    everyone = [shared("everybody", 300, "all"), shared("everyone", 10**9, "sum"), shared("anybody", 92, "pot")]
    own, small = Limit("own", "fixed_window", 50, DAY, policy="closed"), Limit("few", "fixed_window", 30, DAY, policy="closed")
    plan = {"keys": names, "rate": 250, "together": True, "deadline": 1000, "remembered_denials": 65_536}
    s.worker(cluster.url, [COUNT_CLOSED, everyone[0]], "global-last", **plan)
    s.worker(cluster.url, [everyone[1], own], "global-first", **plan)
    # Two units more than the accounts may take together: what is under way and will be taken back uses them up for a moment.
    pots = [s.worker(cluster.url, [everyone[2], small], f"global-is-left{number}", **plan) for number in range(2)]
    s.sleep(5)
    for worker in s.workers:
        worker.tell("rate 0")
    s.sleep(1.5)
    left = [pots[0].acquire("other", "pot")[0]["o"] for _ in range(10)]
    records = s.finish(judge=False)
    bad = [r for r in records if r.degraded]
    s.demand(not bad, f"{len(bad)} decisions failed: {codes(bad)}")
    refused = sum(node.errors("CROSSSLOT") for node in cluster.nodes)
    s.demand(refused == 0, f"CROSSSLOT {refused} times")
    slots = {slot_of(key(name)) for name in names} | {slot_of(key("everybody", kind="g"))}
    denied = sum(r.o == "D" for r in records)
    s.proof(len(slots) == 4 and denied > 500, f"{denied} denials, in {len(slots)} slots")
    # The account's count is taken back when the global limit denies: what stays is what was admitted.
    exact(s, cluster, records, names)
    admitted = {name: sum(r.o == "A" for r in records if r.w == name) for name in ("global-last", "global-first")}
    everybody, total = counted(cluster, "everybody", "all", "g"), sum(counted(cluster, name) for name in names)
    s.demand(everybody == total == admitted["global-last"] == 300, f"global limit of 300: {everybody} counted, {total} by account, {admitted['global-last']} admitted")
    # The global count is taken back when the account's limit denies.
    each, sums = [counted(cluster, name, "own") for name in names], counted(cluster, "everyone", "sum", "g")
    s.demand(each == [50] * 3 and sums == admitted["global-first"] == 150, f"limits of 50: {each}, {sums} counted globally, {admitted['global-first']} admitted")
    # What came back is there for others.
    few = [counted(cluster, name, "few") for name in names]
    s.demand(few == [30] * 3, f"limits of 30: {few} taken, though 92 are enough")
    s.demand(left == ["A"] * 2 + ["D"] * 8, f"{left.count('A')} of 2 were left of the global limit")
    immortal(s, cluster)
    s.figure(f"{len(records)} decisions, {denied} denied and taken back: 300 of 300, 150 of 150, {sum(few)} of 90, and {left.count('A')} of 2 left")


def hot(s: Scenario, remembered: int = 0) -> tuple[float, float, float, int]:
    """One key at full load; p99 of others before and meanwhile, calls of Redis for each decision on it, and what it was given."""
    cluster = Cluster(s.topology)
    # All in one shard: the one that the hot key keeps busy.
    busy, names = account(0), [account(0, number) for number in range(1, 11)]
    limit = Limit("hot", "sliding_window_log", 100, 10 * SECOND, policy="closed")
    s.worker(cluster.url, [COUNT_CLOSED], "others", keys=names, rate=200, tasks=4)
    start = s.sleep(1)
    s.sleep(3)
    calls = cluster.nodes[0].calls("evalsha")
    began = now()
    for number in range(2):
        s.worker(cluster.url, [limit], f"hot{number}", keys=[busy], rate=500, tasks=32, remembered_denials=remembered)
    s.sleep(4)
    ended = now()
    used = cluster.nodes[0].calls("evalsha") - calls
    # A remembered denial has no time of Redis' own to be judged by.
    records = s.finish(judge=not remembered)
    own = [r for r in records if r.w.startswith("hot")]
    other = [r for r in records if r.w == "others"]
    bad = [r for r in records if r.degraded and r.s > start]
    s.demand(not bad, f"{len(bad)} decisions failed: {codes(bad)}")
    s.proof(sum(r.o == "D" for r in own) > 2000, f"{len(own)} decisions on the hot key")
    meanwhile = [r.milliseconds for r in between(other, began + 700_000_000, ended)]
    before = [r.milliseconds for r in between(other, start, began)]
    spent = used - sum(r.s >= began and r.e <= ended for r in other)
    share = spent / max(1, sum(r.e <= ended for r in own))
    exact(s, cluster, records, names)
    return history.percentile(before, 0.99), history.percentile(meanwhile, 0.99), share, sum(r.o == "A" for r in own)


@row("38", "Cluster: one hot key at full load", "other keys' p99 rises < 2x; never more than L")
def hot_key(s: Scenario) -> None:
    before, meanwhile, share, given = hot(s)
    s.demand(meanwhile <= 2 * before + 5, f"other keys' p99 {before:.2f} ms before and {meanwhile:.2f} ms meanwhile, at most twice as much (and 5 ms of noise)")
    s.figure(f"other keys' p99 {before:.2f} ms before, {meanwhile:.2f} ms meanwhile; {share:.2f} calls of Redis for each decision; {given} admitted")


@row("38b", "Cluster: a saturated hot key is answered from a cache of denials", "calls of Redis cut >= 10x, 0 under-count")
def deny_cache(s: Scenario) -> None:
    _, _, share, given = hot(s, 65_536)
    s.demand(share <= 0.1, f"{share:.2f} calls of Redis for each decision on a saturated key, at most 0.1")
    s.demand(given == 100, f"{given} of 100 were admitted")
    s.figure(f"{share:.2f} calls of Redis for each decision; {given} admitted")


@row("38c", "equal limits of one key, of which one is saturated, and denials are remembered", "a denial answers for its own limit and key alone", short=True, alone=False)
def own_denials(s: Scenario) -> None:
    redis = s.redis()
    limits = [Limit(name, "sliding_window_log", 5, DAY, policy="closed") for name in ("log", "twin")]
    limits += [Limit(name, "token_bucket", 5, DAY, burst=5, policy="closed") for name in ("bucket", "pair")]
    worker = s.worker(redis.url, limits, "twins", remembered_denials=1_000)
    asked = 0
    for full, other in (("log", "twin"), ("bucket", "pair")):
        worker.acquire("a", full, times=6)
        # Denials answer once it was heard that nothing came back.
        s.sleep(0.5)
        before = redis.calls("evalsha")
        denied = [answer["o"] for answer in worker.acquire("a", full, times=50)]
        asked += redis.calls("evalsha") - before
        s.demand(denied == ["D"] * 50, f"{denied.count('A')} of 50 were admitted by the saturated {full}")
        for key_name, limit in (("a", other), ("b", full)):
            given = [answer["o"] for answer in worker.acquire(key_name, limit, times=6)]
            s.demand(given == ["A"] * 5 + ["D"], f"{limit} of {key_name}, of which nothing was taken: {' '.join(given)}")
    s.proof(asked <= 10, f"{asked} calls of Redis for 100 denials")
    records = s.finish(redis, judge=False)
    s.figure(f"{asked} calls of Redis for 100 denials; {sum(r.o == 'A' for r in records)} of 30 admitted")
