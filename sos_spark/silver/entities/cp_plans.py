"""Child protection plans: one row per child, referral and start date, from the latest return that holds it."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from sos_spark.silver import conform
from sos_spark.silver.entities.cp_plan_rules import cp_plan_rules
from sos_spark.silver.entities.under_referral import typed, with_referral
from sos_spark.silver.fate import add_fate, open_counts_as_latest, total_order
from sos_spark.silver.pseudonyms import CHILD
from sos_spark.silver.row_rule import add_findings
from sos_spark.silver.rule_data import RuleData
from sos_spark.tables import SILVER_CP_PLANS

_RECEIVED = ("initial_category_of_abuse", "latest_category_of_abuse", "n_previous_plans", "first_review_date")


def examine_cp_plans(
    cp_plans: DataFrame, referrals: DataFrame, children: DataFrame, conferences: DataFrame
) -> DataFrame:
    """Returns child protection plans typed, with what their rules look at.

    Grain: one row per row of bronze.cp_plans, in and out. `conferences`: la_code, child_id and icpc_date, distinct.
    """
    rows = typed(
        cp_plans,
        {"CPPstartDate": "cpp_start_date", "CPPendDate": "cpp_end_date"},
        conform.code("InitialCategoryOfAbuse").alias("initial_category_of_abuse"),
        conform.code("LatestCategoryOfAbuse").alias("latest_category_of_abuse"),
        F.col("NumberOfPreviousCPP").try_cast("int").alias("n_previous_plans"),
        conform.first_iso_day("CPPreviewDates").alias("first_review_date"),
    )
    held = conferences.select(
        *CHILD, F.col("icpc_date").alias("cpp_start_date"), F.lit(True).alias("on_conference_day")
    )
    in_return = Window.partitionBy(*CHILD, "census_year").orderBy(
        F.col("cpp_start_date").asc_nulls_first(), F.col("cpp_end_date").asc_nulls_last(), *total_order(_RECEIVED)
    )
    earlier = in_return.rowsBetween(Window.unboundedPreceding, -1)
    whole_return = in_return.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    is_open = F.col("cpp_end_date").isNull() & ~F.col("cpp_end_date_unreadable")
    ends = F.coalesce("cpp_end_date", conform.reference_day())
    joined = with_referral(rows, referrals, children).join(held, [*CHILD, "cpp_start_date"], "left")
    return joined.withColumns(
        {
            "on_conference_day": F.coalesce("on_conference_day", F.lit(False)),
            "is_open": is_open,
            "n_open_in_return": F.count_if(is_open).over(whole_return),
            "ends_by": ends,
            "latest_end_before": F.max(ends).over(earlier),
            "next_start": F.lead("cpp_start_date").over(in_return),
        }
    )


def classify_cp_plans(
    cp_plans: DataFrame, referrals: DataFrame, children: DataFrame, conferences: DataFrame, rule_data: RuleData
) -> DataFrame:
    """Returns every row of bronze.cp_plans with its findings and its fate.

    Of two plans of one referral and start in one return the one that ends later is kept, open counting as latest
    and an end that could not be read last.
    """
    examined = examine_cp_plans(cp_plans, referrals, children, conferences)
    best_first = [*open_counts_as_latest("cpp_end_date"), *total_order(_RECEIVED)]
    rows = add_fate(
        add_findings(examined, cp_plan_rules(rule_data), SILVER_CP_PLANS),
        key=("referral_date", "cpp_start_date"),
        best_first=best_first,
        contents=("cpp_end_date", *_RECEIVED),
    )
    in_year = F.col("cpp_start_date").between(conform.first_day(), conform.reference_day())
    return rows.select(
        *conform.PROVENANCE,
        "child_id",
        "referral_date",
        "cpp_start_date",
        "cpp_end_date",
        "initial_category_of_abuse",
        "latest_category_of_abuse",
        "unknown_fields",
        "errors",
        "warnings",
        F.when(in_year, "plan_start_in_year").alias("tally"),
        "fate",
    )
