"""Facts that are made from counted ones: shares, comparisons with the year before and with other tables."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

import pandas as pd

from sos_spark.quality.facts import ChangeOnYearBefore, Fact, Share, TimesYearBefore, Unaccounted
from sos_spark.quality.suites import Suite, broken

_AUTHORITY, _YEAR = "la_code", "census_year"
_OUTCOME_PLACE = ["outcome_id", "unit_id", "period_start"]


def derive(suite: Suite, counted: MutableMapping[str, pd.DataFrame]) -> None:
    """Adds the derived facts of a suite to those counted of its table, null where one is not known.

    Args:
        suite: Declares the facts; one is made after those it is made from.
        counted: The counted facts of every table, by place.

    Raises:
        BrokenRuleError: A fact is made from one that is not there.
    """
    for name, fact in suite.facts.items():
        facts = counted[suite.table]
        try:
            made = _made(name, fact, facts, counted)
        except KeyError as error:
            raise broken(suite, name, f"it is made from what is not counted: {error.args[0]}") from None
        if made is not None:
            counted[suite.table] = facts.assign(**{name: made.astype("float64")})


def _made(name: str, fact: Fact, facts: pd.DataFrame, counted: Mapping[str, pd.DataFrame]) -> pd.Series[float] | None:
    match fact:
        case Share():
            hits, among = (facts[name + ending] for ending in fact.counted)
            return hits.where(among >= fact.at_least) / among.where(among >= fact.at_least)
        case TimesYearBefore():
            enough = facts[fact.fact].where(facts[fact.fact] >= fact.at_least)
            return enough / _year_before(facts.assign(enough=enough), "enough")
        case ChangeOnYearBefore():
            return facts[fact.fact] - _year_before(facts, fact.fact)
        case Unaccounted():
            left = facts[fact.fact].astype("float64")
            for other in fact.less:
                table, _, theirs = other.rpartition(".")
                left = left - _in_same_place(facts, counted[table], theirs)
            return left
    return None


def _year_before(facts: pd.DataFrame, name: str) -> pd.Series[float]:
    """A fact of the same authority a year before; null where there is none, or the year is not known."""
    before = facts[[_AUTHORITY, _YEAR, name]].dropna(subset=[_AUTHORITY, _YEAR])
    before = before.assign(**{_YEAR: before[_YEAR] + 1})
    found = facts[[_AUTHORITY, _YEAR]].merge(before, on=[_AUTHORITY, _YEAR], how="left")
    return found[name].set_axis(facts.index)


def _in_same_place(facts: pd.DataFrame, others: pd.DataFrame, name: str) -> pd.Series[float]:
    """Another table's fact in the same places: 0 where it has none, null where it knows nothing of the outcome."""
    found = facts[_OUTCOME_PLACE].merge(others[[*_OUTCOME_PLACE, name]], on=_OUTCOME_PLACE, how="left")
    there = found[name].astype("float64").set_axis(facts.index)
    return there.fillna(0).where(facts["outcome_id"].isin(others["outcome_id"]))
