"""Imputation, Sun-Abraham and ETWFE against individual rows, pyfixest and diff-diff."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyfixest
import pytest
from diff_diff import ImputationDiD, WooldridgeDiD
from diff_diff import SunAbraham as OutsideSunAbraham
from statsmodels.regression.linear_model import OLS, WLS

from sos_spark.analysis.staggered_tables import aggregates_frame
from sos_spark.config.study import Inference
from sos_spark.fit.cells.subpanel import only_periods_of
from sos_spark.fit.estimators import (
    cs_not_yet,
    cs_simple,
    etwfe,
    imputation,
    sun_abraham,
    unit_panel,
)
from sos_spark.fit.regression.covariance import Convention, Sandwich
from sos_spark.fit.regression.design import NEVER, TREATED, PreparedPanel, Weights
from sos_spark.fit.regression.final_fit import final_fit
from sos_spark.fit.staggered.etwfe_refit import EtwfeRefit
from sos_spark.fit.staggered.group_time import (
    aggregate,
    group_time_effects,
    saturated_moments,
)
from sos_spark.fit.staggered.imputation import Imputation
from sos_spark.fit.staggered.imputation_refit import ImputationRefit
from sos_spark.fit.staggered.residual_model import effect_groups
from sos_spark.fit.staggered.sun_abraham_refit import SunAbrahamRefit
from tests.references import Reference
from tests.staggered_panels import (
    LARGE_GROUPS,
    THREE_GROUPS,
    StaggeredRows,
    random_totals,
    staggered_rows,
)
from tests.staggered_reference import COVARIATES, GAPS, dummies, effect, imputed_on_rows, row_weights

DID2S = Reference(
    "Imputation",
    "estimate",
    "pyfixest did2s on the individual rows",
    "package",
    1e-6,
)
IMPUTATION = Reference(
    "Imputation",
    "estimate, effects by group and by time since go-live",
    "diff-diff",
    "package",
    1e-8,
    absolute=True,
)
SUN_ABRAHAM_ROWS = Reference(
    "Sun and Abraham",
    "estimate",
    "pyfixest on the individual rows",
    "package",
    1e-8,
)
SUN_ABRAHAM = Reference(
    "Sun and Abraham",
    "effects by time since go-live, equal rows",
    "diff-diff",
    "package",
    1e-8,
)
ETWFE_ROWS = Reference(
    "Extended two-way fixed effects",
    "estimate",
    "pyfixest on the individual rows",
    "package",
    1e-8,
)
ETWFE = Reference(
    "Extended two-way fixed effects",
    "estimate, effects by time since go-live",
    "diff-diff",
    "package",
    1e-8,
)

QUICK = Inference(draws=99, permutations=99)


@pytest.mark.parametrize("weights", ["child", "la_equal"])
@pytest.mark.parametrize("by", [(), COVARIATES])
@pytest.mark.parametrize("gtime", [THREE_GROUPS, LARGE_GROUPS, (2, 4, 5)])
def test_imputation_is_two_steps_on_the_rows(gtime: Sequence[int], by: tuple[str, ...], weights: Weights) -> None:
    data = staggered_rows(gtime, by=by, gaps=GAPS)
    expected, _ = imputed_on_rows(data.rows, by, row_weights(data.rows, weights))
    parts = Imputation.of(data.panel, weights=weights)
    assert effect(imputation(data.panel, weights=weights)) == pytest.approx(expected, rel=1e-9)
    assert parts.estimate(parts.simple) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("weights", ["child", "la_equal"])
@pytest.mark.parametrize("by", [(), ("sex",)])
def test_imputation_adjusts_for_a_continuous_covariate(by: tuple[str, ...], weights: Weights) -> None:
    data = staggered_rows(by=by, z="age_years", gaps=GAPS)
    rows, weight = data.rows, row_weights(data.rows, weights)
    expected, _ = imputed_on_rows(rows, by, weight, also=("age_years",))
    estimate = imputation(data.panel, weights=weights)
    assert effect(estimate) == pytest.approx(expected, rel=1e-9)
    assert ImputationRefit.of(data.panel, weights=weights).scored(data.panel.gtime)[0][0] == pytest.approx(
        expected, rel=1e-9
    )
    last = rows["period"] == 7
    alone = only_periods_of(data.panel, np.broadcast_to(data.panel.periods < 7, data.panel.rows.shape))
    other, _ = imputed_on_rows(rows[~last], by, row_weights(rows[~last], weights), also=("age_years",))
    assert effect(imputation(alone, weights=weights)) == pytest.approx(other, rel=1e-9)


def test_imputation_is_did2s_of_pyfixest() -> None:
    data = staggered_rows(by=("sex",), gaps=GAPS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = pyfixest.did2s(
            data.rows.assign(on=data.rows["treated"] == 1),
            yname="y",
            first_stage="~ C(sex) | unit + period",
            second_stage="~ i(on, ref=False)",
            treatment="on",
            cluster="unit",
        )
    assert effect(imputation(data.panel, weights="child")) == DID2S.equals(float(fit.coef().iloc[0]))


@pytest.mark.parametrize("gaps", [False, True])
def test_imputation_is_that_of_diff_diff(gaps: bool) -> None:
    panel = random_totals(THREE_GROUPS[:6], equal=True, gaps=gaps)
    cells = cells_of(panel)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outside = ImputationDiD().fit(cells, "y", "unit", "time", "first", aggregate="all")
    frame = averages(panel, "imputation")
    assert effect(imputation(panel, weights="child")) == IMPUTATION.equals(outside.overall_att)
    for kind, expected in (("group", outside.group_effects), ("event", outside.event_study_effects)):
        own = frame[kind]
        found = {k: v["effect"] for k, v in expected.items() if kind == "group" or k >= 0}
        assert len(found) == len(own) - 1
        for level, value in found.items():
            name = panel.period_starts[int(level) - 1].isoformat() if kind == "group" else str(level)
            assert own[name] == IMPUTATION.equals(value)  # it demeans by iteration


def cells_of(panel: PreparedPanel) -> pd.DataFrame:
    """LA-period means, periods from 1 and first = 0 where never treated, as diff-diff has them."""
    unit, time = np.nonzero(panel.rows)
    first = np.where(panel.gtime == NEVER, 0, panel.gtime + 1)[unit]
    return pd.DataFrame(
        {"unit": unit, "time": time + 1, "first": first, "y": panel.y_sum[unit, time] / panel.rows[unit, time]}
    )


def averages(panel: PreparedPanel, estimator: str) -> dict[str, dict[str, float]]:
    frame = aggregates_frame(panel, inference=QUICK)
    own = frame[frame["estimator"] == estimator]
    return {str(kind): dict(zip(rows["level"], rows["att"], strict=True)) for kind, rows in own.groupby("aggregate")}


def brute_cr1(
    x: np.ndarray, y: np.ndarray, cluster: np.ndarray, combination: np.ndarray, k: int
) -> tuple[float, float]:
    """A linear combination of OLS coefficients and its CR1 standard error, K parameters counted."""
    inverse = np.linalg.pinv(x.T @ x)
    beta = inverse @ (x.T @ y)
    residual = y - x @ beta
    direction = x @ (inverse @ combination)
    scores = np.bincount(cluster, direction * residual)
    groups, n = len(np.unique(cluster)), len(y)
    return float(combination @ beta), float(np.sqrt(groups / (groups - 1) * (n - 1) / (n - k) * scores @ scores))


@pytest.mark.parametrize("by", [(), ("sex",)])
@pytest.mark.parametrize("gtime", [THREE_GROUPS, LARGE_GROUPS])
def test_imputation_s_cr1_is_that_of_the_rows_regression_with_shared_effects(
    gtime: Sequence[int], by: tuple[str, ...]
) -> None:
    data = staggered_rows(gtime, by=by, gaps=GAPS, n_rows=1_500)
    rows, moments = data.rows, imputation(data.panel, weights="child").moments
    expected, slope = imputed_on_rows(rows, by, np.ones(len(rows)))
    groups = effect_groups(data.panel.gtime, data.panel.periods)[rows["unit"], rows["period"]]
    shared = np.column_stack([groups == k for k in np.unique(groups[groups >= 0])]).astype(float)
    base = dummies(rows, ("unit", "period", *by))
    x = np.column_stack([base, shared, slope])
    # slope'y = sum of slope over the rows that share an effect, times the effect, + slope'slope k.
    combination = np.concatenate([np.zeros(base.shape[1]), slope @ shared, [slope @ slope]])
    k = len(moments.names) + 1
    att, se = brute_cr1(x, rows["y"].to_numpy(float), rows["unit"].to_numpy(), combination, k)
    assert att == pytest.approx(expected, rel=1e-9)
    solved = Sandwich(moments)
    assert solved.se(solved.cr1, TREATED) == pytest.approx(se, rel=1e-7)
    final = final_fit(moments)
    place = moments.names.index(TREATED)
    assert final.beta[place] == pytest.approx(expected, rel=1e-8)
    assert final.se_cr1[place] == pytest.approx(se, rel=1e-7)


def interactions(data: StaggeredRows, *, after: bool = False) -> tuple[pd.DataFrame, list[tuple[int, int]]]:
    """Rows with a dummy of each group and period: but the last before go-live, or those from go-live on only."""
    rows, cells = data.rows.copy(), []
    for g in sorted(set(rows["gtime"]) - {99}):
        seen = set(rows.loc[rows["gtime"] == g, "period"])
        for t in sorted(t for t in seen if (t >= g if after else t != g - 1)):
            rows[f"d_{g}_{t}"] = ((rows["gtime"] == g) & (rows["period"] == t)).astype(float)
            cells.append((int(g), int(t)))
    return rows, cells


@pytest.mark.parametrize("weights", ["child", "la_equal"])
@pytest.mark.parametrize("gtime", [THREE_GROUPS, LARGE_GROUPS])
def test_sun_abraham_is_the_rows_regression_averaged(gtime: Sequence[int], weights: Weights) -> None:
    data = staggered_rows(gtime, by=("sex",), gaps=GAPS)
    rows, cells = interactions(data)
    names = [f"d_{g}_{t}" for g, t in cells]
    rows["w"] = row_weights(rows, weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = pyfixest.feols(
            f"y ~ {' + '.join(names)} + C(sex) | unit + period", rows, vcov={"CRV1": "unit"}, weights="w",
            fixef_tol=1e-14, fixef_maxiter=100_000,
        )  # fmt: skip
    share = rows.groupby("gtime")["w"].sum()
    weight = np.array([share[g] if t >= g else 0.0 for g, t in cells])
    weight /= weight.sum()
    places = [list(fit.coef().index).index(name) for name in names]
    own = sun_abraham(data.panel, weights=weights)
    assert effect(own) == SUN_ABRAHAM_ROWS.equals(float(weight @ fit.coef().to_numpy()[places]))
    if gtime == LARGE_GROUPS:
        solved = Sandwich(own.moments, convention=Convention.PYFIXEST)
        se = np.sqrt(weight @ fit._vcov[np.ix_(places, places)] @ weight)
        assert solved.se(solved.cr1, TREATED) == pytest.approx(float(se), rel=1e-7)


@pytest.mark.parametrize("weights", ["child", "la_equal"])
@pytest.mark.parametrize("gtime", [THREE_GROUPS, LARGE_GROUPS])
def test_etwfe_is_the_rows_regression_averaged(gtime: Sequence[int], weights: Weights) -> None:
    data = staggered_rows(gtime, by=("sex",), z="age_years", gaps=GAPS)
    rows, cells = interactions(data, after=True)
    names = [f"d_{g}_{t}" for g, t in cells]
    rows["w"] = row_weights(rows, weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = pyfixest.feols(
            f"y ~ {' + '.join(names)} + C(sex) + age_years | unit + period", rows, vcov={"CRV1": "unit"}, weights="w",
            fixef_tol=1e-14, fixef_maxiter=100_000,
        )  # fmt: skip
    weight = rows.groupby(["gtime", "period"])["w"].sum()[cells].to_numpy()
    weight /= weight.sum()
    places = [list(fit.coef().index).index(name) for name in names]
    own = etwfe(data.panel, weights=weights)
    assert effect(own) == ETWFE_ROWS.equals(float(weight @ fit.coef().to_numpy()[places]))
    if gtime == LARGE_GROUPS:
        solved = Sandwich(own.moments, convention=Convention.PYFIXEST)
        se = np.sqrt(weight @ fit._vcov[np.ix_(places, places)] @ weight)
        assert solved.se(solved.cr1, TREATED) == pytest.approx(float(se), rel=1e-7)


@pytest.mark.parametrize("gaps", [False, True])
def test_etwfe_is_that_of_diff_diff(gaps: bool) -> None:
    panel = random_totals(LARGE_GROUPS[:6], equal=True, gaps=gaps)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outside = WooldridgeDiD().fit(cells_of(panel), "y", "unit", "time", "first")
    frame = averages(panel, "etwfe")
    assert frame["simple"]["overall"] == ETWFE.equals(outside.overall_att)
    found = {int(k): v["att"] for k, v in outside.aggregate("event_study").event_study_effects.items() if k >= 0}
    assert len(found) == len(frame["event"]) - 1
    for level, value in found.items():
        assert frame["event"][str(level)] == ETWFE.equals(value)


@pytest.mark.parametrize("gtime", [THREE_GROUPS, LARGE_GROUPS])
def test_etwfe_is_imputation_on_equal_rows_and_not_else(gtime: Sequence[int]) -> None:
    equal, unlike = (random_totals(gtime, n_units=20, equal=same) for same in (True, False))
    assert averages(equal, "etwfe") == {
        kind: pytest.approx(levels, rel=1e-9) for kind, levels in averages(equal, "imputation").items()
    }
    assert effect(etwfe(unlike, weights="child")) != pytest.approx(
        effect(imputation(unlike, weights="child")), rel=1e-6
    )


def test_sun_abraham_is_that_of_diff_diff_on_equal_rows() -> None:
    panel = random_totals(THREE_GROUPS[:6], equal=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outside = OutsideSunAbraham().fit(cells_of(panel), "y", "unit", "time", "first")
    own = averages(panel, "sun_abraham")["event"]
    found = {str(k): v["effect"] for k, v in outside.event_study_effects.items()}
    assert len(found) >= 6
    for level in own.keys() & found.keys():
        assert own[level] == SUN_ABRAHAM.equals(found[level])
    assert len(own.keys() & found.keys()) == len(own) - 1


def test_sun_abraham_is_callaway_sant_anna_on_equal_rows() -> None:
    panel = random_totals(THREE_GROUPS, n_units=20, equal=True)
    assert averages(panel, "sun_abraham") == {
        kind: pytest.approx(levels, rel=1e-9) for kind, levels in averages(panel, "cs_never").items()
    }


def test_without_never_treated_the_last_group_compares() -> None:
    panel = random_totals((2, 2, 2, 3, 3, 5, 5, 5), n_units=8)
    before = only_periods_of(panel, np.broadcast_to(panel.periods < 5, panel.rows.shape))
    never = before.with_gtime(np.where(before.gtime == 5, NEVER, before.gtime))
    assert effect(sun_abraham(panel, weights="child")) == effect(sun_abraham(never, weights="child"))
    assert SunAbrahamRefit.of(panel, weights="child").scored(panel.gtime)[0][0] == pytest.approx(
        effect(sun_abraham(never, weights="child")), rel=1e-9
    )
    assert effect(imputation(panel, weights="child")) == pytest.approx(
        effect(imputation(never, weights="child")), rel=1e-9
    )
    assert Imputation.of(panel, weights="child").n_left_out == panel.rows[:, 5:].sum()
    assert effect(etwfe(panel, weights="child")) == pytest.approx(effect(etwfe(never, weights="child")), rel=1e-9)
    assert EtwfeRefit(panel, "child").scored(panel.gtime)[0][0] == pytest.approx(
        effect(etwfe(never, weights="child")), rel=1e-9
    )
    assert effect(cs_simple(panel, weights="child")) == effect(cs_not_yet(panel, weights="child"))


def test_cr1_of_the_saturated_regression_counts_its_cells_and_no_more() -> None:
    data = staggered_rows(LARGE_GROUPS, n_rows=600)
    rows = data.rows
    cell = rows["gtime"] * 100 + rows["period"]
    x = dummies(rows.assign(cell=cell), ("cell",))
    units = unit_panel(data.panel)
    effects = group_time_effects(units)
    simple = aggregate(effects, "simple")["overall"]
    own = np.where(effects.cells[:, 0] == NEVER, 99, effects.cells[:, 0]) * 100 + effects.cells[:, 1]
    combination = simple[np.argsort(own)]
    fit = OLS(rows["y"], x).fit(cov_type="cluster", cov_kwds={"groups": rows["unit"]})
    outside = fit.t_test(combination)
    for moments in (
        cs_simple(data.panel, weights="child").moments,
        saturated_moments(units, effects, {TREATED: simple}),
    ):
        solved = Sandwich(moments)
        assert solved.iid is not None
        assert solved.estimate(TREATED) == pytest.approx(float(outside.effect[0]), rel=1e-9)
        for convention in (Convention.SOS_SPARK, Convention.STATSMODELS, Convention.PYFIXEST):
            se = Sandwich(moments, convention=convention).standard_errors(TREATED).se_cr1
            assert se == pytest.approx(float(outside.sd[0, 0]), rel=1e-9)
        iid = WLS(rows["y"], x).fit().t_test(combination)
        assert solved.se(solved.iid, TREATED) == pytest.approx(float(iid.sd[0, 0]), rel=1e-9)
