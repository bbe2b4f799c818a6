"""What every estimator and every inference works from: a regression reduced to its clusters' cross-products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sos_spark.errors import StudyError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ClusterMoments:
    """Cross-products by cluster of a regression of individual rows, cluster effects swept out within each cluster.

    With x the K regressors (treatment, period effects, covariates) less their cluster means, and y less its cluster
    mean, over the individual rows i of cluster g: `xx[g]` = sum x_i x_i', `xy[g]` = sum x_i y_i, `yy[g]` = sum y_i^2.
    These are unweighted; `weight[g]` is the weight of each individual row of the cluster (1 under child weights, one
    over its rows under LA-equal weights), so the estimate solves (sum_g weight xx) beta = sum_g weight xy.

    `n_absorbed` is what small-sample factors count beside the names: 1 where cluster effects are swept out, because the
    period effects then lack a dummy (cluster effects are nested and not counted); 0 where nothing is swept out and
    the names are the whole regression, as in one saturated in groups and periods.

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
    n_absorbed: int = 1

    @property
    def n_counted(self) -> int:
        """K of the small-sample factors: regressors and periods."""
        return len(self.names) + self.n_absorbed

    @property
    def n_parameters(self) -> int:
        """Every parameter, cluster effects too where they are swept out: regressors + LAs + periods - 1."""
        return len(self.names) + (self.n_clusters if self.n_absorbed else 0)

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


def place_of(moments: ClusterMoments, coefficient: str) -> int:
    """Returns the coefficient's place among the regressors. Raises StudyError if there is none of that name."""
    if coefficient not in moments.names:
        raise StudyError(
            "The coefficient to test is not in the regression",
            expected="one of " + ", ".join(moments.names[:8]),
            found=coefficient,
            remedy="Name a regressor of the fit",
        )
    return moments.names.index(coefficient)
