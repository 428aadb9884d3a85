"""The table of results in docs/faults.md."""
from __future__ import annotations

import pathlib
import re

from scenario import ROWS

MARK = "<!-- results -->"


def order(number: str) -> tuple[int, str]:
    """Rows by number, then by letter."""
    digits = re.match(r"\d+", number)
    assert digits
    return int(digits.group()), number[digits.end():]


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def line(result: dict) -> str:
    row = ROWS[result["row"]]
    measured = result["skipped"] or "; ".join(result["figures"])
    verdict = "skipped" if result["skipped"] else "holds" if result["ok"] else "**fails**: " + "; ".join(result["problems"][:3])
    return f"| {row.number} | {cell(row.fault)} | {cell(row.demand)} | {cell(measured)} | {cell(verdict)} |"


def write(path: pathlib.Path, results: list[dict], seed: int) -> None:
    """Replaces what stands behind the mark."""
    head = path.read_text().split(MARK)[0] if path.exists() else "# Faults\n\n"
    results = sorted(results, key=lambda result: order(result["row"]))
    held = sum(result["ok"] and not result["skipped"] for result in results)
    lines = [
        MARK, "", f"{held} of {len(results)} rows hold (seed {seed}).", "",
        "| row | fault | demand | measured | result |", "| --- | --- | --- | --- | --- |", *map(line, results), "",
    ]
    path.write_text(head + "\n".join(lines))
