"""What the years before go-live can say about parallel trends: the slope of treated LAs apart from the others'.

A joint test that finds nothing is no evidence of parallel trends where it would find nothing anyway (Roth 2022,
American Economic Review: Insights 4(3)). So the slope is set against the one that would matter: the slope which, going
on after go-live, would by itself make an effect as large as the smallest of interest.

The slope is the coefficient of treated x time in the two-way regression of the rows that no programme has touched:
those of treated LAs until their own go-live, and of the others in all periods before the last go-live. No later row has
a say, so that no effect can leak in; periods after the last go-live hold comparators only, which tell no slope. With
several go-lives time counts from each LA's own, which its LA effect makes the same as calendar time.

With 4 or fewer treated LAs the interval, the equivalence test and what could be detected come from permuted go-lives:
the slopes that LAs without a programme show when they are taken for treated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from sos_spark.config.study import Inference
from sos_spark.fit.dominance import NEARLY_ONE, is_dominated
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.estimators import LinearEstimate, shares_one_go_live
from sos_spark.fit.inference.effect_distribution import EffectDistribution
from sos_spark.fit.inference.equivalence import equivalence_test, minimum_detectable_effect
from sos_spark.fit.inference.randomisation import effect_and_scores, randomisation_distribution, randomise_effect
from sos_spark.fit.lone_pilot import as_far_as_alike
from sos_spark.fit.regression.covariance import Sandwich, Satterthwaite
from sos_spark.fit.regression.design import CellArrays, Ints, PreparedPanel, Weights, regression
from sos_spark.fit.regression.moments import Array, ClusterMoments
from sos_spark.fit.result import NOT_KNOWN, DidResult
from sos_spark.fit.thresholds import FEW_TREATED
from sos_spark.tables.results import PRETREND

SLOPE = "treated_x_time"
_REFITTED = 999
_ALONE = "one treated authority: its own drift cannot be told from its own shocks, so no test and no interval"
_UNSTEADY = "pilots too unsteady for permuted go-lives: no interval, no equivalence and no detectable slope"
_TOO_FEW = "too few assignments for a test at 5 %"
_FEW = f"{FEW_TREATED} or fewer treated authorities: interval, equivalence and detectable slope by permuted go-lives"


@dataclass(frozen=True)
class PreTrend:
    """The slope before go-live of one outcome under one specification. NaN: not known, and `note` says why.

    `n_pre` counts the event times before go-live with treated rows; `p_joint` is the event study's joint test (WCR).
    `slope` is in the outcome's unit per period, with its CR2 standard error, Satterthwaite df, p and 95 % interval (CR2
    is blank with one treated LA, and the interval that of the inverted randomisation test with 4 or fewer).
    `slope_bound` is the slope that, going on after go-live, makes a bias of the smallest effect of interest in the
    effect; `p_equivalence` tests the slope within +- that bound (two one-sided tests, Schuirmann 1987).
    `detectable_slope` is found by the 5 % test with 80 % power, and `detectable_violation` the bias it would make.
    """

    outcome_id: str
    specification: str
    n_pre: int
    p_joint: float
    slope: float = NOT_KNOWN
    se_cr2: float = NOT_KNOWN
    df: float = NOT_KNOWN
    p_cr2: float = NOT_KNOWN
    ci_low: float = NOT_KNOWN
    ci_high: float = NOT_KNOWN
    slope_bound: float = NOT_KNOWN
    p_equivalence: float = NOT_KNOWN
    detectable_slope: float = NOT_KNOWN
    detectable_violation: float = NOT_KNOWN
    note: str = ""


def pretrend_frame(result: DidResult, *, smallest_effect: float | None) -> pd.DataFrame:
    """Returns one row, the columns of pretrend.csv; see `pre_trend`."""
    found = pre_trend(result, smallest_effect=smallest_effect)
    return pd.DataFrame([vars(found)], columns=list(PRETREND.column_names))


def pre_trend(result: DidResult, *, smallest_effect: float | None) -> PreTrend:
    """Estimates the slope before go-live of a result's panel, with the result's weights.

    Args:
        result: What was fitted. Covariates are adjusted for where its effect is; of continuous ones the collapsed cells
            have no cross-products by period, so there the covariates' coefficients are those of the effect's own fit.
        smallest_effect: The smallest effect of interest, in the outcome's unit; the bound is blank without one.
    """
    study = result.event_study_result
    blank = PreTrend(result.outcome_id, result.specification, 0, NOT_KNOWN if study is None else study.p_pretrend)
    if result.fitted is None or study is None:
        return replace(blank, note=result.note)
    fitted = result.fitted
    treated = fitted.panel.is_treated_unit[:, None] & (fitted.panel.rows > 0) & ~fitted.panel.in_transition
    n_pre = len(np.unique(fitted.panel.event_time[treated & (fitted.panel.event_time < 0)]))
    blank = replace(blank, n_pre=n_pre)
    notes = [study.note] if np.isnan(study.p_pretrend) and study.note else []
    if n_pre < 2:
        return replace(blank, note="; ".join([*notes, "fewer than two periods before go-live: no slope"]))
    return _slope(fitted, blank, notes, smallest_effect=smallest_effect, inference=result.inference)


def slope_before(fitted: LinearEstimate, *, smallest_effect: float | None, inference: Inference) -> PreTrend:
    """Returns the slope before go-live alone, without the event study's joint test; see `pre_trend`."""
    blank = PreTrend(fitted.panel.outcome_id, "", 0, NOT_KNOWN)
    return _slope(fitted, blank, [], smallest_effect=smallest_effect, inference=inference)


def _slope(
    fitted: LinearEstimate, blank: PreTrend, notes: list[str], *, smallest_effect: float | None, inference: Inference
) -> PreTrend:
    panel, held = _before_go_live(fitted)
    notes += ["coefficients of the covariates held at those of the effect's fit"] if held else []
    moments = regression(panel, {SLOPE: _time(panel)}, weights=fitted.weights).moments
    if SLOPE not in moments.names:
        return replace(blank, note="; ".join([*notes, "the slope cannot be told from periods and covariates"]))
    own = Sandwich(moments).satterthwaite_of([SLOPE])
    factor = abs(bias_of_slope(fitted))
    bound = NOT_KNOWN if smallest_effect is None or factor == 0 else smallest_effect / factor
    n_treated = fitted.panel.n_treated_units
    if n_treated == 1:
        notes.append(_ALONE)
        found = blank
    elif n_treated <= FEW_TREATED:
        permuted = as_far_as_alike(
            slope_distribution(panel, moments, weights=fitted.weights, inference=inference), fitted.panel
        )
        notes.append(_UNSTEADY if not permuted.known else _FEW if permuted.can_reject else f"{_FEW}; {_TOO_FEW}")
        found = _by_permutation(blank, permuted, bound)
    elif is_dominated(fitted.panel, fitted.weights):
        notes += [] if NEARLY_ONE in notes else [NEARLY_ONE]
        found = blank
    else:
        found = _by_cr2(blank, own, bound)
    se, df, p_cr2 = (NOT_KNOWN if n_treated == 1 else float(part[0]) for part in (own.se, own.df, own.p))
    return replace(
        found,
        slope=float(own.estimate[0]),
        se_cr2=se,
        df=df,
        p_cr2=NOT_KNOWN if NEARLY_ONE in notes else p_cr2,
        slope_bound=bound,
        detectable_violation=found.detectable_slope * factor,
        note="; ".join(notes),
    )


def _by_cr2(blank: PreTrend, own: Satterthwaite, bound: float) -> PreTrend:
    slope, se, df, low, high = (float(part[0]) for part in (own.estimate, own.se, own.df, *own.interval()))
    p = equivalence_test(att=slope, se=se, df=df, bound=bound).p
    return replace(
        blank, ci_low=low, ci_high=high, p_equivalence=p, detectable_slope=minimum_detectable_effect(se=se, df=df)
    )


def _by_permutation(blank: PreTrend, permuted: EffectDistribution, bound: float) -> PreTrend:
    low, high = permuted.interval()
    p, detectable = permuted.p_equivalence(bound), permuted.minimum_detectable_effect()
    return replace(blank, ci_low=low, ci_high=high, p_equivalence=p, detectable_slope=detectable)


def slope_distribution(
    panel: PreparedPanel, moments: ClusterMoments, *, weights: Weights, inference: Inference
) -> EffectDistribution:
    """Permutes the go-lives and estimates the slope before them again, from rows that no programme has touched.

    Args:
        panel: Those rows.
        moments: The regression with the slope as its coefficient `SLOPE`.
        weights: Those of the regression.
        inference: Permutations and seed. With several go-lives the rows before them change with the assignment, and
            every regression is made anew: 999 at most.
    """
    periods = {f"period_{number}": int(number) for number in panel.periods[1:]}
    if shares_one_go_live(panel) and periods.keys() <= set(moments.names):
        return randomisation_distribution(
            moments,
            coefficient=SLOPE,
            gtime=panel.gtime,
            period_of=periods,
            omitted_period=int(panel.periods[0]),
            permutations=inference.permutations,
            seed=inference.seed,
            strata=panel.strata(inference.strata),
            course=lambda numbers, gtime: np.asarray(numbers - gtime, dtype=np.float64),
        )
    outcomes = (panel, replace(panel, y_sum=panel.rows * _time(panel), y_sumsq=None))

    def estimate(gtime: Ints) -> tuple[Array, Array]:
        att, scores = np.full(2, NOT_KNOWN), np.zeros((2, len(gtime)))
        for outcome, each in enumerate(outcomes):
            moved = each.with_gtime(gtime)
            rest = _restricted(moved, (moved.treated == 0) & (moved.periods < gtime.max()) & (moved.rows > 0))
            again = regression(rest, {SLOPE: _time(rest)}, weights=weights).moments
            if SLOPE not in again.names:
                raise NotEstimableError("The slope cannot be told from periods under this assignment")
            att[outcome], own = effect_and_scores(again, SLOPE)
            scores[outcome, [panel.unit_ids.index(unit) for unit in again.unit_ids]] = own
        return att, scores

    return randomise_effect(
        estimate,
        unit_ids=panel.unit_ids,
        gtime=panel.gtime,
        permutations=min(inference.permutations, _REFITTED),
        seed=inference.seed,
        strata=panel.strata(inference.strata),
    )


def bias_of_slope(estimate: LinearEstimate) -> float:
    """Returns the effect that is found where nothing happens but a slope of 1 a period in the treated LAs.

    An effect is a linear function of the outcomes: so this is the effect of a panel whose rows are period - gtime in
    treated LAs and 0 in others, by the same estimator on the same rows, weights and covariates. A slope b that goes on
    after go-live biases the effect by b times this.
    """
    panel = estimate.panel
    line = _time(panel)
    straight = replace(panel, y_sum=panel.rows * line, y_sumsq=None, zy_sum=np.einsum("gtp,gt->gp", panel.z_sum, line))
    again = estimate.on(straight)
    return Sandwich(again.moments).estimate(again.coefficient)


def _time(panel: PreparedPanel) -> Array:
    """Returns treated x time (G, T): periods since the LA's own go-live, 0 in LAs that are never treated."""
    return np.where(panel.is_treated_unit[:, None], panel.event_time, 0).astype(np.float64)


def _before_go_live(estimate: LinearEstimate) -> tuple[PreparedPanel, bool]:
    """Returns the rows that no programme has touched, and whether their y is less what the covariates say.

    Raises:
        NotEstimableError: There is no such row.
    """
    panel = estimate.panel
    untouched = (panel.exposure == 0) & (panel.periods < panel.gtime.max()) & (panel.rows > 0)
    panel = replace(panel, partial=None)
    if not untouched.any():
        raise NotEstimableError("No rows before go-live")
    held = bool(estimate.adjusted_for) and bool(panel.continuous)
    if held:
        solved = Sandwich(estimate.moments)
        beta = np.array([solved.estimate(z) if z in estimate.moments.names else 0.0 for z in panel.covariates])
        panel = replace(panel, y_sum=panel.y_sum - panel.z_sum @ beta, y_sumsq=None)
    if held or not estimate.adjusted_for:
        panel = _bare(panel)
    return _restricted(panel, untouched), held


def _bare(panel: PreparedPanel) -> PreparedPanel:
    """Returns the panel without covariates."""
    units, periods = panel.rows.shape
    cells = replace(panel.cells, levels=np.zeros((len(panel.cells.n), 0), dtype=np.int64))
    return replace(
        panel, covariates=(), continuous=(), z_sum=np.zeros((units, periods, 0)), zz_sum=np.zeros((units, 0, 0)),
        zy_sum=np.zeros((units, 0)), cells=cells,
    )  # fmt: skip


def _restricted(panel: PreparedPanel, keep: npt.NDArray[np.bool_]) -> PreparedPanel:
    """Returns the panel of some of its LA-periods (G, T), without LAs and periods that have no row left.

    Cross-products of categorical covariates are added up from the cells again; there are no continuous ones.
    """
    cells = panel.cells
    mine = keep[cells.unit, cells.period]
    unit, n, y_sum, levels = cells.unit[mine], cells.n[mine], cells.y_sum[mine], cells.levels[mine]
    width = len(panel.covariates)
    zz_sum, zy_sum = np.zeros((len(panel.unit_ids), width, width)), np.zeros((len(panel.unit_ids), width))
    for level in levels.T:
        known = level >= 0
        np.add.at(zy_sum, (unit[known], level[known]), y_sum[known])
        for other in levels.T:
            both = known & (other >= 0)
            np.add.at(zz_sum, (unit[both], level[both], other[both]), n[both])
    units, periods = np.asarray(keep.any(axis=1)), np.asarray(keep.any(axis=0))
    place_of_unit, place_of_period = np.cumsum(units) - 1, np.cumsum(periods) - 1
    left = np.ix_(units, periods)
    y_sumsq = None if panel.y_sumsq is None else (panel.y_sumsq * keep)[left]
    return replace(
        panel,
        unit_ids=tuple(name for name, kept in zip(panel.unit_ids, units, strict=True) if kept),
        periods=panel.periods[periods],
        period_starts=tuple(start for start, kept in zip(panel.period_starts, periods, strict=True) if kept),
        gtime=panel.gtime[units],
        rows=(panel.rows * keep)[left],
        y_sum=(panel.y_sum * keep)[left],
        y_sumsq=y_sumsq,
        z_sum=(panel.z_sum * keep[:, :, None])[left],
        zz_sum=zz_sum[units],
        zy_sum=zy_sum[units],
        cells=CellArrays(
            unit=place_of_unit[unit].astype(np.int64),
            period=place_of_period[cells.period[mine]].astype(np.int64),
            n=n,
            y_sum=y_sum,
            y_sumsq=None if cells.y_sumsq is None else cells.y_sumsq[mine],
            levels=levels,
        ),
    )
