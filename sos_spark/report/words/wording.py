"""How outcomes are named and how numbers are written, the same on every figure and in every sentence.

Shares are shown in per cent and their changes in percentage points, one decimal; lengths in days, one decimal, and
their changes two; rates per 10,000 children, one decimal. Negative numbers carry a plain hyphen, intervals 'to'.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import date

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


@dataclass(frozen=True)
class Scale:
    """How an outcome's own unit is shown: multiplied by `factor`, with decimals for levels and for changes."""

    name: str
    factor: float
    level_unit: str
    change_unit: str
    level_decimals: int = 1
    change_decimals: int = 1

    @property
    def axis(self) -> str:
        """The label of an axis of changes."""
        return f"Change in {self.change_unit}" if self.change_unit != "points" else "Change in percentage points"

    @property
    def long_unit(self) -> str:
        """The unit of a change, spelled out for a sentence."""
        return "percentage points" if self.change_unit == "points" else self.change_unit

    def level(self, value: float) -> str:
        """Writes a level: 21.3% or 31.4 working days."""
        gap = "" if self.level_unit == "%" else " "
        return f"{number(value * self.factor, self.level_decimals)}{gap}{self.level_unit}"

    def change(self, value: float) -> str:
        """Writes a change without its unit."""
        return number(value * self.factor, self.change_decimals)

    def slope(self, value: float) -> str:
        """Writes a change per period, with one more decimal and without its unit."""
        return number(value * self.factor, self.change_decimals + 1)

    def interval(self, low: float, high: float) -> str:
        """Writes an interval of changes without its unit; blank where it is not known."""
        if math.isnan(low) or math.isnan(high):
            return ""
        return f"{self.change(low)} to {self.change(high)}"


POINTS = Scale("points", 100.0, "%", "points")
WORKING_DAYS = Scale("working_days", 1.0, "working days", "working days", change_decimals=2)
CALENDAR_DAYS = Scale("calendar_days", 1.0, "days", "days", change_decimals=2)
PER_10_000 = Scale("per_10_000", 10_000.0, "per 10,000 children", "children per 10,000")


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


def number(value: float, decimals: int) -> str:
    """Writes a number with so many decimals and thousands separators; never '-0.0'. Not known: blank."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def count(value: float) -> str:
    """Writes a count with thousands separators. Not known: blank."""
    return "" if math.isnan(value) else f"{int(value):,}"


def p_value(value: float) -> str:
    """Writes a p-value: two decimals, three below 0.01 and about 0.05, '<0.001' below that. Not known: blank."""
    if math.isnan(value):
        return ""
    if value < 0.001:
        return "<0.001"
    return f"{value:.3f}" if value < 0.0095 or 0.045 <= value < 0.055 else f"{value:.2f}"


def p_phrase(value: float) -> str:
    """Writes 'p = 0.03' or 'p < 0.001'."""
    text = p_value(value)
    return f"p < {text[1:]}" if text.startswith("<") else f"p = {text}"


def percent(part: float, whole: float) -> str:
    """Writes a share in per cent, one decimal; blank where there is no whole."""
    return f"{number(100 * part / whole, 1)}%" if whole else ""


def listed(names: list[str]) -> str:
    """Writes 'a, b and c'."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def day_in_words(text: str) -> str:
    """Writes an ISO day as '1 April 2014'; what is no such day stays as it is."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.day} {day:%B %Y}"


def unit_name(unit_id: str) -> str:
    """Returns the name of an LA, or of the LAs that a merged unit joins with '+'; what has no name keeps its id."""
    known = authorities()
    return " + ".join(known[code].name if code in known else code for code in unit_id.split("+"))
