"""quality.html, and what goes back to the authorities: made from the lake's counts, without Spark."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from sos_spark.places import Place
from sos_spark.report.page import render_document
from sos_spark.report.returns.contents import sections_of_returns
from sos_spark.report.returns.mend import to_mend
from sos_spark.report.returns.tables import ReturnTables, name_of
from sos_spark.report.sections.quality import rule_failures
from sos_spark.steps.collapsed import has_table, ordered_frame
from sos_spark.steps.result_tables import write_table
from sos_spark.steps.results import write_result
from sos_spark.tables import (
    DQ_LEDGER,
    DQ_LINK_RATES,
    DQ_MEASURES,
    DQ_QUARANTINED,
    DQ_RESULTS,
    DQ_RULE_COUNTS,
    DQ_RULES,
    FILES,
    PUBLISHED_VALUES,
)
from sos_spark.tables.results import QUALITY, TO_MEND

PAGE = "quality.html"


@dataclass(frozen=True)
class QualityPage:
    """quality.html, and the rows of returns_to_mend.csv."""

    page: str
    to_mend: pd.DataFrame


def quality_page(tables: ReturnTables) -> QualityPage:
    """Returns what of the lake's counts is shown and goes back to the authorities."""
    page = render_document(
        "Data quality of the returns",
        "What each authority's returns hold, by year: what was refused, what is in doubt, and what goes back to whom.",
        sections_of_returns(tables),
        simulated=tables.is_simulated,
    )
    return QualityPage(page, to_mend(tables))


def keep_quality_page(made: QualityPage, out: Place) -> dict[str, int]:
    """Writes quality.html and returns_to_mend.csv. Returns the latter's rows, by its name."""
    write_result(out / PAGE, made.page)
    return {TO_MEND.file_name: write_table(out, TO_MEND, made.to_mend)}


def write_quality(lake_root: Place, out: Place, *, is_simulated: bool) -> dict[str, int]:
    """Writes what a run without a study leaves: quality.html, returns_to_mend.csv, quality.csv. Returns their rows."""
    tables = read_return_tables(lake_root, is_simulated=is_simulated)
    if tables is None:
        return {}
    failures = rule_failures(tables.rule_counts, name_of)
    return {
        **keep_quality_page(quality_page(tables), out),
        QUALITY.file_name: write_table(out, QUALITY, failures),
    }


def read_return_tables(lake_root: Place, *, is_simulated: bool) -> ReturnTables | None:
    """Returns the lake's counts; a table that it lacks has no rows.

    None of a lake without records, as one of published tables only: it leaves no page.
    """
    if not has_table(lake_root, DQ_RULE_COUNTS):
        return None
    return ReturnTables(
        files=ordered_frame(lake_root, FILES).drop(columns="rows_by_module"),
        ledger=ordered_frame(lake_root, DQ_LEDGER),
        rules=ordered_frame(lake_root, DQ_RULES),
        rule_counts=ordered_frame(lake_root, DQ_RULE_COUNTS),
        quarantined=ordered_frame(lake_root, DQ_QUARANTINED),
        measures=ordered_frame(lake_root, DQ_MEASURES),
        link_rates=ordered_frame(lake_root, DQ_LINK_RATES),
        expectations=latest_verdicts(ordered_frame(lake_root, DQ_RESULTS)),
        published=ordered_frame(lake_root, PUBLISHED_VALUES),
        is_simulated=is_simulated,
    )


def latest_verdicts(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Returns each suite's verdicts of its newest run: run ids begin with the time."""
    if verdicts.empty:
        return verdicts
    newest = verdicts.groupby("suite")["run_id"].transform("max")
    return verdicts[verdicts["run_id"] == newest].reset_index(drop=True)
