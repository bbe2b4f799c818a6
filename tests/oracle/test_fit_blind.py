"""Everything a fit reports, worked out again on the individual rows by the definitions, with numpy alone.

A dummy for every LA and period, every covariate level but one, N x N projections, every sign vector, every assignment
of pilots: nothing is shared with the package but the cells it is given. Panels have LA-periods without rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sos_spark.config.study import Covariates, Design, Inference
from sos_spark.fit import DidResult, fit_did
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.inference.multiplicity import family_test
from sos_spark.fit.regression.design import TREATED, treatment_regression
from tests.fit_panels import collapsed, design_of, some_children
from tests.references import Reference

NUMPY = Reference(
    "Whole fit",
    "estimate and every standard error",
    "a second implementation on individual rows, written from the method alone",
    "second implementation",
    1e-9,
)
ROMANO_WOLF = Reference(
    "Romano and Wolf",
    "adjusted p-values",
    "every sign vector, the long way round",
    "brute force",
    1e-12,
    absolute=True,
)

GO_LIVE = 3
ENUMERATED = Inference(draws=2_048, permutations=500)


@dataclass(frozen=True)
class Rows:
    """Individual rows with a design matrix of full rank, the treatment first. `k_kept`: columns but the LA dummies."""

    x: np.ndarray
    y: np.ndarray
    unit: np.ndarray
    weight: np.ndarray
    k_kept: int

    def fit(self, x: np.ndarray | None = None, y: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Returns coefficients and (X'WX)^-1."""
        x, y = (self.x if x is None else x), (self.y if y is None else y)
        bread = np.linalg.inv(x.T @ (x * self.weight[:, None]))
        return bread @ (x.T @ (self.weight * y)), bread

    def scores(self, residual: np.ndarray, x: np.ndarray | None = None) -> np.ndarray:
        """Returns X_g'W e_g of each LA, (G, K); of many residuals (N, B), (G, K, B)."""
        x = self.x if x is None else x
        return np.stack([
            (x[self.unit == g] * self.weight[self.unit == g, None]).T @ residual[self.unit == g]
            for g in np.unique(self.unit)
        ])  # fmt: skip


def children(seed: int = 1, *, n_treated: int = 5) -> pd.DataFrame:
    """Rows of ten LAs over six periods, of which three LA-periods have none."""
    rows = some_children(n_rows=700, n_units=10, n_treated=n_treated, n_periods=6, seed=seed)
    gaps = [(1, 4), (7, 0), (8, 5)]
    return rows[~pd.MultiIndex.from_frame(rows[["unit", "period"]]).isin(gaps)].reset_index(drop=True)


def rows_of(rows: pd.DataFrame, *, y: str, by: tuple[str, ...] = (), z: str | None = None, weights: str) -> Rows:
    """The individual rows' regression."""
    columns = [rows["treated"].to_numpy()[:, None], dummies(rows["period"])]
    columns += [dummies(rows[name]) for name in by] + ([rows[[z]].to_numpy()] if z else [])
    kept = np.column_stack(columns).astype(float)
    unit = rows["unit"].to_numpy()
    totals = np.bincount(unit)[unit].astype(float)
    x = np.column_stack([kept, unit[:, None] == np.unique(unit)]).astype(float)
    weight = np.ones(len(rows)) if weights == "child" else 1 / totals
    return Rows(x, rows[y].to_numpy(dtype=float), unit, weight, kept.shape[1])


def dummies(values: pd.Series) -> np.ndarray:
    return (values.to_numpy()[:, None] == np.unique(values)[None, 1:]).astype(float)


@dataclass(frozen=True)
class ByHand:
    """What the definitions say."""

    att: float
    se_cr1: float
    se_cr2: float
    df: float
    se_cr3: float
    se_iid: float
    se_hc1: float


def by_hand(rows: Rows) -> ByHand:
    beta, bread = rows.fit()
    n, groups = len(rows.y), np.unique(rows.unit)
    residual = rows.y - rows.x @ beta
    scores = rows.scores(residual)
    # K of CR1: regressors and periods (one period dummy more than is in X), LA effects nested and not counted.
    factor = len(groups) / (len(groups) - 1) * (n - 1) / (n - (rows.k_kept + 1))
    parts = scores @ bread[0]
    every = rows.x.shape[1]
    iid = np.sum(rows.weight * residual**2) / (n - every) * bread[0, 0]
    meat = (rows.x * (rows.weight * residual)[:, None]).T @ (rows.x * (rows.weight * residual)[:, None])
    cr2, df = cr2_by_hand(rows, bread, residual)
    without = [rows_without(rows, g).fit_first() for g in groups]
    return ByHand(
        att=float(beta[0]),
        se_cr1=float(np.sqrt(factor * parts @ parts)),
        se_cr2=cr2,
        df=df,
        se_cr3=float(np.sqrt((len(groups) - 1) / len(groups) * np.sum((np.array(without) - beta[0]) ** 2))),
        se_iid=float(np.sqrt(iid)),
        se_hc1=float(np.sqrt(n / (n - every) * (bread @ meat @ bread)[0, 0])),
    )


def cr2_by_hand(rows: Rows, bread: np.ndarray, residual: np.ndarray) -> tuple[float, float]:
    left = np.eye(len(rows.y)) - rows.x @ bread @ (rows.x * rows.weight[:, None]).T
    variance, of_errors = 0.0, []
    for g in np.unique(rows.unit):
        mine = rows.unit == g
        size, directions = np.linalg.eigh(left[mine] @ left[mine].T)
        root = np.where(size > 1e-9, 1 / np.sqrt(np.maximum(size, 1e-9)), 0.0)
        taken = (rows.x[mine] * rows.weight[mine, None]) @ bread[:, 0]
        adjusted = (directions * root) @ (directions.T @ taken)
        variance += float(adjusted @ residual[mine]) ** 2
        of_errors.append(left[mine].T @ adjusted)
    p = np.array(of_errors) @ np.array(of_errors).T
    return float(np.sqrt(variance)), float(np.trace(p) ** 2 / np.sum(p**2))


@dataclass(frozen=True)
class _Without:
    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray

    def fit_first(self) -> float:
        root = np.sqrt(self.weight)
        return float(np.linalg.lstsq(self.x * root[:, None], self.y * root, rcond=None)[0][0])


def rows_without(rows: Rows, unit: int) -> _Without:
    rest = rows.unit != unit
    used = rows.x[rest].any(axis=0)
    return _Without(rows.x[rest][:, used], rows.y[rest], rows.weight[rest])


def signs_of(n: int) -> np.ndarray:
    """Every sign vector, the identity first, (2^G, G)."""
    return np.array(list(product([1.0, -1.0], repeat=n)))


def t_stars(rows: Rows, null: float, signs: np.ndarray) -> tuple[float, np.ndarray]:
    """Returns t and every t* of the restricted bootstrap; CR1 without its factor, which is the same in both."""
    others = rows.x[:, 1:]
    free, _ = rows.fit(others, rows.y - null * rows.x[:, 0])
    fitted = others @ free + null * rows.x[:, 0]
    y = fitted[:, None] + signs.T[rows.unit] * (rows.y - fitted)[:, None]
    bread = np.linalg.inv(rows.x.T @ (rows.x * rows.weight[:, None]))
    beta = bread @ (rows.x.T @ (rows.weight[:, None] * y))
    parts = np.einsum("k,gkb->gb", bread[0], rows.scores(y - rows.x @ beta))
    drawn = (beta[0] - null) / np.sqrt(np.sum(parts**2, axis=0))
    return float(drawn[0]), drawn


def p_wcr(rows: Rows, null: float = 0.0) -> float:
    t, drawn = t_stars(rows, null, signs_of(len(np.unique(rows.unit))))
    return float(np.mean(np.abs(drawn) >= abs(t) * (1 - 1e-10)))


def p_ri(table: pd.DataFrame, make: Callable[[pd.DataFrame], Rows]) -> float:
    """Every set of LAs as pilots from the same period on; |att / se_cr1|."""
    actual = tuple(sorted(table.loc[table["treated"] == 1, "unit"].unique()))
    sets = [actual, *(c for c in combinations(range(table["unit"].max() + 1), len(actual)) if c != actual)]
    found = []
    for pilots in sets:
        rows = make(table.assign(treated=(table["unit"].isin(pilots) & (table["period"] >= GO_LIVE)).astype(float)))
        beta, bread = rows.fit()
        parts = rows.scores(rows.y - rows.x @ beta) @ bread[0]
        found.append(abs(beta[0]) / np.sqrt(parts @ parts))
    return float(np.mean(np.array(found) >= found[0] * (1 - 1e-10)))


CASES = [
    pytest.param("yes", (), None, "child", id="plain"),
    pytest.param("yes", ("sex",), None, "la_equal", id="LA-equal, categorical"),
    pytest.param("days", ("age_band", "sex"), None, "child", id="two categorical"),
    pytest.param("days", ("sex",), "age_years", "child", id="continuous"),
    pytest.param("days", (), "age_years", "la_equal", id="LA-equal, continuous"),
]


def fitted(table: pd.DataFrame, y: str, by: tuple[str, ...], z: str | None, weights: str) -> DidResult:
    inference = ENUMERATED.model_copy(update={"weights": weights})
    return fit_did(collapsed(table, y=y, by=by, z=z), design=merging(design_of(table, by=by, z=z)), inference=inference)


def merging(design: Design) -> Design:
    given = design.covariates.model_copy(update={"lone_levels": "merge"})
    return design.model_copy(update={"covariates": given})


@pytest.mark.parametrize(("y", "by", "z", "weights"), CASES)
def test_every_number_of_a_fit(y: str, by: tuple[str, ...], z: str | None, weights: str) -> None:
    table = children()
    ours = fitted(table, y, by, z, weights)
    rows = rows_of(table, y=y, by=by, z=z, weights=weights)
    expected = by_hand(rows)

    for name in ("att", "se_cr1", "se_cr2", "se_cr3", "se_iid"):
        assert getattr(ours, name) == NUMPY.equals(getattr(expected, name)), name
    assert ours.df_satterthwaite == pytest.approx(expected.df, rel=1e-8)
    if z is None:
        assert ours.se_hc1 == NUMPY.equals(expected.se_hc1)
    else:
        assert np.isnan(ours.se_hc1)
        assert "fourth moments" in ours.note
    student = stats.t(expected.df)
    assert ours.p_cr2 == pytest.approx(2 * student.sf(abs(expected.att) / expected.se_cr2), rel=1e-7)
    assert ours.mde == pytest.approx((student.ppf(0.975) + student.ppf(0.8)) * expected.se_cr2, rel=1e-8)
    assert ours.p_wcr == p_wcr(rows)
    assert ours.p_ri == pytest.approx(
        p_ri(table, lambda moved: rows_of(moved, y=y, by=by, z=z, weights=weights)), abs=1e-12
    )
    before = (table["unit"] < 5) & (table["period"] < GO_LIVE)
    assert ours.baseline_mean == pytest.approx(np.average(table.loc[before, y], weights=rows.weight[before]))
    keys = ["unit", "period", *by]
    assert (ours.n_rows, ours.n_cells) == (len(table), len(table.drop_duplicates(keys)))
    assert (ours.n_clusters, ours.n_treated_clusters) == (10, 5)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("weights", ["child", "la_equal"])
def test_the_interval_is_the_hull_of_what_is_not_rejected(weights: str, seed: int) -> None:
    table = children(seed)
    ours = fitted(table, "yes", (), None, weights)
    rows = rows_of(table, y="yes", weights=weights)
    width = ours.ci_high_wcr - ours.ci_low_wcr
    inside, outside = (np.array([1.0, -1.0]) * 1e-7 * width * side for side in (1, -1))
    ends = np.array([ours.ci_low_wcr, ours.ci_high_wcr])
    assert all(p_wcr(rows, r) > 0.05 for r in ends + inside)
    beyond = [ours.ci_low_wcr - far * width for far in np.geomspace(1e-7, 30, 25)]
    beyond += [ours.ci_high_wcr + far * width for far in np.geomspace(1e-7, 30, 25)]
    assert all(p_wcr(rows, r) <= 0.05 for r in [*beyond, *(ends + outside)])


def test_romano_wolf_over_every_sign_vector() -> None:
    tables = [children(seed) for seed in (1, 2, 3)]
    fits = {
        f"outcome_{k}": treatment_regression(
            prepare(collapsed(t, y="yes"), design_of(t)).panel, weights="child"
        ).moments
        for k, t in enumerate(tables)
    }
    signs = signs_of(10)
    drawn = [t_stars(rows_of(t, y="yes", weights="child"), 0.0, signs) for t in tables]
    # |t| in the statistic's own units: each outcome's CR1 factor.
    factors = [np.sqrt(10 / 9 * (len(t) - 1) / (len(t) - 7)) for t in tables]
    t = np.array([abs(one) / f for (one, _), f in zip(drawn, factors, strict=True)])
    t_star = np.array([np.abs(many) / f for (_, many), f in zip(drawn, factors, strict=True)])
    expected, so_far = np.empty(3), 0.0
    for place in np.argsort(-t):
        rest = t <= t[place]
        so_far = max(so_far, float(np.mean(t_star[rest].max(axis=0) >= t[place] * (1 - 1e-10))))
        expected[place] = so_far

    ours = family_test(fits, coefficient=TREATED, draws=1_024, seed=1)

    assert ours.p_adjusted == ROMANO_WOLF.equals(expected)
    assert ours.p == ROMANO_WOLF.equals(np.mean(t_star >= t[:, None] * (1 - 1e-10), axis=1))


def test_sampled_permutations_count_the_actual_one() -> None:
    table = children()
    inference = Inference(draws=2_048, permutations=99)
    ours = fit_did(collapsed(table, y="yes"), design=design_of(table), inference=inference)
    whole = p_ri(table, lambda moved: rows_of(moved, y="yes", weights="child"))
    assert ours.p_ri * 100 == pytest.approx(round(ours.p_ri * 100))
    assert ours.p_ri >= 1 / 100
    assert ours.p_ri == pytest.approx(whole, abs=4 * np.sqrt(whole * (1 - whole) / 99) + 0.01)


def test_a_lone_level_is_merged_or_dropped_as_if_the_rows_had_been() -> None:
    table = children()
    table.loc[table.index[table["unit"] == 6][:4], "sex"] = "not recorded"
    table.loc[table["sex"] == "unknown", "sex"] = "male"
    commonest = table["sex"].value_counts().idxmax()
    changed = {
        "merge": table.assign(sex=table["sex"].replace("not recorded", commonest)),
        "drop": table[table["sex"] != "not recorded"],
    }
    for rule, rows in changed.items():
        covariates = Covariates.model_validate({"categorical": ["sex"], "lone_levels": rule})
        design = design_of(table, by=("sex",)).model_copy(update={"covariates": covariates})
        ours = fit_did(collapsed(table, y="yes", by=("sex",)), design=design, inference=ENUMERATED)
        expected = by_hand(rows_of(rows, y="yes", by=("sex",), weights="child"))
        assert ours.n_rows == len(rows)
        assert (ours.att, ours.se_cr2) == pytest.approx((expected.att, expected.se_cr2), rel=1e-9)
