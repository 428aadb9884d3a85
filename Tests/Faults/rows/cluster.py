"""Section C: a cluster whose masters die, hang, and change places."""
from __future__ import annotations

import time

import check
from groups import Cluster, slot_of
from history import Record
from rows.roles import client_ids
from rows.sentinel import SLACK, check_calls
from scenario import COUNT_CLOSED, Scenario, between, codes, row, standard
from topology import Redis, now, wait_for

KEEPS_ON = ("--cluster-require-full-coverage", "no")
# The shards of a new cluster.
BOUNDS = [(0, 5460), (5461, 10922), (10923, 16383)]


def closed(only: str = "") -> list:
    return standard("closed", only=only) + [COUNT_CLOSED]


def account(shard: int, number: int = 0, below: int | None = None) -> str:
    """A name whose keys are in a shard of a new cluster, and perhaps among its first slots."""
    first, last = BOUNDS[shard]
    last = last if below is None else first + below - 1
    names = (f"k{n}" for n in range(1_000_000))
    fitting = (name for name in names if first <= slot_of(f"{{a:{name}}}") <= last)
    for _ in range(number):
        next(fitting)
    return next(fitting)


def key(name: str, limit: str = "count", kind: str = "a") -> str:
    return f"hg:{{{kind}:{name}}}:{limit}:fw1"


def counted(cluster: Cluster, name: str, limit: str = "count", kind: str = "a") -> int:
    """What the cluster counts of a limit."""
    value = cluster.owner(key(name, limit, kind)).call("GET", key(name, limit, kind))
    return int(value.split()[0]) if value else 0


def exact(s: Scenario, cluster: Cluster, records: list[Record], names: list[str], may_lose: bool = False) -> int:
    """What the cluster counts is what was admitted, and at most what is unknown beside; returns what it does not know of."""
    lost = 0
    for name in names:
        count = counted(cluster, name)
        admitted, maybe = check.admitted_units(records, name, "count"), check.unknown_units(records, name, "count")
        s.demand(count <= admitted + maybe, f"{name}: charged twice: {count} counted, {admitted} admitted, {maybe} unknown")
        s.demand(may_lose or admitted <= count, f"{name}: {count} counted, {admitted} admitted")
        lost += max(0, admitted - count)
    return lost


def immortal(s: Scenario, cluster: Cluster) -> None:
    for node in cluster.nodes:
        if node.process and node.process.alive and node.info("replication")["role"] == "master":
            with node.client() as client:
                s.problems += check.immortal(client)[1][:5]


def of_keys(records: list[Record], names: list[str]) -> list[Record]:
    return [r for r in records if r.k in names]


def promoted(cluster: Cluster, name: str, old: Redis) -> int:
    """When the other masters say that a key has another owner."""
    other = next(node for node in cluster.nodes[:3] if node is not old)

    def is_other() -> bool:
        try:
            return cluster.owner(key(name), other) is not old
        except LookupError:
            return False

    wait_for(is_other, 10, "another owner")
    return now()


@row("30", "Cluster: a shard's master dies (kill -9)", "keys of other shards: 0 failed decisions; this shard: <= 0.5 s after the probe; over-admission <= k x L", short=True)
def killed(s: Scenario) -> None:
    cluster = Cluster(s.topology, *KEEPS_ON)
    names = [account(shard) for shard in range(3)]
    probe = cluster.probe(key(names[0]))
    s.load(cluster.url, closed(), keys=names)
    s.sleep(1.5)
    old = cluster.owner(key(names[0]))
    killed = old.kill9()
    s.nemesis.note("kill -9", port=old.port)
    writable = probe.writable_after(killed + 100_000_000)
    s.nemesis.allow(killed - 100_000_000, writable, 200_000)
    s.sleep(2.5)
    s.proof(cluster.owner(key(names[0])) is not old, "nobody took over")
    records = s.finish()
    others, own = of_keys(records, names[1:]), of_keys(records, names[:1])
    bad = [r for r in others if r.degraded and r.s >= killed - 100_000_000]
    s.demand(not bad, f"{len(bad)} decisions of other shards failed: {codes(bad)}")
    s.within_deadline(between(own, killed, writable), what="decisions of the shard without a master")
    s.recovered(own, writable, 0.5 + SLACK, "first good decision after the probe")
    exact(s, cluster, records, names[1:])
    lost = exact(s, cluster, records, names[:1], may_lose=True)
    immortal(s, cluster)
    s.figure(f"writable {(writable - killed) / 1e9:.2f} s after the kill; {len(bad)} of {len(others)} decisions of other shards failed; {lost} charges lost")


@row("31", "Cluster: a shard's master hangs (SIGSTOP), is replaced, and comes back", "0 decisions go to the deposed one <= 1 s after the others name the new; other shards: 0 failed")
def hung(s: Scenario) -> None:
    cluster = Cluster(s.topology, *KEEPS_ON)
    names = [account(shard) for shard in range(3)]
    probe = cluster.probe(key(names[0]))
    s.load(cluster.url, closed(), keys=names)
    s.sleep(1.5)
    old = cluster.owner(key(names[0]))
    before = old.calls("evalsha")
    stopped = old.stop()
    s.nemesis.note("SIGSTOP", port=old.port)
    time.sleep(0.05)
    s.proof(s.nemesis.is_stopped(old), "the process is not stopped")
    named = promoted(cluster, names[0], old)
    old.resume()
    writable = probe.writable_after(stopped + 200_000_000)
    s.nemesis.allow(stopped - 100_000_000, writable, 200_000)
    s.sleep(max(0, (named + 1_000_000_000 - now()) / 1e9))
    connections = client_ids(old)
    client = old.client()
    at_bound = check_calls(client, "evalsha")
    s.sleep(2.5)
    still = check_calls(client, "evalsha") - at_bound
    records = s.finish()
    others, own = of_keys(records, names[1:]), of_keys(records, names[:1])
    bad = [r for r in others if r.degraded and r.s >= stopped - 100_000_000]
    s.demand(not bad, f"{len(bad)} decisions of other shards failed: {codes(bad)}")
    s.demand(still == 0, f"{still} calls went to the deposed master later than 1 s after the new one was named")
    s.demand(not connections, f"{len(connections)} connections to it stand 1 s after the new one was named")
    s.within_deadline(between(own, stopped, named), what="decisions of the shard while it hangs")
    s.recovered(own, writable, 0.5 + SLACK, "first good decision after the probe")
    exact(s, cluster, records, names[1:])
    exact(s, cluster, records, names[:1], may_lose=True)
    s.figure(f"named after {(named - stopped) / 1e9:.2f} s; {at_bound - before} calls that lay in its sockets, {still} later; {len(bad)} decisions of other shards failed")


@row("31b", "Cluster: a master in the minority, the five others hang", "it stops within two node timeouts; kind clusterDown, not charged; T_rec")
def minority(s: Scenario) -> None:
    cluster = Cluster(s.topology)
    names = [account(shard) for shard in range(3)]
    probe = cluster.probe(key(names[0]))
    s.load(cluster.url, closed(), keys=names)
    s.sleep(1.5)
    alone = cluster.owner(key(names[0]))
    others = [node for node in cluster.nodes if node is not alone]
    stopped = [node.stop() for node in others][-1]
    s.nemesis.note("SIGSTOP", ports=[node.port for node in others])
    s.sleep(4)
    for node in others:
        node.resume()
    resumed = s.nemesis.note("SIGCONT")
    s.nemesis.allow(stopped - 100_000_000, resumed + 3_000_000_000, 200_000)
    writable = probe.writable_after(resumed)
    s.sleep(3)
    records = s.finish()
    own = of_keys(records, names[:1])
    during = between(own, stopped, resumed - 60_000_000)
    last = (max((r.e for r in during if r.decided), default=stopped) - stopped) / 1e9
    refused = [r for r in during if r.x == "clusterDown"]
    s.proof(len(refused) > 50, f"nobody met clusterDown: {codes(during)}")
    s.demand(last <= 2 + SLACK, f"the minority decided for {last:.2f} s, at most 2")
    s.demand(all(r.ch == "no" for r in refused), "a refusal counts as charged")
    s.within_deadline(between(records, stopped, resumed), what="decisions meanwhile")
    s.recovered(own, writable)
    exact(s, cluster, records, names, may_lose=True)
    s.figure(f"the minority decided for {last:.2f} s; then {codes(during)}")


def failover(s: Scenario, *options: str) -> None:
    """A replica is told to take over under load."""
    cluster = Cluster(s.topology)
    names = [account(shard) for shard in range(3)]
    s.load(cluster.url, closed(), keys=names)
    s.sleep(1.5)
    old = cluster.owner(key(names[0]))
    new = cluster.replica_of(old)
    start = s.nemesis.note(f"CLUSTER FAILOVER {' '.join(options)}")
    new.call("CLUSTER", "FAILOVER", *options)
    named = promoted(cluster, names[0], old)
    if options:
        s.nemesis.allow(start - 100_000_000, named + 500_000_000, 1_000_000)
    s.sleep(2.5)
    s.proof(cluster.owner(key(names[0])) is new and new.info("replication")["role"] == "master", "the replica did not take over")
    records = s.finish()
    bad = [r for r in records if r.degraded and r.s >= start - 100_000_000]
    length = (max(r.e for r in bad) - min(r.s for r in bad)) / 1e9 if bad else 0.0
    s.demand(length <= 1 + SLACK, f"degraded for {length:.2f} s, at most 1: {codes(bad)}")
    lost = exact(s, cluster, records, names[:1], may_lose=bool(options))
    exact(s, cluster, records, names[1:])
    immortal(s, cluster)
    s.figure(f"taken over after {(named - start) / 1e9:.2f} s; degraded {length:.2f} s ({len(bad)}: {codes(bad)}); {lost} charges lost")


@row("34", "Cluster: CLUSTER FAILOVER under load", "0 charges lost; degraded <= 1 s", short=True)
def graceful(s: Scenario) -> None:
    failover(s)


@row("34b", "Cluster: CLUSTER FAILOVER FORCE under load", "bound (k+1) x L; degraded <= 1 s")
def forced(s: Scenario) -> None:
    failover(s, "FORCE")


@row("34c", "Cluster: CLUSTER FAILOVER TAKEOVER under load", "bound (k+1) x L; degraded <= 1 s")
def takeover(s: Scenario) -> None:
    failover(s, "TAKEOVER")


def uncovered(s: Scenario, coverage: str) -> None:
    """A slot that no node owns."""
    cluster = Cluster(s.topology, "--cluster-require-full-coverage", coverage)
    names = [account(shard) for shard in range(3)]
    s.load(cluster.url, closed(), keys=names)
    s.sleep(1.2)
    slot = slot_of(key(names[0]))
    owner = cluster.owner(key(names[0]))
    start = s.nemesis.note(f"DELSLOTS {slot}")
    owner.call("CLUSTER", "DELSLOTS", slot)
    for node in cluster.nodes:
        if node is not owner:
            node.call("CLUSTER", "DELSLOTS", slot)
    s.sleep(2)
    mended = now()
    owner.call("CLUSTER", "ADDSLOTS", slot)
    serving = "cluster_state:ok"
    wait_for(lambda: all(serving in node.call("CLUSTER", "INFO").decode() for node in cluster.nodes), 10, "a whole cluster")
    whole = now()
    s.sleep(2.5)
    records = s.finish()
    during = between(records, start + 300_000_000, mended - 60_000_000)
    own, others = of_keys(during, names[:1]), of_keys(during, names[1:])
    s.proof(len(own) > 50 and all(r.x == "clusterDown" and r.ch == "no" for r in own), f"the uncovered slot: {codes(own)} of {len(own)}")
    if coverage == "no":
        s.demand(not any(r.degraded for r in others), f"other slots: {codes(others)}")
    else:
        s.demand(all(r.x == "clusterDown" for r in others), f"other slots: {codes(others)} of {len(others)}")
    s.within_deadline(during, what="decisions meanwhile")
    s.recovered(records, whole)
    exact(s, cluster, records, names)
    s.figure(f"the slot: {codes(own)}; {len(others)} of other slots: {codes(others)}")


@row("35", "Cluster: a slot without owner, require-full-coverage no", "kind clusterDown; other slots live")
def hole(s: Scenario) -> None:
    uncovered(s, "no")


@row("35b", "Cluster: a slot without owner, require-full-coverage yes", "kind clusterDown for all; T_rec")
def hole_closes_all(s: Scenario) -> None:
    uncovered(s, "yes")
