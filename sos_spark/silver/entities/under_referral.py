"""What stands under a referral: assessments, section 47 enquiries, child protection plans.

Each has a key of its own, the referral's and its start date. A row whose referral is in no silver row of the child (an
orphan) stays on its own merits: outcomes match by child and date.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.silver import conform
from sos_spark.silver.entities.children import with_attributes
from sos_spark.silver.entities.referrals import referral_facts
from sos_spark.silver.pseudonyms import CHILD, by_authority
from sos_spark.silver.row_rule import RowRule, warning

REFERRAL_IN_RETURN = (*CHILD, "referral_date", "census_year")
"""What the rows under one referral in one return share."""


def typed(module: DataFrame, days: dict[str, str], *others: Column) -> DataFrame:
    """Returns a module's provenance, child and dates (received name: ours), each with its `unreadable`."""
    days = {"CINreferralDate": "referral_date", **days}
    rows = module.select(
        *conform.PROVENANCE,
        "record_fault",
        "child_id",
        "id_has_invisible",
        *(conform.iso_day(received).alias(day) for received, day in days.items()),
        *others,
        *(F.col(received).alias(f"{day}_text") for received, day in days.items()),
    )
    return rows.select(
        *rows.columns[: -len(days)],
        *(conform.unreadable(f"{day}_text", day).alias(f"{day}_unreadable") for day in days.values()),
    )


def with_referral(rows: DataFrame, referrals: DataFrame, children: DataFrame) -> DataFrame:
    """Adds the child's attributes and the referral's facts. Grain: unchanged (one child and one referral per row).

    Both joins and the windows after them need one shuffle, by authority, where the session lets a join use a
    partitioning by fewer columns.
    """
    facts = referral_facts(referrals).withColumn("has_referral", F.lit(True))
    joined = with_attributes(by_authority(rows), children).join(facts, [*CHILD, "referral_date"], "left")
    return joined.withColumns(
        {
            "is_orphan": F.col("has_referral").isNull()
            & F.col("child_id").isNotNull()
            & F.col("referral_date").isNotNull(),
            # Only the return that closed a referral can say that something under it was not finished.
            "closed_on": F.when(F.col("census_year") == F.col("referral_year"), F.col("referral_closure_date")),
        }
    ).drop("has_referral", "referral_year", "referral_closure_date")


def orphan_rule() -> RowRule:
    """The row's referral is in no silver row of the child. The row itself may be used."""
    return warning("orphan", None, F.col("is_orphan"), "Its referral is in no usable row of the child")
