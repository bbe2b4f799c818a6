"""A pilot beside its neighbours: what a reader may look at in place of the arms' trends, one authority at a time.

By year: a single authority's quarters are mostly chance.
"""

from __future__ import annotations

from datetime import date

import pandas as pd

from sos_spark.config.periods import label as period_label
from sos_spark.config.periods import period_start
from sos_spark.config.reference import neighbour_lists
from sos_spark.report.blocks import DataTable, View
from sos_spark.report.figures.axes import level_label
from sos_spark.report.figures.plot import Curve, Plot, PlotAxis, Upright, named_axis, value_axis
from sos_spark.report.results import Results, of_outcome
from sos_spark.report.words.numbers import Scale, count
from sos_spark.report.words.possible import possible_of

NEIGHBOURS = "Neighbours"
_YEAR = "Year to 31 March"
FEW = 10
"""With fewer records a year's mean is not drawn; the table has it, with its number."""
_ROOM = 13
"""Letters of a name that fit beside a line."""


def views(results: Results, outcome_id: str) -> tuple[View, ...]:
    """Returns a view of an outcome for each pilot that has neighbours, by name; none where the run left no cells.

    Neighbours are the pilot's statistical neighbours without a pilot that have cells of the outcome and were not
    excluded, as many as the study compares with (else all ten), taken together: each record counts once.
    """
    yearly = means_by_year(results, outcome_id)
    if yearly.empty:
        return ()
    known = set(yearly.index.get_level_values("unit_id"))
    beside = {unit: units for unit in _pilots(results, known) if (units := _neighbours(results, unit, known))}
    shown = {unit: _beside(yearly, unit, units) for unit, units in beside.items()}
    if not shown:
        return ()
    axis = _axis(results, outcome_id, shown)
    ordered = sorted(shown, key=results.name_of)
    return tuple(_view(results, outcome_id, unit, len(beside[unit]), shown[unit], axis) for unit in ordered)


def means_by_year(results: Results, outcome_id: str) -> pd.DataFrame:
    """Returns n and y_sum of an outcome's cells. Grain: unit_id and the year (as the day it starts), the index."""
    own = of_outcome(results.cells, outcome_id)
    if own.empty:
        return pd.DataFrame()
    starts = {day: period_start(pd.Timestamp(day).date(), "year") for day in own["period_start"].unique()}
    return own.assign(year=own["period_start"].map(starts)).groupby(["unit_id", "year"])[["n", "y_sum"]].sum()


def _pilots(results: Results, known: set[str]) -> list[str]:
    arms = results.arm_of()
    return [unit for unit in known if arms.get(unit) == "pilot"]


def _neighbours(results: Results, unit: str, known: set[str]) -> list[str]:
    """The units of a pilot's neighbours, nearest first, each once."""
    chosen, lists = results.study.comparators, neighbour_lists()
    unit_of = {code: name for name in known for code in name.split("+")} | results.unit_of
    arms = results.arm_of()
    nearest = [code for own in unit.split("+") for code in lists.get(own, ())[: chosen.n]]
    units = dict.fromkeys(unit_of.get(code, code) for code in nearest if code not in chosen.exclude)
    return [name for name in units if name in known and arms.get(name) != "pilot"]


def _beside(yearly: pd.DataFrame, unit: str, neighbours: list[str]) -> pd.DataFrame:
    """The unit's and its neighbours' n and mean by year; a year that one of them lacks is not known there."""
    together = yearly[yearly.index.isin(neighbours, level="unit_id")].groupby("year").sum()
    sums = yearly.xs(unit).join(together, how="outer", rsuffix="_beside")
    return pd.DataFrame(
        {
            "n": sums["n"],
            "mean": sums["y_sum"] / sums["n"],
            "n_beside": sums["n_beside"],
            "mean_beside": sums["y_sum_beside"] / sums["n_beside"],
        }
    )


def _axis(results: Results, outcome_id: str, shown: dict[str, pd.DataFrame]) -> PlotAxis:
    """One axis for all views: they are there to be compared."""
    scale = results.scales[outcome_id]
    values = [
        float(mean) * scale.factor
        for frame in shown.values()
        for which in ("", "_beside")
        for mean in frame[f"mean{which}"].where(frame[f"n{which}"] >= FEW).dropna()
    ]
    most = possible_of(results.study.outcome(outcome_id)).most * scale.factor
    return value_axis(values, level_label(scale), zero=False, margin=0.12, least=0.0, most=most)


def _view(
    results: Results, outcome_id: str, unit: str, n_neighbours: int, beside: pd.DataFrame, axis: PlotAxis
) -> View:
    scale, name = results.scales[outcome_id], results.name_of(unit)
    years = [period_label(start, "year") for start in beside.index]
    places = [float(year) for year in years]
    together = "its neighbour" if n_neighbours == 1 else f"its {n_neighbours} neighbours"
    few = (beside[["n", "n_beside"]] < FEW).to_numpy().any()
    curves = (
        _curve(beside, "_beside", places, years, scale, NEIGHBOURS),
        _curve(beside, "", places, years, scale, name),
    )
    plot = Plot(
        f"{name} and {together}",
        named_axis(years, places, 1, _YEAR + (f"; not drawn where there are fewer than {FEW} records" if few else "")),
        axis,
        (*_go_live(results, unit, places), *curves),
    )
    return View(
        name,
        f"Line chart of {results.labels[outcome_id].lower()} by year: {name} {_from_to(beside['mean'], scale)},"
        f" {together} together {_from_to(beside['mean_beside'], scale)}.",
        (plot,),
        DataTable(
            (_YEAR, f"{name}: mean", "Number", f"{NEIGHBOURS}: mean", "Number"),
            tuple(
                (year, _level(row["mean"], scale), count(row["n"]), _level(row["mean_beside"], scale),
                 count(row["n_beside"]))
                for year, (_, row) in zip(years, beside.iterrows(), strict=True)
            ),
        ),
    )  # fmt: skip


def _curve(beside: pd.DataFrame, which: str, places: list[float], years: list[str], scale: Scale, name: str) -> Curve:
    numbers = beside[f"n{which}"]
    means = beside[f"mean{which}"].where(numbers >= FEW)
    says = tuple(
        f"{name}, year to March {year}: {scale.level(mean)} ({count(n)} records)" if mean == mean else ""
        for year, mean, n in zip(years, means, numbers, strict=True)
    )
    ys = tuple(float(mean) * scale.factor for mean in means)
    if which:
        return Curve(tuple(places), ys, "comparator", "square", True, name, says)
    return Curve(tuple(places), ys, "pilot", "round", False, name if len(name) <= _ROOM else "The pilot", says)


def _go_live(results: Results, unit: str, places: list[float]) -> tuple[Upright, ...]:
    """Where the unit went live, if that is within the years shown: a year ends half a step right of its name."""
    codes = {code for code, own in results.unit_of.items() if own == unit} | set(unit.split("+"))
    days = [pilot.go_live for pilot in results.study.pilots if pilot.la_code in codes]
    if not days:
        return ()
    year = period_start(min(days), "year")
    share = (min(days) - year).days / (date(year.year + 1, 4, 1) - year).days
    at = year.year + 0.5 + share
    return (Upright(at, "Go-live"),) if min(places) - 0.5 <= at <= max(places) + 0.5 else ()


def _level(mean: float, scale: Scale) -> str:
    return "" if pd.isna(mean) else scale.level(mean)


def _from_to(means: pd.Series[float], scale: Scale) -> str:
    known = means.dropna()
    first = scale.level(known.iloc[0]).removesuffix(f" {scale.level_unit}")
    return f"from {first} to {scale.level(known.iloc[-1])}"
