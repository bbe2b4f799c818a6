"""Runs the sector's SSDA903 validator on folders: its own environment's Python calls this, with jobs in, answers out.

Usage: python lac_validator_run.py JOBS.json ANSWERS.json. A job: name, folder, last_folder or null, census_year. An
answer: the job's name and `flagged`, a list of (rule, table, record position, 1).
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from pathlib import Path
from typing import Any

from lac_validator.datastore import create_datastore
from lac_validator.ingress import read_from_text
from lac_validator.rule_engine import RuleDefinition
from lac_validator.rules.ruleset_utils import get_year_ruleset

FIRST_RULES = 2023
"""Census year of the earliest rules the package has; earlier returns are held to these."""
FILES = ("header.csv", "episodes.csv")


def flagged(folder: str, last_folder: str | None, census_year: int) -> list[tuple[str, str, int, int]]:
    files = [
        {"name": name, "description": when, "file_content": (Path(where) / name).read_bytes()}
        for where, when in ((folder, "This year"), (last_folder, "Prev year"))
        if where
        for name in FILES
    ]
    tables, about = read_from_text(files)
    about |= {"collectionYear": str(census_year), "localAuthority": "E10000016"}
    store = create_datastore(tables, about)
    rules = get_year_ruleset(str(max(census_year, FIRST_RULES)))
    return sorted(
        (str(code), table, int(at) + 2, 1)
        for code, rule in rules.items()
        for table, rows in _result(rule, store).items()
        if table in ("Header", "Episodes")
        for at in {row for row in rows if row == row}
    )


def _result(rule: RuleDefinition, store: dict[str, Any]) -> dict[str, list[Any]]:
    """What a rule flags. It gets tables of its own: the package's rules share theirs, and some fill in blanks in them.

    A rule that fails, as some do on rows that are there twice, flags nothing.
    """
    own = {name: table.copy(deep=True) if name != "metadata" else table for name, table in store.items()}
    try:
        return rule.func(own)
    except Exception:
        return {}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    jobs = json.loads(Path(sys.argv[1]).read_text())
    answers = {job["name"]: flagged(job["folder"], job["last_folder"], job["census_year"]) for job in jobs}
    Path(sys.argv[2]).write_text(json.dumps(answers))
