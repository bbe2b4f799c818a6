"""The report's sections in the order in which they are read: its contents, its body and its figures follow it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sos_spark.report.blocks import Picture, Section
from sos_spark.report.results import Results
from sos_spark.report.sections import (
    about,
    answer,
    authorities,
    balance,
    conclusions,
    drift,
    each_pilot,
    estimates,
    event_study,
    flow,
    leave_one_out,
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
    trends,
    unknown,
)

SECTIONS: tuple[Callable[[Results], Section | None], ...] = (
    answer.section,
    conclusions.section,
    programme.section,
    power.section,
    reliability.section,
    estimates.section,
    planted.section,
    trends.section,
    event_study.section,
    drift.section,
    staggered.section,
    outcomes.section,
    each_pilot.section,
    leave_one_out.section,
    robustness.section,
    placebo.section,
    secondary.section,
    balance.section,
    flow.section,
    unknown.section,
    quality.section,
    method.section,
    plan.section,
    authorities.section,
    notes.section,
    about.section,
    provenance.section,
)


def sections_of(results: Results) -> tuple[Section, ...]:
    """Returns the sections that the results hold something of, in order."""
    return tuple(section for make in SECTIONS if (section := make(results)) is not None)


def pictures_of(sections: Iterable[Section]) -> tuple[Picture, ...]:
    """Returns the figures of sections, in order."""
    return tuple(picture for section in sections for picture in section.pictures)
