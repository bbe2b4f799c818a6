"""What children of both collections share, and what events take from their child."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.silver import conform
from sos_spark.silver.fate import SILVER, add_fate, latest_first, total_order
from sos_spark.silver.pseudonyms import CHILD

RECEIVED = ("birth_date", "sex", "ethnicity", "sex_received", "only_expected", "birth_date_unreadable", "person_key")
"""What both collections give of a child."""


def beside_other_years(rows: DataFrame, received: Sequence[str]) -> DataFrame:
    """Adds what the child's neighbouring rows say: of the same return, and of last year's."""
    in_order = latest_first(best_first=total_order(received))
    year = F.col("census_year")
    earlier_year = F.lead("census_year").over(in_order)
    is_repeated = (F.lag("census_year").over(in_order) == year) | (earlier_year == year)
    return rows.withColumns(
        {
            "is_repeated": F.coalesce(is_repeated, F.lit(False)),
            **{
                f"{name}_last_year": F.when(earlier_year == year - 1, F.lead(name).over(in_order))
                for name in ("birth_date", "sex", "ethnicity")
            },
        }
    )


def classified(rows: DataFrame, received: Sequence[str]) -> DataFrame:
    """Returns rows with their findings as classified children: with their fate and silver's columns.

    Grain: unchanged. `received`: the columns that decide which row of a return is kept.
    """
    return add_fate(rows, key=(), best_first=total_order(received), contents=received).select(
        *conform.PROVENANCE,
        "child_id",
        "person_key",
        "birth_date",
        "only_expected",
        F.trunc("birth_date", "month").alias("birth_month"),
        "sex",
        "ethnicity",
        "unknown_fields",
        "errors",
        "warnings",
        "fate",
    )


def with_attributes(rows: DataFrame, children: DataFrame) -> DataFrame:
    """Adds what events take from their child: sex, ethnicity, has_child, and the birth date, for ages, dropped later.

    Grain: unchanged. `children`: classified children, of which silver has one row per child.
    """
    attributes = children.where(F.col("fate") == SILVER).select(
        *CHILD, "sex", "ethnicity", "birth_date", "only_expected", F.lit(True).alias("has_child")
    )
    return rows.join(attributes, [*CHILD], "left").withColumns(
        {
            "sex": F.coalesce("sex", F.lit("unknown")),
            "only_expected": F.coalesce("only_expected", F.lit(False)),
            "has_child": F.coalesce("has_child", F.lit(False)),
        }
    )
