"""Scores of permuted assignments where some LAs go live in small groups: about effects that groups share.

A permuted assignment is studentised by the root of the sum of its LAs' squared scores. With effects of its own a group
of one LA has no residual, so its shocks were in no standard error: of true nulls at 5 %, four LAs that go live one at a
time rejected 9 % where their rows were 0.3 times the others', and 30 % where their shocks were twice as large. Here:

- A treated LA's score is about the mean effect of all LAs at that event time, as Borusyak, Jaravel and Spiess (2024,
  Review of Economic Studies 91(6), theorem 3) have it, over the root of what its share in that mean leaves: the
  adjustment of CR2 in a regression on event times.
- Comparators' scores count (n - 1) / n times, n the treated LAs. They are many and their noise is well known, so a
  standard error that leans on them is steady; but they know nothing of the treated LAs' shocks, and hold it up where
  those few happen to agree. With half of it at n = 2 and most of it beyond, the size holds where the treated LAs'
  shocks are twice as large, at a cost in power that falls with n (`tools.monte_carlo.few_pilots`).

Whatever the statistic, the test is exact where which LAs are treated could as well have been others.
"""

from __future__ import annotations

import numpy as np

from sos_spark.fit.regression.moments import Array
from sos_spark.fit.staggered.group_time import Ints

_NO_FREEDOM = 1e-6


def about_shared_effects(effects: Array, weights: Array, shared: Ints) -> Array:
    """Returns the treated LAs' scores (O, G) about the effects that they share.

    Args:
        effects: Weighted sums of each outcome's effects by LA and period, (O, G, T).
        weights: The sums of weights that belong to them, (G, T); 0 where an effect is not known.
        shared: Which effect an LA shares in a period, -1 for none, (G, T).
    """
    mine = shared >= 0
    _, place = np.unique(shared[mine], return_inverse=True)
    unit = np.broadcast_to(np.arange(len(shared))[:, None], shared.shape)[mine]
    n_effects = int(place.max()) + 1
    own = np.bincount(unit * n_effects + place, weights[mine], minlength=len(shared) * n_effects)
    share = own.reshape(len(shared), n_effects)
    total = share.sum(axis=0)
    left = 1 - np.divide(share, total, out=np.zeros_like(share), where=total > 0)
    factor = np.where(left > _NO_FREEDOM, 1 / np.sqrt(np.maximum(left, _NO_FREEDOM)), 0.0)
    scores = np.zeros((len(effects), len(shared)))
    for outcome, each in enumerate(effects):
        by_unit = np.bincount(unit * n_effects + place, each[mine], minlength=len(shared) * n_effects)
        sums = by_unit.reshape(share.shape)
        mean = np.divide(sums.sum(axis=0), total, out=np.zeros_like(total), where=total > 0)
        scores[outcome] = np.sum(factor * (sums - share * mean), axis=1)
    return scores


def count_of_comparators(shared: Ints) -> Array:
    """Returns what LAs' scores are multiplied by, (G,): 1 in LAs with a shared effect (G, T), else (n - 1) / n."""
    treated = (shared >= 0).any(axis=1)
    n = int(np.count_nonzero(treated))
    return np.where(treated, 1.0, (n - 1) / n)
