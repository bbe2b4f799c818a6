"""The words for the specifications a fit names in its files: a short name for a figure's row, and what it means."""

from __future__ import annotations

from sos_spark.fit.estimators import ESTIMATORS
from sos_spark.report.words.numbers import day_in_words

_NAMED: dict[str, tuple[str, str]] = {
    "main": ("Main", "the study's own choices, as listed under The plan"),
    "child": ("Every child's record counts once", "large authorities weigh more: the effect on the average child"),
    "la_equal": (
        "Every authority counts the same",
        "a small authority weighs as much as a large one: the effect on the average authority",
    ),
    "unadjusted": ("Without adjustment", "differences in the children's age, sex and the like are not allowed for"),
    "cs_never": ("Callaway-Sant'Anna, never-pilots", "each group of pilots against authorities that never started"),
    "synthetic_did": (
        "Synthetic comparators",
        "comparators and periods are weighted so that together they follow the pilots' own path before go-live"
        " (synthetic difference-in-differences)",
    ),
    "logit": ("On the scale of odds", "a logit of the counts: changes are judged as ratios of odds, not differences"),
    "welch": ("Simple check of authorities' means", "each authority's change in its mean, pilots against the others"),
}

_SWITCHED: dict[tuple[str, str], tuple[str, str]] = {
    ("comparators", "all"): ("Compared with every other authority", "all authorities without a pilot compare"),
    ("comparators", "neighbours"): (
        "Compared with statistical neighbours",
        "the authorities that official statistics call most alike compare",
    ),
    ("comparators", "matched"): (
        "Compared with matched authorities",
        "the authorities nearest to each pilot in level and trend before go-live compare",
    ),
    ("comparators", "listed"): ("Compared with listed authorities", "those named in the study file compare"),
    ("missing", "indicator"): (
        "Missing details kept as a group",
        "records with an unknown age, sex and so on stay in, as a group of their own",
    ),
    ("missing", "complete_case"): ("Records with all details only", "records with an unknown detail are left out"),
    ("nfa", "either"): ("No further action: at any stage", "decided at referral or after an assessment"),
    ("nfa", "at_referral"): ("No further action: at referral", "only cases closed before any assessment count"),
    ("nfa", "after_assessment"): ("No further action: assessed", "only cases closed after an assessment count"),
    ("from", "referral"): ("Months counted from the referral", "not from the decision to take no further action"),
    ("from", "decision"): ("Months counted from the decision", "not from the referral"),
    ("unit", "starts"): ("Children entering care", "each start of a period of care counts"),
    ("unit", "stock"): ("Children in care on 31 March", "all children looked after on that day, not new entrants"),
    ("denominator", "all"): ("Of all placements", "every kind of placement is in the denominator"),
    ("denominator", "foster"): ("Of foster placements only", "other kinds of placement are left out"),
    ("count_parents", "true"): ("Placed with parents counts", "a placement with own parents counts as family"),
    ("count_parents", "false"): ("Placed with parents does not count", "own parents are not counted as family"),
    ("estimand", "joint"): ("Of all cases closed", "re-referred and escalated, of all cases that were closed"),
    ("estimand", "conditional"): ("Of those re-referred", "escalation among the children who were referred again"),
    ("index", "referral"): ("Counted from a referral", "conferences that follow a referral"),
    ("index", "section47"): ("Counted from a section 47 enquiry", "conferences that follow a child protection enquiry"),
    ("days", "working"): ("Working days", "weekends and bank holidays are left out"),
    ("days", "calendar"): ("Calendar days", "weekends and bank holidays count"),
    ("weights", "child"): ("Every child's record counts once", "large authorities weigh more"),
    ("weights", "la_equal"): ("Every authority counts the same", "the effect on the average authority"),
}

_LENGTHS = {
    "within_months": ("Within {} months", "another length of follow-up"),
    "escalate_within_months": ("Escalated within {} months", "another time allowed for escalation"),
    "days": ("Within {} working days", "another limit"),
    "follow_up_days": ("Followed for {} days", "another length of follow-up of an assessment"),
}


def spoken(specification: str) -> str:
    """Returns a short name: 'comparators=all' becomes 'Compared with every other authority'."""
    return "; ".join(_known(part)[0] for part in _parts(specification))


def meaning(specification: str) -> str:
    """Returns what a specification does, as half a sentence; blank where its name says it all."""
    return "; ".join(filter(None, (_known(part)[1] for part in _parts(specification))))


def _parts(specification: str) -> list[str]:
    """A specification's switches: an alternative may set several, joined by a tilde."""
    return [part.strip() for part in specification.split("~") if part.strip()] or [specification]


def _known(part: str) -> tuple[str, str]:
    if part in _NAMED:
        return _NAMED[part]
    if part in ESTIMATORS:
        known = ESTIMATORS[part].words
        return known.name, known.meaning
    key, separator, value = (text.strip() for text in part.replace(":", "=", 1).partition("="))
    if (key, value.lower()) in _SWITCHED:
        return _SWITCHED[key, value.lower()]
    if key == "go_live" and separator:
        return f"Go-live {day_in_words(value)}", "every pilot is taken to have started on that day"
    if key == "placebo_date" and separator:
        return f"Pretend go-live {day_in_words(value)}", "before any pilot started, so no effect can be there"
    if key == "placebo_outcome" and separator:
        return f"Unaffected outcome: {value.replace('_', ' ')}", "the programme cannot have moved it"
    if key in _LENGTHS and value:
        name, what = _LENGTHS[key]
        return name.format(value), what
    words = key.replace("_", " ")
    words = words[:1].upper() + words[1:]
    return (f"{words}: {value.replace('_', ' ')}" if separator else words), ""
