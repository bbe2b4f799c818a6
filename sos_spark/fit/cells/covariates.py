"""Categorical covariates of a panel: what is missing, and levels that one LA alone has."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pandas as pd

from sos_spark.config.study import Covariates
from sos_spark.errors import InputError
from sos_spark.fit.cells.reading import CheckedCells, Text
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.regression.moments import Array

Mask = npt.NDArray[np.bool_]

MISSING = "missing"
"""The level that stands for a missing value under missing = "indicator"."""


def covariate_levels(
    cells: CheckedCells, keep: Mask, *, pilots: Collection[str], covariates: Covariates, warnings: list[str]
) -> tuple[Mask, dict[str, Text]]:
    """Returns which cells stay, and each covariate's levels in every cell, (C,).

    A missing value drops the cell (complete_case) or is a level (indicator). A study that keeps its records' missing
    values as a level has a panel that holds them as that level, which is missing here too.

    Raises:
        NotEstimableError: No cell has every covariate.
    """
    columns = dict(cells.categorical)
    unknown = {name: np.array([value in (None, MISSING) for value in values]) for name, values in columns.items()}
    if covariates.missing == "indicator":
        columns = {name: np.where(unknown[name], MISSING, values) for name, values in columns.items()}
    elif columns:
        missing = np.logical_or.reduce([*unknown.values()]) & keep
        if missing.any():
            treated = np.isin(cells.unit_id, [*pilots])
            lost = [int(cells.n[missing & arm].sum()) for arm in (treated, ~treated)]
            of = [int(cells.n[keep & arm].sum()) for arm in (treated, ~treated)]
            names = ", ".join(name for name, empty in unknown.items() if (empty & keep).any())
            warnings.append(
                f"rows without {names} left out: {lost[0]} of {of[0]} in pilots, {lost[1]} of {of[1]} in comparators"
            )
        keep = keep & ~missing
        if not keep.any():
            raise NotEstimableError(
                "No cell has every covariate",
                found=", ".join(columns),
                remedy='Take covariates out, or missing = "indicator"',
            )
    return keep, columns


def without_lone_levels(
    cells: CheckedCells, keep: Mask, columns: dict[str, Text], *, covariates: Covariates, warnings: list[str]
) -> tuple[Mask, dict[str, Text]]:
    """Returns which cells stay and their levels, once no level is found in one LA only.

    Without that LA the fit would be singular, so the level is refused with its name, merged into the commonest one, or
    its cells dropped.

    Raises:
        InputError: A lone level, where the study refuses them.
    """
    columns = dict(columns)
    if len(set(cells.unit_id[keep])) < 2:
        return keep, columns
    while lone := {name: found for name in columns if (found := _lone_levels(cells, keep, columns[name]))}:
        said = "; ".join(f"{name}: {', '.join(sorted(levels))}" for name, levels in lone.items())
        if covariates.lone_levels == "refuse":
            raise InputError(
                "A covariate level is found in one authority only",
                expected="every level in two authorities or more",
                found=said,
                remedy='Set covariates.lone_levels = "merge" or "drop"',
            )
        if covariates.lone_levels == "drop":
            warnings.append(f"cells of levels found in one authority only left out ({said})")
            for name, levels in lone.items():
                keep = keep & ~np.isin(columns[name], sorted(levels))
        else:
            warnings.append(f"levels found in one authority only merged into the commonest ({said})")
            for name, levels in lone.items():
                columns[name] = _merged(columns[name], sorted(levels), cells.n * keep)
    return keep, columns


def _lone_levels(cells: CheckedCells, keep: Mask, values: Text) -> set[str]:
    pairs = pd.DataFrame({"level": values[keep], "unit": cells.unit_id[keep]}).drop_duplicates()
    units = pairs.groupby("level")["unit"].size()
    return set(units.index[units == 1])


def _merged(values: Text, lone: list[str], rows: Array) -> Text:
    """Returns the levels with the lone ones replaced by the commonest of the others, if there are others."""
    totals = pd.Series(rows).groupby(values).sum()
    others = totals.drop(lone)
    merged = values.copy()
    merged[np.isin(values, lone)] = (others if others.sum() > 0 else totals).idxmax()
    return merged
