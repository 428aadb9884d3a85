"""Section D, row 49: TLS. The certificates are made by openssl(1), those of other times under a clock of their own."""
from __future__ import annotations

import os
import pathlib
import shutil
import socket
import subprocess
import threading
import time

from clocks import ShiftedClock
from scenario import COUNT_CLOSED, SECOND, Scenario, Skipped, between, codes, row
from topology import Redis, now, wait_for

DAY = 86_400 * SECOND
NAME = "redis.test"


class Authority:
    """A CA in a directory, and what it signs."""

    def __init__(self, s: Scenario, name: str = "ca"):
        if not shutil.which("openssl"):
            raise Skipped("there is no openssl(1)")
        self.s, self.directory, self.name = s, s.topology.directory / f"tls-{name}", name
        self.directory.mkdir()
        # Older than what is expired under it.
        self.openssl("req", "-x509", *KEY, "-keyout", "ca.key", "-out", "ca.pem", "-subj", f"/CN={name}", "-days", "300", days=-100)

    @property
    def file(self) -> pathlib.Path:
        return self.directory / "ca.pem"

    def openssl(self, *arguments: str, days: int = 0) -> None:
        clock = ShiftedClock(self.s.topology, f"openssl-{self.name}", days * DAY)
        done = subprocess.run(
            ["openssl", *arguments], cwd=self.directory, capture_output=True, text=True, env={**os.environ, **clock.environment}
        )
        if done.returncode != 0:
            raise RuntimeError(f"openssl {arguments[0]}: {done.stderr[-200:]}")

    def issue(self, file: str, name: str = NAME, days: int = 0, life: int = 30) -> tuple[pathlib.Path, pathlib.Path]:
        """A certificate and its key, valid from so many days on."""
        (self.directory / "ext").write_text(f"subjectAltName=DNS:{name}\n")
        self.openssl("req", *KEY, "-keyout", f"{file}.key", "-out", f"{file}.csr", "-subj", f"/CN={name}")
        self.openssl(
            "x509", "-req", "-in", f"{file}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", str(life),
            "-extfile", "ext", "-out", f"{file}.pem", days=days,
        )
        return self.directory / f"{file}.pem", self.directory / f"{file}.key"


KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class TLSRedis(Redis):
    """A server whose TLS port is what workers are told; `call` uses its plain one."""

    def __init__(self, s: Scenario, certificate: tuple[pathlib.Path, pathlib.Path], authority: Authority, clients: str = "no"):
        self.tls_port = s.topology.port()
        super().__init__(s.topology, s.topology.port(), [
            "--tls-port", str(self.tls_port), "--tls-cert-file", str(certificate[0]), "--tls-key-file", str(certificate[1]),
            "--tls-ca-cert-file", str(authority.file), "--tls-auth-clients", clients,
        ])
        self.start()


def address(port: int, authority: Authority, more: str = "", name: str = NAME) -> str:
    return f"rediss://127.0.0.1:{port}?ca_file={authority.file}&server_name={name}{more}"


def accepts(s: Scenario, certificate_days: int = 0, life: int = 30, name: str = NAME, other: bool = False) -> None:
    """Workers that must refuse a server's certificate."""
    authority = Authority(s)
    signer = Authority(s, "other") if other else authority
    redis = TLSRedis(s, signer.issue("server", name, certificate_days, life), signer)
    before = int(redis.info("stats")["total_connections_received"])
    worker = s.worker(address(redis.tls_port, authority), [COUNT_CLOSED], keys=["a"], rate=50)
    s.sleep(3)
    # Handshakes that the worker breaks off are no connections to the server, and stand in its log alone.
    broken = redis.process.log.read_text(errors="replace").count("Error accepting a client connection")
    dials = int(redis.info("stats")["total_connections_received"]) - before - 1 + broken
    records = s.finish()
    late = records[len(records) // 4:]
    s.proof(dials > 0, "nobody dialled")
    named = sum(r.x == "tls" for r in late)
    s.demand(named >= len(late) * 0.9 and named > 0, f"{named} of {len(late)} say tls: {codes(late)}")
    s.demand(not any(r.decided for r in records), "the certificate was accepted")
    s.demand(redis.calls("auth") + redis.calls("evalsha") == 0, "commands were sent")
    s.demand(dials <= 5, f"{dials} attempts in 3 s, at most 1/s")
    s.figure(f"{codes(late)}, {dials} attempts in 3 s")
    del worker


@row("49", "TLS: certificate expired", "kind tls; never plaintext; <= 1 attempt/s", alone=False)
def expired(s: Scenario) -> None:
    accepts(s, certificate_days=-60, life=30)


@row("49b", "TLS: certificate of another host", "as 49", alone=False)
def wrong_host(s: Scenario) -> None:
    accepts(s, name="other.test")


@row("49c", "TLS: certificate of another CA", "as 49", alone=False)
def wrong_authority(s: Scenario) -> None:
    accepts(s, other=True)


@row("49d", "TLS: certificate not yet valid", "as 49", alone=False)
def not_yet_valid(s: Scenario) -> None:
    accepts(s, certificate_days=5)


def listening(s: Scenario, answer: bytes | None) -> tuple[int, list[bytes]]:
    """A port that answers something that is no TLS, or nothing; and what it was sent first."""
    listener = socket.create_server(("127.0.0.1", 0))
    s.topology.on_close(listener.close)
    heard: list[bytes] = []
    kept: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            kept.append(client)
            client.settimeout(0.5)
            try:
                heard.append(client.recv(64))
                if answer is not None:
                    client.sendall(answer)
                    client.close()
            except OSError:
                heard.append(b"")

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1], heard


def no_handshake(s: Scenario, answer: bytes | None, expected: set[str]) -> None:
    authority = Authority(s)
    port, heard = listening(s, answer)
    worker = s.worker(address(port, authority), [COUNT_CLOSED], keys=["a"], rate=50)
    start = now()
    s.sleep(4)
    records = s.finish()
    late = between(records, start + 1_500_000_000, now())
    s.proof(len(heard) > 0, "nobody dialled")
    s.demand(all(first[:1] == b"\x16" for first in heard), f"something else than a handshake was sent: {[h[:4] for h in heard][:3]}")
    named = sum(r.x in expected for r in late)
    s.demand(named >= len(late) * 0.9 and named > 0, f"{named} of {len(late)} say {expected}: {codes(late)}")
    s.demand(len(heard) <= 6, f"{len(heard)} attempts in 4 s, at most 1/s")
    s.within_deadline(records)
    s.figure(f"{codes(late)}, {len(heard)} attempts in 4 s")
    del worker


@row("49e", "TLS: the server speaks plaintext", "as 49; a handshake and nothing else is sent", alone=False)
def plaintext(s: Scenario) -> None:
    no_handshake(s, b"-ERR unknown command\r\n", {"tls"})


@row("49f", "TLS: the handshake stalls", "as 49; given up after the connect timeout", alone=False)
def stalled(s: Scenario) -> None:
    no_handshake(s, None, {"tls", "connect"})


@row("49g", "TLS with client certificates, files rotated", "works; a new certificate is used without a restart; expiry gauge", alone=False)
def rotated(s: Scenario) -> None:
    authority = Authority(s)
    redis = TLSRedis(s, authority.issue("server"), authority, clients="yes")
    certificate, key = authority.issue("client", "worker.test", days=-29, life=31)
    more = f"&cert_file={certificate}&key_file={key}"
    worker = s.worker(address(redis.tls_port, authority, more), [COUNT_CLOSED], keys=["a"], rate=100)
    s.sleep(1.5)
    first = worker.metrics()
    expiry = [v for k, v in first.items() if "expir" in k and "tls" in k]
    # The server trusts another CA from now on, and the worker's certificate is replaced by one of it.
    other = Authority(s, "other")
    fresh, fresh_key = other.issue("client", "worker.test")
    both = other.directory / "both.pem"
    both.write_text(other.file.read_text())
    for old, new in ((certificate, fresh), (key, fresh_key)):
        staged = old.with_suffix(".staged")
        staged.write_bytes(new.read_bytes())
        staged.rename(old)
    redis.call("CONFIG", "SET", "tls-ca-cert-file", str(both))
    redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    changed = s.nemesis.note("certificates rotated")
    time.sleep(0.1)
    s.sleep(3)
    records = s.finish(redis)
    s.proof(wait_for(lambda: redis.call("CONFIG", "GET", "tls-ca-cert-file")[1].decode() == str(both), 1, "the other CA"), "")
    s.demand(sum(r.decided for r in records if r.s < changed) > 50, f"decisions by mutual TLS: {codes(records)}")
    s.recovered(records, changed)
    s.demand(len(expiry) > 0, "no gauge says when the certificate expires")
