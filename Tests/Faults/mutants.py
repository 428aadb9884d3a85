#!/usr/bin/env python3
"""Seeded bugs, each of which has to turn rows of the fault table red: the bar for the suite itself.

    mutants.py [--only readonly-ignored,unbounded] [--write docs/faults.md] [--check]

Each is a replacement of exact text in a copy of the sources; a text that is no longer there is an error. `--check` only
looks whether all texts are there. A bug is seen when a row that holds without it does not hold with it, twice.
"""
from __future__ import annotations

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

import table  # noqa: E402
from topology import die_with_parent  # noqa: E402

MARK = "<!-- seeded bugs -->"


@dataclass
class Edit:
    """A text of a file that occurs once, and what stands there instead."""

    file: str
    find: str
    replace: str


@dataclass
class Mutant:
    name: str
    what: str
    rows: str
    edits: list[Edit]


REDIS = "Sources/HeadgateRedis/"
MUTANTS = [
    Mutant("application-clock", "the caller's clock decides", "54", [
        Edit("lua/clock.lua", "local time = redis.call('TIME')\n",
             "local time = { math.floor(tonumber(ARGV[1]) / 1000000), tonumber(ARGV[1]) % 1000000 }\n"),
        Edit(REDIS + "Scripts/CallMaker.swift",
             "let nonce = lastNonce.wrappingAdd(1, ordering: .relaxed).newValue & ScriptCall.largestNumber",
             "_ = lastNonce.wrappingAdd(1, ordering: .relaxed)\n        var wall = timespec()\n"
             "        unsafe clock_gettime(CLOCK_REALTIME, &wall)\n"
             "        let nonce = Int64(wall.tv_sec) * 1_000_000 + Int64(wall.tv_nsec) / 1_000"),
        Edit(REDIS + "Scripts/CallMaker.swift", "internal import Headgate\n", "internal import Glibc\ninternal import Headgate\n"),
    ]),
    Mutant("replay", "a call whose reply was lost is sent again", "42", [
        Edit(REDIS + "Connection/ConnectionHandler.swift",
             "        owner.connectionEnded(self, error, hadServed: machine.hasServed)\n"
             "        for call in calls { call.finish(.failure(error.with(.unknown))) }",
             "        for call in calls { owner.takeBack(Attempt(call)) }\n"
             "        owner.connectionEnded(self, error, hadServed: machine.hasServed)"),
    ]),
    Mutant("no-time-to-live", "counts have no time to live", "7", [
        Edit("lua/values.lua", "call('SET', key, value, 'PX', time_to_live(instant))", "call('SET', key, value)"),
    ]),
    Mutant("time-to-live-floor", "the time to live is rounded down", "62", [
        Edit("lua/values.lua", "local left = floor((instant - now + 999) / 1000) + 1", "local left = floor((instant - now) / 1000)"),
    ]),
    Mutant("member-without-nonce", "two leases have the same member", "7", [
        Edit("Sources/Headgate/Leases/Lease.swift", "String(generator.next() as UInt64, radix: 16)", "String((generator.next() as UInt64) & 1, radix: 16)"),
    ]),
    Mutant("tostring", "times are written with 14 digits", "7,59", [
        Edit("lua/arithmetic.lua", "return format('%d', number)", "return tostring(number)"),
    ]),
    Mutant("float-refill", "fractions of a microsecond are dropped at each charge", "7,62", [
        Edit("lua/token_bucket.lua", "local quotient, remainder = scale(c.cost * count, c.a, c.b)",
             "local quotient, remainder = floor(c.cost * count * c.a / c.b), 0"),
    ]),
    Mutant("asking-dropped", "ASK is followed without ASKING", "33", [
        Edit(REDIS + "Connection/ConnectionHandler.swift", "        if attempt.isAsking { outbound.writeBytes(LaneSettings.asking) }\n", ""),
        Edit(REDIS + "Connection/ConnectionMachine.swift",
             "            if attempt.isAsking { owed.append(Owed(purpose: .asking, sentAt: now)) }\n", ""),
    ]),
    Mutant("readonly-ignored", "a connection to a replica is kept", "16", [
        Edit(REDIS + "Wire/RedisFault.swift", "case .masterDown, .readOnly, .noAuthentication, .wrongPassword, .maxClients:\n            .leaveConnection",
             "case .masterDown, .noAuthentication, .wrongPassword, .maxClients:\n            .leaveConnection"),
        Edit(REDIS + "Wire/RedisFault.swift", "case .crossSlot, .loading, .busy, .noPermission, .noReplicas, .misconfigured, .outOfMemory, .wrongType, .script, .other:\n            .report",
             "case .crossSlot, .loading, .busy, .noPermission, .noReplicas, .misconfigured, .outOfMemory, .wrongType, .script, .other, .readOnly:\n            .report"),
    ]),
    Mutant("cancel-forgets", "the reply that a cancelled caller is owed is left to the next one on its connection", "50", [
        Edit(REDIS + "Connection/Call.swift", "    let part: DecisionPart?\n\n", "    let part: DecisionPart?\n    let riders: [Call]\n\n"),
        Edit(REDIS + "Connection/Call.swift", "part: DecisionPart? = nil,\n", "part: DecisionPart? = nil,\n        riders: [Call] = [],\n"),
        Edit(REDIS + "Connection/Call.swift", "self.part = part\n", "self.part = part\n        self.riders = riders\n"),
        Edit(REDIS + "Connection/Call.swift", "        state.withLock { state in\n            if case .over = state.phase { true }",
             "        if !riders.isEmpty, riders.allSatisfy(\\.isOver) { return true }\n"
             "        return state.withLock { state in\n            if case .over = state.phase { true }"),
        Edit(REDIS + "Scripts/CallMaker.swift", "slot: packet.slot,\n", "slot: packet.slot,\n            riders: packet.groups.flatMap(\\.calls),\n"),
        Edit(REDIS + "Connection/ConnectionMachine+replies.swift", "guard let entry = owed.popFirst() else { return .close(ConnectionMachine.unasked(reply)) }",
             "while let first = owed.first, case .call(let attempt, _) = first.purpose, attempt.call.isOver { owed.removeFirst() }\n"
             "            guard let entry = owed.popFirst() else { return .close(ConnectionMachine.unasked(reply)) }"),
    ]),
    Mutant("cancel-shifts", "the part of a cancelled caller in a reply is left to the next one", "50", [
        Edit(REDIS + "Packing/Packet.swift", "            for group in groups {\n                group.distribute(numbers, from: at)",
             "            for group in groups where !group.calls.allSatisfy(\\.isOver) {\n                group.distribute(numbers, from: at)"),
    ]),
    Mutant("unbounded", "any number of callers may wait", "53", [
        Edit(REDIS + "Connection/Load.swift", "guard decisionsNow <= bounds.decisions, bytesNow <= bounds.bytes else {", "guard decisionsNow >= 0, bytesNow >= 0 else {"),
    ]),
    Mutant("key-without-limit", "two limits of one subject share a key", "7", [
        Edit(REDIS + "Scripts/KeySpace.swift", "        take(limit.id)\n", "        take(\"x\")\n"),
    ]),
    Mutant("denial-without-limit", "a remembered denial of one limit answers for another", "38c", [
        Edit(REDIS + "Denials/DenialCache.swift", "            self.limit = limit.id\n", "            self.limit = \"\"\n"),
    ]),
]


class Scratch:
    """A copy of the repository with what was built, mounted over the repository where that is allowed."""

    def __init__(self) -> None:
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="hg-mutants-")) / "headgate"
        print(f"mutants: copying {ROOT}", flush=True)
        subprocess.run(["cp", "-a", "--reflink=auto", str(ROOT), str(self.root)], check=True)

    def run(self, *command: str, **options: object) -> subprocess.CompletedProcess:
        """Runs a command where the repository's path leads to the copy: what was built holds absolute paths."""
        if os.geteuid() == 0 and shutil.which("unshare"):
            script = f"mount --bind '{self.root}' '{ROOT}' && cd '{ROOT}' && exec \"$@\""
            command = ("unshare", "-m", "sh", "-c", script, "sh", *command)
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True, preexec_fn=die_with_parent, **options)  # type: ignore[call-overload]

    def text(self, edit: Edit) -> str:
        return (self.root / edit.file).read_text()

    def remove(self) -> None:
        shutil.rmtree(self.root.parent, ignore_errors=True)


def missing(mutant: Mutant, root: pathlib.Path) -> list[str]:
    """Texts that are not there exactly once."""
    return [
        f"{edit.file} holds {(root / edit.file).read_text().count(edit.find)} times: {edit.find.strip()[:70]}"
        for edit in mutant.edits if (root / edit.file).read_text().count(edit.find) != 1
    ]


def red(scratch: Scratch, rows: str, seed: int) -> dict[str, str]:
    """The rows that do not hold in either of two runs, with the first thing that each says: on a shared machine one run may fail
    for want of time alone."""
    found: dict[str, str] = {}
    for attempt in range(2):
        done = scratch.run(sys.executable, "Tests/Faults/run.py", "--rows", rows, "--seed", str(seed + attempt))
        again: dict[str, str] = {}
        for line in done.stdout.splitlines():
            words = line.split()
            if line.startswith("FAIL"):
                again[words[1]] = ""
            elif line.strip().startswith("- ") and again:
                last = list(again)[-1]
                again[last] = again[last] or line.strip()[2:]
        found = again
        if not found:
            break
        rows = ",".join(found)
    return found


def kill(mutant: Mutant, scratch: Scratch, seed: int, excused: set[str]) -> tuple[bool, str]:
    """Whether the rows meant for a mutant see it, and what they say; rows that do not hold without it say nothing."""
    originals = {edit.file: scratch.text(edit) for edit in mutant.edits}
    try:
        for edit in mutant.edits:
            path = scratch.root / edit.file
            path.write_text(path.read_text().replace(edit.find, edit.replace))
        built = scratch.run("swift", "build", "--product", "FaultWorker")
        if built.returncode != 0:
            errors = [line for line in built.stdout.splitlines() if "error" in line]
            return False, f"does not compile: {errors[:2]}"
        found = {row: said for row, said in red(scratch, mutant.rows, seed).items() if row not in excused}
        return bool(found), "; ".join(f"{row}: {said}" for row, said in found.items()) or "all of its rows hold"
    finally:
        for file, text in originals.items():
            (scratch.root / file).write_text(text)


def write(path: pathlib.Path, results: dict[str, tuple[bool, str]]) -> None:
    """Puts results before the table of rows; those of mutants that were not run stay."""
    head, mark, rows = path.read_text().partition(table.MARK)
    head, _, section = head.partition(MARK)
    lines = {line.split("|")[1].strip(): line for line in section.splitlines() if line.startswith("| ")}
    for name, (killed, said) in results.items():
        what = next(mutant.what for mutant in MUTANTS if mutant.name == name)
        lines[name] = f"| {name} | {table.cell(what)} | {table.cell(said[:300]) if killed else '**by none**: ' + table.cell(said[:300])} |"
    kept = [lines[mutant.name] for mutant in MUTANTS if mutant.name in lines]
    seen = sum("**by none**" not in line for line in kept)
    path.write_text(head + "\n".join([
        MARK, "", f"The suite sees {seen} of {len(MUTANTS)} seeded bugs (`make faults MUTANTS=1`), each in a copy of the sources of its own.", "",
        "| bug | what it does | seen by row, which says |", "| --- | --- | --- |", *kept, "", mark,
    ]) + rows)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", metavar="FILE")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    chosen = [m for m in MUTANTS if not options.only or m.name in options.only.split(",")]
    lost = [f"{mutant.name}: {problem}" for mutant in chosen for problem in missing(mutant, ROOT)]
    if lost or options.check:
        print("\n".join(lost) or f"all texts of {len(chosen)} mutants are there")
        return 1 if lost else 0
    scratch = Scratch()
    results: dict[str, tuple[bool, str]] = {}
    try:
        built = scratch.run("swift", "build", "--product", "FaultWorker")
        if built.returncode != 0:
            sys.exit(f"the copy does not build: {built.stdout[-500:]}")
        rows = ",".join(sorted({row for mutant in chosen for row in mutant.rows.split(",")}, key=table.order))
        excused = set(red(scratch, rows, options.seed))
        print(f"mutants: rows {rows} without any of them: {'not holding ' + ', '.join(excused) if excused else 'all hold'}", flush=True)
        for mutant in chosen:
            start = time.monotonic()
            killed, said = kill(mutant, scratch, options.seed, excused)
            print(f"{'killed' if killed else 'ALIVE '}  {mutant.name}: {mutant.what}  [rows {mutant.rows}, {time.monotonic() - start:.0f} s]\n        {said}", flush=True)
            results[mutant.name] = killed, said
            if options.write:
                write(ROOT / options.write, results)
    finally:
        scratch.remove()
    alive = [name for name, (killed, _) in results.items() if not killed]
    print(f"{len(chosen) - len(alive)} of {len(chosen)} mutants killed" + (f"; alive: {', '.join(alive)}" if alive else ""))
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
