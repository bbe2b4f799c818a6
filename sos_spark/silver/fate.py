"""Where each received row ends: silver, quarantine, or superseded and why. Exactly one of them."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from sos_spark.silver.pseudonyms import CHILD
from sos_spark.silver.row_rule import codes, contradiction_rule, field_is_unknown, with_finding

SILVER = "silver"
QUARANTINED = "quarantined"
SUPERSEDED = "superseded_by_later_return"
DUPLICATE = "same_day_duplicate"


def add_fate(
    rows: DataFrame, *, key: Sequence[str], best_first: Sequence[Column], contents: Sequence[str]
) -> DataFrame:
    """Adds fate: of the rows that share a child and a key, the best of the latest return is silver's.

    Grain: unchanged; `key` may be empty (one row per child). Needs errors (null: a good row), warnings, unknown_fields,
    census_year and `CHILD`. A row with errors is quarantined and takes no part: a bad later row replaces no good
    earlier one. Of the good ones those of an earlier return are superseded by the later; the others of the latest
    return itself are same-day duplicates. `best_first` must end in a total order (`total_order`).

    Where the good rows of one return and key differ in `contents`, the columns that say what was received beside the
    key, each has CONTRADICTION among its warnings: one of them is kept, and none is known to be right. warnings come
    out as an array of codes, as silver has them.
    """
    is_good = F.col("errors").isNull()
    # Ascending, as rows are where they are parted, so that one sort serves both windows; the narrower comes second.
    by_return = rows.withColumn("years_back", -F.col("census_year"))
    of_key = Window.partitionBy(*CHILD, *key).orderBy("years_back", *best_first)
    so_far = of_key.rowsBetween(Window.unboundedPreceding, 0)
    whole_return = Window.partitionBy(*CHILD, *key, "years_back")
    before, after = (side("years_back").over(of_key) == F.col("years_back") for side in (F.lag, F.lead))
    # Of most returns a key has one row, whose contents are not gathered.
    content = F.when(is_good & F.col("is_repeated_in_return"), F.struct(*contents, "unknown_fields"))
    found = by_return.withColumns(
        {
            "n_good": F.count_if(is_good).over(so_far),
            "latest": F.first(F.when(is_good, F.col("census_year")), ignorenulls=True).over(so_far),
            "is_repeated_in_return": F.coalesce(before | after, F.lit(False)),
        }
    ).withColumn("contradicts", is_good & (F.min(content).over(whole_return) != F.max(content).over(whole_return)))
    return found.select(
        *(name for name in rows.columns if name != "warnings"),
        codes(with_finding("warnings", contradiction_rule())).alias("warnings"),
        F.when(~is_good, QUARANTINED)
        .when(F.col("n_good") == 1, SILVER)
        .when(F.col("census_year") < F.col("latest"), SUPERSEDED)
        .otherwise(DUPLICATE)
        .alias("fate"),
    )


def latest_first(*, best_first: Sequence[Column]) -> WindowSpec:
    """Returns the window of a child's rows, those of the latest return first. One sort serves all that use it."""
    return Window.partitionBy(*CHILD).orderBy(F.col("census_year").desc(), *best_first)


def open_counts_as_latest(day: str) -> list[Column]:
    """Orders by an end date, the latest first and before it what has not ended; last, what has an unusable end.

    An end that could not be read is null too, and says nothing about whether there is one. Needs unknown_fields.
    """
    return [field_is_unknown(day), F.col(day).desc_nulls_first()]


def total_order(columns: Sequence[str]) -> list[Column]:
    """Orders by all received columns, then by where a row stood.

    Content comes before position so that the XML and the flat form of one return, which number their rows differently,
    keep the same row.
    """
    return [F.col(name).asc_nulls_last() for name in (*columns, "record_position", "file_id")]
