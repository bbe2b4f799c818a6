"""The programme in its authors' words."""

from __future__ import annotations

from sos_spark.report.blocks import Markdown, Section, section_of
from sos_spark.report.results import Results


def section(results: Results) -> Section | None:
    """Returns the section; None where the study file says nothing of the programme."""
    text = results.study.publication.programme
    return section_of("programme", "The programme", [Markdown(text) if text else None])
