"""The page: sections rendered as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from sos_spark.report.blocks import Section
from sos_spark.report.front.screen import Front, front_of
from sos_spark.report.markdown import html_of
from sos_spark.report.results import Results
from sos_spark.report.standing import cleared, is_simulated, mark_of, standing_of


def render_page(
    results: Results, sections: Sequence[Section], front: Front | None = None, *, cleared_by: str = ""
) -> str:
    """Returns the report as HTML: no script, nothing fetched, every name and note escaped.

    `front` is its first screen, where that has been made already. `cleared_by`: the disclosure profile that cleared all
    it shows; without one the page says what `standing_of` does.
    """
    standing = cleared(cleared_by) if cleared_by else standing_of(results)
    return (
        _templates()
        .get_template("report.html.j2")
        .render(
            title=results.study.title,
            mark=mark_of(results, standing),
            simulated=is_simulated(results),
            standing=standing,
            front=front or front_of(results, sections),
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
    templates.filters["markdown"] = html_of
    templates.filters["kind"] = lambda block: type(block).__name__
    templates.filters["css_string"] = _css_string
    templates.filters["by_tone"] = partial(_runs, name="tone")
    templates.filters["by_part"] = partial(_runs, name="part")
    return templates


def _css_string(text: str) -> str:
    """Text as a string of a style sheet: everything but letters, digits and blanks by its number."""
    return "".join(one if one.isalnum() or one == " " else f"\\{ord(one):x} " for one in text).join('""')


def _runs(things: Sequence[Any], *, name: str) -> list[tuple[str, list[Any]]]:
    """What follows each other and has the same name of a part, or of a tone, which is then said once."""
    return [(said, list(run)) for said, run in groupby(things, key=lambda one: getattr(one, name))]
