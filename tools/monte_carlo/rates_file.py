"""The file of a simulation's rates, written anew after each design, so that a run that is ended leaves what it has."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path


def write_rates(out: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Writes the rows, which all have the columns of the first, as CSV."""
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
