"""Where each received row ends: silver, quarantine, or superseded and why. Exactly one of them."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

SILVER = "silver"
QUARANTINED = "quarantined"
SUPERSEDED = "superseded_by_later_return"
DUPLICATE = "same_day_duplicate"


def add_fate(rows: DataFrame, *, key: Sequence[str], best_first: Sequence[Column]) -> DataFrame:
    """Adds fate: of the rows that share an LA, a child and a key, the best of the latest return is silver's.

    Grain: unchanged; `key` may be empty (one row a child). Needs errors (null: a good row), census_year and
    returned_id. A row with errors is quarantined and takes no part: a bad later row replaces no good earlier one. Of
    the good ones those of an earlier return are superseded by the later; the others of the latest return itself are
    same-day duplicates. `best_first` must end in a total order (`total_order`).
    """
    window = Window.partitionBy("la_code", "returned_id", *key).orderBy(
        F.col("errors").isNotNull(), F.col("census_year").desc(), *best_first
    )
    is_best = F.row_number().over(window) == 1
    latest = F.first("census_year").over(window)
    return rows.withColumns({"is_best": is_best, "latest": latest}).select(
        *rows.columns,
        F.when(F.col("errors").isNotNull(), QUARANTINED)
        .when(F.col("is_best"), SILVER)
        .when(F.col("census_year") < F.col("latest"), SUPERSEDED)
        .otherwise(DUPLICATE)
        .alias("fate"),
    )


def open_counts_as_latest(day: str) -> Column:
    """Orders by an end date, the latest first and before it what has not ended."""
    return F.col(day).desc_nulls_first()


def total_order(columns: Sequence[str]) -> list[Column]:
    """Orders by all received columns, then by where a row stood.

    Content comes before position so that the XML and the flat form of one return, which number their rows differently,
    keep the same row.
    """
    return [F.col(name).asc_nulls_last() for name in (*columns, "record_position", "file_id")]
