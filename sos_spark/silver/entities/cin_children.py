"""Children in need: the census's child identifiers, one row per child, from its latest return.

The row is taken whole: a value that the latest return no longer gives is not filled from an earlier one.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.silver import conform
from sos_spark.silver.entities.children import RECEIVED, beside_other_years, classified
from sos_spark.silver.entities.cin_child_rules import cin_child_rules
from sos_spark.silver.pseudonyms import CHILD, by_authority
from sos_spark.silver.row_rule import add_findings
from sos_spark.silver.rule_data import RuleData
from sos_spark.tables import SILVER_CIN_CHILDREN

_RECEIVED = (*RECEIVED, "expected_birth_date")


def referred_years(cin_details: DataFrame) -> DataFrame:
    """Returns the census years a child was in cin_details, as bits. Grain: one row per LA and LAchildID as received."""
    children = by_authority(cin_details.select("la_code", "LAchildID", "census_year")).groupBy("la_code", "LAchildID")
    return children.agg(F.bit_or(_year_bit()).alias("referred_years"))


def _year_bit() -> Column:
    """One bit of a BIGINT for the row's census year; years 64 apart share one."""
    return F.call_function("shiftleft", F.lit(1).cast("bigint"), F.pmod(F.col("census_year"), F.lit(64)))


def examine_cin_children(child_identifiers: DataFrame, years: DataFrame) -> DataFrame:
    """Returns child identifiers typed, with what their rules look at.

    Grain: one row per row of bronze.child_identifiers, in and out. Both frames under pseudonyms; `years`:
    `referred_years`.
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
        F.col("PersonBirthDate").alias("birth_text"),
        F.col("ExpectedPersonBirthDate").alias("expected_text"),
    )
    # An id with blanks around it and one without are one child, whose years come in two rows.
    known_years = years.groupBy(*CHILD).agg(F.bit_or("referred_years").alias("referred_years"))
    joined = by_authority(rows).join(known_years, [*CHILD], "left")
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
    return beside_other_years(typed, _RECEIVED)


def classify_cin_children(child_identifiers: DataFrame, years: DataFrame, rule_data: RuleData) -> DataFrame:
    """Returns every row of bronze.child_identifiers with its findings and its fate."""
    examined = examine_cin_children(child_identifiers, years)
    return classified(add_findings(examined, cin_child_rules(rule_data), SILVER_CIN_CHILDREN), _RECEIVED)
