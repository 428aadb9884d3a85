"""An observer on plain sockets of its own: when could Redis be written to?"""
from __future__ import annotations

import threading
import time

import resp
from topology import now

PERIOD = 0.02
PATIENCE = 0.1


class Probe:
    """Writes to a server every 20 ms and notes each change."""

    def __init__(self, port: int, host: str = "127.0.0.1", password: str | None = None):
        self.port, self.host, self.password = port, host, password
        self.changes: list[tuple[int, bool, str]] = []
        self.ended = threading.Event()
        self.client: resp.Client | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def write(self) -> None:
        """One write; raises when it fails."""
        if self.client is None:
            self.client = resp.Client(self.port, self.host, PATIENCE, self.password)
        self.client.call("SET", "fault-probe", "1", "PX", "1000")

    def forget(self) -> None:
        if self.client:
            self.client.close()
        self.client = None

    def _run(self) -> None:
        while not self.ended.wait(PERIOD):
            try:
                self.write()
                self._note(True, "")
            except Exception as error:  # Anything at all means: not writable now.
                self._note(False, f"{type(error).__name__} {error}"[:60])
                self.forget()

    def _note(self, writable: bool, why: str) -> None:
        if not self.changes or self.changes[-1][1] != writable:
            self.changes.append((now(), writable, why))

    def writable_after(self, instant: int, seconds: float = 15) -> int:
        """When Redis first could be written to after an instant."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            after = [when for when, writable, _ in self.changes if writable and when >= instant]
            if after:
                return after[0]
            time.sleep(0.005)
        raise TimeoutError(f"Redis was not writable within {seconds} s: {self.changes[-3:]}")

    def saw_outage(self, start: int, end: int) -> bool:
        """Whether Redis could not be written to at some time of an interval."""
        return any(not writable and start <= when <= end for when, writable, _ in self.changes)

    def close(self) -> None:
        self.ended.set()
        self.thread.join(2)
        self.forget()
