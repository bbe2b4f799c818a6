"""What every estimator and every inference works from: a regression reduced to its clusters' cross-products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ClusterMoments:
    """Cross-products by cluster of a regression of individual rows, cluster effects swept out within each cluster.

    With x the K regressors (treatment, period effects, covariates) less their cluster means, and y less its cluster
    mean, over the individual rows i of cluster g: `xx[g]` = sum x_i x_i', `xy[g]` = sum x_i y_i, `yy[g]` = sum y_i^2.
    These are unweighted; `weight[g]` is the weight of each individual row of the cluster (1 under child weights, one
    over its rows under LA-equal weights), so the estimate solves (sum_g weight xx) beta = sum_g weight xy.

    Shapes: unit_ids (G,), names (K,), xx (G, K, K), xy (G, K), yy (G,) or None where y_sumsq is not known,
    n_rows (G,) whole numbers of individual rows, weight (G,). Regressors are of full column rank.
    """

    unit_ids: tuple[str, ...]
    names: tuple[str, ...]
    xx: Array
    xy: Array
    yy: Array | None
    n_rows: Array
    weight: Array

    @property
    def n_clusters(self) -> int:
        """G."""
        return len(self.unit_ids)

    @property
    def weighted_xx(self) -> Array:
        """(G, K, K): weight times xx."""
        return self.weight[:, None, None] * self.xx

    @property
    def weighted_xy(self) -> Array:
        """(G, K): weight times xy."""
        return self.weight[:, None] * self.xy
