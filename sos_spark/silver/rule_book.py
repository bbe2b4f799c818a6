"""The row rules of every entity. Each entity's stand beside it, in entities; what a rule is stands in row_rule."""

from __future__ import annotations

from sos_spark.silver.entities.assessment_rules import assessment_rules
from sos_spark.silver.entities.cin_child_rules import cin_child_rules
from sos_spark.silver.entities.cp_plan_rules import cp_plan_rules
from sos_spark.silver.entities.lac_child_rules import lac_child_rules
from sos_spark.silver.entities.lac_episode_rules import lac_episode_rules
from sos_spark.silver.entities.referral_rules import referral_rules
from sos_spark.silver.entities.section47_rules import section47_rules
from sos_spark.silver.row_rule import RowRule, contradiction_rule
from sos_spark.silver.rule_data import RuleData


def all_rules(rule_data: RuleData) -> dict[str, tuple[RowRule, ...]]:
    """Returns the rules of every entity, by entity. Needs a Spark session, as every Column does."""
    return {
        "cin_children": cin_child_rules(rule_data),
        "referrals": referral_rules(rule_data),
        "assessments": assessment_rules(rule_data),
        "section47_enquiries": section47_rules(rule_data),
        "cp_plans": cp_plan_rules(rule_data),
        "lac_children": lac_child_rules(rule_data),
        "lac_episodes": lac_episode_rules(rule_data),
    }


def counted_rules(rule_data: RuleData) -> dict[str, tuple[RowRule, ...]]:
    """Returns what dq.rule_counts counts, by entity: the row rules, and what is found among the rows of one key."""
    return {entity: (*rules, contradiction_rule()) for entity, rules in all_rules(rule_data).items()}
