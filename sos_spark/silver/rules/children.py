"""Row rules of children: CIN child identifiers and the SSDA903 header.

A birth date that cannot be right or cannot be read is unknown, and with it the ages and the person key that would be
made of it; the child stays.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F

from sos_spark.silver.conform import first_day, reference_day
from sos_spark.silver.reference import Reference
from sos_spark.silver.rules.row_rule import RowRule, child_id_rules, field, record_fault_rules, warning

PLACEHOLDER_BIRTH = date(1900, 1, 1)
"""What many systems store for 'not known'."""


def cin_child_rules(reference: Reference) -> tuple[RowRule, ...]:
    """Returns the rules of silver.cin_children."""
    return (
        *child_id_rules("8500"),
        *record_fault_rules(),
        *_birth_rules(dfe_after="8520", dfe_unreadable=None),
        _birth_fault(
            "expected_birth_date_unreadable",
            None,
            F.col("expected_birth_date_unreadable"),
            "There is no birth date, and the expected one is no date",
        ),
        warning(
            "birth_date_missing",
            "8525Q",
            F.col("birth_date").isNull()
            & ~F.col("birth_date_unreadable")
            & F.col("expected_birth_date").isNull()
            & ~F.col("expected_birth_date_unreadable"),
            "Neither a birth date nor an expected one",
        ),
        warning(
            "birth_date_and_expected",
            "8525Q",
            F.col("birth_date").isNotNull() & F.col("expected_birth_date").isNotNull(),
            "A birth date and an expected one",
        ),
        warning("over_25", "8775Q", _older_than(25), "The child was over 25 when the return's year began"),
        warning("child_repeated", "8510", F.col("is_repeated"), "More than one record of the child in the return"),
        warning("no_referral", "8590", ~F.col("has_referral"), "The child has no CIN episode in the return"),
        *_attribute_rules(reference, "cin.Ethnicity", dfe_sex=None, dfe_ethnicity=None),
    )


def lac_child_rules(reference: Reference) -> tuple[RowRule, ...]:
    """Returns the rules of silver.lac_children."""
    return (
        *child_id_rules(None),
        *_birth_rules(dfe_after="301", dfe_unreadable="102"),
        warning(
            "birth_date_missing",
            "102",
            F.col("birth_date").isNull() & ~F.col("birth_date_unreadable"),
            "The birth date is missing",
        ),
        warning("over_21", "351", _older_than(21), "The child was over 21 when the return's year began"),
        warning("child_repeated", "INT32", F.col("is_repeated"), "More than one header row of the child in the return"),
        warning("sex_changed", "202", _changed("sex"), "Sex differs from last year's return"),
        warning("birth_date_changed", "203", _changed("birth_date"), "The birth date differs from last year's return"),
        warning("ethnicity_changed", "204", _changed("ethnicity"), "Ethnicity differs from last year's return"),
        *_attribute_rules(reference, "ssda903.header.ETHNIC", dfe_sex="101", dfe_ethnicity="103"),
    )


def _birth_rules(*, dfe_after: str, dfe_unreadable: str | None) -> tuple[RowRule, ...]:
    return (
        _birth_fault(
            "birth_date_after_return",
            dfe_after,
            F.col("birth_date") > reference_day(),
            "Born after the return's 31 March",
        ),
        _birth_fault(
            "birth_date_placeholder", None, F.col("birth_date") <= F.lit(PLACEHOLDER_BIRTH), "Born in 1900 or before"
        ),
        _birth_fault(
            "birth_date_unreadable", dfe_unreadable, F.col("birth_date_unreadable"), "The birth date is no date"
        ),
    )


def _birth_fault(code: str, dfe: str | None, fails_when: Column, text: str) -> RowRule:
    """The birth date itself is not stored: silver has its month, and what else is made of it."""
    return field(code, dfe, fails_when, text, unknown="birth_month", nulls=("birth_date", "person_key"))


def _attribute_rules(
    reference: Reference, ethnicity_field: str, *, dfe_sex: str | None, dfe_ethnicity: str | None
) -> tuple[RowRule, ...]:
    return (
        warning("sex_missing", dfe_sex, F.col("sex_received").isNull(), "Sex is missing"),
        warning(
            "sex_code_unknown",
            dfe_sex,
            ~F.col("sex_received").isin("0", "1", "2", "9", "F", "M", "U"),
            "Sex is no known code",
        ),
        warning("ethnicity_missing", dfe_ethnicity, F.col("ethnicity").isNull(), "Ethnicity is missing"),
        warning(
            "ethnicity_code_unknown",
            dfe_ethnicity,
            reference.unknown(ethnicity_field, "ethnicity"),
            "Ethnicity is no code of that year",
        ),
        warning("la_code_unknown", None, reference.unknown_authority(), "The LA code was not valid in that year"),
    )


def _older_than(years: int) -> Column:
    return F.add_months("birth_date", 12 * years) < first_day()


def _changed(name: str) -> Column:
    both_known = (
        (F.col(name) != "unknown") & (F.col(f"{name}_last_year") != "unknown") if name == "sex" else F.lit(True)
    )
    return both_known & (F.col(name) != F.col(f"{name}_last_year"))
