"""How large a violation of parallel trends an effect survives: the bounds of Rambachan and Roth, as a table.

See `honest_bounds` for the restrictions and `annual` for the effects by year that they are applied to.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from sos_spark.analysis.annual import AnnualEffects, annual_effects
from sos_spark.analysis.honest_bounds import Bounds, breakdown, smoothness
from sos_spark.analysis.relative_magnitudes import relative_magnitudes
from sos_spark.fit.dominance import NEARLY_ONE, is_dominated
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.result import NOT_KNOWN, DidResult
from sos_spark.fit.thresholds import FEW_TREATED
from sos_spark.tables.results import HONEST

MBAR = (0.0, 0.5, 1.0, 1.5, 2.0)
"""m of relative magnitudes: times the largest step before go-live."""
M_MULTIPLES = (0.0, 0.1, 0.25, 0.5, 1.0)
"""m of smoothness, as multiples of the pre-period standard error: the root mean CR2 variance of the effects before."""

FEWEST_DIFFERENCES = 2
"""With one difference before go-live there is no saying what is usual of it, and nothing is extrapolated from it."""

SIMULATED_DF = 3.0
"""Degrees of freedom below those of the simulations of coverage: intervals with fewer are labelled descriptive."""


def honest_frame(result: DidResult) -> pd.DataFrame:
    """Returns a result's bounds, one row per restriction, m and target; the columns are those of honest.csv.

    `target`: the average of the years from go-live on that count, each year once, or the first of them. `estimate` is
    theirs under parallel trends, so it differs from the main effect, which weighs rows. `m`: a multiple under relative
    magnitudes; under smoothness, in the outcome's unit per year and year. `breakdown`, the same on all rows of a
    restriction and target, is the largest m up to which 0 stays outside the interval, blank where it is inside at 0.
    `label`: interval, whose coverage is simulated (see `honest_bounds`), or descriptive with fewer than 3 df. One row
    of blanks and a note where there are 4 or fewer treated LAs, or fewer than two years before the reference.
    """
    if result.fitted is None:
        return _blank(result.outcome_id, result.note)
    if result.n_treated_clusters <= FEW_TREATED:
        return _blank(result.outcome_id, f"{FEW_TREATED} or fewer treated authorities: no bounds")
    fitted = result.fitted
    if is_dominated(fitted.panel, fitted.weights):
        return _blank(result.outcome_id, NEARLY_ONE)
    try:
        effects = annual_effects(fitted.panel, estimator=fitted.estimator, weights=fitted.weights)
    except NotEstimableError as error:
        return _blank(result.outcome_id, error.what)
    if len(effects.pre) < FEWEST_DIFFERENCES:
        return _blank(
            result.outcome_id,
            "one difference between years before go-live is too little to say how far paths may part after it",
        )
    return bounds_frame(effects, outcome_id=result.outcome_id)


def bounds_frame(effects: AnnualEffects, *, outcome_id: str) -> pd.DataFrame:
    """Returns the bounds of effects by year, the columns of honest.csv."""
    n_pre = len(effects.pre)
    unit = float(np.sqrt(np.diag(effects.covariance)[:n_pre].mean()))
    first = np.eye(effects.n_post)[0]
    targets = {"average": np.full(effects.n_post, 1 / effects.n_post), "first": first}
    rows = []
    for restriction, bound, grid, scale, growth in (
        ("relative_magnitudes", relative_magnitudes, MBAR, 1.0, 0.5),
        ("smoothness", smoothness, M_MULTIPLES, unit, 0.1),
    ):
        for target, weights in targets.items():
            at: Callable[[float], Bounds] = partial(_at, bound, effects, weights)
            survives = breakdown(at, unit=scale, growth=growth)
            for multiple in grid:
                found = at(multiple * scale)
                rows.append(
                    {
                        "restriction": restriction,
                        "m": multiple * scale,
                        "target": target,
                        "estimate": float(weights @ effects.post),
                        **vars(found),
                        "breakdown": survives,
                        "note": _note(effects, found, multiple if restriction == "smoothness" else None),
                    }
                )
    return _framed(
        pd.DataFrame(rows), outcome_id=outcome_id, n_pre=effects.n_pre, n_post=effects.n_post, df=effects.df,
        label="interval" if effects.df >= SIMULATED_DF else "descriptive",
    )  # fmt: skip


def _at(bound: Callable[..., Bounds], effects: AnnualEffects, target: Array, m: float) -> Bounds:
    return bound(effects, target, m=m)


def _note(effects: AnnualEffects, found: Bounds, multiple: float | None) -> str:
    parts = [effects.note]
    if multiple is not None:
        parts.append(f"m is {multiple:g} x the pre-period standard error")
        if np.isnan(found.set_low):
            parts.append("the effects before go-live bend by more than m: no set")
    return "; ".join(part for part in parts if part)


def _blank(outcome_id: str, note: str) -> pd.DataFrame:
    numbers = ("m", "estimate", "ci_low", "ci_high", "set_low", "set_high", "n_pre", "n_post", "df", "breakdown")
    row = dict.fromkeys(numbers, NOT_KNOWN) | {"restriction": "", "target": "", "label": "", "note": note}
    return _framed(pd.DataFrame([row]), outcome_id=outcome_id)


def _framed(frame: pd.DataFrame, **same: str | float) -> pd.DataFrame:
    return frame.assign(**same)[list(HONEST.column_names)]
