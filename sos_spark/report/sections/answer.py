"""Outcome by outcome: the plain answer to each, in words."""

from __future__ import annotations

from collections.abc import Iterator

from sos_spark.fit.verdict import CHANGE
from sos_spark.report.blocks import Block, Card, Link, Mark, Section, Text, section_of
from sos_spark.report.results import Results
from sos_spark.report.words.declared import Declared
from sos_spark.report.words.declared import Mark as Declaration
from sos_spark.report.words.verdicts import Verdict, verdicts

_MARKS: dict[Declaration, str] = {
    "": "",
    "exploratory": "exploratory: not in the frozen plan",
    "cannot be compared": "cannot be compared with the frozen plan",
}


def section(results: Results) -> Section | None:
    """Returns the section; it is always there."""
    found, plan = verdicts(results), Declared(results.frozen, results.study)
    return section_of(
        "answer",
        "Outcome by outcome",
        [
            *_about_the_plan(results),
            Text(
                'A change counts as evidence only if two ways of judging chance agree on it. "The data cannot tell"'
                " does not mean that nothing changed: it means that what was seen could well be chance, and that a"
                " change of a size that matters is not ruled out either (or that the study names no such size).",
                quiet=True,
            ),
            *(_card(verdict, _MARKS[plan.outcome(verdict.outcome_id)]) for verdict in found),
        ],
    )


def _about_the_plan(results: Results) -> Iterator[Block]:
    plan = Declared(results.frozen, results.study)
    if results.frozen is None:
        return
    if not plan.comparable:
        yield Text(
            "A plan was frozen before the results, but this version cannot read it any more: whether an analysis was"
            " declared in it cannot be compared."
        )
    elif not results.frozen.as_planned:
        yield Text(
            ("The plan was frozen before the results and ", Link("changed since", "plan"), ". What it did not declare"
             " is marked ", Mark("exploratory"), ".")
        )  # fmt: skip


def _card(verdict: Verdict, mark: str) -> Card:
    aside = f"({verdict.family} outcome)" if verdict.family != "primary" else ""
    if verdict.placebo:
        aside = "(placebo: the programme cannot have moved this outcome)"
    if not verdict.estimate:
        note = f"Note: {verdict.note}" if verdict.note else ""
        return Card(verdict.label, verdict.answer, aside, mark, small_print=note, anchor=f"answer-{verdict.outcome_id}")
    evidence = f" Strength of evidence by this study's own rule: {verdict.evidence}." if verdict.evidence else ""
    return Card(
        verdict.label,
        verdict.answer,
        aside,
        mark,
        figure=verdict.estimate,
        interval=f"95% interval {verdict.interval}" if verdict.interval else "",
        words=" ".join(verdict.sentences),
        small_print=f"{verdict.probabilities}.{evidence}",
        stands_out=verdict.finding == CHANGE,
        anchor=f"answer-{verdict.outcome_id}",
    )
