"""What was declared before the results were seen, and the study's own choices, each a switch of its file."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sos_spark.config.study import TRANSITIONS
from sos_spark.report.blocks import Block, Bullets, Code, DataTable, Section, Strong, Table, Text, section_of
from sos_spark.report.results import Results, rows_of
from sos_spark.report.words.labels import comparators_in_words
from sos_spark.report.words.numbers import listed

_WEIGHTS = {"child": "every index row counts once", "la_equal": "every authority counts the same"}


def section(results: Results) -> Section | None:
    """Returns the section; it is always there."""
    return section_of(
        "plan",
        "The plan",
        [
            *_frozen(results),
            Text(
                "Where an evaluation of this programme was published before, this page is no replication of it. Such"
                " reports seldom give their equation, weights, dates of treatment, comparators, exclusions or rule of"
                " evidence; each choice below is this study's own, and each can be changed in its file."
            ),
            Table("Choices of this study", DataTable(("Choice", "Chosen"), tuple(choices(results)), numeric=99)),
        ],
    )


def _frozen(results: Results) -> Iterator[Block]:
    """Whether the plan was frozen, and what has changed since."""
    plan, now = results.frozen, Code(results.fingerprint)
    if plan is None:
        yield Text(
            ("The plan was ", Strong("not frozen"), " before the results were seen, so nothing on this page was"
             " declared in advance. Fingerprint of the study: ", now)
        )  # fmt: skip
    elif plan.as_planned:
        yield Text(
            ("The plan was ", Strong("frozen"), f" at {plan.frozen_at} and has not been changed since. Fingerprint of"
             " the study: ", now)
        )  # fmt: skip
    else:
        yield Text(
            ("The plan was ", Strong("frozen"), f" at {plan.frozen_at} (fingerprint ", Code(plan.fingerprint), ") and ",
             Strong("changed since"), " (now ", now, "):")
        )  # fmt: skip
        yield Bullets([(Code(change),) for change in plan.changes])
    if results.overrides:
        yield Text("Set on the command line, in place of what the study file says:")
        yield Bullets([(Code(override),) for override in results.overrides])


def choices(results: Results) -> list[tuple[str, ...]]:
    """Returns a choice and what was chosen, a row each."""
    return list(_choices(results))


def _choices(results: Results) -> Iterator[tuple[str, str]]:
    study = results.study
    window = study.window
    yield "Baseline", _span(window.baseline)
    yield "Follow-up", _span(window.follow_up)
    yield "Period", f"{window.period}; the period of a go-live inside it: {TRANSITIONS[window.transition]}"
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
