"""Wall clocks of single processes that can be set: clock_shim.c, compiled when first needed."""
from __future__ import annotations

import pathlib
import struct
import subprocess

from scenario import Skipped
from topology import Topology, now


class ShiftedClock:
    """What `environment` gives a process: a clock that is off by as many microseconds as was last set."""

    def __init__(self, topology: Topology, name: str, microseconds: int = 0):
        library = topology.directory / "clock_shim.so"
        if not library.exists():
            source = pathlib.Path(__file__).with_name("clock_shim.c")
            made = subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(source)], capture_output=True, text=True)
            if made.returncode != 0:
                raise Skipped(f"cc: {made.stderr[:100]}")
        self.path = topology.directory / f"{name}.clock"
        self.path.write_bytes(struct.pack("q", microseconds))
        self.microseconds = microseconds
        self.environment = {"LD_PRELOAD": str(library), "HEADGATE_CLOCK_FILE": str(self.path)}

    def set(self, microseconds: int) -> int:
        """Sets the difference; returns when."""
        with open(self.path, "r+b") as file:
            file.write(struct.pack("q", microseconds))
        self.microseconds = microseconds
        return now()
