"""How pilots' weight is shared among them, and whether one of many has so much that no test of all of them holds."""

from __future__ import annotations

from sos_spark.fit.regression.design import PreparedPanel, Weights
from sos_spark.fit.thresholds import DOMINATED, FEW_TREATED

NEARLY_ONE = "one pilot has most of the pilots' weight, so that this is nearly a study of one: no test and no interval"
"""What a row says of its blanks; the main row says more."""


def weight_shares(panel: PreparedPanel, weights: Weights) -> dict[str, float]:
    """Returns each treated unit's share of the weight of the treated units' rows from go-live on."""
    weight = panel.row_weight(weights) * (panel.rows * panel.treated).sum(axis=1)
    shares = weight / weight.sum()
    return {
        unit: float(share)
        for unit, share, treated in zip(panel.unit_ids, shares, panel.is_treated_unit, strict=True)
        if treated
    }


def is_dominated(panel: PreparedPanel, weights: Weights) -> bool:
    """Returns whether one of more than a few pilots has so much of their weight that no test of all of them holds.

    Few pilots are judged by permuted go-lives, which look at how unsteady they are.
    """
    if panel.n_treated_units <= FEW_TREATED:
        return False
    return max(weight_shares(panel, weights).values()) > DOMINATED
