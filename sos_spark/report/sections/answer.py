"""How each outcome is read: what an answer means, whether it was planned, what each figure shows."""

from __future__ import annotations

from collections.abc import Iterator

from sos_spark.report.blocks import Block, Bullets, Link, Mark, Section, Text, section_of
from sos_spark.report.results import Results
from sos_spark.report.sections import drift, each_pilot, event_study, leave_one_out, robustness, staggered, trends
from sos_spark.report.words.declared import Declared

_READINGS = (
    trends.READING,
    event_study.READING,
    each_pilot.READING,
    leave_one_out.READING,
    robustness.READING,
    drift.READING,
)


def section(results: Results) -> Section | None:
    """Returns the section on how outcomes are read; it is always there."""
    readings = (*_READINGS, staggered.READING) if results.staggered else _READINGS
    return section_of(
        "answer",
        "How to read each outcome",
        [
            *_about_the_plan(results),
            Text(
                'A change counts as evidence only if two ways of judging chance agree on it. "The data cannot tell"'
                " does not mean that nothing changed: it means that what was seen could well be chance, and that a"
                " change of a size that matters is not ruled out either (or that the study names no such size)."
            ),
            Bullets(
                [said.format(period=results.study.window.period) for said in readings], folded="What each figure shows"
            ),
        ],
        always=True,
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
