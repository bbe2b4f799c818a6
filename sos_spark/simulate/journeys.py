"""A child's way through the years: referral, decision or closure, perhaps another referral, and so on.

Whether a referral without further action is followed by another within six months, and whether that one escalates, is
drawn at the decision, with the probability standing there as a number. What comes later keeps the promise: a referral
that may not escalate does not, and neither does a later one inside the same six months; where one does escalate, its
dates lie after every window in which there was to be no escalation. The same holds for conferences: after a referral
drawn to have none within six months, a later referral's conference comes after these six months. So the expectation of
each outcome of each index row is the number it was drawn with, and an effect on one outcome leaves the others alone.
"""

from __future__ import annotations

import numpy as np

from sos_spark.simulate.calibration import age_factors
from sos_spark.simulate.cases import (
    CONFERENCE,
    NO_FURTHER_ACTION,
    NOT_IN_NEED,
    PLAN,
    Cases,
    Referral,
    open_cases,
)
from sos_spark.simulate.days import NEVER, add_months
from sos_spark.simulate.draws import Floats, Ints
from sos_spark.simulate.planting import OLDEST
from sos_spark.simulate.setting import Rows, Setting

_LONG_AGO = -NEVER
_NO_REFERRAL_AFTER_DAYS = 6510
"""Nobody is referred in the last weeks before coming of age, unless an index row was promised it."""


class _Promises:
    """What earlier rows of each child settled about later ones; a value a child, changed step by step."""

    def __init__(self, n_children: int) -> None:
        self.escalates = np.full(n_children, -1)
        self.escalation_chance = np.zeros(n_children)
        self.no_escalating_referral_until = np.full(n_children, _LONG_AGO)
        self.no_escalation_until = np.full(n_children, _LONG_AGO)
        self.no_conference_until = np.full(n_children, _LONG_AGO)


def cases_of(setting: Setting) -> Cases:
    """Returns every case of an area's children that begins on or before the last day observed, in no order."""
    children = setting.children
    promises = _Promises(len(children))
    child, day = np.arange(len(children)), children.first_referral
    parts: list[Cases] = []
    while child.size:
        step = len(parts)
        cases = open_cases(setting, _referral(setting, promises, child, day, is_first=step == 0), step=step)
        parts.append(cases)
        _settle(promises, cases)
        next_day = _next_referral(setting, promises, cases, step)
        goes_on = next_day <= setting.last_day
        child, day = child[goes_on], next_day[goes_on]
    return Cases.joined(parts)


def _referral(setting: Setting, promises: _Promises, child: Ints, day: Ints, *, is_first: bool) -> Referral:
    children, at = setting.children, setting.year_index(day)
    factor = age_factors(children.age(child, day))["protection"]
    settled = promises.escalates[child]
    may_escalate = day > promises.no_escalating_referral_until[child]
    free_chance = np.where(may_escalate, np.minimum(setting.rates.escalation[at] * factor, 0.6), 0.0)
    return Referral(
        child=child,
        day=day,
        escalates=settled,
        escalation_chance=np.where(settled >= 0, promises.escalation_chance[child], free_chance),
        no_escalation_until=promises.no_escalation_until[child],
        no_conference_until=promises.no_conference_until[child],
        into_care=children.enters_care_at_once[child] & is_first,
    )


def _settle(promises: _Promises, cases: Cases) -> None:
    """Notes what these cases rule out for later ones."""
    six_months = add_months(cases.referred, 6)
    escalated = np.minimum(cases.plan_from, cases.care_from) != NEVER
    inside = ~escalated & (cases.referred <= promises.no_escalating_referral_until[cases.child])
    later = np.maximum(promises.no_escalation_until[cases.child], six_months)
    promises.no_escalation_until[cases.child[inside]] = later[inside]
    without = ~np.isin(cases.kind, (PLAN, CONFERENCE))
    later = np.maximum(promises.no_conference_until[cases.child], six_months)
    promises.no_conference_until[cases.child[without]] = later[without]


def _next_referral(setting: Setting, promises: _Promises, cases: Cases, step: int) -> Ints:
    """Returns the day of each child's next referral or NEVER; draws and plants both re-referral outcomes."""
    child, decided = cases.child, cases.closed
    children, rates, draws = setting.children, setting.rates, setting.draws
    at = setting.year_index(decided)
    ages = children.age(child, decided)
    factors = age_factors(ages)
    is_index = (cases.kind == NO_FURTHER_ACTION) | (cases.kind == NOT_IN_NEED)
    rows = setting.rows(child, decided, "cin")
    rows = Rows(rows.code_positions, rows.days, rows.counts & is_index)

    again_untreated = np.where(ages <= OLDEST, np.minimum(rates.again_6m[at] * factors["rereferral"], 0.85), 0.0)
    escalate_untreated = np.minimum(rates.escalation[at] * factors["protection"], 0.6)
    # Effects are planted where they are measured, on index rows; others keep the untreated probability.
    again = np.where(is_index, setting.plant("rereferral_nfa_6m", again_untreated, rows), again_untreated)
    jointly = setting.plant("rereferral_escalated", again_untreated * escalate_untreated, rows, again)
    escalation_chance = np.where(again > 0, jointly / np.maximum(again, 1e-12), 0.0)

    def u(name: str) -> Floats:
        return draws.uniform(f"{step}/{name}", child)

    within = u("again") < again
    escalates = within & is_index & (u("again_escalates") < escalation_chance)
    window_end = add_months(decided, 6)
    earliest = np.where(escalates, np.maximum(decided, promises.no_escalating_referral_until[child]) + 1, decided + 1)
    soon = earliest + (u("again_day") ** 1.2 * (window_end - earliest + 1)).astype(np.int64)
    soon = np.minimum(soon, window_end)

    rest = np.maximum(1 - again, 1e-9)
    u_later = u("again_later")
    in_a_year = u_later < rates.again_12m[at] / rest
    some_day = ~in_a_year & (u_later < (rates.again_12m[at] + rates.again_later[at]) / rest)
    later = window_end + 1 + (183 * u("later_day")).astype(np.int64)
    much_later = window_end + 184 + (1400 * u("later_day") ** 2).astype(np.int64)
    unpromised = np.select([in_a_year, some_day], [later, much_later], default=NEVER)
    too_old = unpromised > children.birth[child] + _NO_REFERRAL_AFTER_DAYS
    next_day = np.where(within, soon, np.where(too_old, NEVER, unpromised))

    promised = within & is_index
    promises.escalates[child] = np.where(promised, escalates.astype(np.int64), -1)
    promises.escalation_chance[child] = escalation_chance
    blocked = promised & ~escalates
    promises.no_escalating_referral_until[child[blocked]] = np.maximum(
        promises.no_escalating_referral_until[child[blocked]], window_end[blocked]
    )
    promises.no_escalation_until[child[blocked]] = np.maximum(
        promises.no_escalation_until[child[blocked]], add_months(soon[blocked], 6)
    )
    return next_day
