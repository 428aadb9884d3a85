"""Three servers with three Sentinels, and a cluster of six nodes."""
from __future__ import annotations

import threading
import time
from typing import Any

import resp
from netns import Namespace
from probe import PATIENCE, Probe
from topology import Redis, Topology, wait_for

DOWN_AFTER = 1000  # Milliseconds, for Sentinel's down-after and the cluster's node timeout.
MASTER_NAME = "headgate"


class Sentinel(Redis):
    """One Sentinel."""

    def __init__(self, topology: Topology, port: int, master: Redis, password: str | None = None, host: str = "127.0.0.1"):
        super().__init__(topology, port, [], host)
        self.config = self.directory / "sentinel.conf"
        lines = [
            f"port {port}", f"bind {host}", f"dir {self.directory}",
            f"sentinel monitor {MASTER_NAME} {master.host} {master.port} 2",
            f"sentinel down-after-milliseconds {MASTER_NAME} {DOWN_AFTER}",
            f"sentinel failover-timeout {MASTER_NAME} 6000",
            f"sentinel parallel-syncs {MASTER_NAME} 1",
        ]
        if password:
            lines += [f"requirepass {password}", f"sentinel sentinel-pass {password}"]
            self.password = password
        self.config.write_text("\n".join(lines) + "\n")

    def start(self, more: list[str] | None = None, wait: bool = True) -> int:
        arguments = ["redis-server", str(self.config), "--sentinel"]
        self.process = self.topology.spawn(arguments, f"sentinel-{self.port}.log")
        if wait:
            self.wait_ready()
        return time.monotonic_ns()

    def master(self) -> int | None:
        """The port of the master that it names."""
        reply = self.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME, timeout=0.5)
        return int(reply[1]) if reply else None


class SentinelGroup:
    """A master, two replicas, three Sentinels; the master may be in a network namespace of its own."""

    def __init__(self, topology: Topology, *options: str, password: str | None = None, apart: Namespace | None = None):
        self.topology = topology
        host = apart.outside if apart else "127.0.0.1"
        options = ("--repl-diskless-sync-delay", "0", "--protected-mode", "no", *options)
        self.servers = [Redis(topology, topology.port(), list(options), host) for _ in range(3)]
        master = self.servers[0]
        if apart:
            master.host, master.prefix = apart.inside, apart.prefix
        master.start()
        for replica in self.servers[1:]:
            replica.options = replica.options + ["--replicaof", master.host, str(master.port)]
            replica.start()
        self.sentinels = [Sentinel(topology, topology.port(), master, password, host) for _ in range(3)]
        for sentinel in self.sentinels:
            sentinel.start()
        wait_for(self.is_settled, 15, "Sentinels that know each other and the replicas")

    def is_settled(self) -> bool:
        for sentinel in self.sentinels:
            fields = sentinel.call("SENTINEL", "MASTER", MASTER_NAME)
            known = dict(zip(fields[::2], fields[1::2]))
            if (known[b"num-slaves"], known[b"num-other-sentinels"], known[b"flags"]) != (b"2", b"2", b"master"):
                return False
        links = [replica.info("replication").get("master_link_status") for replica in self.servers[1:]]
        return links == ["up", "up"]

    @property
    def url(self) -> str:
        hosts = ",".join(f"{sentinel.host}:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis-sentinel://{hosts}/{MASTER_NAME}"

    def named(self) -> Redis | None:
        """The server that a majority of the Sentinels names as the master."""
        votes: dict[int, int] = {}
        for sentinel in self.sentinels:
            try:
                port = sentinel.master()
            except (OSError, resp.RespError):
                continue
            if port:
                votes[port] = votes.get(port, 0) + 1
        for server in self.servers:
            if votes.get(server.port, 0) >= 2:
                return server
        return None

    @property
    def master(self) -> Redis:
        return wait_for(self.named, 10, "a master that a majority names")

    def probe(self) -> "GroupProbe":
        probe = GroupProbe(self)
        self.topology.on_close(probe.close)
        return probe


class GroupProbe(Probe):
    """Writes to whatever server the Sentinels name; notes since when they name it."""

    def __init__(self, group: SentinelGroup):
        self.group = group
        self.named: list[tuple[int, int]] = []
        self.watcher = threading.Thread(target=self._watch, daemon=True)
        super().__init__(group.servers[0].port)
        self.watcher.start()

    def _watch(self) -> None:
        while not self.ended.wait(0.05):
            master = self.group.named()
            if master and (not self.named or self.named[-1][1] != master.port):
                self.named.append((time.monotonic_ns(), master.port))

    def write(self) -> None:
        port = self.named[-1][1] if self.named else self.port
        if self.client and port != self.port:
            self.forget()
        self.port = port
        super().write()


class Cluster:
    """Three masters with a replica each."""

    def __init__(self, topology: Topology, *options: str):
        self.topology = topology
        base = ["--cluster-enabled", "yes", "--cluster-node-timeout", str(DOWN_AFTER), "--repl-diskless-sync-delay", "0",
                "--cluster-replica-validity-factor", "0", *options]
        self.nodes = [Redis(topology, topology.port(bus=True), base) for _ in range(6)]
        for node in self.nodes:
            node.start(wait=False)
        for node in self.nodes:
            node.wait_ready()
        bounds = [(0, 5460), (5461, 10922), (10923, 16383)]
        for epoch, node in enumerate(self.nodes):
            node.call("CLUSTER", "SET-CONFIG-EPOCH", epoch + 1)
        for node, (first, last) in zip(self.nodes, bounds):
            node.call("CLUSTER", "ADDSLOTSRANGE", first, last)
        for node in self.nodes[1:]:
            self.nodes[0].call("CLUSTER", "MEET", "127.0.0.1", node.port)
        wait_for(lambda: all(len(self.lines(node)) == 6 for node in self.nodes), 20, "six nodes that know each other")
        for replica, master in zip(self.nodes[3:], self.nodes[:3]):
            identifier = resp.text(master.call("CLUSTER", "MYID"))
            wait_for(lambda r=replica, i=identifier: r.call("CLUSTER", "REPLICATE", i) == "OK", 10, "a replica")
        wait_for(self.is_settled, 20, "a cluster that serves all slots")

    def lines(self, node: Redis) -> list[list[str]]:
        return [line.split() for line in resp.text(node.call("CLUSTER", "NODES")).splitlines()]

    def is_settled(self) -> bool:
        for node in self.nodes:
            state = resp.text(node.call("CLUSTER", "INFO"))
            if "cluster_state:ok" not in state or len(self.lines(node)) != 6:
                return False
        roles = [node.info("replication") for node in self.nodes]
        return all(r["role"] == "master" and r["connected_slaves"] == "1" for r in roles[:3]) and all(
            r["role"] == "slave" and r["master_link_status"] == "up" for r in roles[3:]
        )

    @property
    def url(self) -> str:
        return "redis-cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:3])

    def alive(self) -> Redis:
        return next(node for node in self.nodes if node.process and node.process.alive)

    def owner(self, key: str, ask: Redis | None = None) -> Redis:
        """The node that serves a key, as another one believes."""
        slot = slot_of(key)
        for fields in self.lines(ask or self.alive()):
            if "master" in fields[2] and "fail" not in fields[2].split(","):
                for part in fields[8:]:
                    first, _, last = part.partition("-")
                    if first.isdigit() and int(first) <= slot <= int(last or first):
                        port = int(fields[1].split("@")[0].rsplit(":", 1)[1])
                        return next(node for node in self.nodes if node.port == port)
        raise LookupError(f"no node serves slot {slot}")

    def replica_of(self, master: Redis) -> Redis:
        return self.nodes[self.nodes.index(master) + 3] if master in self.nodes[:3] else self.nodes[self.nodes.index(master) - 3]

    def probe(self, key: str) -> "ClusterProbe":
        probe = ClusterProbe(self, key)
        self.topology.on_close(probe.close)
        return probe


class ClusterProbe(Probe):
    """Writes to a key of its own in the slot of another key, following redirections."""

    def __init__(self, cluster: Cluster, key: str):
        self.cluster = cluster
        tag = key[key.index("{") + 1:key.index("}")] if "{" in key else key
        self.key = "fault-probe{" + tag + "}"
        self.turn = 0
        super().__init__(cluster.owner(key).port)

    def write(self) -> None:
        try:
            if self.client is None:
                self.client = resp.Client(self.port, self.host, PATIENCE)
            self.client.call("SET", self.key, "1", "PX", "1000")
        except resp.RespError as error:
            words = str(error).split()
            if words[0] == "MOVED":
                self.forget()
                self.port = int(words[2].rsplit(":", 1)[1])
            raise
        except OSError:
            # The node is gone: any other knows better.
            self.turn += 1
            self.port = self.cluster.nodes[self.turn % 6].port
            raise


def slot_of(key: str) -> int:
    """The cluster's slot of a key (CRC16, XMODEM)."""
    start = key.find("{")
    end = key.find("}", start + 1)
    if start >= 0 and end > start + 1:
        key = key[start + 1:end]
    crc = 0
    for byte in key.encode():
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
        crc &= 0xFFFF
    return crc % 16384


def smoke() -> dict[str, Any]:
    """Starts both, and fails one over: how long each takes."""
    figures: dict[str, Any] = {}
    with Topology("smoke") as topology:
        start = time.monotonic()
        group = SentinelGroup(topology)
        probe = group.probe()
        figures["sentinel start"] = round(time.monotonic() - start, 2)
        time.sleep(0.5)
        master = group.master
        killed = master.kill9()
        time.sleep(0.2)
        figures["sentinel failover"] = round((probe.writable_after(killed + 100_000_000) - killed) / 1e9, 2)
    with Topology("smoke") as topology:
        start = time.monotonic()
        cluster = Cluster(topology)
        figures["cluster start"] = round(time.monotonic() - start, 2)
        probe = cluster.probe("hg:{a:x}:l:log1")
        time.sleep(0.5)
        killed = cluster.owner("hg:{a:x}:l:log1").kill9()
        time.sleep(0.2)
        figures["cluster failover"] = round((probe.writable_after(killed + 100_000_000) - killed) / 1e9, 2)
    return figures


if __name__ == "__main__":
    print(smoke())
