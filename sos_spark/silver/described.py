"""The row rules in words, as dq.rules keeps them: what a rule is called, means, and where DfE has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sos_spark.config.reference import CodeSpan
from sos_spark.silver.row_rule import RowRule


class DescribedRule(NamedTuple):
    """A rule of an entity in words; fields are the first columns of dq.rules, in its order."""

    entity: str
    rule_code: str
    dfe_code: str | None
    severity: str
    meaning: str


PLANS_AGAINST_CONFERENCES = DescribedRule(
    "cp_plans",
    "more_plans_than_conferences",
    "2883",
    "warning",
    "The authority began more plans in the year than it held conferences",
)
"""DfE's 2883 is about an LA's return, not about a row: n_rows are plans started in the year, n_failed the surplus."""


def describe_rules(
    rules: Mapping[str, Sequence[RowRule]], specifications: Mapping[tuple[str, str], CodeSpan]
) -> list[tuple[str | int | None, ...]]:
    """Returns the rows of dq.rules.

    Grain: one row per entity and rule; what is found by counting an authority's rows is a rule, too.

    Args:
        rules: The row rules by entity.
        specifications: By collection and DfE's number, the specifications known to hold a rule.

    Raises:
        KeyError: A rule bears a number of DfE's that the specifications do not know.
    """
    described = [
        DescribedRule(entity, rule.code, rule.dfe, rule.severity, rule.text)
        for entity, of_entity in rules.items()
        for rule in of_entity
    ]
    return [(*rule, *_years(rule, specifications)) for rule in (*described, PLANS_AGAINST_CONFERENCES)]


def _years(rule: DescribedRule, specifications: Mapping[tuple[str, str], CodeSpan]) -> tuple[int | None, int | None]:
    if rule.dfe_code is None:
        return None, None
    span = specifications[collection_of(rule.entity), rule.dfe_code]
    return span.first_census_year, span.last_census_year


def collection_of(entity: str) -> str:
    """Returns the collection that an entity's rows come from."""
    return "ssda903" if entity.startswith("lac_") else "cin"
