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


def known(text: str) -> dict[str, str]:
    """The lines that stand behind the mark, by their rows, as far as these still exist."""
    lines = [part for part in text.split(MARK)[-1].splitlines() if part.startswith("| ")]
    by_row = {part.split("|")[1].strip(): part for part in lines}
    return {row: part for row, part in by_row.items() if row in ROWS}


def write(path: pathlib.Path, results: list[dict], seed: int) -> None:
    """Puts results behind the mark; rows that were not run keep what they have."""
    text = path.read_text() if path.exists() else f"# Faults\n\n{MARK}\n"
    rows = known(text) | {result["row"]: line(result) for result in results}
    held = sum(part.endswith("| holds |") for part in rows.values())
    lines = [
        MARK, "", f"{held} of {len(rows)} rows hold (last run with seed {seed}, {len(results)} rows).", "",
        "| row | fault | demand | measured | result |", "| --- | --- | --- | --- | --- |",
        *(rows[row] for row in sorted(rows, key=order)), "",
    ]
    path.write_text(text.split(MARK)[0] + "\n".join(lines))
