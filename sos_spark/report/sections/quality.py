"""Data quality by authority and census year: rule failures, missing returns, link rates."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from sos_spark.quality.authority_years import failure_rates
from sos_spark.report.blocks import (
    Block,
    Bullets,
    DataTable,
    Heading,
    Picture,
    Section,
    Shaded,
    Table,
    Text,
    section_of,
)
from sos_spark.report.figures.axes import bare_rows
from sos_spark.report.figures.style import COMPARATOR, PILOT, QUIET, draw
from sos_spark.report.results import ARM_NAMES, ARMS, Results, rows_of
from sos_spark.report.words.numbers import count, number, percent
from sos_spark.tables.results import QUALITY

_PALE_TO_BLUE = LinearSegmentedColormap.from_list("pale_to_blue", ["#f3f6fa", "#7fb0da", "#00406f"])
_MOST_ROWS = 48


def section(results: Results) -> Section | None:
    """Returns the section; it is always there."""
    picture, returns, rules, links = (
        quality_picture(results), returns_received(results), top_rules(results), links_by_arm(results),
    )  # fmt: skip
    blocks: list[Block | None] = [
        picture,
        *_headed(
            "Returns received",
            "Authorities whose return was accepted, refused or replaced",
            ("Collection", "Year", "Accepted", "Refused", "Replaced"),
            returns,
            numeric=2,
        ),
        *((Heading("Refused files"), Bullets(results.refused)) if results.refused else ()),
        *_headed(
            "Returns that are not counted on",
            "Authority-years whose return was accepted and from which nothing is concluded",
            ("Authority", "Year", "Records", "File", "Received", "Quarantined", "Why"),
            unobserved_years(results),
            numeric=4,
            words=1,
        ),
        *_headed(
            "Rules that the most records broke",
            "Row rules, all authorities and years",
            ("Records", "Rule", "DfE", "Severity", "Broken by", "Of records"),
            rules,
            numeric=4,
        ),
        *_expectations(results),
        *_links(results, links),
    ]
    if picture is None and not returns and not rules and not links:
        blocks.append(Text("This run read collapsed numbers, not returns: there are no records to check."))
    return section_of("quality", "Data quality", blocks, always=True)


def _headed(
    heading: str, caption: str, header: tuple[str, ...], rows: list[tuple[str, ...]], *, numeric: int, words: int = 0
) -> tuple[Block, ...]:
    """A table under its heading; nothing where it has no rows."""
    return (Heading(heading), Table(caption, DataTable(header, tuple(rows), numeric, words))) if rows else ()


def _expectations(results: Results) -> Iterator[Block]:
    said, failed = failed_expectations(results)
    if said:
        yield from (Heading("Checks of whole tables"), Text(said))
    if failed:
        header = ("Suite", "Expectation", "Column", "Severity")
        yield Table("Expectations that did not hold", DataTable(header, tuple(failed), numeric=99))


def _links(results: Results, links: list[tuple[str, ...]]) -> Iterator[Block]:
    yield from _headed(
        "Linking looked-after children to the census of children in need",
        "Link rates by arm",
        ("Arm", "Looked-after children", "Linked by id", "Linked by person", "Not linked"),
        links,
        numeric=1,
    )
    of_pilots = link_rates_of_pilots(results)
    if of_pilots:
        caption = "Link rates of the pilots"
        table = DataTable(("Authority", "Looked-after children", "Linked"), tuple(of_pilots))
        yield Table(caption, table, folded=True, summary=caption)


def quality_table(results: Results) -> pd.DataFrame:
    """Returns the row rules' results with names and arms.

    Grain: one row per rule that any row failed, LA and census year; the columns of quality.csv. Empty without a lake.
    """
    return rule_failures(results.lake.rule_counts, results.name_of, results.unit_of, results.arm_of())


def rule_failures(
    counts: pd.DataFrame,
    name_of: Callable[[str], str],
    unit_of: Mapping[str, str] | None = None,
    arm_of: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Returns dq.rule_counts as quality.csv has them; without a study every authority is a unit of its own, unused.

    Grain: one row per rule that any row failed, LA and census year.
    """
    if counts.empty:
        return pd.DataFrame(columns=list(QUALITY.column_names))
    counts = counts[counts["n_failed"] > 0]
    unit = counts["la_code"].map(unit_of or {}).fillna(counts["la_code"])
    table = counts.assign(
        unit_id=unit,
        la_name=counts["la_code"].map(name_of),
        arm=unit.map(arm_of or {}).fillna("unused"),
        failed_share=(counts["n_failed"] / counts["n_rows"]).where(counts["n_rows"] > 0),
    )
    return table.sort_values(["la_code", "census_year", "entity", "rule_code"], kind="stable", ignore_index=True)[
        list(QUALITY.column_names)
    ]


def failures_per_1000(results: Results) -> pd.DataFrame:
    """Returns `failure_rates` with a row for each LA of the cohort too."""
    wide = failure_rates(results.lake.rule_counts)
    return wide if wide.empty else wide.reindex(sorted({*wide.index, *results.unit_of}))


def expected(results: Results, rates: pd.DataFrame) -> pd.DataFrame:
    """Returns, in the shape of `rates`, whether the LA existed in the year, so that a return was to be had."""
    units = results.lake.units
    spans = (
        {} if units.empty else {row.la_code: (row.first_census_year, row.last_census_year) for row in rows_of(units)}
    )
    always = (min(rates.columns), max(rates.columns))
    there = [
        [first <= year <= last for year in rates.columns] for first, last in (spans.get(c, always) for c in rates.index)
    ]
    return pd.DataFrame(there, index=rates.index, columns=rates.columns)


def top_rules(results: Results, *, most: int = 15) -> list[tuple[str, ...]]:
    """Returns the rules that the most rows failed: entity, rule, DfE's code, severity, rows failed, share of rows."""
    counts = results.lake.rule_counts
    if counts.empty:
        return []
    keys = ["entity", "rule_code", "dfe_code", "severity"]
    sums = counts.fillna({"dfe_code": ""}).groupby(keys)[["n_rows", "n_failed"]].sum().reset_index()
    sums = sums[sums["n_failed"] > 0].sort_values(["n_failed", "rule_code"], ascending=[False, True], kind="stable")
    return [
        (
            str(row.entity).replace("_", " "),
            str(row.rule_code).replace("_", " "),
            str(row.dfe_code),
            str(row.severity),
            count(row.n_failed),
            percent(row.n_failed, row.n_rows),
        )
        for row in rows_of(sums.head(most))
    ]


def returns_received(results: Results) -> list[tuple[str, ...]]:
    """Returns collection, census year, authorities accepted, refused, replaced; a row per collection and year."""
    files = results.lake.files
    if files.empty:
        return []
    known = files.dropna(subset=["census_year"])
    grouped = (
        known.groupby(["collection", "census_year", "status"])["la_code"].nunique().unstack("status", fill_value=0)
    )
    grouped = grouped.reindex(columns=["accepted", "refused", "replaced"], fill_value=0)
    names = {"cin": "CIN census", "ssda903": "SSDA903"}
    return [
        (names.get(str(collection), str(collection)), str(int(year)), *(count(n) for n in line))
        for (collection, year), line in zip(grouped.index, grouped.to_numpy(), strict=True)
    ]


_WHY_UNOBSERVED = {
    "empty_return": "empty, and an earlier return had rows",
    "no_children": "records without the children they belong to",
}


def unobserved_years(results: Results) -> list[tuple[str, ...]]:
    """Returns authority, year, entity, files, rows received, share in quarantine, and why the year is not observed.

    A row per authority, census year and entity whose return was accepted and is not counted on: outcomes that read the
    entity are unknown there.
    """
    limit = percent(results.study.window.max_quarantined, 1.0)
    return [
        (
            results.name_of(str(row.la_code)),
            str(row.census_year),
            str(row.entity).replace("_", " "),
            ", ".join(map(str, row.file_paths)),
            count(row.n_received),
            percent(row.n_quarantined, row.n_received),
            _WHY_UNOBSERVED.get(str(row.reason), f"more than {limit} in quarantine"),
        )
        for row in rows_of(results.lake.unobserved)
    ]


def links_by_arm(results: Results) -> list[tuple[str, ...]]:
    """Returns arm, looked-after children, shares linked by id, by person, and not linked; a row per arm."""
    links = results.lake.link_rates
    if links.empty:
        return []
    unit = links["la_code"].map(results.unit_of).fillna(links["la_code"])
    by_arm = links.assign(arm=unit.map(results.arm_of()).fillna("unused"))
    rows = []
    for arm in ARMS:
        own = by_arm[by_arm["arm"] == arm]
        whole = float(own["n_lac_children"].sum())
        parts = (float(own[name].sum()) for name in ("n_linked_by_child_id", "n_linked_by_person", "n_unlinked"))
        if len(own):
            rows.append((ARM_NAMES[arm], count(whole), *(percent(part, whole) for part in parts)))
    return rows


def link_rates_of_pilots(results: Results) -> list[tuple[str, ...]]:
    """Returns pilot LA, looked-after children, share linked; a row per pilot LA code."""
    links = results.lake.link_rates
    if links.empty:
        return []
    arms = results.arm_of()
    return [
        (
            results.name_of(str(row.la_code)),
            count(row.n_lac_children),
            percent(row.n_linked_by_child_id + row.n_linked_by_person, row.n_lac_children),
        )
        for row in rows_of(links.sort_values("la_code"))
        if arms.get(results.unit_of.get(str(row.la_code), str(row.la_code))) == "pilot"
    ]


def failed_expectations(results: Results) -> tuple[str, list[tuple[str, ...]]]:
    """Returns a sentence on the suites' verdicts, and suite, expectation, column, severity of each that failed."""
    verdicts = results.lake.expectations
    if verdicts.empty:
        return "", []
    failed = verdicts[~verdicts["passed"].astype(bool)].fillna({"column": ""})
    columns = ["suite", "expectation", "column", "severity"]
    rows = failed[columns].drop_duplicates().sort_values(columns)
    passed = len(verdicts) - len(failed)
    return (
        f"{passed:,} of {len(verdicts):,} table expectations held.",
        [tuple(str(cell) for cell in row) for row in rows.itertuples(index=False)],
    )


def quality_picture(results: Results) -> Picture | None:
    """Draws failures per 1,000 records; pilots first, then the comparators with the most. None without counts."""
    rates = failures_per_1000(results)
    if rates.empty:
        return None
    missing_returns = rates.isna() & expected(results, rates)
    kept, n_used = _most_troubled(results, rates, missing_returns)
    grid, missing = rates.loc[kept.index], missing_returns.loc[kept.index].to_numpy()
    names, n_pilots = list(kept["name"]), int((kept["arm"] == 0).sum())
    cut = "" if len(grid) == n_used else f" Shown: pilots and the comparators with most failures ({len(grid)})."
    whole = grid.to_numpy(dtype=float)
    worst = np.unravel_index(np.nanargmax(np.where(np.isnan(whole), -1, whole)), whole.shape)
    return draw(
        "data_quality",
        title="Data quality by authority and census year",
        caption="Failures of rules that refuse a record or one of its values, per 1,000 records received; pilots' names"
        " are blue, comparators' orange." + cut,
        alt=f"Heat map of {len(grid)} authorities by {grid.shape[1]} census years. The highest rate is"
        f" {number(float(whole[worst]), 1)} failures per 1,000 records, in {names[int(worst[0])]} in"
        f" {grid.columns[int(worst[1])]}. {int(missing.sum())} authority-years have no records.",
        table=DataTable(
            ("Authority", *(str(year) for year in grid.columns)),
            tuple(
                (said, *("no records" if gap else number(float(rate), 1) for rate, gap in zip(line, gaps, strict=True)))
                for said, line, gaps in zip(names, whole, missing, strict=True)
            ),
        ),
        height=0.7 + 0.19 * len(names),
        paint=partial(_paint, grid=grid, missing=missing, names=names, n_pilots=n_pilots),
        form=_shaded(grid, missing, names, n_pilots),
    )


def _shaded(grid: pd.DataFrame, missing: np.ndarray[Any, Any], names: list[str], n_pilots: int) -> Shaded:
    rates = grid.to_numpy(dtype=float)
    top = max(float(np.nanmax(rates, initial=0.0)), 1.0)
    return Shaded(
        tuple(str(year) for year in grid.columns),
        tuple((name, "pilot" if place < n_pilots else "comparator") for place, name in enumerate(names)),
        tuple(
            tuple("none" if gap else number(float(rate), 1) for rate, gap in zip(line, gaps, strict=True))
            for line, gaps in zip(rates, missing, strict=True)
        ),
        tuple(tuple(None if math.isnan(rate) else float(rate) / top for rate in line) for line in rates),
    )


def _most_troubled(results: Results, rates: pd.DataFrame, missing_returns: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The authorities that the figure has room for, by LA code, with arm (pilots are 0) and name; and of how many."""
    arm_of, unit_of = results.arm_of(), results.unit_of
    arm = pd.Series({code: arm_of.get(unit_of.get(code, code), "unused") for code in rates.index})
    name = pd.Series({code: results.name_of(code) for code in rates.index})
    order = pd.DataFrame({"arm": arm.map({"pilot": 0, "comparator": 1, "unused": 2}), "name": name})
    used = order[order["arm"] < 2] if (order["arm"] == 1).any() else order
    trouble = -(missing_returns.sum(axis=1) * 1e6 + rates.sum(axis=1))
    kept = used.assign(trouble=trouble).sort_values(["arm", "trouble", "name"]).head(_MOST_ROWS)
    return kept.sort_values(["arm", "name"], kind="stable"), len(used)


def _paint(figure: Figure, grid: pd.DataFrame, missing: np.ndarray[Any, Any], names: list[str], n_pilots: int) -> None:
    """Draws the rates as a heat map, hatched where no records came, the pilots' names first and blue."""
    axes = figure.subplots()
    top = max(float(np.nanmax(grid.to_numpy(), initial=0.0)), 1.0)
    edges = np.arange(grid.shape[1] + 1) - 0.5, np.arange(grid.shape[0] + 1) - 0.5
    axes.pcolor(
        *edges, np.ma.masked_array(np.ones(grid.shape), ~missing), hatch="/////", facecolor="white", edgecolor=QUIET,
        linewidth=0, cmap=LinearSegmentedColormap.from_list("white", ["white", "white"]),
    )  # fmt: skip
    mesh = axes.pcolormesh(
        *edges, np.ma.masked_invalid(grid.to_numpy(dtype=float)), cmap=_PALE_TO_BLUE.with_extremes(bad="none"), vmin=0,
        vmax=top, edgecolor="white", linewidth=1.2,
    )  # fmt: skip
    bare_rows(axes, names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(visible=False)
    axes.set_xticks(range(grid.shape[1]), [str(year) for year in grid.columns])
    axes.xaxis.tick_top()
    axes.tick_params(axis="x", length=0)
    axes.tick_params(axis="y", labelsize=7.5)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for place, label in enumerate(axes.get_yticklabels()):
        label.set_color(PILOT if place < n_pilots else COMPARATOR)
    if missing.any():
        axes.legend(
            handles=[Patch(facecolor="white", edgecolor=QUIET, hatch="/////", linewidth=0)],
            labels=["no records received"], loc="upper left", bbox_to_anchor=(0, -0.01), frameon=False, fontsize=8,
        )  # fmt: skip
    bar = figure.colorbar(mesh, ax=axes, shrink=min(1.0, 2.2 / (0.19 * len(names) + 0.5)), aspect=14, pad=0.03)
    bar.outline.set_visible(False)
    bar.set_label("Records or values refused per 1,000 records")
