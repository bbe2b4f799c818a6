"""The same estimates from individual rows, without the package: what the oracle tests of staggered designs share."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sos_spark.fit.estimators import (
    LinearEstimate,
)
from sos_spark.fit.regression.covariance import Sandwich

GAPS = ((1, 1), (4, 6), (12, 0), (14, 7))
COVARIATES = ("age_band", "sex")


def effect(estimate: LinearEstimate) -> float:
    return Sandwich(estimate.moments).estimate(estimate.coefficient)


def dummies(rows: pd.DataFrame, columns: tuple[str, ...]) -> np.ndarray:
    """A dummy for each level of each column; all of the first column's, and all but one of the others'."""
    parts = [
        pd.get_dummies(rows[name], drop_first=place > 0).to_numpy(dtype=float) for place, name in enumerate(columns)
    ]
    return np.hstack(parts)


def row_weights(rows: pd.DataFrame, weights: str) -> np.ndarray:
    sizes = rows["unit"].map(rows["unit"].value_counts()).to_numpy(dtype=float)
    return np.ones(len(rows)) if weights == "child" else 1 / sizes


def imputed_on_rows(
    rows: pd.DataFrame, by: tuple[str, ...], weight: np.ndarray, *, also: tuple[str, ...] = ()
) -> tuple[float, np.ndarray]:
    """The estimate by two steps on individual rows, and its weight on each row's y."""
    x = np.hstack([dummies(rows, ("unit", "period", *by)), rows[list(also)].to_numpy(float)])
    y, treated = rows["y"].to_numpy(float), rows["treated"].to_numpy() == 1
    root = np.sqrt(weight[~treated])
    share = weight[treated] / weight[treated].sum()
    first = np.linalg.pinv(root[:, None] * x[~treated])
    slope = np.zeros(len(rows))
    slope[treated] = share
    slope[~treated] = -(share @ x[treated]) @ first * root
    return float(slope @ y), slope


def counted(scores: np.ndarray, treated: np.ndarray, *, small: bool) -> np.ndarray:
    n = np.count_nonzero(treated)
    return np.where(treated | (not small), scores, scores * (n - 1) / n)
