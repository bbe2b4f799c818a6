"""Which clusters an effect rests on: their shares in its partial leverage.

With D the treatment less what the other regressors say of it, cluster g's share is the sum of its squared D over that
of all. One over the sum of squared shares is the effective number of clusters of Carter, Schnepel and Steigerwald
(2017, Review of Economics and Statistics 99(4)) with errors that are not correlated within them; MacKinnon, Nielsen and
Webb (2023, Stata Journal 23(4)) on both as diagnostics.
"""

from __future__ import annotations

import numpy as np

from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.moments import Array, ClusterMoments, place_of


def leverage_shares(moments: ClusterMoments, coefficient: str) -> Array:
    """Returns the clusters' shares in a coefficient's partial leverage, (G,); they add up to 1."""
    direction = Sandwich(moments).bread[place_of(moments, coefficient)]
    own = np.einsum("k,gkl,l->g", direction, moments.weighted_xx, direction)
    return np.asarray(own / own.sum())
