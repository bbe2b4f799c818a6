"""Outcome by outcome: the plain answer to each in words, and every figure that shows it."""

from __future__ import annotations

from collections.abc import Iterator

from sos_spark.fit.verdict import CHANGE
from sos_spark.report.blocks import Card, Picture, Section
from sos_spark.report.results import Results
from sos_spark.report.sections import drift, each_pilot, event_study, leave_one_out, robustness, staggered, trends
from sos_spark.report.words.declared import Declared
from sos_spark.report.words.declared import Mark as Declaration
from sos_spark.report.words.verdicts import Verdict, verdicts

_MARKS: dict[Declaration, str] = {
    "": "",
    "exploratory": "exploratory: not in the frozen plan",
    "cannot be compared": "cannot be compared with the frozen plan",
}


def sections(results: Results) -> tuple[Section, ...]:
    """Returns a section for each outcome: its answer, then its figures, those that the run left something of."""
    plan = Declared(results.frozen, results.study)
    return tuple(
        Section(
            f"answer-{verdict.outcome_id}",
            verdict.label,
            tuple(
                block
                for block in (
                    _card(verdict, _MARKS[plan.outcome(verdict.outcome_id)]),
                    *_figures(results, verdict.outcome_id),
                )
                if block is not None
            ),
        )
        for verdict in verdicts(results)
    )


def _figures(results: Results, outcome_id: str) -> Iterator[Picture | None]:
    yield trends.trends_picture(results, outcome_id)
    yield event_study.event_study_picture(results, outcome_id)
    if results.staggered:
        yield staggered.by_estimator_picture(results, outcome_id)
    yield each_pilot.pilots_picture(results, outcome_id)
    yield leave_one_out.leave_one_out_picture(results, outcome_id)
    yield robustness.specification_curve(results, outcome_id)
    yield drift.honest_picture(results, outcome_id)


def _card(verdict: Verdict, mark: str) -> Card:
    aside = f"({verdict.family} outcome)" if verdict.family != "primary" else ""
    if verdict.placebo:
        aside = "(placebo: the programme cannot have moved this outcome)"
    if not verdict.estimate:
        note = f"Note: {verdict.note}" if verdict.note else ""
        return Card(verdict.answer, aside, mark, small_print=note)
    evidence = f" Strength of evidence by this study's own rule: {verdict.evidence}." if verdict.evidence else ""
    return Card(
        verdict.answer,
        aside,
        mark,
        figure=verdict.estimate,
        interval=f"95% interval {verdict.interval}" if verdict.interval else "",
        words=" ".join(verdict.sentences),
        small_print=f"{verdict.probabilities}.{evidence}",
        stands_out=verdict.finding == CHANGE,
    )
