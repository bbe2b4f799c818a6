"""Row rules of looked-after children (SSDA903 header)."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from sos_spark.silver.entities.child_rules import attribute_rules, birth_rules, older_than
from sos_spark.silver.row_rule import RowRule, child_id_rules, warning
from sos_spark.silver.rule_data import RuleData


def lac_child_rules(rule_data: RuleData) -> tuple[RowRule, ...]:
    """Returns the rules of silver.lac_children."""
    return (
        *child_id_rules(None),
        *birth_rules(dfe_after="301", dfe_unreadable="102"),
        warning(
            "birth_date_missing",
            "102",
            F.col("birth_date").isNull() & ~F.col("birth_date_unreadable"),
            "The birth date is missing",
        ),
        warning("over_21", "351", older_than(21), "The child was over 21 when the return's year began"),
        warning("child_repeated", "INT32", F.col("is_repeated"), "More than one header row of the child in the return"),
        warning("sex_changed", "202", _changed("sex"), "Sex differs from last year's return"),
        warning("birth_date_changed", "203", _changed("birth_date"), "The birth date differs from last year's return"),
        warning("ethnicity_changed", "204", _changed("ethnicity"), "Ethnicity differs from last year's return"),
        *attribute_rules(rule_data, "ssda903.header.ETHNIC", dfe_sex="101", dfe_ethnicity="103"),
    )


def _changed(name: str) -> Column:
    both_known = (
        (F.col(name) != "unknown") & (F.col(f"{name}_last_year") != "unknown") if name == "sex" else F.lit(True)
    )
    return both_known & (F.col(name) != F.col(f"{name}_last_year"))
