"""The page: everything a run has to say, the plain answer first, as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from sos_spark.report.blocks import Section
from sos_spark.report.figures.style import DataTable, Picture
from sos_spark.report.results import Results, rows_of, with_intervals
from sos_spark.report.sections import choices, quality
from sos_spark.report.sections.draw_effects import (
    comparators_left_out,
    forest_picture,
    leave_one_out_picture,
    stability,
)
from sos_spark.report.sections.draw_flow import flow_picture
from sos_spark.report.sections.draw_quality import balance_picture, quality_picture
from sos_spark.report.sections.drift import drift_section
from sos_spark.report.sections.event_study import event_study_picture
from sos_spark.report.sections.placebo import placebo_section
from sos_spark.report.sections.power import power_section
from sos_spark.report.sections.robustness import robustness_section
from sos_spark.report.sections.secondary import secondary_section
from sos_spark.report.sections.staggered import staggered_section
from sos_spark.report.sections.trends import trends_picture
from sos_spark.report.sections.unknown import unknown_section
from sos_spark.report.words import verdicts
from sos_spark.report.words.declared import Declared
from sos_spark.report.words.numbers import count, number, p_value
from sos_spark.report.words.specifications import spoken

_SECTIONS: tuple[Callable[[Results], Section | None], ...] = (
    power_section, drift_section, staggered_section, robustness_section, placebo_section, secondary_section,
    unknown_section,
)  # fmt: skip


@dataclass(frozen=True)
class Pictures:
    """The figures of a report, lists in the study's order of outcomes; `sections` by anchor, with their own figures."""

    trends: tuple[Picture, ...] = ()
    event_studies: tuple[Picture, ...] = ()
    forest: tuple[Picture, ...] = ()
    leave_one_out: tuple[Picture, ...] = ()
    balance: tuple[Picture, ...] = ()
    flow: tuple[Picture, ...] = ()
    quality: tuple[Picture, ...] = ()
    sections: Mapping[str, Section] = field(default_factory=dict)

    @cached_property
    def all(self) -> tuple[Picture, ...]:
        """Every figure."""
        return (
            *self.trends, *self.event_studies, *self.forest, *self.leave_one_out, *self.balance, *self.flow,
            *self.quality, *(picture for section in self.sections.values() for picture in section.pictures),
        )  # fmt: skip


def draw_pictures(results: Results, flow: pd.DataFrame) -> Pictures:
    """Draws every figure, and makes every section, that the results hold the numbers of."""
    outcomes = list(results.labels)
    sections = (make(results) for make in _SECTIONS)
    return Pictures(
        trends=_drawn(trends_picture(results, key) for key in outcomes),
        event_studies=_drawn(event_study_picture(results, key) for key in outcomes),
        forest=_drawn([forest_picture(results)]),
        leave_one_out=_drawn(leave_one_out_picture(results, key) for key in outcomes),
        balance=_drawn([balance_picture(results)]),
        flow=_drawn([flow_picture(results, flow)]),
        quality=_drawn([quality_picture(results)]),
        sections={section.anchor: section for section in sections if section is not None},
    )


def _drawn(pictures: Iterable[Picture | None]) -> tuple[Picture, ...]:
    return tuple(picture for picture in pictures if picture is not None)


def render_page(results: Results, pictures: Pictures) -> str:
    """Returns the report as HTML: no script, nothing fetched, every name and note escaped."""
    page = Environment(
        loader=PackageLoader("sos_spark.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page.filters["data_uri"] = _data_uri
    page.filters["kind"] = lambda block: type(block).__name__
    found = verdicts.verdicts(results)
    expectations, failed = quality.failed_expectations(results)
    return page.get_template("report.html.j2").render(
        results=results,
        study=results.study,
        pictures=pictures,
        sections=pictures.sections,
        plan=Declared(results.frozen, results.study),
        simulated=results.is_simulated or results.truth is not None,
        verdicts=found,
        summary=verdicts.summary(found),
        n_pilots=_n_pilots(results),
        comparators=choices.comparators(results),
        comparators_in_words=choices.comparators_in_words(results.study),
        headline=headline_table(results),
        recovered=verdicts.recovered(results),
        stability={key: _robustness(results, key) for key in results.labels},
        returns=quality.returns_received(results),
        unobserved=quality.unobserved_years(results),
        rules=quality.top_rules(results),
        links=quality.links_by_arm(results),
        pilot_links=quality.link_rates_of_pilots(results),
        expectations=expectations,
        failed_expectations=failed,
        definitions=choices.definitions(results.study),
        choices=choices.choices(results),
        pilots=choices.pilots(results),
        notes=_notes(results),
        made_by=_made_by(results.manifest),
    )


def _data_uri(picture: Picture) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(picture.svg).decode("ascii")


def _n_pilots(results: Results) -> int:
    return sum(arm == "pilot" for arm in results.arm_of().values()) or len(results.study.pilots)


def _robustness(results: Results, outcome_id: str) -> str:
    said = (stability(results, outcome_id), comparators_left_out(results, outcome_id))
    return " ".join(filter(None, said))


def headline_table(results: Results) -> DataTable:
    """Returns the main estimates: what each outcome's row of estimates.csv says, in natural units."""
    rows = []
    for row in rows_of(with_intervals(results.main)) if len(results.main) else ():
        scale = results.scales[row.outcome_id]
        rows.append(
            (
                f"{results.labels[row.outcome_id]}, {scale.long_unit}",
                "" if pd.isna(row.baseline_mean) else number(row.baseline_mean * scale.factor, scale.level_decimals),
                "none" if pd.isna(row.att) else scale.change(row.att),
                scale.interval(row.low, row.high),
                p_value(row.p_wcr),
                p_value(row.p_cr2),
                p_value(row.p_ri),
                p_value(row.p_adjusted),
                count(row.n_rows),
                f"{count(row.n_treated_clusters)} of {count(row.n_clusters)}",
            )
        )
    header = (
        "Outcome", "Pilots before", "Change", "95% interval", "p, boot\u00adstrap", "p, CR2", "p, random\u00adisation",
        "p, adjust\u00aded", "Rows", "Pilots of units",
    )  # fmt: skip
    return DataTable(header, tuple(rows))


def _notes(results: Results) -> list[str]:
    """Warnings of the run's steps, then the notes of estimates, each once."""
    notes = list(results.warnings)
    notes += [
        f"{results.labels[row.outcome_id]}, {spoken(row.specification).lower()}: {row.note}"
        for row in rows_of(results.estimates)
        if row.note and row.outcome_id in results.labels
    ]
    return list(dict.fromkeys(notes))


def _made_by(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What made the numbers, of the manifest: no run's name or time, so that the same inputs give the same page."""
    if not manifest:
        return []
    code = manifest.get("code") or {}
    rows = [
        ("Program", f"sos_spark {code.get('version') or ''}"),
        ("Commit", str(code.get("commit") or "not a checkout")),
    ]
    rows.append(("Lock of packages (SHA-256)", str(manifest.get("lock_sha256") or "none")))
    rows.append(("Python", str(manifest.get("python") or "")))
    rows += [(str(name), str(version)) for name, version in (manifest.get("packages") or {}).items() if version]
    rows += [(f"Table {name}", f"version {version}") for name, version in (manifest.get("tables") or {}).items()]
    return rows
