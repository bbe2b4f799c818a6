"""Children: the CIN census's child identifiers and the SSDA903 header, one row a child from its latest return.

The row is taken whole: a value that the latest return no longer gives is not filled from an earlier one.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from sos_spark.silver import conform
from sos_spark.silver.fate import SILVER, add_fate, total_order
from sos_spark.silver.reference import Reference
from sos_spark.silver.rules.children import cin_child_rules, lac_child_rules
from sos_spark.silver.rules.row_rule import add_findings

_RECEIVED = ("upn", "birth_date", "sex", "ethnicity", "sex_received", "only_expected", "birth_date_unreadable")
_CIN_RECEIVED = (*_RECEIVED, "expected_birth_date")


def examine_cin_children(child_identifiers: DataFrame, cin_details: DataFrame) -> DataFrame:
    """Returns child identifiers typed, with what their rules look at.

    Grain: a row of bronze.child_identifiers, in and out.
    """
    rows = child_identifiers.select(
        *conform.PROVENANCE,
        conform.text("LAchildID").alias("returned_id"),
        F.upper(conform.text("UPN")).alias("upn"),
        conform.iso_day("PersonBirthDate").alias("birth_date"),
        conform.iso_day("ExpectedPersonBirthDate").alias("expected_birth_date"),
        conform.sex("Sex", "GenderCurrent").alias("sex"),
        F.coalesce(conform.code("Sex"), conform.code("GenderCurrent")).alias("sex_received"),
        conform.code("Ethnicity").alias("ethnicity"),
        conform.text("PersonBirthDate").alias("birth_text"),
    )
    # A bit a census year: one row a child, joined on what the windows below partition by, so nothing is shuffled twice.
    referred = (
        cin_details.select("la_code", conform.text("LAchildID").alias("returned_id"), _year_bit().alias("bit"))
        .groupBy("la_code", "returned_id")
        .agg(F.bit_or("bit").alias("referred_years"))
    )
    joined = rows.join(referred, ["la_code", "returned_id"], "left")
    return _beside_other_years(
        joined.select(
            *(name for name in rows.columns if name != "birth_text"),
            (F.col("birth_text").isNotNull() & F.col("birth_date").isNull()).alias("birth_date_unreadable"),
            (F.col("birth_text").isNull() & F.col("expected_birth_date").isNotNull()).alias("only_expected"),
            F.coalesce(F.col("referred_years").bitwiseAND(_year_bit()) != 0, F.lit(False)).alias("has_referral"),
        ),
        _CIN_RECEIVED,
    )


def _year_bit() -> Column:
    """One bit of a BIGINT for the row's census year; years 64 apart share one."""
    return F.call_function("shiftleft", F.lit(1).cast("bigint"), F.pmod(F.col("census_year"), F.lit(64)))


def examine_lac_children(lac_header: DataFrame) -> DataFrame:
    """Returns header rows typed, with what their rules look at. Grain: a row of bronze.lac_header, in and out."""
    rows = lac_header.select(
        *conform.PROVENANCE,
        conform.text("CHILD").alias("returned_id"),
        F.upper(conform.text("UPN")).alias("upn"),
        conform.british_day("DOB").alias("birth_date"),
        conform.sex("SEX").alias("sex"),
        conform.code("SEX").alias("sex_received"),
        conform.code("ETHNIC").alias("ethnicity"),
        conform.text("DOB").alias("birth_text"),
    )
    return _beside_other_years(
        rows.select(
            *(name for name in rows.columns if name != "birth_text"),
            (F.col("birth_text").isNotNull() & F.col("birth_date").isNull()).alias("birth_date_unreadable"),
            F.lit(False).alias("only_expected"),
        ),
        _RECEIVED,
    )


def _beside_other_years(rows: DataFrame, received: Sequence[str]) -> DataFrame:
    """Adds what the child's neighbouring rows say, in order of return."""
    in_order = Window.partitionBy("la_code", "returned_id").orderBy("census_year", *total_order(received))
    last_year = F.lag("census_year").over(in_order) == F.col("census_year") - 1
    same_year = (F.lag("census_year").over(in_order) == F.col("census_year")) | (
        F.lead("census_year").over(in_order) == F.col("census_year")
    )
    return rows.withColumns(
        {
            "is_repeated": F.coalesce(same_year, F.lit(False)),
            "birth_date_last_year": F.when(last_year, F.lag("birth_date").over(in_order)),
            "sex_last_year": F.when(last_year, F.lag("sex").over(in_order)),
            "ethnicity_last_year": F.when(last_year, F.lag("ethnicity").over(in_order)),
        }
    )


def classify_cin_children(child_identifiers: DataFrame, cin_details: DataFrame, reference: Reference) -> DataFrame:
    """Returns every row of bronze.child_identifiers with its findings and its fate."""
    examined = examine_cin_children(child_identifiers, cin_details)
    return _classified(add_findings(examined, cin_child_rules(reference)), _CIN_RECEIVED)


def classify_lac_children(lac_header: DataFrame, reference: Reference) -> DataFrame:
    """Returns every row of bronze.lac_header with its findings and its fate."""
    return _classified(add_findings(examine_lac_children(lac_header), lac_child_rules(reference)), _RECEIVED)


def _classified(rows: DataFrame, received: Sequence[str]) -> DataFrame:
    return add_fate(rows, key=(), best_first=total_order(received)).select(
        *conform.PROVENANCE,
        "returned_id",
        "upn",
        "birth_date",
        "only_expected",
        F.trunc("birth_date", "month").alias("birth_month"),
        "sex",
        "ethnicity",
        "errors",
        "warnings",
        "fate",
    )


def attributes(children: DataFrame) -> DataFrame:
    """Returns what events take from their child: sex, ethnicity, and the birth date for ages, which is dropped after.

    Grain: a child of an LA, from classified children.
    """
    return children.where(F.col("fate") == SILVER).select(
        "la_code", "returned_id", "sex", "ethnicity", "birth_date", "only_expected"
    )


def with_attributes(rows: DataFrame, children: DataFrame) -> DataFrame:
    """Adds sex, ethnicity, birth_date, only_expected and has_child. Grain: unchanged, as children are one a child."""
    joined = rows.join(attributes(children).withColumn("has_child", F.lit(True)), ["la_code", "returned_id"], "left")
    return joined.withColumns(
        {
            "sex": F.coalesce("sex", F.lit("unknown")),
            "only_expected": F.coalesce("only_expected", F.lit(False)),
            "has_child": F.coalesce("has_child", F.lit(False)),
        }
    )


def is_known_person() -> Column:
    """Says whether a child row has all that its person key is made of."""
    return F.col("upn").isNotNull() & F.col("birth_date").isNotNull() & (F.col("sex") != "unknown")
