"""The page: sections rendered as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from sos_spark.report.blocks import Picture, Section
from sos_spark.report.figures.inline import inline
from sos_spark.report.front.screen import front_of
from sos_spark.report.markdown import html_of
from sos_spark.report.results import Results


def render_page(results: Results, sections: Sequence[Section], *, cleared_by: str = "") -> str:
    """Returns the report as HTML: no script, nothing fetched, every name and note escaped.

    `cleared_by`: the disclosure profile that cleared all it shows; without one the page says that none did.
    """
    return (
        _templates()
        .get_template("report.html.j2")
        .render(
            title=results.study.title,
            simulated=results.is_simulated or results.truth is not None,
            cleared_by=cleared_by,
            front=front_of(results, sections),
            sections=sections,
        )
    )


def render_document(title: str, lede: str, sections: Sequence[Section], *, simulated: bool) -> str:
    """Returns another page of a run as HTML, in the report's form: no script, nothing fetched, all text escaped."""
    return (
        _templates()
        .get_template("document.html.j2")
        .render(title=title, lede=lede, sections=sections, simulated=simulated)
    )


def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("sos_spark.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["inline"] = _inline
    templates.filters["markdown"] = html_of
    templates.filters["kind"] = lambda block: type(block).__name__
    return templates


def _inline(picture: Picture) -> str:
    return inline(picture.drawn.svg, name=picture.name, alt=picture.alt)
