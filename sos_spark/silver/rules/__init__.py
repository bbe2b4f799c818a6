"""Row rules: one module an entity; what a rule is stands in row_rule."""

from __future__ import annotations

from sos_spark.silver.reference import Reference
from sos_spark.silver.rules.assessments import assessment_rules
from sos_spark.silver.rules.children import cin_child_rules, lac_child_rules
from sos_spark.silver.rules.cp_plans import cp_plan_rules
from sos_spark.silver.rules.lac_episodes import lac_episode_rules
from sos_spark.silver.rules.referrals import referral_rules
from sos_spark.silver.rules.row_rule import RowRule, contradiction_rule
from sos_spark.silver.rules.section47 import section47_rules


def all_rules(reference: Reference) -> dict[str, tuple[RowRule, ...]]:
    """Returns the rules of every entity, by entity. Needs a Spark session, as every Column does."""
    return {
        "cin_children": cin_child_rules(reference),
        "referrals": referral_rules(reference),
        "assessments": assessment_rules(reference),
        "section47_enquiries": section47_rules(reference),
        "cp_plans": cp_plan_rules(reference),
        "lac_children": lac_child_rules(reference),
        "lac_episodes": lac_episode_rules(reference),
    }


def counted_rules(reference: Reference) -> dict[str, tuple[RowRule, ...]]:
    """Returns what dq.rule_counts counts, by entity: the row rules, and what is found among the rows of one key."""
    return {entity: (*rules, contradiction_rule()) for entity, rules in all_rules(reference).items()}
