"""How long it took, day by day: whether everybody's length moved or only those near the limit."""

from __future__ import annotations

import math

import pandas as pd

from sos_spark.report.blocks import DataTable, Picture, Section, Table, Text, section_of
from sos_spark.report.figures.paint import draw_plots
from sos_spark.report.figures.plot import Curve, Key, Level, Mark, Plot, Stem, Upright, value_axis, whole_axis
from sos_spark.report.results import ARM_NAMES, Results, of_outcome, rows_of
from sos_spark.report.words.numbers import POINTS, WORKING_DAYS, count, number, p_phrase, p_value

_SIDES = {"before": ("before go-live", "quiet"), "after": ("from go-live on", "pilot")}
_METHODS = {
    "distribution": "Difference-in-differences",
    "changes_in_changes": "Changes-in-changes",
    "hazard": "Chance a day, of those still open",
}
_EACH = 15
"""Of shares within a day, every how many days a row of the table shows one."""
_DAYS = "Working days after the start"


def section(results: Results) -> Section | None:
    """Returns the section; None where no outcome is a length that was counted by day."""
    if results.duration_effects.empty:
        return None
    outcomes = [key for key in results.labels if len(of_outcome(results.duration_effects, key))]
    return section_of(
        "durations",
        "How long it took, day by day",
        [
            Text(
                "A mean can stay where it is while short lengths grow shorter and long ones longer, and a limit can be"
                " met by finishing just before it. So every working day is looked at by itself. The first figure has"
                " the chance of being concluded on a day, of those still open: a spike before the limit says that many"
                " are finished because of it. The second has the change in the share concluded within each day. Those"
                " still open when the data end count up to then in the first, and not in the second."
            ),
            *(
                block
                for key in outcomes
                for block in (hazard_picture(results, key), shares_picture(results, key), _table(results, key))
            ),
        ],
    )


def hazard_picture(results: Results, outcome_id: str) -> Picture | None:
    """Draws the chance of being concluded on each day, a plot for each arm; None where the run left no days."""
    days = of_outcome(results.duration_days, outcome_id)
    if days.empty:
        return None
    limits = _limits(results)
    y = value_axis(100 * days["hazard"], "% of those still open", least=0.0, most=100.0)
    x = whole_axis(-0.5, float(days["day"].max()) + 0.5, _DAYS)
    plots = []
    for arm in ("pilot", "comparator"):
        marks: list[Mark] = [Upright(float(limit), f"{limit} days") for limit in limits]
        for side, (_, tone) in _SIDES.items():
            own = days[(days["arm"] == arm) & (days["side"] == side)]
            marks.append(_curve(own["day"], 100 * own["hazard"], tone, dashed=side == "before"))
        key = tuple(Key(words, tone) for words, tone in _SIDES.values())
        plots.append(Plot(ARM_NAMES[arm], x, y, tuple(marks), key))
    return draw_plots(
        f"durations_hazard_{outcome_id}",
        plots,
        title=f"{results.labels[outcome_id]}: when those still open are concluded",
        caption="",
        alt=_peaks(days),
        table=_days_table(days),
        height=2.6,
    )


def shares_picture(results: Results, outcome_id: str) -> Picture | None:
    """Draws the change in the share concluded within each day, with intervals and the band of all days together."""
    effects = of_outcome(results.duration_effects, outcome_id)
    shares = effects[(effects["method"] == "distribution") & (effects["measure"] == "share_within")]
    if shares["att"].notna().sum() < 2:
        return None
    ends = ["att", "ci_low", "ci_high", "band_low", "band_high"]
    y = value_axis((100 * shares[ends].to_numpy()).ravel(), "Change in percentage points")
    marks: list[Mark] = []
    for row in rows_of(shares):
        if not math.isnan(row.band_low):
            marks.append(Stem(row.at, *y.held(100 * row.band_low, 100 * row.band_high), "band", 4))
        if not math.isnan(row.ci_low):
            marks.append(Stem(row.at, *y.held(100 * row.ci_low, 100 * row.ci_high), "pilot", 1))
    marks += [Level(0.0), *(Upright(float(limit), f"{limit} days") for limit in _limits(results))]
    marks.append(_curve(shares["at"], 100 * shares["att"], "pilot", dashed=False))
    return draw_plots(
        f"durations_shares_{outcome_id}",
        [Plot(results.labels[outcome_id], whole_axis(-0.5, float(shares["at"].max()) + 0.5, _DAYS), y, tuple(marks))],
        title=_finding(effects),
        caption="Lines are each day's own 95% interval, bars the band of all days together.",
        alt=f"Change in the share concluded within each working day. {_finding(effects)}.",
        table=_shares_table(shares),
        height=2.6,
    )


def measures_table(results: Results, outcome_id: str) -> DataTable:
    """Returns quantiles, the restricted mean, shares within some days and chances a day, by each method."""
    rows = []
    limits = _limits(results)
    for row in rows_of(of_outcome(results.duration_effects, outcome_id)):
        is_day = row.measure == "share_within"
        if row.measure == "any" or (is_day and row.at not in limits and row.at % _EACH):
            continue
        scale = POINTS if is_day or row.measure == "daily_hazard" else WORKING_DAYS
        bounds = scale.interval(row.bound_low, row.bound_high)
        rows.append(
            (
                _METHODS[row.method],
                _measure(row),
                _level(row.observed, row.measure),
                _level(row.without, row.measure),
                f"{scale.change(row.att)} {scale.change_unit}" if not math.isnan(row.att) else "",
                _ends(row.ci_low, row.ci_high, row.measure),
                p_value(row.p),
                f"ties leave {bounds}" if bounds and bounds != scale.interval(row.att, row.att) else "",
                str(row.note or ""),
            )
        )
    header = ("Method", "Of what", "Observed", "Without", "Change", "95% interval", "p", "Whole days", "Note")
    return DataTable(header, tuple(rows), 2, 2).trimmed()


def _table(results: Results, outcome_id: str) -> Table | None:
    table = measures_table(results, outcome_id)
    caption = f"{results.labels[outcome_id]}: the distribution in numbers"
    return Table(caption, table, folded=True) if table.rows else None


def _curve(days: pd.Series[float], values: pd.Series[float], tone: str, *, dashed: bool) -> Curve:
    says = tuple(f"Day {day:g}: {number(value, 1)}" for day, value in zip(days, values, strict=True))
    xs, ys = (tuple(float(one) for one in column) for column in (days, values))
    return Curve(xs, ys, tone, dashed=dashed, says=says, size=0.4)


def _limits(results: Results) -> list[int]:
    """The limits that outcomes of the study are about."""
    return sorted({one.limit for one in results.study.outcomes if one.limit is not None})


def _measure(row: object) -> str:
    measure, at, to = (getattr(row, name) for name in ("measure", "at", "to"))
    return {
        "share_within": f"within {number(at, 0)} days",
        "quantile": f"day by which {number(100 * at, 0)}% were concluded",
        "restricted_mean": f"mean, none counting more than {number(at, 0)}",
        "daily_hazard": f"days {number(at, 0)} to {number(to, 0)}",
    }[str(measure)]


def _level(value: float, measure: str) -> str:
    if measure in ("share_within", "daily_hazard"):
        return "" if math.isnan(value) else POINTS.level(value)
    return "beyond" if math.isnan(value) and measure == "quantile" else number(value, 1)


def _ends(low: float, high: float, measure: str) -> str:
    """An interval; an end of a quantile's can lie beyond the days that are counted."""
    scale = WORKING_DAYS if measure in ("quantile", "restricted_mean") else POINTS
    if measure == "quantile" and math.isnan(low) != math.isnan(high):
        return " to ".join("beyond" if math.isnan(end) else scale.change(end) for end in (low, high))
    return scale.interval(low, high)


def _finding(effects: pd.DataFrame) -> str:
    """Whether the distribution changed at all, by the test of all days together."""
    whole = effects[(effects["method"] == "distribution") & (effects["measure"] == "any")]
    p = float(whole["p"].iloc[0]) if len(whole) else math.nan
    if math.isnan(p):
        return "Change in the share concluded within each day"
    said = "Some shares changed" if p < 0.05 else "No share within a day can be told to have changed"
    return f"{said} (all days together: {p_phrase(p)})"


def _peaks(days: pd.DataFrame) -> str:
    """The day with the greatest chance, of each arm and side."""
    said = []
    for arm, side in days[["arm", "side"]].drop_duplicates().itertuples(index=False):
        own = days[(days["arm"] == arm) & (days["side"] == side)]
        top = max(rows_of(own), key=lambda row: row.hazard)
        said.append(f"{ARM_NAMES[arm]} {_SIDES[side][0]}: most on day {top.day}, {POINTS.level(top.hazard)}")
    return f"Chance of being concluded on each working day, of those still open. {'; '.join(said)}."


def _days_table(days: pd.DataFrame) -> DataTable:
    header = ("Arm", "Side", "Day", "Open", "Concluded", "Chance", "Concluded by then")
    rows = tuple(
        (ARM_NAMES[row.arm], _SIDES[row.side][0], count(row.day), count(row.at_risk), count(row.ended),
         POINTS.level(row.hazard), POINTS.level(row.within))
        for row in rows_of(days)
    )  # fmt: skip
    return DataTable(header, rows, 2)


def _shares_table(shares: pd.DataFrame) -> DataTable:
    header = ("Within days", "Observed", "Without", "Change (points)", "95% interval", "Band of all days", "p")
    rows = tuple(
        (count(row.at), POINTS.level(row.observed), POINTS.level(row.without), POINTS.change(row.att),
         POINTS.interval(row.ci_low, row.ci_high), POINTS.interval(row.band_low, row.band_high), p_value(row.p))
        for row in rows_of(shares)
    )  # fmt: skip
    return DataTable(header, rows, 1)
