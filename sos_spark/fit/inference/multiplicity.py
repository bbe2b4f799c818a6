"""Several outcomes, one family: Romano-Wolf step-down on the WCR t, and Holm beside it.

Romano and Wolf (2005, Econometrica 73(4); 2016, Statistics and Probability Letters 113): hypotheses are taken in order
of |t|, and each is compared with the greatest |t*| of itself and those after it. An LA has the same sign in every
outcome's draw, so the dependence between outcomes is the data's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sos_spark.fit.inference.wild import TIE, wild_t_draws
from sos_spark.fit.regression.moments import Array, ClusterMoments


@dataclass(frozen=True)
class FamilyTest:
    """The tests of a family of outcomes, in the order given. Shapes (m,); NaN where an outcome has no t.

    p: WCR, each outcome by itself, under the shared signs. p_adjusted: Romano-Wolf. p_holm: Holm on p.
    """

    outcome_ids: tuple[str, ...]
    t: Array
    p: Array
    p_adjusted: Array
    p_holm: Array
    n_draws: int


def family_test(fits: Mapping[str, ClusterMoments], *, coefficient: str, draws: int, seed: int) -> FamilyTest:
    """Tests that the coefficient is zero in every outcome, with p-values for the family.

    Args:
        fits: Cluster cross-products by outcome id. LAs are matched by unit id; one that an outcome lacks adds nothing.
        coefficient: The treatment's name, the same in every fit.
        draws: Sign vectors over the union of LAs; all are enumerated when they are no more than that.
        seed: With every outcome on the same LAs, p is the p of `wild_cluster_test` for the same draws and seed.

    Raises:
        StudyError: If a fit lacks the coefficient.
    """
    shared = wild_t_draws(list(fits.values()), coefficient=coefficient, draws=draws, seed=seed)
    reached = np.abs(shared.t_star) >= np.abs(shared.t) * (1 - TIE)
    one_more = 0 if shared.enumerated else 1
    p = np.where(np.isnan(shared.t), np.nan, (one_more + reached.sum(axis=0)) / (one_more + len(reached)))
    return FamilyTest(
        outcome_ids=tuple(fits),
        t=shared.t,
        p=p,
        p_adjusted=romano_wolf(shared.t, shared.t_star, one_more=one_more),
        p_holm=holm(p),
        n_draws=shared.n_draws,
    )


def romano_wolf(t: Array, t_star: Array, *, one_more: int = 0) -> Array:
    """Returns step-down adjusted p-values. Shapes: t (m,), t_star (draws, m) -> (m,).

    The share of draws whose greatest |t*| over the hypotheses not yet passed is at least |t|, ties at relative 1e-10
    included, and never less than that of the hypothesis before. `one_more` draw than there are counts throughout: 1
    where they are drawn and not enumerated. A NaN t is left out of the family and stays NaN.
    """
    adjusted = np.full(len(t), np.nan)
    order = [j for j in np.argsort(-np.abs(t), kind="stable") if not np.isnan(t[j])]
    greatest = np.zeros(len(t_star))
    shares = []
    for j in reversed(order):
        np.maximum(greatest, np.abs(t_star[:, j]), out=greatest)
        reached = np.count_nonzero(greatest >= abs(t[j]) * (1 - TIE))
        shares.append((one_more + reached) / (one_more + len(greatest)))
    adjusted[order] = np.maximum.accumulate(shares[::-1]) if shares else []
    return adjusted


def holm(p: Array) -> Array:
    """Returns Holm's (1979) adjusted p-values, (m,) -> (m,). A NaN is left out of the family and stays NaN."""
    adjusted = np.full(len(p), np.nan)
    order = [j for j in np.argsort(p, kind="stable") if not np.isnan(p[j])]
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * factors)) if order else []
    return adjusted
