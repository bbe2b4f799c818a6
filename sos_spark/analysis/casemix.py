"""How much of an effect is who was seen, and how much is what happened to them: casemix and rate, from covariate cells.

A stratum is a combination of levels of the study's categorical covariates, or of one of them. With r_k the mean outcome
of stratum k over all rows that no programme had touched, a row's expected outcome e is its stratum's r_k, and

    effect on y = effect on e + effect on (y - e)

exactly, whatever linear estimator makes the three: the first part is what the changed casemix alone would have made
(indirect standardisation), the second what changed at a given casemix (Kitagawa 1955, Journal of the American
Statistical Association 50(272), for two groups; here for a difference-in-differences of any number of periods).

The effect standardised to a fixed casemix (direct standardisation) weighs the rows of each arm and period so that its
strata have the shares that they had among pilots before go-live: each row of stratum k counts w_k / p_k, p_k the
stratum's share in that arm and period. A stratum that an arm lacks in some period is put together with others like it,
in one that is standardised as a whole. Inference takes the rates and the weights as given; CR2's working variance of a
row is then one over its weight.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from sos_spark.analysis.simulated_studies import without_covariates
from sos_spark.config.study import Inference
from sos_spark.fit.cells.subpanel import settled
from sos_spark.fit.dominance import NEARLY_ONE, is_dominated
from sos_spark.fit.estimators import LinearEstimate, main_estimate
from sos_spark.fit.lone_pilot import distribution_of
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import Ints, PreparedPanel
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.thresholds import FEW_TREATED
from sos_spark.tables.results import CASEMIX, CASEMIX_LEVELS, CASEMIX_TREND

ALL = "all"
"""In place of a covariate's name: strata of every covariate at once."""

Mask = npt.NDArray[np.bool_]
_NAN = float("nan")
_ARMS = ("comparator", "pilot")


@dataclass(frozen=True)
class Strata:
    """The strata of a panel's cells: `n` and `y_sum` (G, T, K), by LA, period and stratum."""

    n: Array
    y_sum: Array

    @classmethod
    def of(cls, panel: PreparedPanel, levels: Ints) -> Strata:
        """Returns the strata of some columns of levels (C, Q)."""
        _, stratum = np.unique(levels, axis=0, return_inverse=True)
        stratum = stratum.reshape(-1).astype(np.int64)
        cells, shape = panel.cells, (*panel.rows.shape, int(stratum.max()) + 1)
        n, y_sum = np.zeros(shape), np.zeros(shape)
        np.add.at(n, (cells.unit, cells.period, stratum), cells.n)
        np.add.at(y_sum, (cells.unit, cells.period, stratum), cells.y_sum)
        return cls(n, y_sum)

    def rates(self, untouched: Array) -> Array:
        """Returns r (K,): the mean outcome of each stratum over the LAs and periods marked in (G, T).

        A stratum without such rows has the mean of all of them.
        """
        n, y_sum = (np.einsum("gtk,gt->k", part, untouched) for part in (self.n, self.y_sum))
        return np.asarray(np.divide(y_sum, n, out=np.full(len(n), y_sum.sum() / n.sum()), where=n > 0))

    def expected(self, rates: Array) -> Array:
        """Returns the sums (G, T) of the outcomes that casemix alone leads one to expect."""
        return np.asarray(self.n @ rates)


@dataclass(frozen=True)
class Standardised:
    """A panel whose arms have the standard's casemix in every period; how many strata; their share of the standard.

    The share is of strata that stand by themselves; the rest are standardised as a whole.
    """

    panel: PreparedPanel
    n_strata: int
    share: float


def has_casemix(panel: PreparedPanel) -> bool:
    """Returns whether a panel has categorical covariates."""
    return bool(panel.references)


def casemix_frame(panel: PreparedPanel, *, inference: Inference) -> pd.DataFrame:
    """Returns the effect unadjusted, split into casemix and rate, and standardised: the columns of casemix.csv.

    Grain: part of the effect by strata of all covariates, then casemix and standardised by each covariate where there
    are several. No rows without categorical covariates.
    """
    if not has_casemix(panel):
        return pd.DataFrame(columns=list(CASEMIX.column_names))
    panel = settled(panel)
    names = _covariates(panel)
    rows = [*_rows(panel, ALL, panel.cells.levels, inference)]
    for place, name in enumerate(names if len(names) > 1 else ()):
        own = _rows(panel, name, panel.cells.levels[:, [place]], inference)
        rows += [row for row in own if row["part"] in ("casemix", "standardised")]
    return pd.DataFrame(rows, columns=list(CASEMIX.column_names))


def casemix_trend_frame(panel: PreparedPanel) -> pd.DataFrame:
    """Returns by arm and period what was seen, and what casemix alone leads one to expect: casemix_trend.csv."""
    if not has_casemix(panel):
        return pd.DataFrame(columns=list(CASEMIX_TREND.column_names))
    panel = settled(panel)
    strata = Strata.of(panel, panel.cells.levels)
    expected = strata.expected(strata.rates(1 - panel.treated))
    rows = []
    for arm, mine in _arms(panel):
        n, y_sum, led = (part[mine].sum(axis=0) for part in (panel.rows, panel.y_sum, expected))
        rows += [
            (panel.outcome_id, arm, start.isoformat(), int(n[t]), y_sum[t] / n[t], led[t] / n[t])
            for t, start in enumerate(panel.period_starts)
            if n[t] > 0
        ]
    return pd.DataFrame(rows, columns=list(CASEMIX_TREND.column_names))


def casemix_levels_frame(panel: PreparedPanel) -> pd.DataFrame:
    """Returns each level's share by arm and period: the balance of casemix over time, casemix_levels.csv."""
    frames = []
    cells, n_periods = panel.cells, len(panel.periods)
    for place, reference in enumerate(panel.references):
        covariate = reference.partition("=")[0]
        for code in np.unique(cells.levels[:, place]):
            has = cells.levels[:, place] == code
            level = (reference if code < 0 else panel.covariates[code]).partition("=")[2]
            for arm, mine in _arms(panel):
                in_arm = mine[cells.unit]
                total, n = (
                    np.bincount(cells.period[part], cells.n[part], minlength=n_periods)
                    for part in (in_arm, in_arm & has)
                )
                seen = np.flatnonzero(total > 0)
                frames.append(
                    pd.DataFrame(
                        {
                            "outcome_id": panel.outcome_id,
                            "covariate": covariate,
                            "level": level,
                            "arm": arm,
                            "period": panel.periods[seen],
                            "period_start": [panel.period_starts[t].isoformat() for t in seen],
                            "n_rows": n[seen].astype(np.int64),
                            "share": n[seen] / total[seen],
                        }
                    )
                )
    if not frames:
        return pd.DataFrame(columns=list(CASEMIX_LEVELS.column_names))
    return pd.concat(frames, ignore_index=True)


def standardised(panel: PreparedPanel, strata: Strata) -> Standardised:
    """Weighs a panel's rows to the casemix that pilots had before go-live, each arm and period by itself."""
    is_pilot = panel.is_treated_unit
    by_arm = np.stack([strata.n[mine].sum(axis=0) for _, mine in _arms(panel)])
    there = by_arm.sum(axis=2) > 0
    lone = ~(by_arm > 0)[there].all(axis=0)
    group = np.where(lone, (~lone).sum(), np.cumsum(~lone) - 1)
    merged = np.zeros((len(lone), int(group.max()) + 1))
    merged[np.arange(len(lone)), group] = 1.0
    standard = np.einsum("gtk,gt->k", strata.n[is_pilot], (1 - panel.treated)[is_pilot]) @ merged
    standard = standard / standard.sum()
    n = by_arm @ merged
    wanted = standard * (n > 0)
    wanted = wanted / np.where(there, wanted.sum(axis=2), 1.0)[:, :, None]
    share = n / np.where(there, n.sum(axis=2), 1.0)[:, :, None]
    weight = np.divide(wanted, share, out=np.zeros_like(share), where=share > 0)[:, :, group]
    of_unit = weight[is_pilot.astype(np.int64)]
    rows, y_sum = (np.sum(part * of_unit, axis=2) for part in (strata.n, strata.y_sum))
    plain = replace(without_covariates(panel), rows=rows, y_sum=y_sum)
    return Standardised(plain, int((~lone).sum()), float(standard[: int((~lone).sum())].sum()))


def _rows(panel: PreparedPanel, by: str, levels: Ints, inference: Inference) -> Iterator[dict[str, object]]:
    strata = Strata.of(panel, levels)
    expected = strata.expected(strata.rates(1 - panel.treated))
    plain, fixed = without_covariates(panel), standardised(panel, strata)
    n_strata = strata.n.shape[2]
    parts = {
        "unadjusted": (plain, n_strata, _NAN),
        "casemix": (replace(plain, y_sum=expected), n_strata, _NAN),
        "rate": (replace(plain, y_sum=panel.y_sum - expected), n_strata, _NAN),
        "standardised": (fixed.panel, fixed.n_strata, fixed.share),
    }
    for part, (own, n, share) in parts.items():
        estimate = main_estimate(own, weights=inference.weights, staggered=inference.staggered)
        numbers = _numbers(estimate, inference, permutes=part != "standardised")
        named = {"outcome_id": panel.outcome_id, "by": by, "part": part, "n_strata": n, "share_in_strata": share}
        yield named | numbers


def _numbers(estimate: LinearEstimate, inference: Inference, *, permutes: bool) -> dict[str, object]:
    """Returns effect, error, p and interval by CR2; with few treated LAs p and interval by permuted go-lives."""
    test = Sandwich(estimate.moments).satterthwaite_of([estimate.coefficient])
    n_treated = estimate.panel.n_treated_units
    se, df, p, low, high = (
        _NAN if n_treated == 1 else float(part[0]) for part in (test.se, test.df, test.p, *test.interval())
    )
    found: dict[str, object] = {"att": float(test.estimate[0]), "se_cr2": se, "df_satterthwaite": df, "note": ""}
    if is_dominated(estimate.panel, estimate.weights):
        return found | {"note": NEARLY_ONE}
    if n_treated > FEW_TREATED:
        return found | {"p": p, "ci_low": low, "ci_high": high}
    if not permutes:
        return found | {"note": f"{FEW_TREATED} or fewer pilots: no interval, for the weights go with the arms"}
    permuted = distribution_of(
        estimate, permutations=inference.permutations, seed=inference.seed, strata=inference.strata
    )
    low, high = permuted.interval()
    note = "" if n_treated > 1 else "one pilot: p and interval by its own scatter beside placebo pilots"
    return found | {"p": permuted.p, "ci_low": low, "ci_high": high, "note": note}


def _arms(panel: PreparedPanel) -> Iterator[tuple[str, Mask]]:
    """Yields comparators, then pilots, each with its LAs marked (G,)."""
    for place, arm in enumerate(_ARMS):
        yield arm, panel.is_treated_unit == bool(place)


def _covariates(panel: PreparedPanel) -> tuple[str, ...]:
    """Returns the names of the categorical covariates, in the order of the cells' levels."""
    return tuple(reference.partition("=")[0] for reference in panel.references)
