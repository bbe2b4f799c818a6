"""The words for the specifications a fit names in its files: a short name for a figure's row, and what it means."""

from __future__ import annotations

from sos_spark.config.outcomes import switch_in_words
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
    "cs_dr": (
        "Callaway-Sant'Anna, doubly robust",
        "each group of pilots against authorities that never started, adjusted for children's characteristics twice"
        " over: by the chance of being seen in a pilot, and by what is expected of them",
    ),
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
    ("weights", "child"): ("Every child's record counts once", "large authorities weigh more"),
    ("weights", "la_equal"): ("Every authority counts the same", "the effect on the average authority"),
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
    if separator and (switched := switch_in_words(key, value)) is not None:
        return switched.name, switched.meaning
    words = key.replace("_", " ")
    words = words[:1].upper() + words[1:]
    return (f"{words}: {value.replace('_', ' ')}" if separator else words), ""
