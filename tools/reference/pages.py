"""Which pages there are, what each is made of, and which are out of date."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sos_spark.silver.rule_book import counted_rules
from sos_spark.steps.validate import load_rule_data
from tools.reference import (
    commands,
    data_contract,
    diagram,
    dictionary,
    error_rates,
    exit_codes,
    outside,
    rules,
    study_file,
)

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
FOLDER = ROOT / "docs" / "reference"

PAGES: dict[Path, Callable[[], str]] = {
    README: lambda: diagram.with_diagram(README.read_text(encoding="utf-8")),
    FOLDER / "commands.md": commands.page,
    FOLDER / "exit_codes.md": exit_codes.page,
    FOLDER / "data_dictionary.md": dictionary.page,
    FOLDER / "lake.odcs.yaml": data_contract.contract,
    FOLDER / "study.schema.json": study_file.json_schema,
    FOLDER / "study_file.md": study_file.page,
    FOLDER / "outside_references.md": outside.page,
    FOLDER / "error_rates.md": error_rates.page,
    ROOT / "conf" / "reference" / "outside_references.csv": outside.table,
}

WITH_SPARK: dict[Path, Callable[[], str]] = {
    FOLDER / "rules.md": lambda: rules.page(counted_rules(load_rule_data())),
}
"""Pages that need a Spark session, as row rules do."""


def write_pages() -> None:
    """Writes every page as its declarations make it; a Spark session must be at hand."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, make in (PAGES | WITH_SPARK).items():
        path.write_text(make(), encoding="utf-8")


def is_stale(path: Path) -> bool:
    """Returns whether a page is not what its declarations make."""
    return not path.exists() or path.read_text(encoding="utf-8") != (PAGES | WITH_SPARK)[path]()
