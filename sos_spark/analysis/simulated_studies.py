"""Whole studies simulated on a panel's own LAs and rows: how often does the headline rule find a planted effect?

Means are drawn anew from the panel's variance components, an effect is planted in the treated rows, and the rule is
applied: WCR and CR2 p-values both below 0.05, or p_ri below 0.05 where 4 or fewer LAs are treated. Rates are simulated
as counts, other outcomes as normal cell means. One replication meets every effect with the same luck, so a power curve
is smooth. Covariates are left out: what limits power is how LAs scatter from period to period, which they hardly
change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from sos_spark.analysis.variance_components import VarianceComponents
from sos_spark.config.study import Staggered
from sos_spark.fit.cells.subpanel import settled
from sos_spark.fit.estimators import LinearEstimate, main_estimate
from sos_spark.fit.inference.wild import wild_cluster_test
from sos_spark.fit.lone_pilot import distribution_of
from sos_spark.fit.regression.covariance import Sandwich, Satterthwaite
from sos_spark.fit.regression.design import NEVER, Ints, PreparedPanel, Weights
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.thresholds import ALPHA, FEW_TREATED

DRAWS = 999
PERMUTATIONS = 999
"""Of the tests in each simulated study: (1 + number) times 0.05 is whole, so a test of so many has its own size."""


@dataclass(frozen=True)
class SimulatedPower:
    """What simulated studies found. Shapes: effects (E,), and rejected (E,) the share of studies that found each.

    `se_cr2` is the root mean square of the studies' CR2 standard errors under no effect, `df` their mean Satterthwaite
    df, `n_treated_clusters` the treated LAs of each. `clipped` is the share of treated means, at the effect with most
    of them, that had to be held within 0 and 1.
    """

    effects: Array
    rejected: Array
    replications: int
    se_cr2: float
    df: float
    n_treated_clusters: int
    clipped: float

    @property
    def mc_se(self) -> Array:
        """The Monte Carlo standard error of each share (E,)."""
        return np.asarray(np.sqrt(self.rejected * (1 - self.rejected) / self.replications))


def simulate_power(
    panel: PreparedPanel,
    components: VarianceComponents,
    effects: Sequence[float],
    *,
    weights: Weights = "child",
    staggered: Staggered = "imputation",
    seed: int,
    replications: int,
    pilots: int | None = None,
) -> SimulatedPower:
    """Simulates studies on a panel's LAs and rows and counts those in which the headline rule finds an effect.

    Args:
        panel: The prepared panel of one outcome.
        components: Its variance components.
        effects: What is added to the treated LAs' means from go-live on, in the outcome's unit.
        weights: Those of the estimate.
        staggered: Its estimator where pilots go live in several periods.
        seed: With the outcome's id and the replication's number it decides every draw.
        replications: Studies simulated.
        pilots: As many pilots as this, drawn anew from all LAs in each study, at the pilots' commonest go-live, in
            place of the panel's own.
    """
    plain = without_covariates(panel)
    rejected, clipped = np.zeros(len(effects)), np.zeros(len(effects))
    squares, df = np.empty(replications), np.empty(replications)
    solved: Sandwich | None = None
    for replication in range(replications):
        random = np.random.default_rng([seed, crc32(panel.outcome_id.encode()), replication])
        if pilots is not None:
            plain = plain.with_gtime(_random_pilots(panel, pilots, random))
        untreated = untreated_means(components, random)
        y_sum = drawn(components, plain.rows, untreated, random)
        test_seed, planting_seed = (int(number) for number in random.integers(2**32, size=2))
        _, test, solved = _tested(replace(plain, y_sum=y_sum), weights, staggered, solved)
        squares[replication], df[replication] = test.se[0] ** 2, test.df[0]
        for place, effect in enumerate(effects):
            treated = planted(components, plain, y_sum, untreated, effect, np.random.default_rng(planting_seed))
            estimate, test, solved = _tested(replace(plain, y_sum=treated), weights, staggered, solved)
            rejected[place] += finds(estimate, test, seed=test_seed)
            if components.binary:
                reached = (untreated + effect)[plain.treated == 1]
                clipped[place] += np.mean((reached < 0) | (reached > 1)) / replications
    return SimulatedPower(
        effects=np.asarray(effects, dtype=np.float64),
        rejected=rejected / replications,
        replications=replications,
        se_cr2=float(np.sqrt(np.nanmean(squares))),
        df=float(np.nanmean(df)),
        n_treated_clusters=plain.n_treated_units,
        clipped=float(clipped.max(initial=0.0)),
    )


def without_covariates(panel: PreparedPanel) -> PreparedPanel:
    """Returns the panel with its LAs, periods, rows and go-lives, and nothing to adjust for."""
    panel = settled(panel)
    n_units, n_periods = panel.rows.shape
    return replace(
        panel,
        y_sumsq=None,
        covariates=(),
        continuous=(),
        z_sum=np.zeros((n_units, n_periods, 0)),
        zz_sum=np.zeros((n_units, 0, 0)),
        zy_sum=np.zeros((n_units, 0)),
    )


def untreated_means(components: VarianceComponents, random: np.random.Generator) -> Array:
    """Returns the mean of every LA and period (G, T) had nobody been treated: levels, periods and new shocks."""
    shape = len(components.la_effects), len(components.period_effects)
    shocks, carried = random.normal(size=shape), components.autocorrelation
    for period in range(1, shape[1]):
        shocks[:, period] = carried * shocks[:, period - 1] + np.sqrt(1 - carried**2) * shocks[:, period]
    level = components.mean + components.la_effects[:, None] + components.period_effects
    return np.asarray(level + components.sd_shock * shocks)


def finds(estimate: LinearEstimate, test: Satterthwaite, *, seed: int) -> bool:
    """Returns whether the headline rule calls an estimate significant."""
    if estimate.panel.n_treated_units <= FEW_TREATED:
        return bool(distribution_of(estimate, permutations=PERMUTATIONS, seed=seed).p < ALPHA)
    if not test.p[0] < ALPHA:
        return False
    wild = wild_cluster_test(estimate.moments, coefficient=estimate.coefficient, draws=DRAWS, seed=seed)
    return bool(wild.p < ALPHA)


def _tested(
    panel: PreparedPanel, weights: Weights, staggered: Staggered, solved: Sandwich | None
) -> tuple[LinearEstimate, Satterthwaite, Sandwich]:
    """Returns a panel's estimate and its CR2 test; `solved` is a regression whose regressors may be the same."""
    estimate = main_estimate(panel, weights=weights, staggered=staggered)
    same = solved is not None and np.array_equal(solved.moments.xx, estimate.moments.xx)
    sandwich = solved.for_outcome(estimate.moments.xy) if same and solved else Sandwich(estimate.moments)
    return estimate, sandwich.satterthwaite_of([estimate.coefficient]), sandwich


def _random_pilots(panel: PreparedPanel, pilots: int, random: np.random.Generator) -> Ints:
    """Returns go-lives (G,): the panel's commonest one, the earlier of two, for LAs drawn at random."""
    dates, counts = np.unique(panel.gtime[panel.is_treated_unit], return_counts=True)
    gtime = np.full(len(panel.unit_ids), NEVER, dtype=np.int64)
    gtime[random.permutation(len(gtime))[:pilots]] = dates[np.argmax(counts)]
    return gtime


def drawn(components: VarianceComponents, rows: Array, means: Array, random: np.random.Generator) -> Array:
    """Returns the sum of y of every LA and period (G, T)."""
    if components.binary:
        return random.binomial(rows.astype(np.int64), np.clip(means, 0.0, 1.0)).astype(np.float64)
    within = np.nan_to_num(components.within_variance, nan=0.0)
    noise = np.sqrt(within[:, None] * rows) * random.normal(size=rows.shape)
    return np.asarray(rows * means + noise)


def planted(
    components: VarianceComponents,
    panel: PreparedPanel,
    y_sum: Array,
    untreated: Array,
    effect: float,
    random: np.random.Generator,
) -> Array:
    """Returns the sums with an effect added to treated means; of a rate, rows change side one by one, and no more."""
    if not components.binary:
        return np.asarray(y_sum + effect * panel.treated * panel.rows)
    before = np.clip(untreated, 0.0, 1.0)
    after = np.clip(untreated + effect * panel.treated, 0.0, 1.0)
    rises = after > before
    of = np.where(rises, panel.rows - y_sum, y_sum).astype(np.int64)
    base = np.where(rises, 1 - before, before)
    chance = np.divide(np.abs(after - before), base, out=np.zeros_like(base), where=base > 0)
    changed = random.binomial(of, np.clip(chance, 0.0, 1.0))
    return np.asarray(y_sum + np.where(rises, changed, -changed), dtype=np.float64)
