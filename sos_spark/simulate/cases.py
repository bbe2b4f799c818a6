"""What happens inside one referral: no further action, assessment, enquiry, conference, plan, care, closure.

The probabilities of a conference (`icpc`) and of an escalation (`rereferral_escalated`: a plan or care) stand here as
numbers, not as by-products: an effect on the one leaves the other alone. With q the probability of an escalation, a the
share of these that goes through a conference and b the probability of a conference without a plan, a q + b (1 - q) is
the probability of a conference; b is what gives way.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from sos_spark.simulate.calibration import CARE_AFTER_PLAN, age_factors
from sos_spark.simulate.days import NEVER, add_months, add_working_days
from sos_spark.simulate.draws import Draws, Flags, Floats, Ints
from sos_spark.simulate.durations import draw_lengths
from sos_spark.simulate.effects import COMPANION
from sos_spark.simulate.setting import Rows, Setting

NO_FURTHER_ACTION, NOT_IN_NEED, IN_NEED, CONFERENCE, PLAN, CARE = range(6)
"""The kinds of a case. CONFERENCE is one without a plan, CARE one without a conference."""

_GROWN_UP_DAYS = 6574


@dataclass(frozen=True)
class Cases:
    """One value a referral. NEVER stands for no date; `closed` of one without further action is the referral's day."""

    child: Ints
    referred: Ints
    kind: Ints
    assessed_from: Ints
    assessed_to: Ints
    enquiry: Ints
    conference: Ints
    plan_from: Ints
    plan_to: Ints
    care_from: Ints
    care_to: Ints
    closed: Ints

    @staticmethod
    def joined(parts: list[Cases]) -> Cases:
        """Returns the cases of several steps as one."""
        return Cases(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Cases)))

    def take(self, rows: Ints | Flags) -> Cases:
        """Returns some of the cases."""
        return Cases(*(getattr(self, f.name)[rows] for f in fields(Cases)))


@dataclass(frozen=True)
class Referral:
    """The referrals of one step and what is already settled about them; one value a referral.

    `escalates` is 1 or 0 where an earlier decision settled it, else -1; `escalation_chance` is the probability it was,
    or will be, drawn with. No escalation up to `no_escalation_until`, no conference up to `no_conference_until`.
    """

    child: Ints
    day: Ints
    escalates: Ints
    escalation_chance: Floats
    no_escalation_until: Ints
    no_conference_until: Ints
    into_care: Flags


def open_cases(setting: Setting, referral: Referral, *, step: int) -> Cases:
    """Returns the cases of a step's referrals, with the effects on conferences and on assessments planted."""
    child, day = referral.child, referral.day
    children, rates, draws = setting.children, setting.rates, setting.draws
    at = setting.year_index(day)
    factor = age_factors(children.age(child, day))["protection"]
    rows = setting.rows(child, day, "cin")
    conference_chance = setting.plant("icpc", np.minimum(rates.icpc[at] * factor, 0.6), rows)

    chance = referral.escalation_chance
    through = np.minimum(rates.through_plan[at], 0.98 * conference_chance / np.maximum(chance, 1e-9))
    without_plan = (conference_chance - through * chance) / np.maximum(1 - chance, 1e-9)
    draw = draws.uniform(f"{step}/escalates", child)
    escalates = np.where(referral.escalates >= 0, referral.escalates == 1, draw < chance) | referral.into_care
    grown_up = children.birth[child] + _GROWN_UP_DAYS
    is_plan = escalates & (draws.uniform(f"{step}/through", child) < through) & ~referral.into_care
    # Who comes of age before care could begin gets a plan instead: the escalation was promised.
    is_plan |= escalates & (grown_up - 2 <= np.maximum(day, referral.no_escalation_until)) & ~referral.into_care
    is_care = escalates & ~is_plan
    is_conference = ~escalates & (draws.uniform(f"{step}/conference", child) < without_plan)

    rest = 1 - chance - without_plan * (1 - chance)
    none_chance = np.minimum(rates.nfa[at] / rest, 0.95)
    assessed_rest = np.maximum(rest - rates.nfa[at], 0.02)
    not_in_need_chance = np.minimum(rates.not_in_need[at] * (1 - rates.nfa[at]) / assessed_rest, 0.95)
    u_kind = draws.uniform(f"{step}/kind", child)
    kind = np.where(
        u_kind < none_chance,
        NO_FURTHER_ACTION,
        np.where(draws.uniform(f"{step}/in_need", child) < not_in_need_chance, NOT_IN_NEED, IN_NEED),
    )
    kind = np.select([is_plan, is_care, is_conference], [PLAN, CARE, CONFERENCE], default=kind).astype(np.int64)
    return _dates(setting, referral, kind, rows, step)


def _dates(setting: Setting, referral: Referral, kind: Ints, rows: Rows, step: int) -> Cases:
    """Returns the cases with their dates; an assessment's index day is its own start."""
    child, day = referral.child, referral.day
    rates, draws, planting = setting.rates, setting.draws, setting.planting
    birth = setting.children.birth[child]
    grown_up = birth + _GROWN_UP_DAYS
    at = setting.year_index(day)

    def u(name: str) -> Floats:
        return draws.uniform(f"{step}/{name}", child)

    never = np.full(len(child), NEVER)
    six_months = add_months(day, 6)
    is_assessed = kind != NO_FURTHER_ACTION

    start = day + np.searchsorted((0.45, 0.75, 0.90), u("assessment_start"))
    lengths = draw_lengths(
        draws,
        f"{step}/assessment",
        child,
        rates.durations,
        setting.year_index(start),
        longer=planting.sizes("assessment_duration", rows.code_positions, start),
        within=planting.sizes(COMPANION, rows.code_positions, start),
    )
    for outcome_id, change in (("assessment_duration", lengths.mean_change), (COMPANION, lengths.within_change)):
        planting.record(
            outcome_id,
            change,
            lengths.is_cut,
            code_positions=rows.code_positions,
            days=start,
            counts=rows.counts & is_assessed & (start <= setting.last_day),
        )
    assessed_from = np.where(is_assessed, start, never)
    assessed_to = np.where(is_assessed, add_working_days(start, lengths.days), never)

    has_conference = (kind == PLAN) | (kind == CONFERENCE)
    earliest = np.maximum(day + 3, referral.no_conference_until + 1)
    earliest = np.where(kind == PLAN, np.maximum(earliest, referral.no_escalation_until + 1), earliest)
    conference = _between(earliest, six_months, day + 10 + 70 * u("conference_day") ** 1.6, u("conference_late"))
    conference = np.where(has_conference, conference, never)

    plan_from = np.where(kind == PLAN, conference, never)
    plan_length = 40 + np.exp(5.45 + 0.65 * draws.normal(f"{step}/plan_length", child))
    plan_to = np.where(kind == PLAN, plan_from + plan_length.astype(np.int64), never)

    care_earliest = np.maximum(np.maximum(day, birth), referral.no_escalation_until + 1)
    direct = _between(
        care_earliest, np.minimum(six_months, grown_up - 2), day + 150 * u("care_day") ** 2, u("care_late")
    )
    follows_plan = (kind == PLAN) & (u("care_after_plan") < CARE_AFTER_PLAN)
    after_plan = np.maximum(plan_from + 10 + (420 * u("care_day") ** 1.3).astype(np.int64), birth)
    follows_plan &= after_plan < grown_up - 30
    care_from = np.select([kind == CARE, follows_plan], [direct, after_plan], default=never)
    in_care = care_from != NEVER
    care_to = np.where(in_care, np.minimum(care_from + _care_length(draws, step, child), grown_up), never)
    plan_to = np.where(in_care & (plan_to != NEVER), np.minimum(plan_to, care_from + 60), plan_to)
    plan_to = np.where(plan_to != NEVER, np.maximum(plan_to, plan_from + 5), plan_to)

    enquiry_needed = has_conference & (u("enquiry_none") >= 0.09)
    before_conference = np.maximum(conference - 8 - (14 * u("enquiry_gap")).astype(np.int64), day)
    icpc_rate = rates.icpc[at]
    other_share = np.maximum(rates.section47[at] - 0.91 * icpc_rate, 0) / np.maximum(
        1 - rates.nfa[at] - icpc_rate, 0.05
    )
    without = is_assessed & ~has_conference & (u("enquiry_other") < other_share)
    enquiry = np.select([enquiry_needed, without], [before_conference, start], default=never)

    wait = draws.exponential(f"{step}/closing", child, mean=1.0)
    lasting = np.select([kind == IN_NEED, kind == CONFERENCE, kind == PLAN], [80.0, 80.0, 60.0], default=40.0)
    last_event = assessed_to.copy()
    for event in (enquiry + 15, conference, plan_to, care_to):
        last_event = np.where(event < NEVER, np.maximum(last_event, event), last_event)
    closed = last_event + 5 + (lasting * wait).astype(np.int64)
    closed = np.where(kind == NOT_IN_NEED, np.maximum(assessed_to, np.where(enquiry < NEVER, enquiry + 15, 0)), closed)
    closed = np.where(kind == NOT_IN_NEED, closed + (5 * u("close_days")).astype(np.int64), closed)
    closed = np.where(kind == NO_FURTHER_ACTION, day, closed)
    return Cases(
        child=child,
        referred=day,
        kind=kind,
        assessed_from=assessed_from,
        assessed_to=assessed_to,
        enquiry=enquiry,
        conference=conference,
        plan_from=plan_from,
        plan_to=plan_to,
        care_from=care_from,
        care_to=care_to,
        closed=closed,
    )


def _between(earliest: Ints, latest: Ints, typical: Floats, u: Floats) -> Ints:
    """Returns typical days where these lie between earliest and latest, else days spread over the next month."""
    days = typical.astype(np.int64)
    room = np.clip(latest - earliest + 1, 1, 30)
    return np.where(
        (days >= earliest) & (days <= latest), days, np.minimum(earliest, latest) + (u * room).astype(np.int64)
    )


def _care_length(draws: Draws, step: int, child: Ints) -> Ints:
    """Returns days in care: a quarter stay for weeks, the others for years."""
    short = draws.exponential(f"{step}/care_short", child, mean=45.0)
    long = np.exp(6.88 + 1.0 * draws.normal(f"{step}/care_long", child))
    is_short = draws.uniform(f"{step}/care_is_short", child) < 0.25
    return 2 + np.where(is_short, short, long).astype(np.int64)
