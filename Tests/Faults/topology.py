"""Redis processes of one scenario: standalone, Sentinel, Cluster, in a directory and on ports of their own.

Whatever a topology starts ends with it, also on exceptions and signals, and should this process be killed.
"""
from __future__ import annotations

import atexit
import ctypes
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from typing import Any, Callable

import resp

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def now() -> int:
    """Nanoseconds of CLOCK_MONOTONIC, as in histories."""
    return time.monotonic_ns()


def die_with_parent() -> None:
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port(taken: set[int], bus: bool = False) -> int:
    """A port that nobody listens on; with `bus`, that port + 10000 is free too."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000 if bus else 52000)
        wanted = [port, port + 10000] if bus else [port]
        if any(p in taken for p in wanted):
            continue
        try:
            for p in wanted:
                with socket.socket() as s:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.bind(("127.0.0.1", p))
        except OSError:
            continue
        taken.update(wanted)
        return port


def wait_for(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """The first true value of a condition."""
    end = time.monotonic() + seconds
    while True:
        try:
            if value := condition():
                return value
        except (OSError, resp.RespError):
            pass
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


class Process:
    """A child that ends with us."""

    def __init__(self, arguments: list[str], log: pathlib.Path, **options: Any):
        self.log = log
        output = open(log, "ab")
        self.child = subprocess.Popen(arguments, stdout=output, stderr=output, preexec_fn=die_with_parent, **options)
        output.close()

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def alive(self) -> bool:
        return self.child.poll() is None

    def signal(self, number: int) -> None:
        if self.alive:
            self.child.send_signal(number)

    def kill(self) -> None:
        if self.alive:
            self.child.send_signal(signal.SIGCONT)
            self.child.kill()
        self.child.wait()


class Redis:
    """One redis-server; it keeps its port and directory over restarts."""

    def __init__(self, topology: "Topology", port: int, options: list[str], host: str = "127.0.0.1"):
        self.topology, self.port, self.options, self.host = topology, port, options, host
        self.directory = topology.directory / f"redis-{port}"
        self.directory.mkdir(exist_ok=True)
        self.process: Process | None = None
        self.password: str | None = None
        self.environment: dict[str, str] = {}
        self.prefix: list[str] = []

    def start(self, more: list[str] | None = None, wait: bool = True) -> int:
        """Starts the server; returns the time at which it answered."""
        arguments = self.prefix + [
            "redis-server", "--port", str(self.port), "--bind", self.host, "--dir", str(self.directory), "--save", "",
            "--appendonly", "no", "--enable-debug-command", "yes", "--daemonize", "no",
        ] + self.options + (more or [])
        self.process = self.topology.spawn(arguments, f"redis-{self.port}.log", env={**os.environ, **self.environment})
        if wait:
            self.wait_ready()
        return now()

    def wait_ready(self, seconds: float = 10) -> None:
        def answers() -> bool:
            assert self.process
            if not self.process.alive:
                raise RuntimeError(f"redis-server ended: {self.process.log.read_text()[-500:]}")
            try:
                self.call("PING", timeout=1)
            except resp.RespError as error:
                return str(error).split(" ")[0] not in ("LOADING",)
            return True
        wait_for(answers, seconds, f"redis-server on {self.port}")

    def call(self, *arguments: object, timeout: float = 5.0) -> Any:
        return resp.command(self.port, *arguments, timeout=timeout, password=self.password, host=self.host)

    def client(self, timeout: float = 5.0) -> resp.Client:
        return resp.Client(self.port, self.host, timeout, self.password)

    def info(self, section: str = "all") -> dict[str, str]:
        return resp.info(self.port, section, password=self.password, host=self.host)

    def errors(self, prefix: str) -> int:
        """How often the server answered an error that begins so."""
        value = self.info("errorstats").get(f"errorstat_{prefix}", "count=0")
        return int(value.split("=")[1])

    def calls(self, name: str) -> int:
        """How often a command was run."""
        value = self.info("commandstats").get(f"cmdstat_{name}", "calls=0")
        return int(value.split(",")[0].split("=")[1])

    @property
    def run_id(self) -> str:
        return self.info("server")["run_id"]

    @property
    def url(self) -> str:
        return f"redis://{self.host}:{self.port}"

    def kill9(self) -> int:
        assert self.process
        at = now()
        self.process.kill()
        return at

    def stop(self) -> int:
        assert self.process
        self.process.signal(signal.SIGSTOP)
        return now()

    def resume(self) -> int:
        assert self.process
        at = now()
        self.process.signal(signal.SIGCONT)
        return at


class Topology:
    """The processes of one scenario. Use it in a `with`."""

    def __init__(self, name: str = "faults"):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"hg-{name}-"))
        self.processes: list[Process] = []
        self.closers: list[Callable[[], None]] = []
        self.ports: set[int] = set()
        self.owner = os.getpid()
        atexit.register(self.close)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ended)

    def _ended(self, number: int, _: object) -> None:
        self.close()
        os._exit(128 + number)

    def __enter__(self) -> "Topology":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends what was started, and nothing else."""
        if os.getpid() != self.owner:
            return
        while self.closers:
            try:
                self.closers.pop()()
            except Exception:  # Whatever fails, the rest has to end too.
                pass
        while self.processes:
            self.processes.pop().kill()
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.directory, ignore_errors=True)

    def on_close(self, body: Callable[[], None]) -> None:
        self.closers.append(body)

    def spawn(self, arguments: list[str], log: str, **options: Any) -> Process:
        process = Process(arguments, self.directory / log, **options)
        self.processes.append(process)
        return process

    def port(self, bus: bool = False) -> int:
        return free_port(self.ports, bus)

    def redis(self, *options: str, start: bool = True, host: str = "127.0.0.1") -> Redis:
        """A standalone server."""
        redis = Redis(self, self.port(), list(options), host)
        if start:
            redis.start()
        return redis
