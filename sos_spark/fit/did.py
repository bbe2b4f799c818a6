"""Difference-in-differences of one outcome: from collapsed cells to one result.

The coefficient comes from statsmodels (`final_fit`) and is checked against the cross-products' own solution; every
standard error, test and interval comes from the same cross-products. Headline: the restricted wild cluster bootstrap
with its inverted interval and CR2 beside it, called significant only if both agree; with 4 or fewer treated LAs,
randomisation inference on t.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from sos_spark.config.study import Design, Inference
from sos_spark.fit.cells.prepare import Prepared, prepare
from sos_spark.fit.dominance import weight_shares
from sos_spark.fit.estimators import ESTIMATORS, LinearEstimate, main_estimate, twfe
from sos_spark.fit.inference.effect_distribution import EffectDistribution
from sos_spark.fit.inference.equivalence import equivalence_test, minimum_detectable_effect
from sos_spark.fit.inference.wild import wild_cluster_interval, wild_cluster_test
from sos_spark.fit.lone_pilot import LonePilot, distribution_of
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.final_fit import checked_estimate
from sos_spark.fit.regression.leverage import leverage_shares
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.regression.robust import hc1
from sos_spark.fit.result import NOT_KNOWN, DidResult
from sos_spark.fit.thresholds import ALPHA, CAUTION_TREATED, DOMINATED, FEW_DF, FEW_TREATED, UNEVEN, UNSTEADY
from sos_spark.fit.unsteadiness import unsteadiness


def fit_did(cells: pd.DataFrame, *, design: Design, inference: Inference) -> DidResult:
    """Estimates the effect on one outcome from collapsed cells.

    Args:
        cells: The columns of `panel.cells` and of a --panel file; rows of other outcomes are passed over.
        design: Which outcome, pilots, comparators and covariates (`load_study(path).design(outcome_id)`).
        inference: Draws, permutations, seed, weights and bins (`load_study(path).inference`).

    Returns:
        The specification `main`: two-way fixed effects where all pilots share one go-live period, else what
        `inference.staggered` names.

    Raises:
        InputError: The cells are faulty, or (NotEstimableError) have nothing to compare.
        StudyError: The design contradicts itself.
    """
    return fit_prepared(prepare(cells, design), design=design, inference=inference)


def fit_prepared(
    prepared: Prepared,
    *,
    design: Design,
    inference: Inference,
    specification: str = "main",
    estimator: str = "main",
) -> DidResult:
    """Estimates the effect from a panel that has been prepared already; as `fit_did`."""
    panel = prepared.panel
    if estimator == "main":
        estimate = main_estimate(panel, weights=inference.weights, staggered=inference.staggered)
    else:
        estimate = ESTIMATORS[estimator](panel, weights=inference.weights)
    moments, coefficient = estimate.moments, estimate.coefficient
    sandwich = Sandwich(moments)
    own = sandwich.satterthwaite_of([coefficient])
    n_treated = panel.n_treated_units
    few = n_treated <= FEW_TREATED
    se_cr2, df, p_cr2, low, high = (
        NOT_KNOWN if n_treated == 1 else float(part[0]) for part in (own.se, own.df, own.p, *own.interval())
    )
    p_wcr, ci_wcr = NOT_KNOWN, (NOT_KNOWN, NOT_KNOWN)
    if not few:
        drawn = {"coefficient": coefficient, "draws": inference.draws, "seed": inference.seed}
        p_wcr = wild_cluster_test(moments, **drawn).p  # type: ignore[arg-type]
        interval = wild_cluster_interval(moments, **drawn)  # type: ignore[arg-type]
        ci_wcr = interval.low, interval.high
    leverage = leverage_shares(moments, coefficient)
    permuted = distribution_of(
        estimate, permutations=inference.permutations, seed=inference.seed, strata=inference.strata
    )
    p_ri, ci_ri = permuted.p, permuted.interval()
    mde = permuted.minimum_detectable_effect() if few else minimum_detectable_effect(se=se_cr2, df=df)
    notes = _cautions(estimate, permuted, n_treated=n_treated, df=df)
    result = DidResult(
        study_id=design.study_id,
        outcome_id=design.outcome_id,
        specification=specification,
        estimand=estimate.method.estimand(inference.weights),
        family=design.family,
        estimator=estimate.estimator,
        n_rows=panel.n_rows,
        n_cells=panel.n_cells,
        n_clusters=len(panel.unit_ids),
        n_treated_clusters=n_treated,
        baseline_mean=_baseline_mean(estimate),
        att=checked_estimate(moments, sandwich, coefficient),
        se_cr2=se_cr2,
        df_satterthwaite=df,
        p_cr2=p_cr2,
        ci_low_cr2=low,
        ci_high_cr2=high,
        ci_low_wcr=ci_wcr[0],
        ci_high_wcr=ci_wcr[1],
        p_wcr=p_wcr,
        p_ri=p_ri,
        ci_low_ri=ci_ri[0],
        ci_high_ri=ci_ri[1],
        se_cr1=sandwich.se(sandwich.cr1, coefficient),
        se_cr3=sandwich.se(sandwich.cr3, coefficient),
        se_iid=_se(sandwich, sandwich.iid if estimate.regression else None, coefficient),
        se_hc1=_se(sandwich, _hc1(estimate, sandwich), coefficient),
        mde=mde,
        headline="p_ri" if few else "p_wcr",
        significant=_agree([p_ri] if few else [p_wcr, p_cr2]),
        adjusted_for=estimate.adjusted_for,
        arms=prepared.arms,
        gtimes=prepared.gtimes,
        treated_weight_share=weight_shares(panel, estimate.weights),
        leverage_max=float(leverage.max()),
        effective_clusters=float(1 / np.sum(leverage**2)),
        warnings=panel.warnings,
        note="; ".join(notes),
        inference=inference,
        fitted=estimate,
        permuted=permuted,
        label=design.label,
        scale=design.scale,
    )
    result = _as_far_as_it_holds(result)
    bound = design.smallest_effect_of_interest
    return result if bound is None else replace(result, p_equivalence=p_equivalence(result, bound=bound))


def blank_result(design: Design, *, inference: Inference, specification: str = "main", note: str) -> DidResult:
    """Returns the row of an outcome that cannot be estimated: blank numbers, and why."""
    return DidResult(
        study_id=design.study_id,
        outcome_id=design.outcome_id,
        specification=specification,
        estimand=twfe.estimand(inference.weights),
        family=design.family,
        estimator="",
        n_rows=0,
        n_cells=0,
        n_clusters=0,
        n_treated_clusters=0,
        headline="",
        note=note,
        inference=inference,
        label=design.label,
        scale=design.scale,
    )


def p_equivalence(result: DidResult, *, bound: float) -> float:
    """Returns p of 'the effect is as large as `bound`, either way'; NaN where the result has no inference.

    By CR2 and its df; with 4 or fewer treated LAs by the randomisation distribution.
    """
    if result.n_treated_clusters <= FEW_TREATED:
        return NOT_KNOWN if result.permuted is None else result.permuted.p_equivalence(bound)
    if np.isnan(result.p_cr2):
        return NOT_KNOWN
    return equivalence_test(att=result.att, se=result.se_cr2, df=result.df_satterthwaite, bound=bound).p


def _as_far_as_it_holds(result: DidResult) -> DidResult:
    """Returns a result without the tests that do not hold where one of its many pilots has most of their rows."""
    share = result.treated_weight_max
    if result.n_treated_clusters <= FEW_TREATED or share < UNEVEN:
        return result
    uneven = f"one pilot has {share:.0%} of the pilots' weight: permuted go-lives reject too much then, no p_ri"
    permuted = {"p_ri": NOT_KNOWN, "ci_low_ri": NOT_KNOWN, "ci_high_ri": NOT_KNOWN}
    if share <= DOMINATED:
        return replace(result, **permuted, note="; ".join(filter(None, (result.note, uneven))))  # type: ignore[arg-type]
    blank = dict.fromkeys(
        ("p_wcr", "ci_low_wcr", "ci_high_wcr", "p_cr2", "ci_low_cr2", "ci_high_cr2", "mde"), NOT_KNOWN
    )
    alone = (
        f"one pilot has {share:.0%} of the pilots' weight, so that this is nearly a study of one: no test of all pilots"
        " holds then, and what rests on one is left out; la_equal counts every pilot alike, and pilots.csv has the"
        " interval of each"
    )
    note = "; ".join(filter(None, (result.note, alone)))
    return replace(result, **permuted, **blank, significant=None, note=note)  # type: ignore[arg-type]


def _cautions(
    estimate: LinearEstimate, permuted: EffectDistribution | LonePilot, *, n_treated: int, df: float
) -> list[str]:
    """Returns what a reader must know of the inference and of every blank."""
    panel = estimate.panel
    notes = []
    if isinstance(permuted, LonePilot):
        notes += _of_one_pilot(permuted)
    elif n_treated <= FEW_TREATED:
        notes += _of_few(n_treated, unsteadiness(panel))
        if permuted.known and not permuted.can_reject:
            notes.append(
                f"{permuted.why_it_cannot_reject}: no p_ri can be below {ALPHA}, so there is no detectable effect"
            )
    elif n_treated <= CAUTION_TREATED:
        notes.append(f"only {n_treated} treated authorities")
    if df < FEW_DF:
        notes.append(f"{df:.1f} degrees of freedom: fewer than {FEW_DF:.0f}")
    if estimate.regression is None:
        notes.append("iid and HC1 standard errors are of two-way fixed effects only")
    elif panel.y_sumsq is None:
        notes.append("no y_sumsq: se_iid and se_hc1 left out")
    elif panel.continuous:
        notes.append("se_hc1 would need fourth moments of the continuous covariates: left out")
    notes += estimate.cautions
    if estimate.regression and estimate.regression.dropped:
        notes.append("determined by other regressors and left out: " + ", ".join(estimate.regression.dropped))
    return notes


def _of_few(n_treated: int, unsteady: float) -> list[str]:
    """Returns what few treated LAs are judged by, what it takes for granted, and why they are not where it fails."""
    said = (
        f"{n_treated} treated authorities: with {FEW_TREATED} or fewer the wild cluster bootstrap rejects next to"
        " nothing, so p_wcr and its interval are left out"
    )
    if unsteady > UNSTEADY:
        return [
            f"{said}; permuted go-lives take for granted that pilots are as unsteady as comparators, and theirs is"
            f" {unsteady:.1f} times the comparators' scatter from period to period: above {UNSTEADY} no p_ri, interval,"
            " detectable effect or equivalence is printed, and pilots.csv judges each pilot by its own scatter"
        ]
    seen = (
        "which too few periods show"
        if np.isnan(unsteady)
        else f"and their scatter from period to period is {unsteady:.1f} times the comparators'"
    )
    return [
        f"{said}; p_ri is the headline, and its interval, the detectable effect and equivalence come from the"
        " randomisation distribution",
        f"that takes for granted that pilots are as unsteady as comparators, {seen}",
    ]


def _of_one_pilot(alone: LonePilot) -> list[str]:
    """Returns what is left out with one treated LA, and what the rest is compared with, or why there is no rest."""
    left_out = (
        "one treated authority: a cluster-robust standard error sees the comparators' shocks and not its own, so se_cr2"
        " and p_wcr are left out, and with them all that rests on them"
    )
    if not alone.known:
        return [
            left_out,
            "p_ri, its interval, the detectable effect and equivalence are left out too: permuted go-lives take for"
            " granted that the authority's shocks are like the comparators' (where they are twice as large, 30 % of"
            f" true nulls are rejected), and {alone.why_unknown}",
        ]
    notes = [
        left_out,
        "p_ri, its interval, the detectable effect and equivalence measure the effect by the authority's own scatter"
        f" from period to period, beside {len(alone.placebos.att)} comparators each taken for a pilot",
    ]
    if not alone.can_reject:
        notes.append(f"no p_ri can be below {ALPHA}, so there is no detectable effect")
    return notes


def _agree(p_values: list[float]) -> bool | None:
    return None if np.isnan(p_values).any() else all(p < ALPHA for p in p_values)


def _hc1(estimate: LinearEstimate, sandwich: Sandwich) -> Array | None:
    return None if estimate.regression is None else hc1(estimate.panel, estimate.regression, sandwich)


def _se(sandwich: Sandwich, covariance: Array | None, coefficient: str) -> float:
    return NOT_KNOWN if covariance is None else sandwich.se(covariance, coefficient)


def _baseline_mean(estimate: LinearEstimate) -> float:
    """Returns the treated LAs' mean before go-live, rows weighed as in the fit."""
    panel = estimate.panel
    before = panel.is_treated_unit[:, None] & (panel.exposure == 0)
    weight = panel.row_weight(estimate.weights)[:, None] * before
    return float(np.sum(weight * panel.y_sum) / np.sum(weight * panel.rows))
