"""How reliable a design is: size, coverage and power of each method on the study's own authorities, sizes and scatter.

Studies are simulated on a panel's LAs, rows, go-lives and periods as in `simulated_studies`, with no effect and with
planted ones, and every method that the study prints is applied to each: CR2 with Satterthwaite df, the restricted wild
cluster bootstrap, randomisation inference on t, and the headline rule. What is counted: how often 'no effect' is
rejected (size without an effect, power with one), how often the 95 % interval holds the planted effect, and how often
the rule for the strength of evidence calls it strong, and moderate or strong. Each outcome stands by itself here: what
the adjustment for a family does is measured in `tools.monte_carlo.main_design` and `tests/oracle/test_fit_families.py`.

How authorities scatter is estimated, and its uncertainty is carried: every simulated study takes the spread and the
autocorrelation of shocks from a panel that was simulated with the estimated ones and estimated again (a parametric
bootstrap), so that an estimate at the edge of what is possible is not held there. Covariates are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from sos_spark.analysis.evidence import EvidenceInputs, default_rule, no_drift
from sos_spark.analysis.leave_one_out import keeps_without_a_pilot
from sos_spark.analysis.pretrend import slope_before
from sos_spark.analysis.simulated_studies import DRAWS, drawn, planted, untreated_means, without_covariates
from sos_spark.analysis.variance_components import VarianceComponents, variance_components
from sos_spark.config.study import Inference
from sos_spark.fit.estimators import LinearEstimate, main_estimate, shares_one_go_live
from sos_spark.fit.inference.wild import wild_cluster_interval, wild_cluster_test
from sos_spark.fit.lone_pilot import distribution_of
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import PreparedPanel
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.result import DidResult
from sos_spark.fit.thresholds import ALPHA, FEW_TREATED

RESAMPLED = 99
"""How many times the scatter is estimated again."""
PERMUTATIONS, PERMUTATIONS_STAGGERED = 999, 199
"""Of each simulated study; fewer where pilots go live in several periods and every assignment is a fit."""

Judged = Mapping[str, tuple[bool, tuple[float, float]]]
"""By method whether 'no effect' is rejected, and the interval."""


@dataclass(frozen=True)
class Scatter:
    """Components of the variance as estimated, and as estimated again (B,): shocks' spread and what carries over."""

    estimated: VarianceComponents
    sd_shock: Array
    autocorrelation: Array

    @classmethod
    def of(cls, panel: PreparedPanel, *, seed: int, n: int = RESAMPLED) -> Scatter:
        """Estimates the components of a panel, and again from panels simulated with them."""
        estimated = variance_components(panel)
        plain = without_covariates(panel)
        again = []
        for number in range(n):
            random = np.random.default_rng([seed, crc32(panel.outcome_id.encode()), 1, number])
            y_sum = drawn(estimated, plain.rows, untreated_means(estimated, random), random)
            y_sumsq = y_sum if estimated.binary else _squares(estimated, plain.rows, y_sum)
            again.append(variance_components(replace(plain, y_sum=y_sum, y_sumsq=y_sumsq)))
        return cls(
            estimated,
            np.array([one.sd_shock for one in again]),
            np.array([one.autocorrelation for one in again]),
        )

    def drawn(self, number: int) -> VarianceComponents:
        """Returns the components of a simulated study."""
        place = number % len(self.sd_shock)
        return replace(
            self.estimated, sd_shock=float(self.sd_shock[place]), autocorrelation=float(self.autocorrelation[place])
        )


def conditions(result: DidResult, scatter: Scatter) -> dict[str, object]:
    """Returns what is to be known of a design that was simulated: its sizes, weights and scatter, by column."""
    shock, carried = (np.quantile(part, [0.025, 0.975]) for part in (scatter.sd_shock, scatter.autocorrelation))
    notes = [scatter.estimated.note, "covariates left out" if result.adjusted_for else ""]
    return {
        "mde": result.mde,
        "baseline_mean": result.baseline_mean,
        "n_rows": result.n_rows,
        "sd_shock": scatter.estimated.sd_shock,
        "sd_shock_low": float(shock[0]),
        "sd_shock_high": float(shock[1]),
        "autocorrelation": scatter.estimated.autocorrelation,
        "autocorrelation_low": float(carried[0]),
        "autocorrelation_high": float(carried[1]),
        "n_clusters": result.n_clusters,
        "n_treated_clusters": result.n_treated_clusters,
        "treated_weight_max": result.treated_weight_max,
        "leverage_max": result.leverage_max,
        "effective_clusters": result.effective_clusters,
        "seed": result.inference.seed,
        "note": "; ".join(filter(None, notes)),
    }


@dataclass(frozen=True)
class Rate:
    """How often a method did something in simulated studies with an effect.

    `measure`: size (rejected, no effect), power (rejected, an effect), coverage (the interval held the effect), strong
    and moderate (the evidence was rated strong, and moderate or strong).
    """

    measure: str
    method: str
    effect: float
    value: float
    replications: int

    @property
    def mc_se(self) -> float:
        """The simulation's standard error."""
        return float(np.sqrt(self.value * (1 - self.value) / self.replications))

    @property
    def holds(self) -> bool | None:
        """Whether size lies in 3.5 to 6.5 % or coverage in 93 to 97 %; None for what has no nominal rate.

        Two standard errors of a method that keeps its 5 % are allowed for.
        """
        if self.measure not in ("size", "coverage"):
            return None
        nominal, tolerance = (ALPHA, 0.015) if self.measure == "size" else (1 - ALPHA, 0.02)
        chance = 2 * float(np.sqrt(ALPHA * (1 - ALPHA) / self.replications))
        return abs(self.value - nominal) <= tolerance + chance


def calibrate(
    panel: PreparedPanel,
    scatter: Scatter,
    effects: Sequence[float],
    *,
    inference: Inference,
    replications: int,
    smallest_effect: float | None = None,
) -> list[Rate]:
    """Returns size, coverage and power of every method on a panel's own design.

    Args:
        panel: The prepared panel of one outcome.
        scatter: Its components of variance.
        effects: What is added to the treated LAs' means from go-live on, in the outcome's unit; 0 is always among them.
        inference: Weights, estimator and seed.
        replications: Studies simulated.
        smallest_effect: The smallest effect of interest, which the strength of evidence asks for.
    """
    plain = without_covariates(panel)
    grid = tuple(dict.fromkeys((0.0, *effects)))
    counts: dict[tuple[str, str, float], list[bool]] = {}
    for number in range(replications):
        components = scatter.drawn(number)
        random = np.random.default_rng([inference.seed, crc32(panel.outcome_id.encode()), 2, number])
        untreated = untreated_means(components, random)
        y_sum = drawn(components, plain.rows, untreated, random)
        test_seed, planting_seed = (int(one) for one in random.integers(2**32, size=2))
        for effect in grid:
            moved = planted(components, plain, y_sum, untreated, effect, np.random.default_rng(planting_seed))
            truth = _truth(components, plain, untreated, effect, inference)
            study = _simulated(replace(plain, y_sum=moved), inference, seed=test_seed)
            for name, reached in _rated(study, smallest_effect, inference).items():
                counts.setdefault((name, "headline", effect), []).append(reached)
            for method, (rejected, (low, high)) in study.judged.items():
                counts.setdefault(("power" if effect else "size", method, effect), []).append(rejected)
                counts.setdefault(("coverage", method, effect), []).append(low <= truth <= high)
    return [
        Rate(measure, method, effect, float(np.mean(found)), replications)
        for (measure, method, effect), found in counts.items()
    ]


@dataclass(frozen=True)
class _Simulated:
    """A simulated study: its estimate, what every method says of it, and the p-values of those that are printed."""

    estimate: LinearEstimate
    judged: Judged
    p_values: Mapping[str, float]


def _simulated(panel: PreparedPanel, inference: Inference, *, seed: int) -> _Simulated:
    """Applies the methods that a study with so many pilots prints; the headline's interval is its own method's."""
    estimate = main_estimate(panel, weights=inference.weights, staggered=inference.staggered)
    permutations = PERMUTATIONS if shares_one_go_live(panel) else PERMUTATIONS_STAGGERED
    permuted = distribution_of(estimate, permutations=permutations, seed=seed, strata=inference.strata)
    p_values, intervals = {"ri": permuted.p}, {"ri": permuted.interval()}
    n_treated = panel.n_treated_units
    if n_treated > 1:
        test = Sandwich(estimate.moments).satterthwaite_of([estimate.coefficient])
        p_values["cr2"] = float(test.p[0])
        low, high = test.interval()
        intervals["cr2"] = float(low[0]), float(high[0])
    few = n_treated <= FEW_TREATED
    if not few:
        drawn_by = {"coefficient": estimate.coefficient, "draws": DRAWS, "seed": seed}
        wild = wild_cluster_interval(estimate.moments, **drawn_by)  # type: ignore[arg-type]
        p_values["wcr"] = wild_cluster_test(estimate.moments, **drawn_by).p  # type: ignore[arg-type]
        intervals["wcr"] = wild.low, wild.high
    judged = {name: (bool(p < ALPHA), intervals[name]) for name, p in p_values.items()}
    by = ("ri",) if few else ("wcr", "cr2")
    judged["headline"] = all(judged[name][0] for name in by), intervals[by[0]]
    return _Simulated(estimate, judged, p_values)


def _rated(study: _Simulated, smallest_effect: float | None, inference: Inference) -> dict[str, bool]:
    """Returns whether the evidence is rated strong, and moderate or strong, the outcome being its whole family."""
    if not study.judged["headline"][0]:
        return {"strong": False, "moderate": False}
    estimate = study.estimate
    slope = slope_before(estimate, smallest_effect=smallest_effect, inference=inference)
    strength = default_rule(
        EvidenceInputs(
            att=Sandwich(estimate.moments).estimate(estimate.coefficient),
            significant=True,
            p_adjusted=study.p_values.get("wcr", study.p_values["ri"]),
            p_values=study.p_values,
            no_drift=no_drift(slope.p_equivalence, (slope.ci_low, slope.ci_high)),
            keeps_answer=keeps_without_a_pilot(estimate, smallest_effect=smallest_effect),
            p_equivalence=None,
        )
    ).strength
    return {"strong": strength == "strong", "moderate": strength in ("moderate", "strong")}


def _truth(
    components: VarianceComponents, panel: PreparedPanel, untreated: Array, effect: float, inference: Inference
) -> float:
    """Returns the effect on treated rows as it was planted: a share cannot leave 0 to 1."""
    if not components.binary:
        return effect
    moved = np.clip(untreated + effect, 0.0, 1.0) - np.clip(untreated, 0.0, 1.0)
    weight = panel.row_weight(inference.weights)[:, None] * panel.rows * panel.treated
    return float(np.sum(weight * moved) / weight.sum())


def _squares(components: VarianceComponents, rows: Array, y_sum: Array) -> Array | None:
    """Returns sums of squares that give an LA's rows the variance within LA-periods that it has; None if unknown."""
    if np.isnan(components.within_variance).any():
        return None
    mean = np.divide(y_sum**2, rows, out=np.zeros_like(rows), where=rows > 0)
    return np.asarray(mean + components.within_variance[:, None] * np.maximum(rows - 1, 0.0))
