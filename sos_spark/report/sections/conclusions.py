"""What the authors conclude, recommend and rate. Their words and ratings: nothing here is computed."""

from __future__ import annotations

from collections.abc import Iterator

from sos_spark.config.publication import AuthorsRating
from sos_spark.report.blocks import Block, Heading, Markdown, Section, Strong, Text, section_of
from sos_spark.report.results import Results


def section(results: Results) -> Section | None:
    """Returns the section; None where the authors say none of it."""
    return section_of("conclusions", "What the authors conclude", list(_blocks(results)))


def _blocks(results: Results) -> Iterator[Block]:
    said = results.study.publication
    if said.conclusions:
        yield Markdown(said.conclusions)
    if said.recommendations:
        yield Heading("Recommendations")
        yield Markdown(said.recommendations)
    for name, rating in (("Cost", said.cost_rating), ("Evidence", said.evidence_rating)):
        if rating is not None:
            yield from _rating(name, rating)


def _rating(name: str, rating: AuthorsRating) -> Iterator[Block]:
    yield Heading(f"{name} rating")
    yield Text((Strong(rating.rating), ", given by the authors and not computed here."))
    yield Markdown(rating.legend)
