"""Writes conf/published: the cells that ship with the package, from DfE's and ONS's open tables as downloaded.

    python -m tools.published_cells FOLDER

FOLDER holds the tables (README, "Data used"). What ships is derived: counts put together to units and years, without
those of a suppressed or missing value, and the bounds of what those can have been. A test makes them again:
`tests/oracle/test_published_study.py`.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable
from pathlib import Path

from sos_spark.bronze.read.published import PublishedValue, published_values, read_published
from sos_spark.cohort.units import study_units
from sos_spark.config.load import load_study
from sos_spark.config.reference import authorities, authority_changes, published_reference
from sos_spark.config.shipped import conf_root
from sos_spark.config.study import Study
from sos_spark.outcome.published_rows import Row, published_rows
from sos_spark.tables import PANEL_BOUNDS, PANEL_CELLS, Table
from sos_spark.tables.panel import COVARIATES

LEFT_OUT = frozenset({"study_id", *COVARIATES})
"""Columns that say nothing here: the cells serve every study of the same years, and published tables have no levels."""


def values_of(folder: Path) -> list[PublishedValue]:
    """Returns what the tables in a folder hold."""
    read = (read_published(path.read_bytes(), reference=published_reference()) for path in sorted(folder.glob("*.csv")))
    return published_values(table for table in read if table is not None)


def shipped_files(study: Study, values: list[PublishedValue]) -> dict[str, str]:
    """Returns the files of conf/published by name: the columns of their table without LEFT_OUT, in order of the key."""
    units = study_units(study, authorities=authorities(), changes=authority_changes())
    rows = published_rows(study, values, units=units, authorities=authorities())
    return {"cells.csv": _csv(PANEL_CELLS, rows.cells), "cells.bounds.csv": _csv(PANEL_BOUNDS, rows.bounds)}


def _csv(table: Table, rows: Iterable[Row]) -> str:
    kept = [at for at, name in enumerate(table.column_names) if name not in LEFT_OUT]
    lines = [tuple(row[at] for at in kept) for row in rows]
    ordered = sorted(lines, key=lambda line: (str(line[0]), str(line[1]), str(line[3])))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([table.column_names[at] for at in kept])
    writer.writerows(ordered)
    return text.getvalue()


def main(folder: Path) -> None:
    """Writes the files."""
    study = load_study(conf_root() / "studies" / "published_referrals.toml")
    target = conf_root() / "published"
    target.mkdir(exist_ok=True)
    for name, text in shipped_files(study, values_of(folder)).items():
        (target / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
