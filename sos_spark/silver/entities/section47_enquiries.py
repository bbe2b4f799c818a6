"""Section 47 enquiries: one row per child, referral and start date, from the latest return that holds it."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from sos_spark.silver import conform
from sos_spark.silver.entities.referrals import referral_conferences
from sos_spark.silver.entities.section47_rules import section47_rules
from sos_spark.silver.entities.under_referral import REFERRAL_IN_RETURN, typed, with_referral
from sos_spark.silver.fate import add_fate, total_order
from sos_spark.silver.pseudonyms import CHILD
from sos_spark.silver.row_rule import add_findings, field_is_unknown
from sos_spark.silver.rule_data import RuleData
from sos_spark.tables import SILVER_SECTION47


def examine_section47(section47: DataFrame, referrals: DataFrame, children: DataFrame) -> DataFrame:
    """Returns section 47 enquiries typed, with what their rules look at. Grain: one row per row of bronze.section47."""
    rows = typed(
        section47,
        {"S47ActualStartDate": "section47_start_date", "DateOfInitialCPC": "icpc_date"},
        conform.flag("ICPCnotRequired").alias("icpc_not_required"),
        (F.col("ICPCnotRequired").isNotNull() & conform.flag("ICPCnotRequired").isNull()).alias(
            "icpc_not_required_unreadable"
        ),
    )
    is_open = (
        F.col("icpc_date").isNull() & ~F.coalesce("icpc_not_required", F.lit(False)) & ~F.col("icpc_date_unreadable")
    )
    in_referral = Window.partitionBy(*REFERRAL_IN_RETURN)
    joined = with_referral(rows, referrals, children).join(referral_conferences(referrals), [*CHILD], "left")
    return joined.withColumns({"is_open": is_open, "n_open_in_referral": F.count_if(is_open).over(in_referral)})


def classify_section47(
    section47: DataFrame, referrals: DataFrame, children: DataFrame, rule_data: RuleData
) -> DataFrame:
    """Returns every row of bronze.section47 with its findings and its fate.

    Of two enquiries of one referral and start in one return the one with the earlier conference is kept, none being
    next, and one that could not be read last.
    """
    examined = examine_section47(section47, referrals, children)
    best_first = [
        field_is_unknown("icpc_date"),
        F.col("icpc_date").asc_nulls_last(),
        *total_order(["icpc_not_required"]),
    ]
    rows = add_fate(
        add_findings(examined, section47_rules(rule_data), SILVER_SECTION47),
        key=("referral_date", "section47_start_date"),
        best_first=best_first,
        contents=("icpc_date", "icpc_not_required"),
    )
    in_year = F.col("icpc_date").between(conform.first_day(), conform.reference_day())
    return rows.select(
        *conform.PROVENANCE,
        "child_id",
        "referral_date",
        "section47_start_date",
        "icpc_date",
        "icpc_not_required",
        "primary_need",
        conform.age_on(F.col("section47_start_date")).alias("age_at_start"),
        "sex",
        "ethnicity",
        "unknown_fields",
        "errors",
        "warnings",
        F.when(in_year, "icpc_in_year").alias("tally"),
        "fate",
    )
