"""What if one allows for comparators that use similar practice models? Their intensity as a covariate of LA and period.

y_i = a_l + g_t + b D_lt + c x_lt + u_i, x the intensity (0 to 1) of a comparator's model in periods that start on or
after its `from`, 0 before, for treated LAs and for all others. LA effects absorb a model that was in use throughout, so
c, and what it changes in b, rest on comparators whose intensity changes within the panel. Staggered starts of models
and effects of models that grow over time are not modelled: c is an average slope.
"""

from __future__ import annotations

import numpy as np

from sos_spark.analysis.secondary.rows import Coefficient
from sos_spark.analysis.secondary.traits import intensity_of_models
from sos_spark.config.study import Inference, Study
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.estimators import shares_one_go_live
from sos_spark.fit.inference.randomisation import randomisation_test
from sos_spark.fit.regression.design import TREATED, PreparedPanel, Regression, regression
from sos_spark.fit.regression.moments import Array

INTENSITY = "intensity"


def exposure_coefficients(panel: PreparedPanel, study: Study, *, inference: Inference) -> tuple[Coefficient, ...]:
    """Returns the effect allowing for comparators' practice models, and the slope on their intensity.

    Two-way fixed effects under several go-lives too, and the rows say so.

    Raises:
        NotEstimableError: No practice model is declared, none is of a comparator, or none starts within the panel.
    """
    if not study.practice_models:
        raise NotEstimableError(
            "no practice model of comparators is known", remedy="Declare them in [[practice_models]]"
        )
    intensity = intensity_of_models(panel, study)
    users = int(np.count_nonzero(intensity.any(axis=1)))
    changing = _changes(panel, intensity)
    if not users:
        raise NotEstimableError("no comparator of the panel has a practice model in use within it")
    if not changing:
        raise NotEstimableError(
            f"the {users} comparators with a practice model used it throughout the panel: LA effects absorb it"
        )
    fitted = regression(panel, {INTENSITY: intensity, TREATED: panel.treated}, weights=inference.weights)
    if not {TREATED, INTENSITY} <= set(fitted.moments.names):
        raise NotEstimableError("treatment and intensity cannot be told from periods, covariates and each other")
    n_comparators = int(np.count_nonzero(~panel.is_treated_unit))
    notes = [f"{users} of {n_comparators} comparators use a model within the panel, {changing} of them start it there"]
    if not shares_one_go_live(panel):
        notes.append("two-way fixed effects, though go-lives differ")
    return (
        Coefficient(
            term="effect allowing for comparators' practice models",
            estimand="ATT, the intensity of comparators' similar practice models held fixed",
            moments=fitted.moments,
            name=TREATED,
            rests_on=panel.n_treated_units,
            p_ri=_go_live_p(panel, fitted, inference=inference),
            notes=tuple(notes),
        ),
        Coefficient(
            term="per unit of comparators' intensity",
            estimand="change of a comparator's outcome per unit of intensity of its practice model",
            moments=fitted.moments,
            name=INTENSITY,
            rests_on=changing,
            p_ri=float("nan"),
            notes=(*notes, "a covariate's slope: no randomisation inference"),
            of="comparator",
        ),
    )


def _changes(panel: PreparedPanel, intensity: Array) -> int:
    """Counts the LAs whose intensity differs between periods in which they have rows."""
    seen = panel.rows > 0
    greatest = np.where(seen, intensity, -np.inf).max(axis=1)
    least = np.where(seen, intensity, np.inf).min(axis=1)
    return int(np.count_nonzero(greatest > least))


def _go_live_p(panel: PreparedPanel, fitted: Regression, *, inference: Inference) -> float:
    """Permutes go-lives, every LA keeping its intensity; NaN where a period's effect is determined by others.

    NaN too with one treated LA, whose own shocks no permutation knows of.
    """
    if panel.n_treated_units == 1:
        return float("nan")
    names = {f"period_{number}": int(number) for number in panel.periods[1:]}
    if not names.keys() <= set(fitted.moments.names):
        return float("nan")
    return randomisation_test(
        fitted.moments,
        coefficient=TREATED,
        gtime=panel.gtime,
        period_of=names,
        omitted_period=int(panel.periods[0]),
        permutations=inference.permutations,
        seed=inference.seed,
    ).p
