"""CR2, its Satterthwaite df and CR3 against N x N matrices and refits on individual rows, LA dummies included."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import TREATED, Weights, treatment_regression
from sos_spark.fit.regression.moments import Array
from tests.fit_panels import collapsed, design_of, some_children
from tests.references import Reference

LONG_WAY = Reference(
    "CR2 with Satterthwaite df",
    "error and df; CR3 error",
    "matrices of individual rows",
    "brute force",
    1e-9,
)


@dataclass(frozen=True)
class BruteForce:
    se_cr2: float
    df: float
    se_cr3: float


def brute_force(x: Array, y: Array, unit: np.ndarray, weight: Array, *, place: int) -> BruteForce:
    """By the definitions, for weighted least squares with an identity working covariance of the rows."""
    n, k = x.shape
    bread = np.linalg.inv(x.T @ (x * weight[:, None]))
    beta = bread @ x.T @ (weight * y)
    left = np.eye(n) - x @ bread @ (x * weight[:, None]).T
    meat, weights_of_errors, without = np.zeros((k, k)), [], []
    for g in np.unique(unit):
        mine = unit == g
        size, directions = np.linalg.eigh(left[mine] @ left[mine].T)
        inverse = np.where(size > 1e-9, 1 / np.sqrt(np.maximum(size, 1e-9)), 0.0)
        adjust = (directions * inverse) @ directions.T
        weighted = x[mine] * weight[mine][:, None]
        score = weighted.T @ (adjust @ (y - x @ beta)[mine])
        meat += np.outer(score, score)
        weights_of_errors.append(left[mine].T @ (adjust @ (weighted @ bread[:, place])))
        rest = ~mine
        weighted = x[rest] * weight[rest][:, None]
        without.append((np.linalg.pinv(weighted.T @ x[rest]) @ (weighted.T @ y[rest]))[place] - beta[place])
    p = np.array(weights_of_errors) @ np.array(weights_of_errors).T
    groups = len(without)
    return BruteForce(
        se_cr2=float(np.sqrt((bread @ meat @ bread)[place, place])),
        df=float(np.trace(p) ** 2 / np.sum(p**2)),
        se_cr3=float(np.sqrt((groups - 1) / groups * np.sum(np.square(without)))),
    )


def full_design(children: pd.DataFrame, *, by: tuple[str, ...], z: str | None) -> Array:
    """Treatment, LA dummies, period dummies and covariates of the individual rows."""
    columns = [children["treated"], pd.get_dummies(children["unit"]), pd.get_dummies(children["period"]).iloc[:, 1:]]
    columns += [pd.get_dummies(children[name]).iloc[:, 1:] for name in by]
    columns += [children[z]] if z else []
    return np.column_stack([np.asarray(column, dtype=float) for column in columns])


@pytest.mark.parametrize("weights", ["child", "la_equal"])
@pytest.mark.parametrize(("by", "z"), [((), None), (("sex",), None), (("age_band",), "age_years")])
def test_cr2_and_cr3_by_brute_force(weights: Weights, by: tuple[str, ...], z: str | None) -> None:
    children = some_children(n_rows=900, n_units=9, n_treated=4, n_periods=6, seed=8)
    panel = prepare(collapsed(children, y="days", by=by, z=z), design_of(children, by=by, z=z)).panel
    fitted = Sandwich(treatment_regression(panel, weights=weights).moments)
    own = fitted.satterthwaite_of([TREATED])

    totals = children.groupby("unit")["unit"].transform("size").to_numpy(dtype=float)
    expected = brute_force(
        full_design(children, by=by, z=z),
        children["days"].to_numpy(dtype=float),
        children["unit"].to_numpy(),
        np.ones_like(totals) if weights == "child" else 1 / totals,
        place=0,
    )

    assert own.se[0] == LONG_WAY.equals(expected.se_cr2)
    assert own.df[0] == LONG_WAY.equals(expected.df)
    assert fitted.se(fitted.cr3, TREATED) == LONG_WAY.equals(expected.se_cr3)


def test_cr2_of_four_thousand_rows() -> None:
    children = some_children(n_rows=4_000, n_units=30, n_treated=9, n_periods=8, seed=9)
    panel = prepare(collapsed(children, y="yes"), design_of(children)).panel
    own = Sandwich(treatment_regression(panel, weights="child").moments).satterthwaite_of([TREATED])
    expected = brute_force(
        full_design(children, by=(), z=None),
        children["yes"].to_numpy(dtype=float),
        children["unit"].to_numpy(),
        np.ones(len(children)),
        place=0,
    )
    assert own.se[0] == LONG_WAY.equals(expected.se_cr2)
    assert own.df[0] == LONG_WAY.equals(expected.df)


def test_one_treated_unit_takes_a_generalised_inverse() -> None:
    children = some_children(n_rows=500, n_units=6, n_treated=1, n_periods=5, seed=10)
    panel = prepare(collapsed(children, y="yes"), design_of(children)).panel
    fitted = Sandwich(treatment_regression(panel, weights="child").moments)
    expected = brute_force(
        full_design(children, by=(), z=None),
        children["yes"].to_numpy(dtype=float),
        children["unit"].to_numpy(),
        np.ones(len(children)),
        place=0,
    )
    assert fitted.satterthwaite_of([TREATED]).se[0] == LONG_WAY.equals(expected.se_cr2)
    assert np.isnan(fitted.se(fitted.cr3, TREATED))
