"""Runs the sector's CIN validator on files: its own environment's Python calls this, with jobs in and answers out.

Usage: python cin_validator_run.py JOBS.json ANSWERS.json. A job: name, path, census_year. An answer: the job's name and
`flagged`, a list of (rule, table, record position of the child, how many of its rows).
"""

from __future__ import annotations

import json
import sys
import warnings
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

from cin_validator import cin_validator
from cin_validator.rules.ruleset_utils import get_year_ruleset

FIRST_RULES = 2023
"""Census year of the earliest rules the package has; earlier returns are held to these."""


def flagged(path: str, census_year: int) -> list[tuple[str, str, int, int]]:
    root = ET.parse(path).getroot()
    positions = {child.findtext("ChildIdentifiers/LAchildID"): at for at, child in enumerate(root.iter("Child"), 1)}
    tables = cin_validator.process_data(cin_validator.convert_data(root))
    rules = get_year_ruleset(str(max(census_year, FIRST_RULES)))
    found = cin_validator.CinValidator(tables, rules).full_issue_df
    rows = found.dropna(subset=["tables_affected"])[["rule_code", "tables_affected", "row_id", "child_id"]]
    distinct = {(code, table, int(row), child) for code, table, row, child in rows.itertuples(index=False)}
    counts = Counter((code, table, positions[child]) for code, table, _, child in distinct)
    return sorted((*key, n) for key, n in counts.items())


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    jobs = json.loads(Path(sys.argv[1]).read_text())
    answers = {job["name"]: flagged(job["path"], job["census_year"]) for job in jobs}
    Path(sys.argv[2]).write_text(json.dumps(answers))
