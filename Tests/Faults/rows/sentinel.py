"""Section B: three servers, and the Sentinels that say which of them is the master."""
from __future__ import annotations

import time

import check
from groups import SentinelGroup
from history import Record
from netns import Namespace
from rows.roles import client_ids
from rows.standalone import suspected
from scenario import COUNT_CLOSED, MAX_SLACK, RECOVERY, SECOND, Scenario, between, codes, row, standard
from topology import Redis, now, wait_for

SLACK = MAX_SLACK / 1000
KEYS = "abc"


def closed(units: int = 20, window: int = SECOND) -> list:
    """Limits of each algorithm that deny without Redis, and a count of all decisions."""
    return standard("closed", units, window) + [COUNT_CLOSED]


def lost(redis: Redis, records: list[Record]) -> int:
    """How many units callers were given that the server does not know of."""
    missing = 0
    for key in KEYS:
        value = redis.call("GET", f"hg:{{a:{key}}}:count:fw1")
        missing += max(0, check.admitted_units(records, key, "count") - (int(value.split()[0]) if value else 0))
    return missing


def charged_once(s: Scenario, redis: Redis, records: list[Record]) -> None:
    """The server counts no more than what was admitted, and what is unknown."""
    for key in KEYS:
        value = redis.call("GET", f"hg:{{a:{key}}}:count:fw1")
        counted = int(value.split()[0]) if value else 0
        most = check.admitted_units(records, key, "count") + check.unknown_units(records, key, "count")
        s.demand(counted <= most, f"{key}: charged twice: Redis counts {counted} of {most}")


def renamed(probe, old: Redis, seconds: float = 10) -> int:
    """When a majority of the Sentinels named another master."""
    return wait_for(lambda: [at for at, port in probe.named if port != old.port], seconds, "another master")[0]


def first_good(records: list[Record], since: int) -> float:
    """Seconds until every worker was given a decision of Redis."""
    names = {record.w for record in records}
    return max((min((r.e for r in records if r.w == name and r.s >= since and r.decided), default=since + 10**12) - since) / 1e9 for name in names)


@row("23", "Sentinel: the master dies (kill -9)", "first good decision <= 0.5 s after the probe, <= 5 s after the kill; over-admission <= k x L", short=True)


def killed(s: Scenario) -> None:
    group = SentinelGroup(s.topology)
    probe = group.probe()
    s.load(group.url, closed())
    s.sleep(1.5)
    old = group.master
    killed = old.kill9()
    s.nemesis.note("kill -9", port=old.port)
    writable = probe.writable_after(killed + 100_000_000)
    s.nemesis.allow(killed - 100_000_000, writable, 200_000)
    s.sleep(2.5)
    new = group.master
    s.proof(new is not old, "the master is the same")
    records = s.finish(new)
    s.within_deadline(between(records, killed, writable), what="decisions without a master")
    s.recovered(records, writable, 0.5 + SLACK, "first good decision after the probe")
    whole = first_good(records, killed)
    s.demand(whole <= 5, f"first good decision {whole:.1f} s after the kill, at most 5")
    charged_once(s, new, records)
    s.figure(f"{whole:.2f} s after the kill; {lost(new, records)} charges lost")


@row("24", "Sentinel: the master hangs (SIGSTOP), is replaced, and comes back", "0 decisions go to the deposed one <= 1 s after a majority names the new; first good decision <= 0.5 s after the probe")


def hung(s: Scenario) -> None:
    group = SentinelGroup(s.topology)
    probe = group.probe()
    s.load(group.url, closed())
    s.sleep(1.5)
    old = group.master
    before = old.calls("evalsha")
    stopped = old.stop()
    s.nemesis.note("SIGSTOP", port=old.port)
    time.sleep(0.05)
    s.proof(s.nemesis.is_stopped(old), "the process is not stopped")
    named = renamed(probe, old)
    old.resume()
    writable = probe.writable_after(stopped + 200_000_000)
    s.nemesis.allow(stopped - 100_000_000, writable, 200_000)
    s.sleep(max(0, (named + 1_000_000_000 - now()) / 1e9))
    role, at_bound, connections = old.info("replication")["role"], old.calls("evalsha"), client_ids(old)
    served = old.client()
    s.sleep(3)
    still = int(check_calls(served, "evalsha")) - at_bound
    new = group.master
    s.proof(new is not old and role == "master", f"the deposed server is {role}, which takes no writes")
    records = s.finish(new)
    s.demand(still == 0, f"{still} calls went to the deposed master later than 1 s after the new one was named")
    s.demand(not connections, f"{len(connections)} connections to the deposed master stand 1 s after the new one was named")
    s.within_deadline(between(records, stopped, named), what="decisions while it hangs")
    s.recovered(records, writable, 0.5 + SLACK, "first good decision after the probe")
    charged_once(s, new, records)
    s.figure(f"named after {(named - stopped) / 1e9:.2f} s; {at_bound - before} calls that lay in its sockets, {still} later; {lost(new, records)} charges lost")


def check_calls(client, name: str) -> int:
    """How often a command was run, over a connection that stands."""
    text = client.call("INFO", "commandstats").decode()
    line = next((part for part in text.splitlines() if part.startswith(f"cmdstat_{name}:")), "calls=0,")
    return int(line.split("calls=")[1].split(",")[0])


@row("25", "Sentinel: SENTINEL FAILOVER under load", "degraded <= 2 s; no double charge")


def planned(s: Scenario) -> None:
    group = SentinelGroup(s.topology)
    probe = group.probe()
    s.load(group.url, closed())
    s.sleep(1.5)
    old = group.master
    start = s.nemesis.note("SENTINEL FAILOVER")
    group.sentinels[0].call("SENTINEL", "FAILOVER", "headgate")
    named = renamed(probe, old)
    # What the old master admits between the promotion of the new one and the switch is lost.
    s.nemesis.allow(start, named + 1_000_000_000, 2_500_000)
    s.sleep(max(0.0, (named - now()) / 1e9 + 3))
    new = group.master
    s.proof(new is not old and old.process.alive, "the master is the same")
    records = s.finish(new)
    bad = [r for r in records if r.degraded and r.s >= start]
    length = (max(r.e for r in bad) - min(r.s for r in bad)) / 1e9 if bad else 0.0
    s.demand(length <= 2 + SLACK, f"degraded for {length:.2f} s, at most 2: {codes(bad)}")
    charged_once(s, new, records)
    s.figure(f"named after {(named - start) / 1e9:.2f} s; degraded {length:.2f} s ({len(bad)}: {codes(bad)}); {lost(new, records)} charges lost")


@row("26", "Sentinel: failover that loses what was acknowledged (F8)", "over-admission <= (k+1) x L per window; state-loss metric")


def losing(s: Scenario) -> None:
    group = SentinelGroup(s.topology)
    probe = group.probe()
    # What the fillers do to a replica that copies them anew is not what this is about.
    s.load(group.url, closed(40, 10 * SECOND), deadline=250)
    s.sleep(1.5)
    old = group.master
    before = [suspected(worker.metrics(), "run_id") for worker in s.workers]
    replicas = [server for server in group.servers if server is not old]
    stopped = min(replica.stop() for replica in replicas)
    s.nemesis.note("SIGSTOP", ports=[replica.port for replica in replicas])
    with old.client() as client:
        for number in range(12):
            client.call("SET", f"filler{number}", b"x" * 1_000_000)
    s.sleep(1.5)
    killed = old.kill9()
    s.nemesis.note("kill -9", port=old.port)
    for replica in replicas:
        replica.resume()
    writable = probe.writable_after(killed + 100_000_000)
    s.nemesis.allow(killed - 100_000_000, writable, (killed - stopped) // 1000 + 300_000)
    s.sleep(4)
    new = group.master
    after = [suspected(worker.metrics(), "run_id") for worker in s.workers]
    records = s.finish(new)
    gone = lost(new, records)
    s.proof(new is not old and gone > 50, f"{gone} charges were lost")
    s.recovered(records, writable, what="recovery")
    s.demand(all(b > a for a, b in zip(before, after)), f"state loss suspected {before} before and {after} after")
    charged_once(s, new, records)
    s.figure(f"{gone} acknowledged charges lost; state loss suspected {[b - a for a, b in zip(before, after)]}")


def split(s: Scenario, *options: str, rate: int = 400):
    """A master and a worker inside, cut from the others; the group, the inner worker, and when the cable was pulled and put back."""
    namespace = Namespace(s.topology)
    group = SentinelGroup(s.topology, *options, apart=namespace)
    inner = s.worker(group.url, closed(), "inner", keys=list(KEYS), rate=rate, prefix=namespace.prefix)
    s.worker(group.url, closed(), "outer", keys=list(KEYS), rate=rate)
    s.sleep(1.5)
    old = group.master
    down = s.nemesis.note("link down")
    namespace.link("down")
    wait_for(lambda: group.named() not in (None, old), 10, "another master")
    named = now()
    s.sleep(3)
    namespace.link("up")
    up = s.nemesis.note("link up")
    s.sleep(4.5)
    s.demand(group.master is not old, "the old master came back")
    return group, inner, down, named, up


@row("27", "Sentinel: split brain, a master and a process are cut off together", "<= 2 x L during the split; <= L after heal + one window", seconds=45)


def split_brain(s: Scenario) -> None:
    group, inner, down, named, up = split(s)
    # The namespace has its own view of everything but the clock.
    s.nemesis.allow(down - 100_000_000, up + int(RECOVERY * 1e9), None)
    records = s.finish(group.master, judge=False)
    meanwhile = between(records, named + 1_000_000_000, up)
    by = {name: sum(r.decided for r in meanwhile if r.w == name) for name in ("inner", "outer")}
    s.proof(all(number > 50 for number in by.values()), f"decisions during the split: {by}")
    limits = {limit.id: limit for limit in inner.limits}.values()
    s.problems += [f"during the split: {found}" for found in check.verify(between(records, 0, up), limits, [], s.clock, masters=2)[:5]]
    healed = [r for r in records if r.s >= up + int((RECOVERY + 1) * 1e9) and r.o in "AR"]
    s.demand(len(healed) > 30, f"{len(healed)} admitted after the heal")
    s.problems += [f"after the heal: {found}" for found in safety(s, healed, limits)]
    s.recovered([r for r in records if r.w == "inner"], up, what="the inner process follows the new master after")
    late = [r for r in records if r.w == "inner" and r.degraded and r.s < up]
    s.figure(f"decided during the split: {by['inner']} inside, {by['outer']} outside; {len(late)} degraded inside")


def safety(s: Scenario, admitted: list[Record], limits) -> list[str]:
    """Whether some of the admitted are too many by themselves, whatever was before."""
    found = check.verify(admitted, limits, [], s.clock)
    return [problem for problem in found if "over" in problem or "at once" in problem][:5]


@row("27b", "Sentinel: split brain with min-replicas-to-write 1, min-replicas-max-lag 1", "the stale side refuses in <= 3 s (noReplicas)", seconds=45)


def split_refused(s: Scenario) -> None:
    options = ("--min-replicas-to-write", "1", "--min-replicas-max-lag", "1", "--repl-ping-replica-period", "1")
    group, inner, down, named, up = split(s, *options)
    s.nemesis.allow(down - 100_000_000, up + int(RECOVERY * 1e9), None)
    records = s.finish(group.master, judge=False)
    own = [r for r in records if r.w == "inner"]
    during = between(own, down, up)
    last = max(r.e for r in during if r.decided)
    refused = [r for r in during if r.s > last]
    s.proof(any(r.x == "noReplicas" for r in refused), f"nobody met noReplicas: {codes(during)}")
    taken = (last - down) / 1e9
    s.demand(taken <= 3 + SLACK, f"the stale side decided for {taken:.2f} s, at most 3")
    s.demand(all(r.ch == "no" for r in refused if r.x == "noReplicas"), "a refusal counts as charged")
    s.recovered(own, up, what="the inner process follows the new master after")
    s.figure(f"the stale side decided for {taken:.2f} s; then {codes(refused)}")


@row("29", "Sentinel: an empty master comes back before it is missed, and wipes its replicas", "bound (k+1) x L; state-loss metric")


def wiped(s: Scenario) -> None:
    group = SentinelGroup(s.topology)
    s.load(group.url, closed(40, 10 * SECOND))
    s.sleep(2)
    master = group.master
    before, keys = master.run_id, master.call("DBSIZE")
    counts = [suspected(worker.metrics(), "run_id") for worker in s.workers]
    killed, started = s.nemesis.crash(master, 0.3)
    s.sleep(3.5)
    after = [suspected(worker.metrics(), "run_id") for worker in s.workers]
    replica = next(server for server in group.servers if server is not master)
    s.proof(group.master is master and master.run_id != before and keys > 5, "the master was missed, or not restarted")
    s.proof(replica.info("replication")["master_link_status"] == "up", "the replica did not follow")
    records = s.finish(master)
    count = sum(r.o == "A" and r.k == "a" and r.l == "count" for r in records)
    kept = replica.call("GET", "hg:{a:a}:count:fw1")
    s.proof(kept is not None and int(kept.split()[0]) < count, "the replica kept its counts")
    s.demand(all(b == a + 1 for a, b in zip(counts, after)), f"state loss suspected {counts} before and {after} after")
    s.recovered(records, started)
    s.figure(f"back after {(started - killed) / 1e9:.2f} s; state loss suspected {[b - a for a, b in zip(counts, after)]}")

__all__ = ["exact"]


def delay_of_start(s: Scenario, group: SentinelGroup, name: str) -> float:
    """Seconds from a process that is ready to its first decision by Redis."""
    worker = s.worker(url_of(group), closed(), name, deadline=3000)
    start = now()
    answer = worker.acquire("z", "count")[0]
    s.demand(answer["o"] == "A" and "x" not in answer, f"{name}: {answer}")
    taken = (now() - start) / 1e9
    worker.stop()
    s.workers.remove(worker)
    return taken


def url_of(group: SentinelGroup, password: str = "sentinel-s3cret") -> str:
    return f"{group.url}?sentinel_password={password}"


def meets(s: Scenario, url: str, code: str, name: str) -> None:
    """A process that can make no decision for this reason."""
    worker = s.worker(url, closed(), name, deadline=300)
    time.sleep(1)
    answer = worker.acquire("a", "count")[0]
    s.demand(answer.get("x") == code and answer.get("ch") == "no", f"{name}: {answer}, expected {code}")
    worker.stop()
    s.workers.remove(worker)
    for secret in s.secrets:
        s.demand(secret not in worker.log_text(), f"a secret stands in the log of {name}")


@row("28", "Sentinel trouble: one dead, one hung, all dead, wrong name, a password", "one dead or hung adds <= 300 ms; all dead: serving goes on; noSentinel, unknownMaster; T_rec")
def trouble(s: Scenario) -> None:
    s.secrets += ["sentinel-s3cret", "wr0ng-s3cret"]
    group = SentinelGroup(s.topology, password="sentinel-s3cret")
    master, sentinels = group.master, group.sentinels
    usual = delay_of_start(s, group, "usual")
    meets(s, url_of(group).replace("/headgate?", "/nobody?"), "unknownMaster", "wrong-name")
    meets(s, url_of(group, "wr0ng-s3cret"), "noSentinel", "wrong-password")
    s.worker(url_of(group), [COUNT_CLOSED], "w", keys=list(KEYS), rate=200)
    settled = s.sleep(1)
    sentinels[0].kill9()
    dead = delay_of_start(s, group, "one-dead")
    sentinels[0].start()
    sentinels[1].stop()
    time.sleep(0.05)
    s.proof(s.nemesis.is_stopped(sentinels[1]), "the Sentinel is not stopped")
    hung = delay_of_start(s, group, "one-hung")
    # A new connection while a Sentinel hangs: nobody notices.
    s.sleep(2)
    killed = now()
    master.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    s.sleep(1)
    sentinels[1].resume()
    for sentinel in sentinels:
        sentinel.kill9()
    all_dead = s.nemesis.note("all Sentinels are dead")
    s.sleep(4)
    thrown_out = now()
    master.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    s.sleep(3)
    for sentinel in sentinels:
        sentinel.start()
    back = now()
    s.sleep(3.5)
    records = s.finish(master)
    meanwhile = between(records, settled, killed)
    s.demand(not any(r.degraded for r in meanwhile), f"one Sentinel dead or hung: {codes(meanwhile)}")
    for what, added in (("dead", dead - usual), ("hung", hung - usual)):
        s.demand(added <= 0.3 + SLACK, f"one {what} Sentinel adds {added:.2f} s to a start, at most 0.3")
    again = first_good(records, killed + 20_000_000)
    s.demand(again <= 0.3 + SLACK, f"one hung Sentinel: decided {again:.2f} s after the connections were closed, at most 0.3")
    serving = between(records, all_dead, thrown_out)
    s.demand(len(serving) > 400 and not any(r.degraded for r in serving), f"all dead: {codes(serving)}, expected that serving goes on")
    without = between(records, thrown_out + 300_000_000, back - 200_000_000)
    named = sum(r.x == "noSentinel" for r in without)
    s.demand(bool(without) and named >= 0.9 * len(without), f"without Sentinels: {codes(without)}, expected noSentinel")
    s.recovered(records, back, what="recovery once Sentinels are back")
    s.figure(f"first decision {usual * 1000:.0f} ms after the start, a dead one adds {max(0, dead - usual) * 1000:.0f} ms, a hung one {max(0, hung - usual) * 1000:.0f} ms; {len(serving)} decisions without Sentinels; then {codes(without)}")
