"""Section D: what is lost on the way."""
from __future__ import annotations

import threading
import time

from history import Record
from netns import Namespace
from proxy import Behaviour, Connection, OnReply, Proxy, is_call, is_decision, nonce
from rows.standalone import exact
from scenario import COUNT_CLOSED, Scenario, between, codes, row, standard
from topology import now, wait_for

FAST = {"backoff": [1, 2], "deadline": 500}  # For scenarios that break a connection many times on purpose.


def through(s: Scenario, redis, behaviour: Behaviour) -> Proxy:
    proxy = Proxy(redis.port, behaviour, redis.host)
    s.topology.on_close(proxy.close)
    return proxy


@row("39", "half-open: the cable is pulled for 10 s", "decisions <= D throughout; socket given up <= 2 s; T_rec after the link is up", seconds=45)
def half_open(s: Scenario) -> None:
    namespace = Namespace(s.topology)
    redis = s.redis("--protected-mode", "no", start=False, host=namespace.inside)
    redis.prefix = namespace.prefix
    redis.start()
    probe = s.probe(redis)
    s.load(redis.url)
    s.sleep(1.2)
    before = set(established(redis.port))
    down = s.nemesis.note("link down")
    namespace.link("down")
    given_up: list[float] = []
    while now() < down + 10_000_000_000:
        gone = len(before) - len(before & set(established(redis.port)))
        given_up += [(now() - down) / 1e9] * (gone - len(given_up))
        time.sleep(0.05)
    namespace.link("up")
    up = s.nemesis.note("link up")
    writable = probe.writable_after(up)
    s.sleep(2.5)
    records = s.finish(redis)
    s.proof(bool(before) and probe.saw_outage(down, up), "the link was not down")
    s.within_deadline(between(records, down, up), what="decisions while the link was down")
    # A socket that nothing is sent on owes nothing: the second is only found out when it has taken over from the first.
    workers = len(s.workers)
    s.demand(len(given_up) == len(before), f"{len(before) - len(given_up)} of {len(before)} sockets were never given up")
    first, last = max(given_up[:workers], default=99), max(given_up, default=99)
    s.demand(first <= 2.6 and last <= 5.2, f"sockets given up after {first:.1f} and {last:.1f} s, at most 2 each")
    s.recovered(records, writable)
    s.figure(f"sockets given up after {first:.1f} s, the second of each process after {last:.1f} s")


def established(port: int) -> list[int]:
    """Local ports of established connections to a port."""
    found = []
    with open("/proc/net/tcp") as table:
        for line in table.readlines()[1:]:
            fields = line.split()
            if fields[3] == "01" and int(fields[2].split(":")[1], 16) == port:
                found.append(int(fields[1].split(":")[1], 16))
    return found


@row("40", "reply lost after the script ran", "charged once, admitted at most once, class indefinite, never sent again", short=True)
def reply_lost(s: Scenario) -> None:
    redis = s.redis()
    ids: list[bytes] = []

    def swallow(connection, arguments, value, raw):
        # What the store asks for itself loses its replies, too, and stands in no history.
        if is_decision(arguments) and b"{g:headgate" not in arguments[3]:
            ids.append(nonce(arguments))
        return None

    behaviour = OnReply(swallow)
    s.load(through(s, redis, behaviour).url, standard("closed") + [COUNT_CLOSED], workers=1, rate=200)
    for _ in range(5):
        s.sleep(0.4)
        behaviour.on = True
        s.sleep(0.15)
        behaviour.on = False
    s.sleep(1.5)
    records = s.finish(redis)
    unknown = [record for record in records if record.unknown]
    s.proof(len(ids) >= 5, f"{len(ids)} replies were swallowed")
    s.demand(len(ids) == len(set(ids)), "a call was sent twice")
    lost = [r for r in unknown if r.x in ("deadlineExceeded", "desynchronised", "connect")]
    s.demand(len(lost) >= len(ids), f"{len(ids)} replies lost, {len(lost)} decisions with unknown charge: {codes(unknown)}")
    exact(s, redis, records)
    s.figure(f"{len(ids)} replies lost, {len(unknown)} unknown ({codes(unknown)}), 0 sent again, counts within")


class Cut(Behaviour):
    """Passes on only the first bytes of the next call, or of its reply, and breaks the connection."""

    def __init__(self) -> None:
        self.request_at: int | None = None
        self.reply_at: int | None = None
        self.length = 0
        self.hits = 0
        self.seen: list[bytes] = []

    def request(self, connection: Connection, arguments: list[bytes], raw: bytes) -> bytes | None:
        if not is_call(arguments):
            return raw
        self.seen.append(nonce(arguments))
        self.length = len(raw)
        if self.request_at is None:
            return raw
        connection.forward(raw[:self.request_at])
        self.request_at = None
        self.hits += 1
        time.sleep(0.002)
        connection.reset()
        return None

    def reply(self, connection: Connection, arguments: list[bytes], value: object, raw: bytes) -> bytes | None:
        if not is_call(arguments):
            return raw
        if self.reply_at is None:
            return raw
        at, self.reply_at = self.reply_at, None
        self.length = len(raw)
        self.hits += 1
        connection.send(raw[:at])
        connection.half_close() if at % 2 else connection.reset()
        connection.close()
        return None


def settle(worker) -> None:
    """Decides until Redis decides."""
    wait_for(lambda: worker.acquire("a", "count")[0]["o"] == "A", 5, "a decision by Redis")


def each_cut(s: Scenario, field: str) -> None:
    redis = s.redis()
    behaviour = Cut()
    worker = s.worker(through(s, redis, behaviour).url, [COUNT_CLOSED], **FAST)
    worker.acquire("a", "count")
    if field == "reply_at":
        behaviour.reply_at = 10**6
        worker.acquire("a", "count")
    at, cut = 0, 0
    while at <= behaviour.length:
        # The connection stands again before the next one is broken.
        settle(worker)
        setattr(behaviour, field, at)
        worker.acquire("a", "count")
        at += 1
        cut += 1
    s.proof(behaviour.hits >= cut > 40, f"{behaviour.hits} cuts of {cut}")
    s.demand(len(behaviour.seen) == len(set(behaviour.seen)), "a call was sent twice")
    records = s.finish(redis)
    broken = [r for r in records if r.degraded]
    s.demand(sum(r.unknown for r in broken) >= cut - 1, f"{sum(r.unknown for r in broken)} of {len(broken)} are of unknown charge, {cut} were cut")
    longest = max(r.milliseconds for r in records)
    s.demand(longest <= 750, f"a decision took {longest:.0f} ms")
    exact(s, redis, records, "a")
    counted = int(redis.call("GET", "hg:{a:a}:count:fw1").split()[0])
    admitted = sum(r.o == "A" for r in records)
    if field == "request_at":
        s.demand(counted <= admitted + 1, f"Redis counts {counted}, {admitted} admitted: a partial command ran")
    s.figure(f"{cut} cuts, one at each byte; {codes(broken)}; Redis counts {counted}, {admitted} admitted; longest {longest:.0f} ms")


@row("41", "request cut at each byte, RST", "as 40; never a hang; no part of a command runs", alone=False)
def request_cut(s: Scenario) -> None:
    each_cut(s, "request_at")


@row("42", "reply cut at each byte, EOF or RST", "kind connect or wireProtocol; connection closed; no crash", alone=False)
def reply_cut(s: Scenario) -> None:
    each_cut(s, "reply_at")


@row("46", "reply drips: 1 byte per 40 ms", "ends at D", short=True)
def drip(s: Scenario) -> None:
    redis = s.redis()

    def drop(connection: Connection, arguments, value, raw: bytes):
        threading.Thread(target=connection.drip, args=(raw, 0.04), daemon=True).start()
        return None

    behaviour = OnReply(drop)
    s.load(through(s, redis, behaviour).url, standard("closed") + [COUNT_CLOSED], workers=1, rate=150)
    s.sleep(1)
    begin = now()
    behaviour.on = True
    s.sleep(3)
    behaviour.on = False
    end = now()
    s.sleep(4.5)
    records = s.finish(redis)
    s.proof(behaviour.hits > 0, "no reply dripped")
    during = between(records, begin + 50_000_000, end - 100_000_000)
    s.demand(not any(r.decided for r in during), f"{sum(r.decided for r in during)} decisions in spite of it")
    s.within_deadline(during, what="decisions meanwhile")
    # What was sent before is still dripping: that connection has to be given up first.
    s.recovered(records, end, limit=4)
    exact(s, redis, records)
    s.figure(codes(during))


@row("47", "Redis is killed while we write", "the process, started with the default disposition of SIGPIPE, lives", short=True, alone=False)
def broken_pipe(s: Scenario) -> None:
    redis = s.redis()
    worker = s.worker(redis.url, [COUNT_CLOSED], deadline=500)
    worker.acquire("a", "count")
    for _ in range(4):
        worker.tell("burst 3000 a count 1")
        time.sleep(s.random.uniform(0.002, 0.03))
        s.nemesis.crash(redis, 0.1)
        worker.answer("burst", 20)
        wait_for(lambda: worker.acquire("a", "count")[0]["o"] == "A", 5, "a decision after the restart")
    records: list[Record] = s.finish(redis)
    s.proof(sum(r.unknown for r in records) > 0, f"nothing was under way: {codes(records)}")
    ignored = int((worker.final or {}).get("footprint", {}).get("ignored") or "0", 16)
    s.figure(f"4 kills, {len(records)} decisions, {codes(records)}; SIGPIPE {'ignored by SwiftNIO' if ignored & 1 << 12 else 'as it was'}")
