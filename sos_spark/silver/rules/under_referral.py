"""Rules that everything under a referral shares."""

from __future__ import annotations

from pyspark.sql import functions as F

from sos_spark.silver.rules.row_rule import RowRule, warning


def orphan_rule() -> RowRule:
    """The row's referral is in no silver row of the child. The row itself may be used."""
    return warning("orphan", None, F.col("is_orphan"), "Its referral is in no usable row of the child")
