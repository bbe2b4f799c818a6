"""Row rules of children in need (CIN census, ChildIdentifiers and ChildCharacteristics)."""

from __future__ import annotations

from pyspark.sql import functions as F

from sos_spark.silver.entities.child_rules import attribute_rules, birth_fault, birth_rules, older_than
from sos_spark.silver.row_rule import RowRule, child_id_rules, record_fault_rules, warning
from sos_spark.silver.rule_data import RuleData


def cin_child_rules(rule_data: RuleData) -> tuple[RowRule, ...]:
    """Returns the rules of silver.cin_children."""
    return (
        *child_id_rules("8500"),
        *record_fault_rules(),
        *birth_rules(dfe_after="8520", dfe_unreadable=None),
        birth_fault(
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
        warning("over_25", "8775Q", older_than(25), "The child was over 25 when the return's year began"),
        warning("child_repeated", "8510", F.col("is_repeated"), "More than one record of the child in the return"),
        warning("no_referral", "8590", ~F.col("has_referral"), "The child has no CIN episode in the return"),
        *attribute_rules(rule_data, "cin.Ethnicity", dfe_sex=None, dfe_ethnicity=None),
    )
