"""The public report: the report's own sections over cleared numbers, and the cleared tables of counts.

A section can show no more than it is given, and it is given results that hold cleared tables alone: no cells, no lake,
no notes, no warnings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import pandas as pd

from sos_spark.config.disclosure import Profile
from sos_spark.release.cleared import (
    HIDDEN,
    ClearedFigure,
    ClearedPage,
    ClearedTable,
    clear_figure,
    clear_page,
)
from sos_spark.report.blocks import Block, Bullets, DataTable, Picture, Section, Table, Text, section_of
from sos_spark.report.contents import sections_of
from sos_spark.report.figures.axes import level_label
from sos_spark.report.figures.paint import draw_plots
from sos_spark.report.figures.plot import Curve, Plot, Shape, named_axis, value_axis
from sos_spark.report.page import render_page
from sos_spark.report.results import ARM_NAMES, LakeTables, Results, rows_of
from sos_spark.report.words.reasons import reason_in_words

_LEFT_OUT = frozenset({"made", "notes", "quality", "flow", "unknown", "conclusions"})
"""Sections about the run or the data, which name files that are not in the pack; words about results, which no rule
judges."""
_SHOWS: dict[str, str | tuple[str, ...]] = {
    "arms_by_year": "by_year",
    "estimates": ("forest", "specification_curve"),
    "placebo_pilots": "placebo",
    "placebo_summary": "placebo",
}
"""What the names of the figures of a table begin with, where not with its own."""
_LINES: dict[str, tuple[str, Shape, bool]] = {
    "pilot": ("pilot", "round", False),
    "comparator": ("comparator", "square", True),
}
PAGE = "report_public"
_COUNTS = "Cleared counts"


@dataclass(frozen=True)
class Public:
    """The public page, its figures, and the names of results that are not among them."""

    page: ClearedPage
    figures: tuple[ClearedFigure, ...]


def public_report(
    results: Results, tables: Sequence[ClearedTable], profile: Profile, withheld: Sequence[str]
) -> Public:
    """Returns the public page and figures, made from cleared tables and the study's plan alone."""
    cleared = cleared_results(results, tables)
    counts = {table.name: table for table in tables if table.kind == "table"}
    sections = [section for section in sections_of(cleared) if section.anchor not in _LEFT_OUT]
    sections += [replace(section, part=_COUNTS) for section in _count_sections(cleared, counts) if section is not None]
    control = _control(cleared, tables, profile, withheld)
    if control is not None:
        sections.append(replace(control, part=_COUNTS))
    html = render_page(cleared, sections, cleared_by=profile.name)
    everything = tuple(tables)
    figures = tuple(
        clear_figure(
            picture.name,
            f"{section.title}: {picture.title}",
            {"svg": picture.drawn.svg, "png": picture.drawn.png},
            made_from=_drawn_from(picture.name, everything),
        )
        for section in sections
        for picture in section.pictures
    )
    return Public(clear_page(PAGE, results.study.title, html, made_from=everything), figures)


def _drawn_from(name: str, tables: tuple[ClearedTable, ...]) -> tuple[ClearedTable, ...]:
    """The tables that a figure shows: those its name begins with, else any of them."""
    own = tuple(table for table in tables if name.startswith(_SHOWS.get(table.name, table.name)))
    return own or tables


def cleared_results(results: Results, tables: Sequence[ClearedTable]) -> Results:
    """Returns results that hold cleared tables alone: rows that were not cleared are not in them."""
    by_name = {table.name: table for table in tables}
    frames: dict[str, Any] = {}
    for field in fields(Results):
        before = getattr(results, field.name)
        if isinstance(before, pd.DataFrame):
            frames[field.name] = _frame(before, by_name.get(field.name))
    return replace(
        results,
        **frames,
        lake=LakeTables(),
        truth=None,
        manifest={},
        warnings=(),
        refused=(),
    )


def _frame(before: pd.DataFrame, table: ClearedTable | None) -> pd.DataFrame:
    """A cleared table in the columns of the file it is of; what it lacks is blank."""
    if table is None:
        return before.iloc[:0]
    rows = table.numbers[table.checks["cleared"].astype(bool).to_numpy()].reset_index(drop=True)
    blank: dict[str, Any] = {
        str(name): "" if before[name].dtype == object else float("nan") for name in before if name not in rows
    }
    return rows.assign(**blank)[list(before.columns)]


def _count_sections(results: Results, tables: Mapping[str, ClearedTable]) -> Iterator[Section | None]:
    if "arms_by_year" in tables:
        pictures = [_by_year_picture(results, tables["arms_by_year"], key) for key in results.labels]
        shown = _table(results, tables["arms_by_year"], {"arm": "Arm", "year": "Year"})
        yield section_of("years", "Year by year", [Text("Years run from 1 April to 31 March."), *pictures, shown])
    if "pilots_before_after" in tables:
        shown = _table(results, tables["pilots_before_after"], {"authority": "Authority", "when": "When"})
        yield section_of("pilots", "Each pilot before and after", [shown])
    if "flow" in tables:
        names = {"arm": "Arm", "stage": "Stage", "rows_of": "Rows of", "reason": "Reason"}
        yield section_of("rows", "From received to analysed", [_table(results, tables["flow"], names)])


def _table(results: Results, table: ClearedTable, labels: Mapping[str, str]) -> Table:
    header = ["Outcome", *labels.values(), "Children or records"]
    shares = "mean" in table.columns
    header += ["With the event", "Share or mean"] if shares else []
    rows = []
    for text, numbers in zip(rows_of(table.text), rows_of(table.numbers), strict=True):
        outcome = str(text.outcome_id)
        cells = [results.labels[outcome], *(_label(results, name, str(getattr(text, name))) for name in labels), text.n]
        if shares:
            mean = results.scales[outcome].level(numbers.mean) if text.mean not in ("", HIDDEN) else text.mean
            cells += [text.events, mean]
        rows.append(tuple(map(str, cells)))
    content = DataTable(tuple(header), tuple(rows), numeric=1 + len(labels))
    return Table(table.title, content, folded=True)


def _label(results: Results, name: str, value: str) -> str:
    if value == "all":
        return "All"
    if name == "arm":
        return ARM_NAMES.get(value, value)
    if name == "authority":
        return results.name_of(value)
    if name in ("stage", "reason", "rows_of", "when"):
        return reason_in_words(value).capitalize() if value else ""
    return value


def _by_year_picture(results: Results, table: ClearedTable, outcome_id: str) -> Picture | None:
    """Draws the share or mean by year; a hidden year is a gap. None where no year is shown."""
    own = table.numbers[(table.numbers["outcome_id"] == outcome_id) & (table.numbers["year"] != "all")]
    if own["mean"].isna().all():
        return None
    scale, name = results.scales[outcome_id], results.labels[outcome_id]
    years = sorted(own["year"].unique())
    lines = {arm: own[own["arm"] == arm].set_index("year")["mean"].reindex(years) * scale.factor for arm in _LINES}

    names = [str(year) for year in years]
    places = tuple(float(place) for place in range(len(years)))
    curves = tuple(
        Curve(places, tuple(float(value) for value in line), *_LINES[arm], label=ARM_NAMES[arm],
              says=tuple(f"{ARM_NAMES[arm]}, {year}: {scale.level(float(value) / scale.factor)}"
                         for year, value in zip(names, line, strict=True)))
        for arm, line in lines.items()
    )  # fmt: skip
    y = value_axis((v for curve in curves for v in curve.ys), level_label(scale), zero=False, margin=0.2, least=0.0)
    plot = Plot(name, named_axis(names, places, 1), y, curves)
    gaps = int(sum(line.isna().sum() for line in lines.values()))
    hidden = f" {gaps} points are hidden by disclosure control." if gaps else ""
    rows = tuple(
        (
            year,
            *(HIDDEN if pd.isna(lines[arm][year]) else scale.level(lines[arm][year] / scale.factor) for arm in lines),
        )
        for year in years
    )
    return draw_plots(
        f"by_year_{outcome_id}",
        [plot],
        title=name,
        caption=f"By year of 1 April to 31 March.{hidden}",
        alt=f"Line chart of {name.lower()} by year from {years[0]} to {years[-1]}, pilots and comparators.{hidden}",
        table=DataTable(("Year", *(ARM_NAMES[arm] for arm in lines)), rows),
        height=2.4,
    )


def _control(
    results: Results, tables: Sequence[ClearedTable], profile: Profile, withheld: Sequence[str]
) -> Section | None:
    counts = profile.counts
    rounding = f", all others are rounded to multiples of {counts.round_to}" if counts.round_to > 1 else ""
    blocks: list[Block] = [
        Text(
            f"Numbers on this page went through disclosure control by the profile {profile.name} ({profile.title})."
            f" Counts of 1 to {counts.hide_up_to} are hidden{rounding}; further ones are hidden so that, from all that"
            f" is shown here, what a hidden count can have been spans at least {counts.width}. {HIDDEN} marks what is"
            " hidden."
        ),
        Bullets([f"{table.title}: {table.n_hidden} numbers hidden" for table in tables if table.n_hidden]),
    ]
    if withheld:
        blocks.append(Text("Not released: " + "; ".join(withheld) + "."))
    blocks.append(Text(f"Study {results.study.study_id}, fingerprint {results.fingerprint[:12]}.", quiet=True))
    return section_of("disclosure", "Disclosure control", blocks, always=True)
