"""The page: everything a run has to say, the plain answer first, as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from sos_spark.report import choices, quality, verdicts
from sos_spark.report.draw_effects import (
    comparators_left_out,
    forest_picture,
    leave_one_out_picture,
    specification_curve,
    stability,
)
from sos_spark.report.draw_event_study import event_study_picture
from sos_spark.report.draw_flow import flow_picture
from sos_spark.report.draw_quality import balance_picture, quality_picture
from sos_spark.report.draw_trends import trends_picture
from sos_spark.report.flow import reason_in_words, unknown_by_period
from sos_spark.report.house import DataTable, Picture
from sos_spark.report.results import ARM_NAMES, Results, rows_of
from sos_spark.report.specifications import spoken
from sos_spark.report.wording import count, number, p_value, percent


@dataclass(frozen=True)
class Pictures:
    """The figures of a report; lists are in the study's order of outcomes."""

    trends: tuple[Picture, ...]
    event_studies: tuple[Picture, ...]
    forest: tuple[Picture, ...]
    leave_one_out: tuple[Picture, ...]
    specification_curves: tuple[Picture, ...]
    balance: tuple[Picture, ...]
    flow: tuple[Picture, ...]
    quality: tuple[Picture, ...]

    @cached_property
    def all(self) -> tuple[Picture, ...]:
        """Every figure."""
        return (
            *self.trends, *self.event_studies, *self.forest, *self.leave_one_out, *self.specification_curves,
            *self.balance, *self.flow, *self.quality,
        )  # fmt: skip


def draw_pictures(results: Results, flow: pd.DataFrame) -> Pictures:
    """Draws every figure that the results hold the numbers of."""
    outcomes = list(results.labels)
    return Pictures(
        trends=_drawn(trends_picture(results, key) for key in outcomes),
        event_studies=_drawn(event_study_picture(results, key) for key in outcomes),
        forest=_drawn([forest_picture(results)]),
        leave_one_out=_drawn(leave_one_out_picture(results, key) for key in outcomes),
        specification_curves=_drawn(specification_curve(results, key) for key in outcomes),
        balance=_drawn([balance_picture(results)]),
        flow=_drawn([flow_picture(results, flow)]),
        quality=_drawn([quality_picture(results)]),
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
    found = verdicts.verdicts(results)
    expectations, failed = quality.failed_expectations(results)
    return page.get_template("report.html.j2").render(
        results=results,
        study=results.study,
        pictures=pictures,
        simulated=results.truth is not None,
        verdicts=found,
        summary=verdicts.summary(found),
        n_pilots=_n_pilots(results),
        comparators=choices.comparators(results),
        comparators_in_words=choices.comparators_in_words(results.study),
        headline=headline_table(results),
        detectable=verdicts.detectable(results),
        recovered=verdicts.recovered(results),
        other_estimates=other_estimates(results),
        stability={key: _robustness(results, key) for key in results.labels},
        unknown=unknown_table(results),
        returns=quality.returns_received(results),
        rules=quality.top_rules(results),
        links=quality.links_by_arm(results),
        pilot_links=quality.link_rates_of_pilots(results),
        expectations=expectations,
        failed_expectations=failed,
        definitions=choices.definitions(results.study),
        choices=choices.choices(results.study),
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
    for row in rows_of(results.main):
        scale = results.scales[row.outcome_id]
        rows.append(
            (
                f"{results.labels[row.outcome_id]}, {scale.long_unit}",
                "" if pd.isna(row.baseline_mean) else number(row.baseline_mean * scale.factor, scale.level_decimals),
                "none" if pd.isna(row.att) else scale.change(row.att),
                scale.interval(row.ci_low_wcr, row.ci_high_wcr),
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


def other_estimates(results: Results) -> DataTable:
    """Returns every row of the estimates that is not main, in the files' order."""
    frames = [frame for frame in (results.estimates, results.sensitivity) if not frame.empty]
    rows = []
    for row in (line for frame in frames for line in rows_of(frame)):
        if row.specification == "main" or row.outcome_id not in results.labels:
            continue
        scale = results.scales[row.outcome_id]
        rows.append(
            (
                results.labels[row.outcome_id],
                spoken(row.specification),
                "" if pd.isna(row.att) else f"{scale.change(row.att)} {scale.change_unit}",
                scale.interval(row.ci_low_wcr, row.ci_high_wcr),
                p_value(row.p_wcr),
                p_value(row.p_cr2),
                p_value(row.p_ri),
                str(row.note or ""),
            )
        )
    header = (
        "Outcome", "Specification", "Change", "95% interval", "p, boot\u00adstrap", "p, CR2", "p, random\u00adisation",
        "Note",
    )  # fmt: skip
    return DataTable(header, tuple(rows), numeric=2)


def unknown_table(results: Results) -> DataTable:
    """Returns what is not known, by outcome, period where counted, arm and reason."""
    frame = unknown_by_period(results)
    by_period = bool(frame["period"].notna().any())
    rows = tuple(
        (
            results.labels.get(row.outcome_id, row.outcome_id),
            *((str(row.period),) if by_period else ()),
            ARM_NAMES[row.arm],
            reason_in_words(row.reason),
            count(row.n_rows),
            percent(row.n_rows, row.n_eligible),
        )
        for row in rows_of(frame)
    )
    period = ("Period",) if by_period else ()
    return DataTable(("Outcome", *period, "Arm", "Reason", "Rows", "Of eligible"), rows, numeric=3 + len(period))


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
