"""P: a proxy between the library and Redis that knows where commands and replies begin, and harms them."""
from __future__ import annotations

import socket
import struct
import threading
import time
from collections import deque
from typing import Any, Callable

import resp


class Behaviour:
    """What a proxy does; this one does nothing. Hooks return the bytes to pass on, or None to swallow them."""

    def accepted(self, connection: "Connection") -> None:
        """A client has connected."""

    def request(self, connection: "Connection", arguments: list[bytes], raw: bytes) -> bytes | None:
        return raw

    def reply(self, connection: "Connection", arguments: list[bytes], value: Any, raw: bytes) -> bytes | None:
        return raw


class Connection:
    """One client and its connection to Redis."""

    def __init__(self, proxy: "Proxy", client: socket.socket, number: int):
        self.proxy, self.client, self.number = proxy, client, number
        self.server: socket.socket | None = None
        self.pending: deque[list[bytes]] = deque()
        self.lock = threading.Lock()
        self.closed = False
        self.resets = False

    def run(self) -> None:
        try:
            self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.proxy.behaviour.accepted(self)
            if self.closed:
                return
            self.server = socket.create_connection((self.proxy.host, self.proxy.port), 2)
            self.server.settimeout(None)
            self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._replies, daemon=True).start()
            self._requests()
        except OSError:
            pass
        finally:
            self.close()

    def _requests(self) -> None:
        data = b""
        while not self.closed:
            more = self.client.recv(65536)
            if not more:
                return
            data += more
            while (found := resp.parse(data)) is not None:
                arguments, end = found
                raw, data = data[:end], data[end:]
                if not isinstance(arguments, list):
                    arguments = [str(arguments).encode()]
                self.proxy.commands += 1
                on = self.proxy.behaviour.request(self, arguments, raw)
                if on is not None and self.server and not self.closed:
                    self.pending.append(arguments)
                    self.server.sendall(on)

    def _replies(self) -> None:
        data = b""
        assert self.server
        try:
            while not self.closed:
                more = self.server.recv(65536)
                if not more:
                    break
                data += more
                while (found := resp.parse(data)) is not None:
                    value, end = found
                    raw, data = data[:end], data[end:]
                    arguments = self.pending.popleft() if self.pending else [b""]
                    on = self.proxy.behaviour.reply(self, arguments, value, raw)
                    if on is not None:
                        self.send(on)
        except OSError:
            pass
        finally:
            self.close()

    def send(self, data: bytes) -> None:
        """Bytes to the client."""
        if not self.closed:
            try:
                self.client.sendall(data)
            except OSError:
                pass

    def forward(self, data: bytes) -> None:
        """Bytes to Redis that are no whole command."""
        if self.server and not self.closed:
            self.server.sendall(data)

    def drip(self, data: bytes, every: float) -> None:
        """A byte at a time."""
        for byte in data:
            if self.closed:
                return
            self.send(bytes([byte]))
            time.sleep(every)

    def reset(self) -> None:
        """RST to the client."""
        self.resets = True
        try:
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.close()

    def half_close(self) -> None:
        """EOF to the client, which may go on sending."""
        try:
            self.client.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self) -> None:
        with self.lock:
            if self.closed:
                return
            self.closed = True
        for one in (self.client, self.server):
            if one:
                # A thread that reads holds the socket open: it has to be woken before, and without a FIN if an RST is to follow.
                try:
                    one.shutdown(socket.SHUT_RD if self.resets and one is self.client else socket.SHUT_RDWR)
                except OSError:
                    pass
                one.close()
        try:
            self.proxy.connections.remove(self)
        except ValueError:
            pass


class Proxy:
    """Listens on a free port; its behaviour may be changed at any time."""

    def __init__(self, port: int, behaviour: Behaviour | None = None, host: str = "127.0.0.1", listen: str = "127.0.0.1"):
        self.host, self.port = host, port
        self.behaviour = behaviour or Behaviour()
        self.listener = socket.create_server((listen, 0), backlog=512)
        self.listener_host = listen
        self.connections: list[Connection] = []
        self.accepts: list[float] = []
        self.commands = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.accepts.append(time.monotonic())
            connection = Connection(self, client, len(self.accepts) - 1)
            self.connections.append(connection)
            threading.Thread(target=connection.run, daemon=True).start()

    @property
    def listen_port(self) -> int:
        return self.listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"redis://{self.listener_host}:{self.listen_port}"

    def close(self) -> None:
        self.listener.close()
        for connection in list(self.connections):
            connection.close()


def is_call(arguments: list[bytes]) -> bool:
    """Whether a command is a call of the script."""
    return arguments[0].upper() in (b"EVALSHA", b"EVAL")


def is_decision(arguments: list[bytes]) -> bool:
    """Whether a command judges, and does not release or renew."""
    return is_call(arguments) and arguments[4 + int(arguments[2])] == b"decide"


def nonce(arguments: list[bytes]) -> bytes:
    """The number that a call's reply has to repeat."""
    return arguments[3 + int(arguments[2])]


Hook = Callable[[Connection, list[bytes], Any, bytes], "bytes | None"]


class OnReply(Behaviour):
    """Treats replies to calls of the script by a function, while it is on."""

    def __init__(self, hook: Hook, on: bool = False):
        self.hook, self.on, self.hits = hook, on, 0

    def reply(self, connection: Connection, arguments: list[bytes], value: Any, raw: bytes) -> bytes | None:
        if not self.on or not is_call(arguments):
            return raw
        self.hits += 1
        return self.hook(connection, arguments, value, raw)
