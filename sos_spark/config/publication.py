"""What the authors say of their study in their own words: Markdown text, shown by the report and computed by nothing.

It says nothing of how the sums are done, so it is no part of a plan: words that are written after the results change
neither the study's fingerprint nor what was frozen.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sos_spark.config.model import Frozen

Markdown = Annotated[str, Field(max_length=20_000)]


class AuthorsRating(Frozen):
    """A rating that the authors give, on a scale whose legend they give with it."""

    rating: Annotated[str, Field(min_length=1, max_length=80, description="The rating, as its scale writes it.")]
    legend: Annotated[
        str,
        Field(min_length=1, max_length=2_000, description="What the scale's values mean, and whose it is: Markdown."),
    ]


class Publication(Frozen):
    """The authors' own words: Markdown text, without images or HTML. All may be left out.

    Ratings such as those of Foundations' pages are the authors', never computed. To change words after a fit, run
    `sos-spark report --study` into the same folder.
    """

    programme: Markdown = Field("", description="The programme in plain words: what it is, for whom, where, from when.")
    authors: Markdown = Field("", description="Who wrote the study.")
    funder: Markdown = Field("", description="Who paid for it.")
    protocol: Markdown = Field("", description="Where its protocol is: a link.")
    ethics: Markdown = Field("", description="Ethical approval, and interests to declare.")
    conclusions: Markdown = Field("", description="What the authors conclude.")
    recommendations: Markdown = Field("", description="What they recommend, and to whom.")
    cost_rating: AuthorsRating | None = Field(None, description="What the programme costs, as the authors rate it.")
    evidence_rating: AuthorsRating | None = Field(
        None, description="How strong the evidence is over all studies, as the authors rate it."
    )
