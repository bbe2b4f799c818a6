"""Children: the CIN census's child identifiers and the SSDA903 header, one row a child from its latest return.

The row is taken whole: a value that the latest return no longer gives is not filled from an earlier one.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.silver import conform
from sos_spark.silver.fate import SILVER, add_fate, latest_first, total_order
from sos_spark.silver.reference import Reference
from sos_spark.silver.rules.children import cin_child_rules, lac_child_rules
from sos_spark.silver.rules.row_rule import add_findings
from sos_spark.tables import SILVER_CIN_CHILDREN, SILVER_LAC_CHILDREN

_RECEIVED = ("birth_date", "sex", "ethnicity", "sex_received", "only_expected", "birth_date_unreadable", "person_key")
_CIN_RECEIVED = (*_RECEIVED, "expected_birth_date")


def referred_years(cin_details: DataFrame) -> DataFrame:
    """Returns the census years a child was in cin_details, as bits. Grain: an LA and LAchildID as received."""
    return cin_details.groupBy("la_code", "LAchildID").agg(F.bit_or(_year_bit()).alias("referred_years"))


def _year_bit() -> Column:
    """One bit of a BIGINT for the row's census year; years 64 apart share one."""
    return F.call_function("shiftleft", F.lit(1).cast("bigint"), F.pmod(F.col("census_year"), F.lit(64)))


def examine_cin_children(child_identifiers: DataFrame, years: DataFrame) -> DataFrame:
    """Returns child identifiers typed, with what their rules look at.

    Grain: a row of bronze.child_identifiers, in and out. Both frames under pseudonyms; `years`: `referred_years`.
    """
    rows = child_identifiers.select(
        *conform.PROVENANCE,
        "record_fault",
        "child_id",
        "id_has_invisible",
        "person_key",
        conform.iso_day("PersonBirthDate").alias("birth_date"),
        conform.iso_day("ExpectedPersonBirthDate").alias("expected_birth_date"),
        conform.sex("Sex", "GenderCurrent").alias("sex"),
        F.coalesce(conform.code("Sex"), conform.code("GenderCurrent")).alias("sex_received"),
        conform.code("Ethnicity").alias("ethnicity"),
        conform.text("PersonBirthDate").alias("birth_text"),
        conform.text("ExpectedPersonBirthDate").alias("expected_text"),
    )
    # An id with blanks around it and one without are one child, whose years come in two rows.
    known_years = years.groupBy("child_id").agg(F.bit_or("referred_years").alias("referred_years"))
    joined = rows.join(known_years, ["child_id"], "left")
    only_expected = F.col("birth_text").isNull() & F.col("expected_birth_date").isNotNull()
    referred_this_year = F.col("referred_years").bitwiseAND(_year_bit()) != 0
    typed = joined.select(
        *rows.columns[:-2],
        (F.col("birth_text").isNotNull() & F.col("birth_date").isNull()).alias("birth_date_unreadable"),
        (
            F.col("birth_text").isNull() & F.col("expected_text").isNotNull() & F.col("expected_birth_date").isNull()
        ).alias("expected_birth_date_unreadable"),
        only_expected.alias("only_expected"),
        F.coalesce(referred_this_year, F.lit(False)).alias("has_referral"),
    )
    return _beside_other_years(typed, _CIN_RECEIVED)


def examine_lac_children(lac_header: DataFrame) -> DataFrame:
    """Returns header rows typed, with what their rules look at.

    Grain: a row of bronze.lac_header, in and out, under pseudonyms.
    """
    rows = lac_header.select(
        *conform.PROVENANCE,
        "child_id",
        "id_has_invisible",
        "person_key",
        conform.british_day("DOB").alias("birth_date"),
        conform.sex("SEX").alias("sex"),
        conform.code("SEX").alias("sex_received"),
        conform.code("ETHNIC").alias("ethnicity"),
        conform.text("DOB").alias("birth_text"),
    )
    typed = rows.select(
        *rows.columns[:-1],
        (F.col("birth_text").isNotNull() & F.col("birth_date").isNull()).alias("birth_date_unreadable"),
        F.lit(False).alias("only_expected"),
    )
    return _beside_other_years(typed, _RECEIVED)


def _beside_other_years(rows: DataFrame, received: Sequence[str]) -> DataFrame:
    """Adds what the child's neighbouring rows say: of the same return, and of last year's."""
    in_order = latest_first("child_id", best_first=total_order(received))
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


def classify_cin_children(child_identifiers: DataFrame, years: DataFrame, reference: Reference) -> DataFrame:
    """Returns every row of bronze.child_identifiers with its findings and its fate."""
    examined = examine_cin_children(child_identifiers, years)
    return _classified(add_findings(examined, cin_child_rules(reference), SILVER_CIN_CHILDREN), _CIN_RECEIVED)


def classify_lac_children(lac_header: DataFrame, reference: Reference) -> DataFrame:
    """Returns every row of bronze.lac_header with its findings and its fate."""
    examined = examine_lac_children(lac_header)
    return _classified(add_findings(examined, lac_child_rules(reference), SILVER_LAC_CHILDREN), _RECEIVED)


def _classified(rows: DataFrame, received: Sequence[str]) -> DataFrame:
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

    Grain: unchanged. `children`: classified children, of which silver has one row a child.
    """
    attributes = children.where(F.col("fate") == SILVER).select(
        "child_id", "sex", "ethnicity", "birth_date", "only_expected", F.lit(True).alias("has_child")
    )
    return rows.join(attributes, ["child_id"], "left").withColumns(
        {
            "sex": F.coalesce("sex", F.lit("unknown")),
            "only_expected": F.coalesce("only_expected", F.lit(False)),
            "has_child": F.coalesce("has_child", F.lit(False)),
        }
    )
