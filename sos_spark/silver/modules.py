"""What stands under a referral: assessments, section 47 enquiries, child protection plans.

Each has a key of its own, the referral's and its start date. A row whose referral is in no silver row of the child (an
orphan) stays on its own merits: outcomes match by child and date.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from sos_spark.silver import conform
from sos_spark.silver.children import with_attributes
from sos_spark.silver.fate import SILVER, add_fate, open_counts_as_latest, total_order
from sos_spark.silver.reference import Reference
from sos_spark.silver.referrals import referral_conferences, referral_facts
from sos_spark.silver.rules.assessments import assessment_rules
from sos_spark.silver.rules.cp_plans import cp_plan_rules
from sos_spark.silver.rules.row_rule import add_findings, is_unknown
from sos_spark.silver.rules.section47 import section47_rules
from sos_spark.tables import SILVER_ASSESSMENTS, SILVER_CP_PLANS, SILVER_SECTION47


def _typed(module: DataFrame, days: dict[str, str], *others: Column) -> DataFrame:
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


def _with_referral(rows: DataFrame, referrals: DataFrame, children: DataFrame) -> DataFrame:
    """Adds the child's attributes and the referral's facts. Grain: unchanged (one child, one referral a row).

    The child comes first: both joins and the windows after them then need one shuffle by LA and child, where the
    session lets a join use a partitioning by fewer columns.
    """
    facts = referral_facts(referrals).withColumn("has_referral", F.lit(True))
    joined = with_attributes(rows, children).join(facts, ["child_id", "referral_date"], "left")
    return joined.withColumns(
        {
            "is_orphan": F.col("has_referral").isNull()
            & F.col("child_id").isNotNull()
            & F.col("referral_date").isNotNull(),
            # Only the return that closed a referral can say that something under it was not finished.
            "closed_on": F.when(F.col("census_year") == F.col("referral_year"), F.col("referral_closure_date")),
        }
    ).drop("has_referral", "referral_year", "referral_closure_date")


_REFERRAL_IN_RETURN = ("child_id", "referral_date", "census_year")


def examine_assessments(assessments: DataFrame, referrals: DataFrame, children: DataFrame) -> DataFrame:
    """Returns assessments typed, with what their rules look at. Grain: a row of bronze.assessments, in and out."""
    rows = _typed(
        assessments,
        {
            "AssessmentActualStartDate": "assessment_start_date",
            "AssessmentAuthorisationDate": "assessment_authorised_date",
        },
        conform.text("AssessmentFactors").alias("factors"),
    )
    in_referral = Window.partitionBy(*_REFERRAL_IN_RETURN).orderBy(
        F.col("assessment_start_date").asc_nulls_first(),
        F.col("assessment_authorised_date").asc_nulls_last(),
        *total_order(["factors"]),
    )
    earlier = in_referral.rowsBetween(Window.unboundedPreceding, -1)
    # Ordered too, though the order is no matter to it: so that one sort serves both.
    whole_referral = in_referral.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    ends = F.coalesce("assessment_authorised_date", conform.reference_day())
    return _with_referral(rows, referrals, children).withColumns(
        {
            "n_in_referral": F.count(F.lit(1)).over(whole_referral),
            "ends_by": ends,
            "latest_end_before": F.max(ends).over(earlier),
            "next_start": F.lead("assessment_start_date").over(in_referral),
        }
    )


def classify_assessments(
    assessments: DataFrame, referrals: DataFrame, children: DataFrame, reference: Reference
) -> DataFrame:
    """Returns every row of bronze.assessments with its findings and its fate.

    Of two assessments of one referral and start in one return the one authorised later is kept, open being latest
    and an end that could not be read last.
    """
    examined = examine_assessments(assessments, referrals, children)
    best_first = [*open_counts_as_latest("assessment_authorised_date"), *total_order(["factors"])]
    rows = add_fate(
        add_findings(examined, assessment_rules(reference), SILVER_ASSESSMENTS),
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


def examine_section47(section47: DataFrame, referrals: DataFrame, children: DataFrame) -> DataFrame:
    """Returns section 47 enquiries typed, with what their rules look at. Grain: a row of bronze.section47."""
    rows = _typed(
        section47,
        {"S47ActualStartDate": "section47_start_date", "DateOfInitialCPC": "icpc_date"},
        conform.flag("ICPCnotRequired").alias("icpc_not_required"),
        (conform.text("ICPCnotRequired").isNotNull() & conform.flag("ICPCnotRequired").isNull()).alias(
            "icpc_not_required_unreadable"
        ),
    )
    is_open = (
        F.col("icpc_date").isNull() & ~F.coalesce("icpc_not_required", F.lit(False)) & ~F.col("icpc_date_unreadable")
    )
    in_referral = Window.partitionBy(*_REFERRAL_IN_RETURN)
    with_referral = _with_referral(rows, referrals, children).join(
        referral_conferences(referrals), ["child_id"], "left"
    )
    return with_referral.withColumns({"is_open": is_open, "n_open_in_referral": F.count_if(is_open).over(in_referral)})


def classify_section47(
    section47: DataFrame, referrals: DataFrame, children: DataFrame, reference: Reference
) -> DataFrame:
    """Returns every row of bronze.section47 with its findings and its fate.

    Of two enquiries of one referral and start in one return the one with the earlier conference is kept, none being
    next, and one that could not be read last.
    """
    examined = examine_section47(section47, referrals, children)
    best_first = [is_unknown("icpc_date"), F.col("icpc_date").asc_nulls_last(), *total_order(["icpc_not_required"])]
    rows = add_fate(
        add_findings(examined, section47_rules(reference), SILVER_SECTION47),
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


def examine_cp_plans(
    cp_plans: DataFrame, referrals: DataFrame, children: DataFrame, conferences: DataFrame
) -> DataFrame:
    """Returns child protection plans typed, with what their rules look at.

    Grain: a row of bronze.cp_plans, in and out. `conferences`: la_code, child_id and icpc_date, distinct.
    """
    rows = _typed(
        cp_plans,
        {"CPPstartDate": "cpp_start_date", "CPPendDate": "cpp_end_date"},
        conform.code("InitialCategoryOfAbuse").alias("initial_category_of_abuse"),
        conform.code("LatestCategoryOfAbuse").alias("latest_category_of_abuse"),
        conform.text("NumberOfPreviousCPP").try_cast("int").alias("n_previous_plans"),
        conform.first_iso_day("CPPreviewDates").alias("first_review_date"),
    )
    held = conferences.select(
        "child_id", F.col("icpc_date").alias("cpp_start_date"), F.lit(True).alias("on_conference_day")
    )
    in_return = Window.partitionBy("child_id", "census_year").orderBy(
        F.col("cpp_start_date").asc_nulls_first(), F.col("cpp_end_date").asc_nulls_last(), *total_order(_PLAN_RECEIVED)
    )
    earlier = in_return.rowsBetween(Window.unboundedPreceding, -1)
    whole_return = in_return.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    is_open = F.col("cpp_end_date").isNull() & ~F.col("cpp_end_date_unreadable")
    ends = F.coalesce("cpp_end_date", conform.reference_day())
    joined = _with_referral(rows, referrals, children).join(held, ["child_id", "cpp_start_date"], "left")
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


_PLAN_RECEIVED = ("initial_category_of_abuse", "latest_category_of_abuse", "n_previous_plans", "first_review_date")


def classify_cp_plans(
    cp_plans: DataFrame, referrals: DataFrame, children: DataFrame, conferences: DataFrame, reference: Reference
) -> DataFrame:
    """Returns every row of bronze.cp_plans with its findings and its fate.

    Of two plans of one referral and start in one return the one that ends later is kept, open counting as latest
    and an end that could not be read last.
    """
    examined = examine_cp_plans(cp_plans, referrals, children, conferences)
    best_first = [*open_counts_as_latest("cpp_end_date"), *total_order(_PLAN_RECEIVED)]
    rows = add_fate(
        add_findings(examined, cp_plan_rules(reference), SILVER_CP_PLANS),
        key=("referral_date", "cpp_start_date"),
        best_first=best_first,
        contents=("cpp_end_date", *_PLAN_RECEIVED),
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


def find_conferences(referrals: DataFrame, section47: DataFrame) -> DataFrame:
    """Returns the initial conferences, whichever level they were recorded at.

    Grain: a child of an LA and a date, out of classified referrals and section 47 enquiries. recorded_at is referral,
    section47 or both.
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
        .groupBy("la_code", "child_id", "icpc_date")
        .agg(F.min("level").alias("first"), F.max("level").alias("last"))
        .select(
            "la_code",
            "child_id",
            "icpc_date",
            F.when(F.col("first") == F.col("last"), F.col("first")).otherwise("both").alias("recorded_at"),
        )
    )
