"""`headgate serve` processes, and HTTP in a few lines."""
from __future__ import annotations

import http.client
import os
import re
import subprocess
import threading

from topology import Topology, die_with_parent, wait_for
from workers import ROOT, binary

POLICY = ROOT / "policies" / "tensorone.yaml"


class Server:
    """One server on a free port."""

    def __init__(self, topology: Topology, redis: str, *more: str, prefix: list[str] | None = None, policy: object = POLICY):
        arguments = (prefix or []) + [
            binary("headgate"), "serve", "--policy", str(policy), "--listen", "127.0.0.1:0", "--redis", redis,
            "--admin-listen", "none", *more,
        ]
        self.log = topology.directory / "server.log"
        self.output = ""
        self.child = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=die_with_parent, env={**os.environ}
        )
        topology.on_close(self.kill)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.child.stdout
        for line in self.child.stdout:
            self.output += line

    @property
    def port(self) -> int | None:
        found = re.search(r"listening on http://[^:]*:(\d+)", self.output)
        return int(found.group(1)) if found else None

    def wait(self, seconds: float = 10) -> None:
        wait_for(lambda: self.port, seconds, f"a server that listens: {self.output[-300:]}")

    def get(self, path: str, headers: dict[str, str] | None = None, timeout: float = 5) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def authorize(self, account: str = "acme", tier: str = "enterprise") -> tuple[int, dict[str, str], bytes]:
        """Asks as a proxy would."""
        return self.get("/v1/authorize", {
            "X-Headgate-Account": account, "X-Headgate-Tier": tier, "X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/v2/x",
        })

    def kill(self) -> None:
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
