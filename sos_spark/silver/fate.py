"""Where each received row ends: silver, quarantine, or superseded and why. Exactly one of them."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

SILVER = "silver"
QUARANTINED = "quarantined"
SUPERSEDED = "superseded_by_later_return"
DUPLICATE = "same_day_duplicate"


def add_fate(rows: DataFrame, *, key: Sequence[str], best_first: Sequence[Column]) -> DataFrame:
    """Adds fate: of the rows that share a child and a key, the best of the latest return is silver's.

    Grain: unchanged; `key` may be empty (one row a child). Needs errors (null: a good row), census_year and child_id. A
    row with errors is quarantined and takes no part: a bad later row replaces no good earlier one. Of the good ones
    those of an earlier return are superseded by the later; the others of the latest return itself are same-day
    duplicates. `best_first` must end in a total order (`total_order`).
    """
    so_far = latest_first("child_id", *key, best_first=best_first).rowsBetween(Window.unboundedPreceding, 0)
    is_good = F.col("errors").isNull()
    n_good = F.count_if(is_good).over(so_far)
    latest = F.first(F.when(is_good, F.col("census_year")), ignorenulls=True).over(so_far)
    return rows.withColumns({"n_good": n_good, "latest": latest}).select(
        *rows.columns,
        F.when(~is_good, QUARANTINED)
        .when(F.col("n_good") == 1, SILVER)
        .when(F.col("census_year") < F.col("latest"), SUPERSEDED)
        .otherwise(DUPLICATE)
        .alias("fate"),
    )


def latest_first(*key: str, best_first: Sequence[Column]) -> WindowSpec:
    """Returns the window of a key's rows, those of the latest return first. One sort serves all that use it."""
    return Window.partitionBy(*key).orderBy(F.col("census_year").desc(), *best_first)


def open_counts_as_latest(day: str) -> Column:
    """Orders by an end date, the latest first and before it what has not ended."""
    return F.col(day).desc_nulls_first()


def total_order(columns: Sequence[str]) -> list[Column]:
    """Orders by all received columns, then by where a row stood.

    Content comes before position so that the XML and the flat form of one return, which number their rows differently,
    keep the same row.
    """
    return [F.col(name).asc_nulls_last() for name in (*columns, "record_position", "file_id")]
