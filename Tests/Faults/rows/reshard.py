"""Section C: slots that move from node to node while their keys are used."""
from __future__ import annotations

import re
import subprocess
import threading
import time

import resp
from groups import Cluster, slot_of
from history import Limit
from rows.cluster import account, closed, counted, exact, immortal, key
from scenario import COUNT_CLOSED, SECOND, Scenario, codes, row, standard
from topology import Redis, now, wait_for


def views(cluster: Cluster) -> set[frozenset]:
    """What the nodes think that each other owns."""
    return {frozenset((line[0], *line[8:]) for line in cluster.lines(node) if line[8:]) for node in cluster.nodes}


def reshard(s: Scenario, cluster: Cluster, source: Redis, target: Redis, slots: int) -> float:
    """Has redis-cli move the first slots of a node; returns how long that took."""
    wait_for(lambda: len(views(cluster)) == 1, 10, "nodes that agree")
    start = s.nemesis.note(f"reshard of {slots} slots", source=source.port, target=target.port)
    identifiers = [resp.text(node.call("CLUSTER", "MYID")) for node in (source, target)]
    done = subprocess.run(
        ["redis-cli", "--cluster", "reshard", f"127.0.0.1:{source.port}", "--cluster-from", identifiers[0], "--cluster-to",
         identifiers[1], "--cluster-slots", str(slots), "--cluster-yes"],
        capture_output=True, text=True, timeout=40,
    )
    s.demand(done.returncode == 0, f"redis-cli: {(done.stdout + done.stderr)[-300:]}")
    return (now() - start) / 1e9


def move(cluster: Cluster, slot: int, source: Redis, target: Redis, pause: float) -> None:
    """Moves a slot as redis-cli does, with a pause behind each key."""
    source_id, target_id = (resp.text(node.call("CLUSTER", "MYID")) for node in (source, target))
    target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
    source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
    time.sleep(pause)
    with source.client() as client:
        while keys := client.call("CLUSTER", "GETKEYSINSLOT", slot, 1):
            client.call("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
            time.sleep(pause)
    for node in (target, source, *cluster.nodes[:3]):
        node.call("CLUSTER", "SETSLOT", slot, "NODE", target_id)


def total(cluster: Cluster, prefix: str) -> int:
    return sum(node.errors(prefix) for node in cluster.nodes)


def flawless(s: Scenario, cluster: Cluster, names: list[str], judge: bool = True) -> list:
    """No decision failed, and all counts are exact."""
    records = s.finish(judge=judge)
    bad = [r for r in records if r.degraded]
    s.demand(not bad, f"{len(bad)} of {len(records)} decisions failed: {codes(bad)}; {bad[0].m if bad else ''}")
    exact(s, cluster, records, names)
    immortal(s, cluster)
    return records


@row("32", "Cluster: live reshard of the hot slot under load", "0 errors to callers; TRYAGAIN retried inside D; counts exact (k=0)", short=True)
def hot_slot(s: Scenario) -> None:
    cluster = Cluster(s.topology)
    hot = account(0, below=40)
    names = [hot, account(1), account(2)]
    s.load(cluster.url, closed(), keys=[hot, hot, hot, *names[1:]])
    # All limits at once meet a slot of which some keys have moved; a slow move takes longer than 50 ms.
    s.worker(cluster.url, closed("log bucket fixed counter"), "together", keys=[hot], rate=100, together=True, deadline=1000)
    s.sleep(1.2)
    first, second = cluster.nodes[:2]
    taken = [reshard(s, cluster, first, second, 40), reshard(s, cluster, second, first, 40)]
    slot = slot_of(key(hot))
    for source, target in ((first, second), (second, first), (first, second)):
        move(cluster, slot, source, target, 0.03)
        s.sleep(0.2)
    s.sleep(0.5)
    moved, asked, again = total(cluster, "MOVED"), total(cluster, "ASK"), total(cluster, "TRYAGAIN")
    s.proof(cluster.owner(key(hot)) is second and moved and asked and again, f"MOVED {moved}, ASK {asked}, TRYAGAIN {again}")
    records = flawless(s, cluster, names)
    s.figure(f"40 slots there and back in {sum(taken):.1f} s and one slot thrice; {len(records)} decisions, 0 failed; MOVED {moved}, ASK {asked}, TRYAGAIN {again}")


@row("32b", "Cluster: three primaries, 200 accounts, three processes: a live reshard and a graceful failover", "0 errors; counts exact throughout (k=0)", seconds=60)
def whole_cluster(s: Scenario) -> None:
    cluster = Cluster(s.topology)
    names = [f"account-{number}" for number in range(200)]
    limits = standard("closed", 3, only="log bucket") + [COUNT_CLOSED]
    # Ten accounts of the first primary that are used more: their slots move slowly.
    slow = [name for name in names if 1000 <= slot_of(key(name)) <= 5460][:10]
    for _ in range(3):
        s.worker(cluster.url, limits, keys=names + slow * 10, rate=200, deadline=2000)
    s.sleep(1.2)
    moving = sum(slot_of(key(name)) < 1000 for name in names)
    taken = reshard(s, cluster, cluster.nodes[0], cluster.nodes[1], 1000)
    for name in slow:
        move(cluster, slot_of(key(name)), cluster.nodes[0], cluster.nodes[1], 0.05)
    old = cluster.nodes[2]
    new = cluster.replica_of(old)
    start = s.nemesis.note("CLUSTER FAILOVER")
    new.call("CLUSTER", "FAILOVER")
    s.sleep(2.5)
    back = reshard(s, cluster, cluster.nodes[1], cluster.nodes[0], 500)
    s.sleep(0.5)
    owned = {cluster.owner(key(name)).port for name in names}
    s.proof(new.info("replication")["role"] == "master" and new.port in owned and old.port not in owned, "the replica did not take over")
    asked = total(cluster, "ASK")
    s.proof(moving > 5 and total(cluster, "MOVED") > 0 and asked > 0, f"{moving} accounts moved, ASK {asked}")
    records = flawless(s, cluster, names)
    slowest = max(r.milliseconds for r in records if r.s >= start and r.o != "R")
    sums = sum(counted(cluster, name) for name in names)
    s.figure(f"{len(records)} decisions on 200 accounts, 0 failed, {sums} counted = {sum(r.o == 'A' and r.l == 'count' for r in records)} admitted; 1000 slots moved in {taken:.1f} s, 500 in {back:.1f} s; the slowest decision {slowest:.0f} ms; ASK {asked}")


@row("32c", "Cluster: a slot stays half moved while counts in it expire and come back", "0 errors; counts exact (k=0)")
def half_moved(s: Scenario) -> None:
    cluster = Cluster(s.topology)
    hot = account(0)
    slot, (source, target) = slot_of(key(hot)), cluster.nodes[:2]
    limits = [limit for limit in standard("closed", 3, SECOND // 10) if limit.id != "slots"]
    leases = Limit("slots", "concurrency", 2, SECOND // 10, policy="closed")
    s.worker(cluster.url, limits + [COUNT_CLOSED], keys=[hot], rate=300, deadline=500)
    s.worker(cluster.url, [leases], keys=[hot], rate=50, deadline=500, hold=[80, 140])
    s.sleep(1)
    source_id, target_id = (resp.text(node.call("CLUSTER", "MYID")) for node in (source, target))
    target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
    source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
    s.nemesis.note("half moved")
    before = source.calls("evalsha")
    s.sleep(3)
    kept = source.calls("evalsha") - before
    move(cluster, slot, source, target, 0.03)
    s.sleep(1)
    s.proof(source.errors("ASK") > 0 and kept > 200, f"ASK {source.errors('ASK')}, {kept} calls of the half moved slot")
    records = flawless(s, cluster, [hot])
    s.figure(f"{kept} calls of the half moved slot, ASK {source.errors('ASK')}; {len(records)} decisions, 0 failed")


class Monitor:
    """What a node runs, as MONITOR tells it."""

    def __init__(self, s: Scenario, redis: Redis):
        self.lines: list[str] = []
        self.client = redis.client(timeout=60)
        self.client.call("MONITOR")
        threading.Thread(target=self._read, daemon=True).start()
        s.topology.on_close(self.client.close)

    def _read(self) -> None:
        try:
            while True:
                self.lines.append(str(self.client.receive()))
        except (OSError, ValueError):
            pass

    def by_client(self) -> dict[str, list[tuple[str, str]]]:
        """Commands of each connection in order, with the text of their arguments; what scripts call is left out."""
        found: dict[str, list[tuple[str, str]]] = {}
        for line in self.lines:
            match = re.match(r'[\d.]+ \[0 (\d[^\]]*)\] "(\w+)"(.*)', line)
            if match:
                found.setdefault(match[1], []).append((match[2].upper(), match[3]))
        return found


@row("33", "Cluster: ASK meets NOSCRIPT", "script, ASKING and call in one write; 0 errors; counts exact")
def ask_without_script(s: Scenario) -> None:
    cluster = Cluster(s.topology)
    hot = account(0)
    slot, (source, target) = slot_of(key(hot)), cluster.nodes[:2]
    s.load(cluster.url, closed(), keys=[hot], deadline=500)
    s.sleep(1)
    # Before they had a map, calls went to any node.
    strayed = target.errors("MOVED")
    monitor = Monitor(s, target)
    done = threading.Event()

    def flusher() -> None:
        while not done.wait(0.02):
            target.call("SCRIPT", "FLUSH")

    thread = threading.Thread(target=flusher)
    thread.start()
    move(cluster, slot, source, target, 0.15)
    done.set()
    thread.join()
    s.sleep(1)
    missing, asked, moved = target.errors("NOSCRIPT"), source.errors("ASK"), target.errors("MOVED") - strayed
    s.proof(missing > 3 and asked > 3, f"NOSCRIPT {missing} times, ASK {asked} times")
    records = flawless(s, cluster, [hot])
    broken, together = 0, 0
    for commands in monitor.by_client().values():
        for (name, _), (then, what) in zip(commands, commands[1:]):
            broken += name == "ASKING" and not (then == "EVALSHA" and f"a:{hot}" in what)
        for (name, _), (then, _), (last, _) in zip(commands, commands[1:], commands[2:]):
            together += (name, then, last) == ("SCRIPT", "ASKING", "EVALSHA")
    s.proof(together > 0, "no script was loaded before an ASKING")
    s.demand(broken == 0, f"{broken} times something came between ASKING and its call")
    s.demand(moved <= 2, f"{moved} calls came to the importing node without ASKING")
    s.figure(f"{asked} ASK, {missing} NOSCRIPT, {together} times load, ASKING and call together; {len(records)} decisions, 0 failed")
