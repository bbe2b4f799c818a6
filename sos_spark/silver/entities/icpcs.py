"""Initial child protection conferences: one row per child and date, whichever level recorded them."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.silver.fate import SILVER
from sos_spark.silver.pseudonyms import CHILD


def find_conferences(referrals: DataFrame, section47: DataFrame) -> DataFrame:
    """Returns the initial conferences, whichever level they were recorded at.

    Grain: one row per child of an LA and date, out of classified referrals and section 47 enquiries. recorded_at is
    referral, section47 or both.
    """
    at = [
        rows.where((F.col("fate") == SILVER) & F.col("icpc_date").isNotNull()).select(
            "la_code", "child_id", "icpc_date", F.lit(level).alias("level")
        )
        for rows, level in ((referrals, "referral"), (section47, "section47"))
    ]
    return (
        at[0]
        .unionByName(at[1])
        .groupBy(*CHILD, "icpc_date")
        .agg(F.min("level").alias("first"), F.max("level").alias("last"))
        .select(
            "la_code",
            "child_id",
            "icpc_date",
            F.when(F.col("first") == F.col("last"), F.col("first")).otherwise("both").alias("recorded_at"),
        )
    )
