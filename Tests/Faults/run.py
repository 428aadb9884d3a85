#!/usr/bin/env python3
"""Runs rows of the fault table, each in a process of its own.

    run.py [--rows 4,7-12] [--short] [--seed N] [--write docs/faults.md] [--list]
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import rows  # noqa: E402,F401  Registers the scenarios.
import table  # noqa: E402
from scenario import ROWS, Scenario, Skipped  # noqa: E402
from topology import die_with_parent  # noqa: E402


def selection(text: str) -> list[str]:
    """`4`, `1-22`, `4,7,39-53`; a row that is split, as 14b, belongs to its number."""
    chosen = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        for number in ROWS:
            if number == part or (first.isdigit() and int(first) <= int(number.rstrip("abcdefgh")) <= int(last or first)):
                chosen.append(number)
    if not chosen:
        sys.exit(f"no such row: {text}")
    return sorted(set(chosen), key=table.order)


def run_one(number: str, seed: int) -> dict:
    """Runs a scenario in this process."""
    scenario = Scenario(number, seed)
    start = time.monotonic()
    result: dict = {"row": number, "seed": seed, "skipped": None}
    try:
        with scenario.topology:
            scenario.row.body(scenario)
            if not scenario.proofs:
                scenario.problems.append("the scenario proves no fault")
    except Skipped as reason:
        result["skipped"] = str(reason)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        scenario.problems.append(f"{type(error).__name__}: {error} ({pathlib.Path(where.filename).name}:{where.lineno})")
        if os.environ.get("TRACE"):
            traceback.print_exc()
    result.update(
        problems=scenario.problems, figures=scenario.figures, seconds=time.monotonic() - start, ok=not scenario.problems
    )
    return result


def run_child(number: str, seed: int) -> dict:
    """Runs a scenario in a process of its own, for at most its time."""
    row = ROWS[number]
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [sys.executable, str(HERE / "run.py"), "--one", number, "--seed", str(seed), "--result", file.name]
        child = subprocess.Popen(command, preexec_fn=die_with_parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            _, errors = child.communicate(timeout=row.seconds + 15)
        except subprocess.TimeoutExpired:
            child.terminate()
            _, errors = child.communicate()
            return failed(number, seed, f"longer than {row.seconds + 15} s")
        try:
            return json.loads(pathlib.Path(file.name).read_text())
        except ValueError:
            return failed(number, seed, f"no result: {errors[-400:]}")


def failed(number: str, seed: int, why: str) -> dict:
    return {"row": number, "seed": seed, "skipped": None, "problems": [why], "figures": [], "seconds": 0.0, "ok": False}


def show(result: dict) -> None:
    row = ROWS[result["row"]]
    state = "skip" if result["skipped"] else "ok  " if result["ok"] else "FAIL"
    print(f"{state} {result['row']:>4}  {row.fault}  [{result['seconds']:.1f} s, seed {result['seed']}]")
    for problem in result["problems"]:
        print(f"        - {problem}")
    print(f"        = {result['skipped'] or '; '.join(result['figures']) or 'no figure'}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", default="1-99")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--write", metavar="FILE")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--one")
    parser.add_argument("--result")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1, 10**6)
    if options.one:
        result = run_one(options.one, seed)
        if options.result:
            pathlib.Path(options.result).write_text(json.dumps(result))
        show(result)
        return 0 if result["ok"] else 1
    chosen = [n for n in selection(options.rows) if not options.short or ROWS[n].short]
    if options.list:
        print("\n".join(f"{n:>4}  {ROWS[n].fault}" for n in chosen))
        return 0
    start = time.monotonic()
    results = []
    # Rows that measure time have the machine to themselves; of the others, two run at a time.
    together = [n for n in chosen if not ROWS[n].alone]
    with ThreadPoolExecutor(2) as pool:
        for result in pool.map(lambda n: run_child(n, seed), together):
            results.append(result)
            show(result)
    for number in chosen:
        if ROWS[number].alone:
            results.append(run_child(number, seed))
            show(results[-1])
    if options.write:
        table.write(pathlib.Path(options.write), results, seed)
    bad = [r["row"] for r in results if not r["ok"]]
    skipped = [r["row"] for r in results if r["skipped"]]
    print(f"{len(results) - len(bad) - len(skipped)} of {len(results)} rows hold, seed {seed}, {time.monotonic() - start:.0f} s" + (f"; not: {', '.join(bad)}" if bad else "") + (f"; skipped: {', '.join(skipped)}" if skipped else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
