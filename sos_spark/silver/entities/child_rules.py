"""Row rules that children of both collections share.

A birth date that cannot be right or cannot be read is unknown, and with it the ages and the person key that would be
made of it; the child stays.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F

from sos_spark.silver.conform import first_day, reference_day
from sos_spark.silver.row_rule import RowRule, field, warning
from sos_spark.silver.rule_data import RuleData

PLACEHOLDER_BIRTH = date(1900, 1, 1)
"""What many systems store for 'not known'."""


def birth_rules(*, dfe_after: str, dfe_unreadable: str | None) -> tuple[RowRule, ...]:
    """Returns the rules of the birth date; `dfe_after` and `dfe_unreadable` are the numbers of DfE's own."""
    return (
        birth_fault(
            "birth_date_after_return",
            dfe_after,
            F.col("birth_date") > reference_day(),
            "Born after the return's 31 March",
        ),
        birth_fault(
            "birth_date_placeholder", None, F.col("birth_date") <= F.lit(PLACEHOLDER_BIRTH), "Born in 1900 or before"
        ),
        birth_fault(
            "birth_date_unreadable", dfe_unreadable, F.col("birth_date_unreadable"), "The birth date is no date"
        ),
    )


def birth_fault(code: str, dfe: str | None, fails_when: Column, text: str) -> RowRule:
    """Returns a rule that makes the birth date unknown.

    The date itself is not stored: silver has its month, and what else is made of it.
    """
    return field(code, dfe, fails_when, text, unknown="birth_month", nulls=("birth_date", "person_key"))


def attribute_rules(
    rule_data: RuleData, ethnicity_field: str, *, dfe_sex: str | None, dfe_ethnicity: str | None
) -> tuple[RowRule, ...]:
    """Returns the rules of sex, ethnicity and the authority; `ethnicity_field` names the code set of the collection."""
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
            rule_data.unknown(ethnicity_field, "ethnicity"),
            "Ethnicity is no code of that year",
        ),
        warning("la_code_unknown", None, rule_data.unknown_authority(), "The LA code was not valid in that year"),
    )


def older_than(years: int) -> Column:
    """Returns whether the child was older than this on the day before the return's year began."""
    return F.add_months("birth_date", 12 * years) < first_day()
