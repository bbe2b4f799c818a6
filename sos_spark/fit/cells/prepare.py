"""From checked cells to a panel ready to fit: arms, missing covariates, lone levels, units seen on one side only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from sos_spark.config.periods import add_periods
from sos_spark.config.study import Design
from sos_spark.errors import InputError
from sos_spark.fit.cells.arms import Arms, arm_of_units, find_arms
from sos_spark.fit.cells.covariates import covariate_levels, without_lone_levels
from sos_spark.fit.cells.matching import UnitMeans, balance_table
from sos_spark.fit.cells.reading import CheckedCells, Text, checked_cells
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.regression.design import NEVER, CellArrays, PreparedPanel
from sos_spark.fit.regression.moments import Array

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Prepared:
    """A panel ready to fit, what became of every unit, and how alike the arms were before go-live."""

    panel: PreparedPanel
    arms: dict[str, str]
    gtimes: dict[str, int]
    matched: dict[str, tuple[str, ...]]
    balance: pd.DataFrame


def prepare(source: pd.DataFrame, design: Design) -> Prepared:
    """Checks a panel's cells of one outcome and makes them ready to fit.

    Raises:
        InputError: The cells are faulty; a treated unit has no known cell on one side of its go-live and the study
            refuses that; a covariate level stands in one unit only and the study refuses that.
        NotEstimableError: Nothing can be compared: no treated unit, no comparator, no period before or after go-live.
        StudyError: The study asks for comparators or go-lives that contradict each other.
    """
    cells = checked_cells(
        source,
        outcome_id=design.outcome_id,
        period=design.window.period,
        categorical=design.covariates.categorical,
        continuous=[z.name for z in design.covariates.continuous],
    )
    arms = find_arms(cells, design)
    warnings = [*cells.warnings, *arms.warnings]
    keep = _among(cells.unit_id, [*arms.gtime, *arms.comparators])
    keep &= ~_in_transition(cells, arms, design)
    keep, levels = covariate_levels(cells, keep, pilots=arms.gtime, covariates=design.covariates, warnings=warnings)
    keep &= _seen_on_both_sides(cells, keep, arms, design, warnings)
    keep, levels = without_lone_levels(cells, keep, levels, covariates=design.covariates, warnings=warnings)
    panel = _panel(cells, keep, levels, arms, tuple(warnings))
    panel = replace(panel, partial=_partial(panel, cells, arms, design))
    gtimes = {unit: int(g) for unit, g in zip(panel.unit_ids, panel.gtime, strict=True) if g != NEVER}
    return Prepared(
        panel=panel,
        arms=arm_of_units(arms, used=panel.unit_ids, all_units=cells.unit_id),
        gtimes=gtimes,
        matched=arms.matched,
        balance=balance_table(
            UnitMeans.of(cells),
            outcome_id=cells.outcome_id,
            pilots=[*gtimes],
            comparators=[unit for unit in panel.unit_ids if unit not in gtimes],
            candidates=arms.candidates,
            before=min(gtimes.values()),
        ),
    )


def _among(unit_id: Text, units: Collection[str]) -> Mask:
    """Marks the cells of some units."""
    codes, present = pd.factorize(unit_id)
    chosen = set(units)
    return np.array([unit in chosen for unit in present], dtype=bool)[codes]


def _gtime_of_cells(cells: CheckedCells, arms: Arms) -> npt.NDArray[np.int64]:
    codes, units = pd.factorize(cells.unit_id)
    return np.array([arms.gtime.get(unit, NEVER) for unit in units], dtype=np.int64)[codes]


def _in_transition(cells: CheckedCells, arms: Arms, design: Design) -> Mask:
    """Marks a treated unit's cells of the period that contains its go-live inside it, where the study drops it."""
    if design.window.transition != "drop":
        return np.zeros(len(cells.n), dtype=bool)
    inside = {unit: g for unit, g in arms.gtime.items() if cells.starts.get(g) != arms.go_live[unit]}
    gtime = _gtime_of_cells(cells, arms)
    return np.asarray(_among(cells.unit_id, inside) & (cells.period == gtime - 1))


def _partial(panel: PreparedPanel, cells: CheckedCells, arms: Arms, design: Design) -> Array | None:
    """Returns by unit (G,) the share of the period before gtime from the go-live inside it on; None where none counts.

    A go-live inside a period that has no rows of any unit leaves no share.
    """
    partial = np.zeros(len(panel.unit_ids))
    if design.window.transition == "fraction":
        for place, unit in enumerate(panel.unit_ids):
            start = cells.starts.get(arms.gtime[unit] - 1) if unit in arms.gtime else None
            if start is not None and start < arms.go_live[unit]:
                end = add_periods(start, 1, design.window.period)
                partial[place] = max((end - arms.go_live[unit]).days, 0) / (end - start).days
    return partial if partial.any() else None


def _seen_on_both_sides(cells: CheckedCells, keep: Mask, arms: Arms, design: Design, warnings: list[str]) -> Mask:
    """Marks the cells of units that may stay: every comparator, and treated units seen before and after go-live."""
    gtime = _gtime_of_cells(cells, arms)
    before, after = (
        set(cells.unit_id[keep & (gtime != NEVER) & side]) for side in (cells.period < gtime, cells.period >= gtime)
    )
    for side, name in ((before, "before"), (after, "from")):
        if not side:
            raise NotEstimableError(
                f"No treated unit has rows {name} go-live" + (" on" if name == "from" else ""),
                expected="periods on both sides of go-live",
                found=f"periods from {min(cells.starts.values())} to {max(cells.starts.values())}",
                remedy="Widen the window, or move go_live",
            )
    incomplete = sorted(set(arms.gtime) - (before & after))
    lacking = [*incomplete, *arms.absent_pilots]
    if lacking and design.population.incomplete_units == "refuse":
        raise InputError(
            "Treated units have no known cell before or after their go-live",
            where=f"outcome {design.outcome_id}",
            expected="rows on both sides of go-live for every pilot",
            found=", ".join(lacking),
            remedy='Take them out of the study, or set population.incomplete_units = "drop"',
        )
    if lacking:
        warnings.append(f"treated units left out, with no known cell on one side of go-live: {', '.join(lacking)}")
    if not before & after:
        raise NotEstimableError(
            "No treated unit has rows both before and after go-live",
            found=", ".join(lacking),
            remedy="Widen the window",
        )
    first = min(arms.gtime[unit] for unit in before & after)
    early, late = (
        set(cells.unit_id[keep & (gtime == NEVER) & side]) for side in (cells.period < first, cells.period >= first)
    )
    one_sided = sorted(early ^ late)
    if one_sided:
        warnings.append(
            f"comparators with rows on one side of the first go-live only, kept: {', '.join(one_sided[:12])}"
            + (f" and {len(one_sided) - 12} more" if len(one_sided) > 12 else "")
        )
    return ~_among(cells.unit_id, incomplete)


def _panel(
    cells: CheckedCells,
    keep: Mask,
    levels: Mapping[str, npt.NDArray[np.object_]],
    arms: Arms,
    warnings: tuple[str, ...],
) -> PreparedPanel:
    """Sums the cells that are kept by unit and period, and their covariates by unit."""
    unit, unit_ids = pd.factorize(cells.unit_id[keep], sort=True)
    numbers = np.unique(cells.period[keep])
    period = np.searchsorted(numbers, cells.period[keep])
    n, y_sum = cells.n[keep], cells.y_sum[keep]
    y_sumsq = None if cells.y_sumsq is None else cells.y_sumsq[keep]
    names: list[str] = []
    places, references = [], []
    for name, values in levels.items():
        codes, found = pd.factorize(values[keep], sort=True)
        # The commonest level is the reference: the best conditioned choice, and no estimate depends on it.
        common = int(np.argmax(np.bincount(codes, n)))
        dummies = [code for code in range(len(found)) if code != common]
        place = np.full(len(found), -1, dtype=np.int64)
        place[dummies] = len(names) + np.arange(len(dummies))
        names += [f"{name}={found[code]}" for code in dummies]
        references.append(f"{name}={found[common]}")
        places.append(place[codes])
    continuous = tuple(name.removesuffix("__sum") for name in cells.moments if name.count("__") == 1)
    moment = {name: values[keep] for name, values in cells.moments.items()}
    n_units, n_periods, n_dummies, n_columns = len(unit_ids), len(numbers), len(names), len(names) + len(continuous)
    cell = unit * n_periods + period
    z_sum = np.zeros((n_units * n_periods, n_columns))
    zz_sum, zy_sum = np.zeros((n_units, n_columns, n_columns)), np.zeros((n_units, n_columns))
    everyone = np.arange(n_dummies, n_columns)
    products = np.zeros((n_units * n_periods, n_columns + 1, len(continuous)))
    for place in places:
        mine = place >= 0
        z_sum += _table((cell[mine], place[mine]), n[mine], z_sum.shape)
        zy_sum += _table((unit[mine], place[mine]), y_sum[mine], zy_sum.shape)
        for other in places:
            both = mine & (other >= 0)
            zz_sum += _table((unit[both], place[both], other[both]), n[both], zz_sum.shape)
        for k, (column, z) in enumerate(zip(everyone, continuous, strict=True)):
            sums = _table((unit[mine], place[mine]), moment[f"{z}__sum"][mine], zy_sum.shape)
            zz_sum[:, :, column] += sums
            zz_sum[:, column, :] += sums
            products[:, :n_columns, k] += _table((cell[mine], place[mine]), moment[f"{z}__sum"][mine], z_sum.shape)
    for k, (column, z) in enumerate(zip(everyone, continuous, strict=True)):
        z_sum[:, column] = np.bincount(cell, moment[f"{z}__sum"], minlength=len(z_sum))
        zy_sum[:, column] = np.bincount(unit, moment[f"{z}__y__sum"], minlength=n_units)
        products[:, n_columns, k] = np.bincount(cell, moment[f"{z}__y__sum"], minlength=len(z_sum))
        for other_column, w in zip(everyone, continuous, strict=True):
            pair = f"{z}__{w}__sum" if f"{z}__{w}__sum" in moment else f"{w}__{z}__sum"
            zz_sum[:, column, other_column] = np.bincount(unit, moment[pair], minlength=n_units)
            products[:, other_column, k] = np.bincount(cell, moment[pair], minlength=len(z_sum))

    def by_period(values: Array) -> Array:
        return _table((unit, period), values, (n_units, n_periods))

    return PreparedPanel(
        outcome_id=cells.outcome_id,
        unit_ids=tuple(unit_ids),
        periods=numbers,
        period_starts=tuple(cells.starts[int(number)] for number in numbers),
        gtime=np.array([arms.gtime.get(name, NEVER) for name in unit_ids], dtype=np.int64),
        rows=by_period(n),
        y_sum=by_period(y_sum),
        y_sumsq=None if y_sumsq is None else by_period(y_sumsq),
        covariates=(*names, *continuous),
        continuous=continuous,
        z_sum=z_sum.reshape(n_units, n_periods, n_columns),
        zz_sum=zz_sum,
        zy_sum=zy_sum,
        cells=CellArrays(
            unit=unit.astype(np.int64),
            period=period.astype(np.int64),
            n=n,
            y_sum=y_sum,
            y_sumsq=y_sumsq,
            levels=np.column_stack(places) if places else np.zeros((len(n), 0), dtype=np.int64),
        ),
        warnings=warnings,
        references=tuple(references),
        continuous_products=products.reshape(n_units, n_periods, *products.shape[1:]) if continuous else None,
    )


def _table(index: tuple[Places, ...], values: Array, shape: tuple[int, ...]) -> Array:
    """Returns an array of the shape with the values added up at their places."""
    flat = np.ravel_multi_index(index, shape)
    return np.bincount(flat, values, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64, copy=False)
