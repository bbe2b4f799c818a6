"""Permuted go-lives: each estimator's refit of an assignment against its estimate, and what it is studentised by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from sos_spark.analysis.leave_one_out import leave_one_out
from sos_spark.fit.estimators import (
    ESTIMATORS,
    Estimator,
    etwfe,
    sun_abraham,
    unit_panel,
)
from sos_spark.fit.inference.randomisation import effect_and_scores
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import NEVER, TREATED, PreparedPanel, Weights
from sos_spark.fit.regression.moments import ClusterMoments
from sos_spark.fit.staggered.etwfe_refit import EtwfeRefit
from sos_spark.fit.staggered.group_time import (
    Control,
    GroupTime,
    UnitPanel,
    aggregate,
    group_time_effects,
)
from sos_spark.fit.staggered.imputation_refit import ImputationRefit
from sos_spark.fit.staggered.simple_refit import SimpleEffect
from sos_spark.fit.staggered.sun_abraham_refit import SunAbrahamRefit
from tests.staggered_panels import (
    LARGE_GROUPS,
    THREE_GROUPS,
    cluster_scores,
    random_totals,
    staggered_rows,
)
from tests.staggered_reference import COVARIATES, GAPS, counted, dummies, effect, imputed_on_rows, row_weights


def shared_effect(units: np.ndarray, gtime: np.ndarray, periods: np.ndarray, n_periods: int) -> np.ndarray:
    """Which effect treated rows share: by group and period, or by event time where some group is small."""
    dates = {int(unit): int(g) for unit, g in zip(units, gtime, strict=True)}
    starts = [g for g in dates.values() if g < n_periods]
    small = len(set(starts)) > 1 and min(map(starts.count, set(starts))) <= 4
    last_of_two = sorted(n_periods - 1 - g for g in starts)[-2]
    return np.where(small, np.minimum(periods - gtime, last_of_two), 1_000 * gtime + periods)


def about_the_shared(effects: np.ndarray, share: np.ndarray, shared: np.ndarray, units: np.ndarray) -> dict[int, float]:
    """Each unit's sum of weighted rows' effects less the mean of those that share them, over its root of what is left.

    `effects` are of single rows or means, `share` their weights in the average.
    """
    scores = dict.fromkeys(map(int, np.unique(units)), 0.0)
    for number in np.unique(shared):
        mine = shared == number
        mean = np.average(effects[mine], weights=share[mine])
        for unit in np.unique(units[mine]):
            own = mine & (units == unit)
            left = 1 - share[own].sum() / share[mine].sum()
            if left > 1e-6:
                scores[int(unit)] += np.sum(share[own] * (effects[own] - mean)) / np.sqrt(left)
    return scores


@pytest.mark.parametrize("weights", ["child", "la_equal"])
@pytest.mark.parametrize("by", [(), COVARIATES])
@pytest.mark.parametrize("gtime", [THREE_GROUPS, LARGE_GROUPS, (2, 4, 5)])
def test_an_imputation_s_assignment_is_studentised_by_what_rows_differ_from_those_that_share_their_effect(
    gtime: Sequence[int], by: tuple[str, ...], weights: Weights
) -> None:
    """On individual rows, after another assignment than that of the panel: of y, and of the panel's own treatment."""
    data = staggered_rows(gtime, by=by, gaps=GAPS)
    refit = ImputationRefit.of(data.panel, weights=weights)
    own_gtime = np.array([*gtime, *[99] * (16 - len(gtime))])
    for seed in (0, 1):
        moved = own_gtime if seed == 0 else np.random.default_rng(seed).permutation(own_gtime)
        g = moved[data.rows["unit"]]
        rows = data.rows.assign(treated=(data.rows["period"] >= g).astype(float))
        att, scores = refit.scored(np.where(moved == 99, NEVER, moved))
        weight, on = row_weights(rows, weights), rows["treated"].to_numpy() == 1
        x, root = dummies(rows, ("unit", "period", *by)), np.sqrt(row_weights(rows, weights)[~on])
        _, slope = imputed_on_rows(rows, by, weight)
        unit = rows["unit"].to_numpy()
        for outcome, y in enumerate((rows["y"].to_numpy(float), data.rows["treated"].to_numpy(float))):
            beta = np.linalg.lstsq(root[:, None] * x[~on], root * y[~on], rcond=None)[0]
            left = y - x @ beta
            shared = shared_effect(unit, g, rows["period"].to_numpy(), 8)
            expected = about_the_shared(left[on], slope[on], shared[on], unit[on])
            untreated = np.bincount(unit[~on], (slope * left)[~on], minlength=16)
            whole = untreated + np.array([expected.get(u, 0.0) for u in range(16)])
            whole = counted(whole, moved != 99, small=gtime != LARGE_GROUPS)
            assert att[outcome] == pytest.approx(slope @ y, rel=1e-8, abs=1e-12)
            assert scores[outcome] == pytest.approx(whole, abs=1e-9 * np.abs(whole).max())


@pytest.mark.parametrize("control", ["never", "not_yet"])
@pytest.mark.parametrize("gtime", [THREE_GROUPS, LARGE_GROUPS, (2, 4, 5)])
def test_a_group_time_average_s_assignment_is_studentised_alike(gtime: Sequence[int], control: Control) -> None:
    """About the groups' means, where groups are large R's did's own; else about effects that groups share."""
    panel = random_totals(gtime, n_units=16, gaps=True)
    refit = SimpleEffect.of(unit_panel(panel), control=control)
    for seed in (0, 1):
        moved = panel.gtime if seed == 0 else np.random.default_rng(seed).permutation(panel.gtime)
        att, scores = refit.scored(moved)
        for outcome, y in enumerate((panel, panel.with_effect_as_outcome())):
            units = unit_panel(y.with_gtime(moved))
            groups = group_time_effects(units, control=control)
            simple = aggregate(groups, "simple")["overall"]
            expected = cluster_scores(units, groups, simple)
            assert att[outcome] == pytest.approx(simple @ groups.means, rel=1e-9, abs=1e-12)
            if gtime != LARGE_GROUPS:
                expected += _of_groups(units, groups, simple)
                expected = counted(expected, moved != NEVER, small=True)
            assert scores[outcome] == pytest.approx(expected, abs=1e-9 * max(np.abs(expected).max(), 1e-3))


def _of_groups(units: UnitPanel, groups: GroupTime, simple: np.ndarray) -> np.ndarray:
    """What to add to scores about groups' own means: from go-live on, treated LAs lie about effects that groups share.

    The effect of a row is its group's and its own distance from the group's mean.
    """
    g, t = groups.effects.T
    after = t >= g
    n_units, n_periods = units.rows.shape
    unit, period, effects, share, about_group = [], [], [], [], np.zeros(n_units)
    total = float(np.sum(groups.share * after))
    for group, when, att, size in zip(g[after], t[after], groups.att[after], groups.share[after], strict=True):
        members = np.flatnonzero(units.gtime == group)
        rows = units.rows[members, when]
        mean = units.y_sum[members, when].sum() / rows.sum()
        for place, n in zip(members, rows, strict=True):
            if n:
                distance = units.y_sum[place, when] / n - mean
                weight = size / total * n / rows.sum()
                unit.append(place)
                period.append(when)
                effects.append(att + distance)
                share.append(weight)
                about_group[place] += weight * distance
    of_unit = units.gtime[unit]
    last_of_two = sorted(n_periods - 1 - start for start in units.gtime if start != NEVER)[-2]
    shared = np.minimum(np.array(period) - of_unit, last_of_two)
    scores = about_the_shared(np.array(effects), np.array(share), shared, np.array(unit))
    return np.array([scores.get(place, 0.0) for place in range(n_units)]) - about_group


@pytest.mark.parametrize("weights", ["child", "la_equal"])
@pytest.mark.parametrize("by", [(), ("sex",)])
@pytest.mark.parametrize("gtime", [THREE_GROUPS, LARGE_GROUPS, (2, 4, 5)])
@pytest.mark.parametrize("estimator", [sun_abraham, etwfe])
def test_a_regression_s_assignment_is_studentised_by_the_residuals_of_its_own(
    estimator: Estimator, gtime: Sequence[int], by: tuple[str, ...], weights: Weights
) -> None:
    """Those that groups share; the treated LAs' scores over the root of what their leverage leaves of v'v."""
    panel = staggered_rows(gtime, by=by, gaps=GAPS).panel
    refits: dict[str, SunAbrahamRefit | EtwfeRefit] = {
        "sun_abraham": SunAbrahamRefit.of(panel, weights=weights),
        "etwfe": EtwfeRefit(panel, weights),
    }
    refit, random, small = refits[estimator.name], np.random.default_rng(3), gtime != LARGE_GROUPS
    for _ in range(3):
        drawn = panel.with_gtime(random.permutation(panel.gtime))
        att, scores = refit.scored(drawn.gtime)
        for outcome, y in enumerate((panel, panel.with_effect_as_outcome())):
            moments = estimator(y.with_gtime(drawn.gtime), weights=weights).moments
            estimate, expected = adjusted_scores(moments, drawn, small=small)
            expected = counted(expected, np.array([u in treated_ids(drawn) for u in moments.unit_ids]), small=small)
            assert att[outcome] == pytest.approx(estimate, rel=1e-8, abs=1e-12)
            assert np.linalg.norm(scores[outcome]) == pytest.approx(np.linalg.norm(expected), rel=1e-6)


def treated_ids(panel: PreparedPanel) -> set[str]:
    return {unit_id for unit_id, treated in zip(panel.unit_ids, panel.is_treated_unit, strict=True) if treated}


def adjusted_scores(moments: ClusterMoments, panel: PreparedPanel, *, small: bool) -> tuple[float, np.ndarray]:
    """The effect and its scores by LA of a regression; under child weights Bell and McCaffrey's in v's direction."""
    estimate, scores = effect_and_scores(moments, TREATED)
    bread = Sandwich(moments).bread
    direction = bread[moments.names.index(TREATED)]
    if small:
        for g, unit_id in enumerate(moments.unit_ids):
            spans = moments.xx[g] @ direction
            if unit_id in treated_ids(panel) and spans @ direction > 0:
                left = 1 - moments.weight[g] * (spans @ bread @ spans) / (spans @ direction)
                scores[g] *= 0.0 if left < 1e-6 else left**-0.5
    return estimate, scores


@pytest.mark.parametrize("name", ["cs_not_yet", "imputation", "sun_abraham", "etwfe"])
@pytest.mark.parametrize("weights", ["child", "la_equal"])
def test_inference_of_every_estimator_is_of_its_own_estimate(name: str, weights: Weights) -> None:
    panel = random_totals((2, 2, 3, 3, 3), gaps=True)
    estimate = ESTIMATORS[name](panel, weights=weights)
    test = estimate.randomise(permutations=99, seed=1)
    assert test.att == pytest.approx(effect(estimate), rel=1e-9)
    assert 0 < test.p < 1
    frame = leave_one_out(estimate)
    for row in frame.iloc[[0, 3, 7]].itertuples():
        again = ESTIMATORS[name](panel.without({str(row.left_out)}), weights=weights)
        assert row.att == pytest.approx(effect(again), rel=1e-9)
