"""What a machine has to allow: files and networks of one process alone. Both need root."""
from __future__ import annotations

import os
import shutil
import subprocess

from scenario import Skipped
from topology import Topology


def run(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, timeout=10)


class Hosts:
    """An /etc/hosts that only the processes started with `prefix` see, changed at any time."""

    def __init__(self, topology: Topology, **names: str):
        if os.geteuid() != 0 or not shutil.which("unshare"):
            raise Skipped("a private /etc/hosts needs root and unshare(1)")
        self.path = topology.directory / "hosts"
        self.set(**names)
        if run("unshare", "-m", "mount", "--bind", str(self.path), "/etc/hosts").returncode != 0:
            raise Skipped("mount namespaces are not allowed here")

    def set(self, **names: str) -> None:
        """Which address each name has; in place, since it is a mount."""
        lines = "".join(f"{address} {name.replace('_', '.')}\n" for name, addresses in names.items() for address in addresses.split())
        self.path.write_text("127.0.0.1 localhost\n" + lines)

    @property
    def prefix(self) -> list[str]:
        return ["unshare", "-m", "sh", "-c", f"mount --bind {self.path} /etc/hosts && exec \"$@\"", "sh"]


class Namespace:
    """A network namespace behind a pair of virtual cables: 10.203.N.1 on our side, 10.203.N.2 inside."""

    def __init__(self, topology: Topology):
        if os.geteuid() != 0 or not shutil.which("ip"):
            raise Skipped("a network namespace needs root and ip(8)")
        number = os.getpid() % 250 + 1
        self.name, self.outer, self.inner = f"hgf{os.getpid()}", f"hga{os.getpid()}", f"hgb{os.getpid()}"
        self.outside, self.inside = f"10.203.{number}.1", f"10.203.{number}.2"
        topology.on_close(self.remove)
        steps = [
            ("ip", "netns", "add", self.name),
            ("ip", "link", "add", self.outer, "type", "veth", "peer", "name", self.inner, "netns", self.name),
            ("ip", "addr", "add", f"{self.outside}/24", "dev", self.outer),
            ("ip", "link", "set", self.outer, "up"),
            ("ip", "netns", "exec", self.name, "ip", "addr", "add", f"{self.inside}/24", "dev", self.inner),
            ("ip", "netns", "exec", self.name, "ip", "link", "set", self.inner, "up"),
            ("ip", "netns", "exec", self.name, "ip", "link", "set", "lo", "up"),
        ]
        for step in steps:
            done = run(*step)
            if done.returncode != 0:
                raise Skipped(f"{' '.join(step)}: {done.stderr.strip()}")

    @property
    def prefix(self) -> list[str]:
        """What runs a program inside."""
        return ["ip", "netns", "exec", self.name]

    def link(self, state: str) -> None:
        """Plugs the cable in or out, at the far end: our end notices nothing but silence."""
        run("ip", "netns", "exec", self.name, "ip", "link", "set", self.inner, state)

    def remove(self) -> None:
        run("ip", "link", "del", self.outer)
        run("ip", "netns", "del", self.name)
