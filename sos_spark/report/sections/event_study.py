"""The event study: the difference between pilots and comparators by time since go-live."""

from __future__ import annotations

import math

import pandas as pd

from sos_spark.report.blocks import DataTable, Picture
from sos_spark.report.figures.paint import draw_plots
from sos_spark.report.figures.plot import Dot, Level, Mark, Plot, Stem, Upright, value_axis, whole_axis
from sos_spark.report.results import Results, rows_of
from sos_spark.report.words.cut import cut
from sos_spark.report.words.natural import counted
from sos_spark.report.words.numbers import Scale, count, p_phrase

_NUMBERS = ["att", "se_cr2", "ci_low", "ci_high", "band_low", "band_high"]


READING = (
    "Before and after go-live: how far the pilots stood from their comparators in each {period}, measured from"
    " the last one before go-live, the hollow point. Thin lines are the 95% interval of each point alone, broad"
    " pale bars the 95% band of all points together, the one to judge a whole path by. Points before go-live"
    " should lie near zero: where they do not, the two groups were drifting apart already."
)


def event_times(results: Results, outcome_id: str) -> pd.DataFrame:
    """Returns the main event study of an outcome, by event time; empty where the run left none."""
    frame = results.event_study
    if frame.empty:
        return frame
    own = frame[(frame["outcome_id"] == outcome_id) & (frame["specification"] == "main")]
    if own["att"].notna().sum() < 2:
        return pd.DataFrame()
    return own.sort_values("event_time").reset_index(drop=True)


def event_study_picture(results: Results, outcome_id: str) -> Picture | None:
    """Draws points, CR2 intervals and simultaneous bands; None where the run left no event study of the outcome."""
    frame = event_times(results, outcome_id)
    if frame.empty:
        return None
    scale, name = results.scales[outcome_id], results.labels[outcome_id]
    # A gap in one period can be larger than what the pilots had before go-live: the comparators moved, too.
    possible, said = cut(results, frame, ("ci_low", "ci_high"), ("band_low", "band_high"), standing="unknown")
    unit = results.study.window.period
    return draw_plots(
        f"event_study_{outcome_id}",
        [_plot(possible, scale, name, unit)],
        title=_title(frame, unit),
        caption=(_pretrend(results, outcome_id) + said).strip(),
        alt=_in_words(frame, name, unit),
        table=_table(possible, scale),
        height=2.7,
    )


def _plot(frame: pd.DataFrame, scale: Scale, name: str, unit: str) -> Plot:
    """One outcome's points by event time, their intervals and their band."""
    shown = frame[_NUMBERS] * scale.factor
    y = value_axis((float(value) for value in shown.to_numpy().ravel()), scale.axis)
    times = [float(time) for time in frame["event_time"]]
    thick = min(1.0, 30 / len(frame))  # many periods: everything thinner, so that none overlap
    bands: list[Mark] = []
    points: list[Mark] = []
    for time, row, own in zip(times, rows_of(shown), rows_of(frame), strict=True):
        hollow = math.isnan(own.se_cr2)
        say = f"{unit.capitalize()} {time:g}: {scale.change(own.att)} {scale.long_unit}"
        if hollow:
            points.append(Dot(time, row.att, "pilot", hollow=True, say=f"{say} (the reference)", size=thick))
            continue
        if not math.isnan(row.band_low):
            bands.append(Stem(time, *y.held(row.band_low, row.band_high), "band", 9 * thick))
        points.append(Stem(time, *y.held(row.ci_low, row.ci_high), "pilot", 2 * thick))
        points.append(
            Dot(
                time, row.att, "pilot", say=f"{say}, 95% interval {scale.interval(own.ci_low, own.ci_high)}", size=thick
            )
        )
    label = f"{unit.capitalize()}s since go-live (0 is the first treated {unit})"
    marks = (*bands, Level(0.0), Upright(-0.5, "Go-live"), *points)
    return Plot(name, whole_axis(min(times) - 0.6, max(times) + 0.6, label), y, marks)


def _table(frame: pd.DataFrame, scale: Scale) -> DataTable:
    header = (
        "Event time", f"Estimate ({scale.change_unit})", "Standard error", "95% interval", "Simultaneous 95% band",
        "Treated rows",
    )  # fmt: skip
    rows = tuple(
        (
            f"{int(row.event_time)}" + (" (reference)" if row.event_time == -1 else ""),
            scale.change(row.att),
            scale.change(row.se_cr2),
            scale.interval(row.ci_low, row.ci_high),
            scale.interval(row.band_low, row.band_high),
            count(row.n_rows),
        )
        for row in rows_of(frame)
    )
    return DataTable(header, rows)


def _pretrend(results: Results, outcome_id: str) -> str:
    p = float((results.main_row(outcome_id) or {}).get("p_pretrend", math.nan))
    return "" if math.isnan(p) else f" Joint test that every point before go-live is zero: {p_phrase(p)}."


def _title(frame: pd.DataFrame, unit: str) -> str:
    """How many points leave out zero, by the band of all of them where there is one."""
    low, high = ("band_low", "band_high") if frame["band_low"].notna().any() else ("ci_low", "ci_high")
    out = (frame[low] > 0) | (frame[high] < 0)
    after, before = frame["event_time"] >= 0, frame["event_time"] < -1

    def said(rows: pd.Series[bool]) -> str:
        return f"{counted(int(out[rows].sum())).replace('no', 'none')} of {counted(int(rows.sum()))}"

    stands = "stand" if out[after].sum() > 1 else "stands"
    return f"After go-live {said(after)} {unit}s {stands} out" + (f", before it {said(before)}" if before.any() else "")


def _in_words(frame: pd.DataFrame, name: str, unit: str) -> str:
    def outside(rows: pd.DataFrame) -> int:
        return int(((rows["ci_low"] > 0) | (rows["ci_high"] < 0)).sum())

    before = frame[frame["event_time"] < -1]
    after = frame[frame["event_time"] >= 0]
    return (
        f"Event study of {name.lower()}: {len(before)} {unit}s before the reference, of which {outside(before)} have a"
        f" 95% interval that leaves out zero, and {len(after)} {unit}s from go-live on, of which {outside(after)} have."
    )
