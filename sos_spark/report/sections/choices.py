"""The study's own choices in words, each a switch of its file; and the authorities it compares."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sos_spark.config.study import Study
from sos_spark.report.results import Results, rows_of
from sos_spark.report.words.labels import outcome_definition, outcome_labels
from sos_spark.report.words.numbers import listed

_WEIGHTS = {"child": "every index row counts once", "la_equal": "every authority counts the same"}


def definitions(study: Study) -> list[tuple[str, ...]]:
    """Returns outcome, what is counted, family; a row an outcome."""
    labels = outcome_labels(study)
    return [(labels[o.outcome_id], outcome_definition(o), o.family) for o in study.outcomes]


def choices(results: Results) -> list[tuple[str, ...]]:
    """Returns a choice and what was chosen, a row each."""
    return list(_choices(results))


def _choices(results: Results) -> Iterator[tuple[str, str]]:
    study = results.study
    window = study.window
    yield "Baseline", _span(window.baseline)
    yield "Follow-up", _span(window.follow_up)
    yield "Period", f"{window.period}; the period of a go-live inside it: {window.transition}"
    yield "Data end", str(window.data_ends)
    yield "Ages", f"{study.population.age_min} to {study.population.age_max} completed years on the index date"
    yield "Go-live", listed([str(day) for day in sorted({pilot.go_live for pilot in study.pilots})])
    yield "Comparators", comparators_in_words(study)
    yield "Adjusted for", adjusted_for_in_words(results)
    yield "Weights", _WEIGHTS[study.inference.weights]
    yield "Bootstrap draws", f"{study.inference.draws:,}"
    yield "Permutations", f"{study.inference.permutations:,}"
    yield "Seed", str(study.inference.seed)
    if study.inference.event_study_bins:
        first, last = study.inference.event_study_bins
        yield "Event-study end points", f"{first} and {last}, each holding everything beyond it"


def adjusted_for_in_words(results: Results) -> str:
    """Returns what the main estimates adjust for, as their rows say; covariates of the study that they do not use."""
    covariates = results.study.covariates
    declared = [*covariates.categorical, *(z.name for z in covariates.continuous)]
    said: dict[str, list[str]] = {}
    for row in rows_of(results.main):
        if not pd.isna(row.att):
            fitted = str(row.adjusted_for).split(", ") if row.adjusted_for else []
            said.setdefault(_adjustment(fitted, declared), []).append(results.labels[row.outcome_id])
    if len(said) < 2:
        return next(iter(said), "nothing was fitted")
    return "; ".join(f"{listed(outcomes)}: {words}" for words, outcomes in said.items())


def _adjustment(fitted: list[str], declared: list[str]) -> str:
    unused = [name for name in declared if name not in fitted]
    words = listed(fitted).replace("_", " ") if fitted else "nothing beyond authority and period"
    if not unused:
        return words
    return f"{words}; the study file names {listed(unused).replace('_', ' ')}, which the estimate does not use"


def _span(span: tuple[object, object]) -> str:
    return f"{span[0]} up to, not including, {span[1]}"


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


def pilots(results: Results) -> list[tuple[str, ...]]:
    """Returns pilot, LA code, go-live; a row a pilot of the study."""
    return [
        (results.name_of(pilot.la_code), pilot.la_code, f"{pilot.go_live.day} {pilot.go_live:%B %Y}")
        for pilot in results.study.pilots
    ]


def comparators(results: Results) -> list[str]:
    """Returns the names of the units that compare in any outcome, in order."""
    arms = results.arms
    if arms.empty:
        return []
    return sorted(results.name_of(unit) for unit in set(arms.loc[arms["arm"] == "comparator", "unit_id"]))
