"""How outcomes, their measures and authorities are named, the same on every figure and in every sentence."""

from __future__ import annotations

from collections import Counter

from sos_spark.config.reference import authorities
from sos_spark.config.study import (
    AssessmentDuration,
    AssessmentWithin,
    Icpc,
    KinshipPlacement,
    Outcome,
    Published,
    RereferralEscalated,
    RereferralNfa,
    Study,
)
from sos_spark.report.words.numbers import CALENDAR_DAYS, PER_10_000, POINTS, WORKING_DAYS, Scale, listed

_MEASURES = {
    "rereferral_12m": "Referrals within 12 months of an earlier one",
    "nfa_share": "Referrals that ended in no further action",
    "icpc_per_section47": "Child protection conferences per section 47 enquiry",
    "icpc_per_referral": "Child protection conferences per referral",
    "assessed_within_45": "Assessments finished within 45 working days",
    "looked_after_rate": "Children looked after",
    "special_guardianship_share": "Leavers from care to special guardianship",
}
_NFA = {
    "either": "no further action",
    "at_referral": "no further action at referral",
    "after_assessment": "no further action after assessment",
}


def scale_of(outcome: Outcome) -> Scale:
    """Returns the scale an outcome is shown on."""
    if isinstance(outcome, AssessmentDuration):
        return WORKING_DAYS if outcome.days == "working" else CALENDAR_DAYS
    if isinstance(outcome, Published) and outcome.measure == "looked_after_rate":
        return PER_10_000
    return POINTS


def outcome_label(outcome: Outcome) -> str:
    """Returns a readable name of an outcome, made from its kind and switches."""
    match outcome:
        case RereferralEscalated():
            among = " (among those re-referred)" if outcome.estimand == "conditional" else ""
            return f"Re-referral that leads to a protection plan or care{among}"
        case RereferralNfa():
            return f"Re-referral within {_months(outcome.within_months)} of {_NFA[outcome.nfa]}"
        case AssessmentDuration():
            return "Length of assessments"
        case AssessmentWithin():
            return f"Assessments finished within {outcome.days} working days"
        case KinshipPlacement():
            group = "foster children" if outcome.denominator == "foster" else "children"
            when = "at the start of care" if outcome.unit == "starts" else "in care on 31 March"
            who = "" if outcome.denominator == "all" and outcome.unit == "starts" else f" ({group} {when})"
            return (
                f"Children placed with family or friends{who}"
                if who
                else "Entrants to care placed with family or friends"
            )
        case Icpc():
            index = "a referral" if outcome.index == "referral" else "a section 47 enquiry"
            return f"Child protection conference within {_months(outcome.within_months)} of {index}"
        case Published():
            return _MEASURES[outcome.measure]


def outcome_labels(study: Study) -> dict[str, str]:
    """Returns a name for each outcome id, in the study's order; outcomes that share one get their id behind it."""
    plain = {outcome.outcome_id: outcome_label(outcome) for outcome in study.outcomes}
    shared = {name for name, count in Counter(plain.values()).items() if count > 1}
    return {key: f"{name} ({key})" if name in shared else name for key, name in plain.items()}


def outcome_definition(outcome: Outcome) -> str:
    """Returns what is counted, in one sentence for the table of choices."""
    match outcome:
        case RereferralEscalated():
            among = (
                "Of those re-referred"
                if outcome.estimand == "conditional"
                else f"Of referrals with {_NFA[outcome.nfa]}"
            )
            return (
                f"{among}: re-referred within {_months(outcome.within_months)}, and a re-referral reached a child"
                f" protection plan or care within {_months(outcome.escalate_within_months)} of it."
            )
        case RereferralNfa():
            return (
                f"Of referrals with {_NFA[outcome.nfa]}: another referral of the same child within"
                f" {_months(outcome.within_months)} of the {outcome.from_}."
            )
        case AssessmentDuration():
            window = (
                f"assessments whose {outcome.follow_up_days} working days after the start were all observed"
                if outcome.follow_up_days
                else "all completed assessments"
            )
            return f"{outcome.days.capitalize()} days from start to authorisation, of {window}."
        case AssessmentWithin():
            return f"Of assessments whose first {outcome.days} working days were observed: authorised within them."
        case KinshipPlacement():
            unit = "starts of a period of care" if outcome.unit == "starts" else "children looked after on 31 March"
            only = ", foster placements only" if outcome.denominator == "foster" else ""
            own = "" if outcome.count_parents else ", without placements with own parents"
            return f"Of {unit}{only}{own}: the first placement that is not temporary is with family or friends."
        case Icpc():
            index = "referrals" if outcome.index == "referral" else "section 47 enquiries"
            return f"Of {index}: an initial child protection conference within {_months(outcome.within_months)}."
        case Published():
            return f"{_MEASURES[outcome.measure]}, from the published tables of local authorities."


def _months(count: int) -> str:
    return "1 month" if count == 1 else f"{count} months"


def comparators_in_words(study: Study) -> str:
    """Returns how the comparators are chosen."""
    chosen = study.comparators
    said = {
        "all": "every authority without a pilot",
        "listed": f"{len(chosen.la_codes)} authorities named in the study file",
        "neighbours": f"the {chosen.n} nearest statistical neighbours of each pilot, each once, without pilots",
        "matched": f"the {chosen.k} nearest to each pilot in the outcome's {listed(list(chosen.on))} before go-live",
    }[chosen.kind]
    return said + (f"; {len(chosen.exclude)} excluded by the study file" if chosen.exclude else "")


def unit_name(unit_id: str) -> str:
    """Returns the name of an LA, or of the LAs that a merged unit joins with '+'; what has no name keeps its id."""
    known = authorities()
    return " + ".join(known[code].name if code in known else code for code in unit_id.split("+"))
