"""What is not known: rows without an outcome, by period and arm, and what hidden or missing values could be hiding."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pandas as pd

from sos_spark.outcome.reasons import ANALYSED, is_unknown
from sos_spark.report.blocks import Block, Bullets, DataTable, Heading, Picture, Section, Table, Text, section_of
from sos_spark.report.figures.axes import label_every
from sos_spark.report.figures.forest import Bar, by_scale, draw_forest
from sos_spark.report.figures.paint import draw_plots
from sos_spark.report.figures.plot import Curve, Key, Plot, Shape, named_axis, value_axis
from sos_spark.report.results import ARM_NAMES, Results, of_outcome, rows_of
from sos_spark.report.words.cut import cut
from sos_spark.report.words.numbers import Scale, count, percent
from sos_spark.report.words.reasons import reason_in_words

_MARKS: dict[str, tuple[str, Shape, bool]] = {
    "pilot": ("pilot", "round", False),
    "comparator": ("comparator", "square", True),
}
WHAT = {
    "suppressed": "hidden counts",
    "missing": "missing values",
    "missing_within_follow_up": "missing values whose window had ended",
}


def section(results: Results) -> Section | None:
    """Returns the section; None where the run counted nothing that is not known and left no bounds."""
    blocks: list[Block | None] = [
        Text(
            'Unknown is never counted as "no". Rows whose outcome could not be observed are left out; if that happens'
            " more often in one arm than in the other, the comparison suffers."
        ),
        unknown_picture(results),
    ]
    table, by_period = unknown_table(_over_all_periods(results)), unknown_table(results)
    if table.rows:
        blocks.append(Table("Eligible rows without a known outcome", table))
    if by_period.rows and by_period != table:
        blocks.append(Table("The same by period", by_period, folded=True))
    picture = bounds_picture(results)
    if picture is not None:
        blocks += [
            Heading("What the unknown values could be hiding"),
            Text(
                "Some counts are hidden because they are small, some values are missing. The estimate above leaves them"
                " out. Here they are filled in twice: so that the effect comes out as low, and as high, as it can."
                " Whatever the true values are, the estimate lies between the two."
            ),
            picture,
            Bullets(tuple(filter(None, (bounds_in_words(results, row) for row in _bounds(results)[0])))),
        ]
    blocks.append(Bullets(_without_numbers(results)))
    return section_of("unknown", "What is not known", blocks)


def unknown_by_period(results: Results) -> pd.DataFrame:
    """Returns how many eligible rows have no known outcome, by outcome, period, arm and reason.

    Grain: one row per outcome, period, arm and reason with n_rows and n_eligible (of that outcome, period and arm).
    Rows outside the estimand (a placement outside the denominator, say) are neither eligible nor unknown here. period
    and period_start are null where the lake's flow was counted without them.
    """
    flow = results.lake.flow
    columns = ["outcome_id", "period", "period_start", "arm", "reason", "n_rows", "n_eligible"]
    if flow.empty:
        return pd.DataFrame(columns=columns)
    keys = ["outcome_id", "period", "period_start", "arm"]
    flow = flow.reindex(columns=list(dict.fromkeys([*flow.columns, "period", "period_start"])))
    pieces = []
    for outcome_id, own in flow.groupby("outcome_id", sort=False):
        own = own.assign(arm=own["unit_id"].map(results.arm_of(str(outcome_id))).fillna("unused"))
        inside = [reason for reason in own["reason"].unique() if reason == ANALYSED or is_unknown(reason)]
        own = own[own["reason"].isin(inside) & own["arm"].isin(("pilot", "comparator"))]
        if own.empty:
            continue
        sums = own.groupby([*keys, "reason"], dropna=False)["n_rows"].sum().reset_index()
        sums["n_eligible"] = sums.groupby(keys, dropna=False)["n_rows"].transform("sum")
        pieces.append(sums[sums["reason"] != ANALYSED])
    if not pieces:
        return pd.DataFrame(columns=columns)
    return pd.concat(pieces, ignore_index=True)[columns].astype({"period": "Int64"})


def _over_all_periods(results: Results) -> Results:
    """The results as if rows had not been counted by period."""
    flow = results.lake.flow
    return replace(
        results, lake=replace(results.lake, flow=flow.drop(columns=["period", "period_start"], errors="ignore"))
    )


def unknown_table(results: Results) -> DataTable:
    """Returns what is not known, by outcome, period where counted, arm and reason."""
    frame = unknown_by_period(results)
    frame = frame[frame["outcome_id"].isin(list(results.labels))]
    by_period = bool(frame["period"].notna().any())
    rows = tuple(
        (
            results.labels[row.outcome_id],
            *((results.period_name(row.period),) if by_period else ()),
            ARM_NAMES[row.arm],
            reason_in_words(row.reason),
            count(row.n_rows),
            percent(row.n_rows, row.n_eligible),
        )
        for row in rows_of(frame)
    )
    period = ("Period",) if by_period else ()
    return DataTable(("Outcome", *period, "Arm", "Reason", "Rows", "Of eligible"), rows, numeric=3 + len(period))


def unknown_shares(results: Results) -> dict[str, tuple[float, float]]:
    """Returns the pilots' and the comparators' share of eligible rows without a known outcome, by outcome id.

    All periods and reasons together. An outcome of which an arm has no unknown row has a share of 0 there; one that
    was not counted is left out.
    """
    flow, frame = results.lake.flow, unknown_by_period(_over_all_periods(results))
    counted = [] if flow.empty else [key for key in results.labels if (flow["outcome_id"] == key).any()]
    shares = {}
    for key in counted:
        own = of_outcome(frame, key)
        n = {arm: own[own["arm"] == arm] for arm in _MARKS}
        shares[key] = tuple(
            float(part["n_rows"].sum() / part["n_eligible"].iloc[0]) if len(part) else 0.0 for part in n.values()
        )
    return {key: (pilots, comparators) for key, (pilots, comparators) in shares.items()}


def shares_by_period(results: Results, unknown: pd.DataFrame, outcome_id: str) -> pd.DataFrame:
    """Returns the share of eligible rows without a known outcome: a row per period, a column per arm; reasons together.

    `unknown`: what `unknown_by_period` returns of the results.
    A period in which every eligible row is known has a share of 0; an outcome that has no other is no frame.
    """
    frame = of_outcome(unknown, outcome_id)
    frame = frame[frame["period"].notna()] if len(frame) else frame
    if frame.empty:
        return pd.DataFrame()
    keys = ["period", "arm"]
    sums = frame.groupby(keys).agg(n_rows=("n_rows", "sum"), n_eligible=("n_eligible", "first"))
    shares = (sums["n_rows"] / sums["n_eligible"]).unstack("arm")
    flow = of_outcome(results.lake.flow, outcome_id)
    analysed = flow.loc[(flow["reason"] == ANALYSED) & flow["period"].notna(), "period"]
    return pd.DataFrame(shares).reindex(sorted({*shares.index, *analysed})).fillna(0.0)


def unknown_picture(results: Results) -> Picture | None:
    """Draws the share that is not known by period, pilots against comparators; None where it was not counted so."""
    unknown = unknown_by_period(results)
    found = {key: shares for key in results.labels if len(shares := shares_by_period(results, unknown, key))}
    if not found:
        return None

    rows = []
    for key, shares in found.items():
        for period, line in shares.iterrows():
            said = [percent(float(line[arm]), 1.0) if arm in shares else "" for arm in _MARKS]
            rows.append((results.labels[key], results.period_name(period), *said))
    return draw_plots(
        "unknown_by_period",
        [_plot(results, key, shares) for key, shares in found.items()],
        title="Share of rows without a known outcome",
        caption="Per cent of eligible rows whose outcome is not known, all reasons together. A gap between the lines"
        " that opens at go-live would be a warning.",
        alt="Line charts of the share of eligible rows without a known outcome. "
        + " ".join(_shares_in_words(results.labels[key], shares) for key, shares in found.items()),
        table=DataTable(("Outcome", "Period", *(ARM_NAMES[arm] for arm in _MARKS)), tuple(rows), numeric=2),
        height=1.85,
    )


def _plot(results: Results, outcome_id: str, shares: pd.DataFrame) -> Plot:
    names = [results.period_name(period) for period in shares.index]
    places = tuple(float(place) for place in range(len(names)))
    curves = [
        Curve(
            places,
            tuple(100 * float(share) for share in shares[arm]),
            tone,
            shape,
            dashed,
            says=tuple(
                f"{ARM_NAMES[arm]}, {name}: {percent(float(share), 1.0)}"
                for name, share in zip(names, shares[arm], strict=True)
            ),
        )
        for arm, (tone, shape, dashed) in _MARKS.items()
        if arm in shares
    ]
    y = value_axis((v for curve in curves for v in curve.ys), "Per cent", margin=0.15, least=0.0, most=100.0, n_ticks=5)
    every = label_every(len(names), results.study.window.period, room=4)
    key = tuple(Key(ARM_NAMES[arm], tone, shape) for arm, (tone, shape, _) in _MARKS.items() if arm in shares)
    return Plot(results.labels[outcome_id], named_axis(names, places, every), y, tuple(curves), key)


def _shares_in_words(label: str, shares: pd.DataFrame) -> str:
    said = [
        f"{ARM_NAMES[arm].lower()} {percent(float(shares[arm].min()), 1.0)} to {percent(float(shares[arm].max()), 1.0)}"
        for arm in _MARKS
        if arm in shares
    ]
    return f"{label}: {', '.join(said)}."


def _bounds(results: Results) -> tuple[list[Any], str]:
    """The rows of bounds that have numbers, in the study's order of outcomes, cut at what those can be.

    What is filled in moves where the pilots stood, too: so they are cut at the largest change there is.
    """
    bounds = results.bounds
    if bounds.empty:
        return [], ""
    known = bounds[bounds["att_low"].notna() & bounds["outcome_id"].isin(list(results.labels))]
    shown, said = cut(results, known, ("att_low", "att_high"), ("ci_low", "ci_high"), standing="unknown")
    return [row for key in results.labels for row in rows_of(of_outcome(shown, key))], said


def bounds_picture(results: Results) -> Picture | None:
    """Draws the complete-case estimate within its bounds; None where the run left none."""
    rows, said = _bounds(results)
    if not rows:
        return None
    groups: dict[Scale, list[Bar]] = {}
    for row in rows:
        name = f"{results.labels[row.outcome_id]}: {WHAT[row.what]}"
        bar = Bar(name, row.att_complete_case, row.ci_low, row.ci_high, inner=(row.att_low, row.att_high))
        groups.setdefault(results.scales[row.outcome_id], []).append(bar)

    def cells(row: Any) -> tuple[str, ...]:
        scale = results.scales[row.outcome_id]
        return (
            results.labels[row.outcome_id],
            WHAT[row.what],
            scale.change_unit,
            scale.change(row.att_complete_case),
            scale.interval(row.att_low, row.att_high),
            scale.interval(row.ci_low, row.ci_high),
            count(row.n_cells_unknown),
            count(row.n_cells),
        )

    return draw_forest(
        "bounds",
        by_scale(groups),
        title="Bounds for what is not known",
        caption="Point: the estimate without the unknown values. Broad pale bar: every estimate that some way of"
        " filling them in would give. Thin line: the same with its 95% margin for chance, the figures at the right."
        + said,
        alt="Bounds. " + " ".join(_bar_in_words(row, results) for row in rows),
        table=DataTable(
            ("Outcome", "Not known", "Unit", "Without them", "Bounds", "Bounds with 95% margin", "Cells not known",
             "Of cells"),
            tuple(cells(row) for row in rows), numeric=3,
        ),
    )  # fmt: skip


def _bar_in_words(row: Any, results: Results) -> str:
    scale = results.scales[row.outcome_id]
    return (
        f"{results.labels[row.outcome_id]}, {WHAT[row.what]}: {scale.change(row.att_complete_case)}"
        f" without them, bounds {scale.interval(row.att_low, row.att_high)} {scale.long_unit}."
    )


def bounds_in_words(results: Results, row: Any) -> str:
    """Returns what the bounds of an outcome mean."""
    scale = results.scales[row.outcome_id]
    of = f"{count(row.n_cells_unknown)} of {count(row.n_cells)} cells ({percent(row.n_cells_unknown, row.n_cells)})"
    size = f"the estimate lies between {scale.interval(row.att_low, row.att_high).replace(' to ', ' and ')}"
    if row.att_low > 0 or row.att_high < 0:
        means = "they cannot turn its direction"
        if row.ci_low > 0 or row.ci_high < 0:
            means += ", and with any of them it is told from no change"
    else:
        means = "they could turn its direction"
    what = WHAT[row.what]
    note = f" {row.note[0].upper()}{row.note[1:]}." if row.note else ""
    return f"{results.labels[row.outcome_id]}: {what} in {of}; {size} {scale.long_unit}, so {means}.{note}"


def _without_numbers(results: Results) -> tuple[str, ...]:
    """Why bounds are not there, each reason once with its outcomes."""
    reasons: dict[str, list[str]] = {}
    for key, label in results.labels.items():
        for row in rows_of(of_outcome(results.bounds, key)):
            if math.isnan(row.att_low) and row.note:
                reasons.setdefault(f"{WHAT[row.what]}: {row.note}", []).append(label)
    return tuple(f"No bounds for {why} ({'; '.join(dict.fromkeys(names))})." for why, names in reasons.items())
