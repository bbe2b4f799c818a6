"""The report's sections in the order in which they are read: its contents, its body and its figures follow it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from sos_spark.report.blocks import Picture, Section
from sos_spark.report.results import Results
from sos_spark.report.sections import (
    about,
    answer,
    authorities,
    balance,
    casemix,
    conclusions,
    contamination,
    drift,
    durations,
    each_outcome,
    estimates,
    flow,
    method,
    notes,
    outcomes,
    placebo,
    plan,
    planted,
    power,
    programme,
    provenance,
    quality,
    reliability,
    robustness,
    secondary,
    staggered,
    synthetic,
    unknown,
)

Makes = Callable[[Results], Section | tuple[Section, ...] | None]
PARTS: tuple[tuple[str, tuple[Makes, ...]], ...] = (
    ("", (conclusions.section, programme.section)),
    ("Outcome by outcome", (answer.section, each_outcome.sections)),
    (
        "Across outcomes",
        (
            outcomes.section,
            estimates.section,
            planted.section,
            power.section,
            reliability.section,
            drift.section,
            durations.section,
            staggered.section,
            robustness.section,
            synthetic.section,
            placebo.section,
            secondary.section,
            contamination.section,
            balance.section,
            casemix.section,
        ),
    ),
    ("The data", (flow.section, unknown.section, quality.section)),
    (
        "How it was done",
        (method.section, plan.section, authorities.section, notes.section, about.section, provenance.section),
    ),
)


def sections_of(results: Results) -> tuple[Section, ...]:
    """Returns the sections that the results hold something of, in order, each with the name of its part."""
    return tuple(
        replace(section, part=part) for part, makes in PARTS for make in makes for section in _made(make(results))
    )


def _made(made: Section | tuple[Section, ...] | None) -> tuple[Section, ...]:
    return () if made is None else made if isinstance(made, tuple) else (made,)


def pictures_of(sections: Iterable[Section]) -> tuple[Picture, ...]:
    """Returns the figures of sections, in order."""
    return tuple(picture for section in sections for picture in section.pictures)
