"""Referrals: the CIN census's CINdetails, one row per child and referral date, from the latest return that holds it."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from sos_spark.silver import conform
from sos_spark.silver.entities.children import with_attributes
from sos_spark.silver.entities.referral_rules import referral_rules
from sos_spark.silver.fate import SILVER, add_fate, open_counts_as_latest, total_order
from sos_spark.silver.pseudonyms import CHILD, by_authority
from sos_spark.silver.row_rule import add_findings
from sos_spark.silver.rule_data import RuleData
from sos_spark.tables import SILVER_REFERRALS

_RECEIVED = ("referral_source", "primary_need", "closure_reason", "icpc_date", "nfa_flag", "nfa_flag_unreadable")


def examine_referrals(cin_details: DataFrame, cin_plan_dates: DataFrame, children: DataFrame) -> DataFrame:
    """Returns CIN details typed, with their child's attributes and what their rules look at.

    Grain: one row per row of bronze.cin_details, in and out, under pseudonyms. `children`: classified CIN children.
    """
    rows = cin_details.select(
        *conform.PROVENANCE,
        "record_fault",
        "child_id",
        "id_has_invisible",
        conform.iso_day("CINreferralDate").alias("referral_date"),
        conform.code("ReferralSource").alias("referral_source"),
        conform.code("PrimaryNeedCode").alias("primary_need"),
        conform.iso_day("CINclosureDate").alias("closure_date"),
        conform.code("ReasonForClosure").alias("closure_reason"),
        conform.iso_day("DateOfInitialCPC").alias("icpc_date"),
        conform.flag("ReferralNFA").alias("nfa_flag"),
        *(F.col(name) for name in ("CINreferralDate", "CINclosureDate", "DateOfInitialCPC", "ReferralNFA")),
    )
    typed = rows.select(
        *rows.columns[:-4],
        F.coalesce("nfa_flag", F.lit(False)).alias("is_nfa_at_referral"),
        conform.unreadable("CINreferralDate", "referral_date").alias("referral_date_unreadable"),
        conform.unreadable("CINclosureDate", "closure_date").alias("closure_date_unreadable"),
        conform.unreadable("DateOfInitialCPC", "icpc_date").alias("icpc_date_unreadable"),
        conform.unreadable("ReferralNFA", "nfa_flag").alias("nfa_flag_unreadable"),
    )
    planned = (
        by_authority(
            cin_plan_dates.select(
                *CHILD,
                F.struct("census_year", conform.iso_day("CINreferralDate").alias("referral_date")).alias("of"),
            )
        )
        .groupBy(*CHILD)
        .agg(F.collect_set("of").alias("planned"))
    )
    joined = with_attributes(by_authority(typed), children).join(planned, [*CHILD], "left")
    has_plan = F.array_contains("planned", F.struct("census_year", "referral_date"))
    return _beside_other_referrals(
        joined.withColumn("has_cin_plan", F.coalesce(has_plan, F.lit(False))).drop("planned")
    )


def _beside_other_referrals(rows: DataFrame) -> DataFrame:
    """Adds what the child's other referrals in the same return say."""
    # The end of each referral as far as this return can tell; one with no further action is over the day it is made.
    ends = F.coalesce(
        "closure_date", F.when(F.col("is_nfa_at_referral"), F.col("referral_date")).otherwise(conform.reference_day())
    )
    in_return = Window.partitionBy(*CHILD, "census_year").orderBy(
        F.col("referral_date").asc_nulls_first(), F.col("closure_date").asc_nulls_last(), *total_order(_RECEIVED)
    )
    earlier = in_return.rowsBetween(Window.unboundedPreceding, -1)
    # Ordered too, though the order is no matter to it: so that one sort serves both.
    whole_return = in_return.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    is_open = F.col("closure_date").isNull() & ~F.col("is_nfa_at_referral") & ~F.col("closure_date_unreadable")
    return rows.withColumns(
        {
            "is_open": is_open,
            "n_open_in_return": F.count_if(is_open).over(whole_return),
            "ends_by": ends,
            "latest_end_before": F.max(ends).over(earlier),
            "next_start": F.lead("referral_date").over(in_return),
            "latest_referral_in_return": F.max("referral_date").over(whole_return),
        }
    )


def classify_referrals(
    cin_details: DataFrame, cin_plan_dates: DataFrame, children: DataFrame, rule_data: RuleData
) -> DataFrame:
    """Returns every row of bronze.cin_details with its findings and its fate.

    Of two referrals on one date the one that is not NFA is kept, then the later closure (open is latest), then the
    first in a total order; a flag or a closure that could not be read comes last.
    """
    examined = examine_referrals(cin_details, cin_plan_dates, children)
    best_first: list[Column] = [
        F.col("is_nfa_at_referral").asc_nulls_last(),
        *open_counts_as_latest("closure_date"),
        *total_order(_RECEIVED),
    ]
    found = add_findings(examined, referral_rules(rule_data), SILVER_REFERRALS)
    rows = add_fate(found, key=("referral_date",), best_first=best_first, contents=("closure_date", *_RECEIVED))
    in_year = F.col("icpc_date").between(conform.first_day(), conform.reference_day())
    return rows.select(
        *conform.PROVENANCE,
        "child_id",
        "referral_date",
        "referral_source",
        "primary_need",
        "closure_date",
        "closure_reason",
        "is_nfa_at_referral",
        "icpc_date",
        conform.age_on(F.col("referral_date")).alias("age_at_referral"),
        conform.age_on(F.col("closure_date")).alias("age_at_closure"),
        "sex",
        "ethnicity",
        "unknown_fields",
        "errors",
        "warnings",
        F.when(in_year, "icpc_in_year").alias("tally"),
        "fate",
    )


def referral_facts(referrals: DataFrame) -> DataFrame:
    """Returns what modules look at in their referral.

    Grain: one row per referral of silver, from classified referrals.
    """
    return referrals.where(F.col("fate") == SILVER).select(
        *CHILD,
        "referral_date",
        "primary_need",
        F.col("census_year").alias("referral_year"),
        F.col("closure_date").alias("referral_closure_date"),
        F.col("closure_reason").alias("referral_closure_reason"),
        F.col("is_nfa_at_referral").alias("referral_is_nfa"),
    )


def referral_conferences(referrals: DataFrame) -> DataFrame:
    """Returns the days of a child's conferences in its classified referrals. Grain: one row per child with any."""
    return (
        by_authority(referrals.where((F.col("fate") == SILVER) & F.col("icpc_date").isNotNull()))
        .groupBy(*CHILD)
        .agg(F.collect_set("icpc_date").alias("referral_icpc_dates"))
    )
