"""Assessments: one row per child, referral and start date, from the latest return that holds it."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from sos_spark.silver import conform
from sos_spark.silver.entities.assessment_rules import assessment_rules
from sos_spark.silver.entities.under_referral import REFERRAL_IN_RETURN, typed, with_referral
from sos_spark.silver.fate import add_fate, open_counts_as_latest, total_order
from sos_spark.silver.row_rule import add_findings
from sos_spark.silver.rule_data import RuleData
from sos_spark.tables import SILVER_ASSESSMENTS


def examine_assessments(assessments: DataFrame, referrals: DataFrame, children: DataFrame) -> DataFrame:
    """Returns assessments typed, with what their rules look at.

    Grain: one row per row of bronze.assessments, in and out.
    """
    rows = typed(
        assessments,
        {
            "AssessmentActualStartDate": "assessment_start_date",
            "AssessmentAuthorisationDate": "assessment_authorised_date",
        },
        F.col("AssessmentFactors").alias("factors"),
    )
    in_referral = Window.partitionBy(*REFERRAL_IN_RETURN).orderBy(
        F.col("assessment_start_date").asc_nulls_first(),
        F.col("assessment_authorised_date").asc_nulls_last(),
        *total_order(["factors"]),
    )
    earlier = in_referral.rowsBetween(Window.unboundedPreceding, -1)
    # Ordered too, though the order is no matter to it: so that one sort serves both.
    whole_referral = in_referral.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    ends = F.coalesce("assessment_authorised_date", conform.reference_day())
    return with_referral(rows, referrals, children).withColumns(
        {
            "n_in_referral": F.count(F.lit(1)).over(whole_referral),
            "ends_by": ends,
            "latest_end_before": F.max(ends).over(earlier),
            "next_start": F.lead("assessment_start_date").over(in_referral),
        }
    )


def classify_assessments(
    assessments: DataFrame, referrals: DataFrame, children: DataFrame, rule_data: RuleData
) -> DataFrame:
    """Returns every row of bronze.assessments with its findings and its fate.

    Of two assessments of one referral and start in one return the one authorised later is kept, open being latest
    and an end that could not be read last.
    """
    examined = examine_assessments(assessments, referrals, children)
    best_first = [*open_counts_as_latest("assessment_authorised_date"), *total_order(["factors"])]
    rows = add_fate(
        add_findings(examined, assessment_rules(rule_data), SILVER_ASSESSMENTS),
        key=("referral_date", "assessment_start_date"),
        best_first=best_first,
        contents=("assessment_authorised_date", "factors"),
    )
    return rows.select(
        *conform.PROVENANCE,
        "child_id",
        "referral_date",
        "assessment_start_date",
        "assessment_authorised_date",
        "primary_need",
        conform.age_on(F.col("assessment_start_date")).alias("age_at_start"),
        "sex",
        "ethnicity",
        "unknown_fields",
        "errors",
        "warnings",
        "fate",
    )
