"""Redis' protocol in a few lines: a client on a plain socket, independent of the library under test."""
from __future__ import annotations

import socket
from typing import Any


class RespError(Exception):
    """An error line of Redis."""


def encode(*arguments: object) -> bytes:
    """A command as a list of bulk strings."""
    parts = [a if isinstance(a, bytes) else str(a).encode() for a in arguments]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


def parse(data: bytes, at: int = 0) -> tuple[Any, int] | None:
    """The value that begins at an index and the index behind it; None when it is not whole yet."""
    end = data.find(b"\r\n", at)
    if end < 0:
        return None
    kind, rest = data[at:at + 1], data[at + 1:end]
    at = end + 2
    if kind == b"+":
        return rest.decode("utf-8", "replace"), at
    if kind == b"-":
        return RespError(rest.decode("utf-8", "replace")), at
    if kind == b":":
        return int(rest), at
    if kind == b"$":
        size = int(rest)
        if size < 0:
            return None, at
        if len(data) < at + size + 2:
            return None
        return data[at:at + size], at + size + 2
    if kind == b"*":
        items = []
        for _ in range(int(rest)):
            item = parse(data, at)
            if item is None:
                return None
            items.append(item[0])
            at = item[1]
        return items, at
    raise RespError(f"no RESP: {data[at:at + 20]!r}")


class Client:
    """One connection; every call has a time limit."""

    def __init__(self, port: int, host: str = "127.0.0.1", timeout: float = 5.0, password: str | None = None):
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.settimeout(timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""
        if password is not None:
            self.call("AUTH", password)

    def send(self, *arguments: object) -> None:
        self.socket.sendall(encode(*arguments))

    def receive(self) -> Any:
        while True:
            found = parse(self.data)
            if found is not None:
                self.data = self.data[found[1]:]
                return found[0]
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("closed")
            self.data += more

    def call(self, *arguments: object) -> Any:
        self.send(*arguments)
        reply = self.receive()
        if isinstance(reply, RespError):
            raise reply
        return reply

    def pipeline(self, commands: list[tuple]) -> list[Any]:
        self.socket.sendall(b"".join(encode(*c) for c in commands))
        return [self.receive() for _ in commands]

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def command(port: int, *arguments: object, timeout: float = 5.0, password: str | None = None, host: str = "127.0.0.1") -> Any:
    """One command on a connection of its own."""
    with Client(port, host, timeout, password) as client:
        return client.call(*arguments)


def text(reply: Any) -> str:
    return reply.decode() if isinstance(reply, bytes) else str(reply)


def info(port: int, section: str = "all", **options: Any) -> dict[str, str]:
    """INFO as a dictionary."""
    lines = text(command(port, "INFO", section, **options)).splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)
