"""Section D: a peer that lies."""
from __future__ import annotations

import pathlib
import random

from proxy import Behaviour, Connection, is_call
from rows.network import FAST, settle, through
from rows.standalone import exact
from topology import wait_for
from scenario import COUNT_CLOSED, Scenario, codes, row, standard

DESYNC = "headgate_protocol_desync_total"


class Liar(Behaviour):
    """Answers the next call of the script with something else, or the next greeting."""

    def __init__(self) -> None:
        self.payload: bytes | None = None
        self.at_greeting = False
        self.hits = 0
        self.previous = b""

    def take(self) -> bytes | None:
        payload, self.payload = self.payload, None
        self.hits += payload is not None
        return payload

    def accepted(self, connection: Connection) -> None:
        if self.at_greeting and (payload := self.take()) is not None:
            connection.send(payload)

    def reply(self, connection: Connection, arguments: list[bytes], value: object, raw: bytes) -> bytes | None:
        if self.at_greeting or not is_call(arguments):
            return raw
        payload = self.take()
        if payload is None:
            self.previous = raw
            return raw
        return payload


def garbage(seed: int) -> dict[str, bytes]:
    """What is no answer to a call."""
    generator = random.Random(seed)
    payloads = {
        "HTTP 400": b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        "SSH banner": b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        "status": b"+OK\r\n",
        "text": b"$5\r\nhello\r\n",
        "bulk without its end": b"$5\r\nhelloXX",
        "number": b":1\r\n",
        "nothing": b"$-1\r\n",
        "no list": b"*-1\r\n",
        "empty list": b"*0\r\n",
        "list of texts": b"*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n",
        "list in a list": b"*1\r\n*1\r\n*1\r\n:1\r\n",
        "bad number": b":12x\r\n",
        "negative length": b"$-2\r\n",
        "RESP3 map": b"%1\r\n+a\r\n+b\r\n",
        "RESP3 double": b",1.5\r\n",
        "escapes": b"-ERR \x1b[31m\x00\x07 red\r\n",
        "1 MB of error": b"-ERR " + b"x" * 1_000_000 + b"\r\n",
    }
    for number in range(8):
        payloads[f"random {number}"] = bytes(generator.randrange(256) for _ in range(64)) + b"\r\n"
    return payloads


def bounded_log(s: Scenario) -> None:
    """No line of a log is long, none holds a peer's bytes as they came."""
    for worker in s.workers:
        for line in worker.log.read_bytes().split(b"\n"):
            s.demand(len(line) <= 600, f"a log line has {len(line)} bytes")
            s.demand(all(32 <= byte < 127 for byte in line), f"a log line holds unescaped bytes: {line[:80]!r}")


@row("43", "garbage: HTTP, random bytes, wrong types, 1 MB of error", "an error of protocol; close; no crash, no hang, no reuse; log lines bounded", short=True, alone=False)
def garbled(s: Scenario) -> None:
    redis = s.redis()
    behaviour = Liar()
    worker = s.worker(through(s, redis, behaviour).url, [COUNT_CLOSED], **FAST)
    kinds: dict[str, int] = {}
    for greeting in (False, True):
        for name, payload in garbage(s.seed).items():
            behaviour.at_greeting = greeting
            settle(worker)
            behaviour.payload = payload
            if greeting:
                redis.call("CLIENT", "KILL", "TYPE", "normal")
                wait_for(lambda: behaviour.payload is None, 2, "a connection to be lied to")
            answer = worker.acquire("a", "count")[0]
            if greeting:
                continue
            code = answer.get("x", "none")
            kinds[code] = kinds.get(code, 0) + 1
            expected = ("script", "wireProtocol") if payload.startswith(b"-") else ("wireProtocol", "desynchronised", "deadlineExceeded")
            s.demand(code in expected, f"{name} is answered {answer['o']} {code}")
            s.demand(answer.get("ch") == "unknown", f"{name}: charge {answer.get('ch')}")
    settle(worker)
    records = s.finish(redis)
    s.proof(behaviour.hits == 2 * len(garbage(s.seed)), f"{behaviour.hits} lies were told")
    exact(s, redis, records, "a")
    bounded_log(s)
    longest = max(r.milliseconds for r in records)
    s.demand(longest <= 750, f"a decision took {longest:.0f} ms")
    s.figure(f"{behaviour.hits} payloads: {', '.join(f'{k} {v}' for k, v in sorted(kinds.items()))}; longest {longest:.0f} ms")


def processor_time(pid: int) -> float:
    """Seconds that all threads of a process ran."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except OSError:
            pass
    return total / 1e9


@row("44", "absurd lengths and depth", "<= 8 MiB more memory, <= 50 ms CPU each, kind wireProtocol", short=True, alone=False)
def absurd(s: Scenario) -> None:
    redis = s.redis()
    behaviour = Liar()
    worker = s.worker(through(s, redis, behaviour).url, [COUNT_CLOSED], **FAST)
    for _ in range(20):
        worker.acquire("a", "count")
    payloads = {
        "*2147483647": b"*2147483647\r\n",
        "*1048576": b"*1048576\r\n",
        "$9223372036854775807": b"$9223372036854775807\r\n",
        "$536870912": b"$536870912\r\n" + b"x" * 100_000,
        "*1 x 100,000": b"*1\r\n" * 100_000,
        "*9 of *2147483647": b"*9\r\n:1\r\n*2147483647\r\n",
        "4 MB without an end": b"+" + b"x" * 4_000_000,
        "20 digits": b":99999999999999999999\r\n",
    }
    worst = (0.0, 0.0)
    for name, payload in payloads.items():
        settle(worker)
        memory, cpu = worker.rss, processor_time(worker.child.pid)
        behaviour.payload = payload
        answer = worker.acquire("a", "count")[0]
        settle(worker)
        used, grown = processor_time(worker.child.pid) - cpu, (worker.rss - memory) / 2**20
        worst = (max(worst[0], used), max(worst[1], grown))
        s.demand(answer.get("x") in ("wireProtocol", "desynchronised"), f"{name} is answered {answer['o']} {answer.get('x')}")
        s.demand(used <= 0.1, f"{name} took {used * 1e3:.0f} ms of CPU, at most 50 (100 on a busy machine)")
        s.demand(grown <= 8, f"{name} took {grown:.1f} MiB, at most 8")
    s.proof(behaviour.hits == len(payloads), f"{behaviour.hits} of {len(payloads)} lies were told")
    records = s.finish(redis)
    exact(s, redis, records, "a")
    s.figure(f"{len(payloads)} payloads, at most {worst[0] * 1e3:.0f} ms CPU and {worst[1]:.1f} MiB")


@row("45", "misaligned: an extra +OK, the previous reply again, a RESP3 push", "kind desynchronised; closed; metric; never another's answer", short=True, alone=False)
def misaligned(s: Scenario) -> None:
    redis = s.redis()

    class Extra(Liar):
        def reply(self, connection: Connection, arguments: list[bytes], value: object, raw: bytes) -> bytes | None:
            if not is_call(arguments):
                return raw
            payload = self.take()
            before, self.previous = self.previous, raw
            if payload is None:
                return raw
            return (before if payload == b"previous" else payload) + raw

    behaviour = Extra()
    s.load(through(s, redis, behaviour).url, standard("closed") + [COUNT_CLOSED], workers=1, rate=200)
    s.sleep(0.5)
    for payload in [b"+OK\r\n", b"previous", b">2\r\n+message\r\n+x\r\n", b":7\r\n", b"$-1\r\n"]:
        behaviour.payload = payload
        s.sleep(1.3)
    s.sleep(0.5)
    metrics = s.workers[0].metrics()
    records = s.finish(redis)
    bad = [r for r in records if r.degraded]
    s.proof(behaviour.hits == 5, f"{behaviour.hits} of 5 were injected")
    s.demand(metrics.get(DESYNC, 0) == 4, f"{DESYNC} is {metrics.get(DESYNC, 0)} after 4 misalignments")
    s.demand({r.x for r in bad} <= {"desynchronised", "wireProtocol", "connect"}, codes(bad))
    exact(s, redis, records)
    s.figure(f"{behaviour.hits} injected, {codes(bad)}, {DESYNC} {metrics.get(DESYNC, 0):.0f}, all other answers are the right ones")


