"""Is the effect larger where the practice took hold better? The effect's slope on the treated LAs' embeddedness.

y_i = a_l + g_t + b0 D_lt + b1 D_lt (E_l - m) + u_i with m the plain mean of E over the treated LAs, so that b0 is the
effect at mean embeddedness and b1 the change per unit of E. Comparators have no E. The slope compares treated LAs with
one another: whatever else differs between well and badly embedded LAs is in it.

Randomisation inference of the slope permutes E among treated LAs; that of b0 permutes go-lives, with the effect of the
model without E as its statistic.
"""

from __future__ import annotations

import numpy as np

from sos_spark.analysis.secondary.rows import Coefficient
from sos_spark.analysis.secondary.traits import embeddedness
from sos_spark.config.study import Inference, Study
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.estimators import shares_one_go_live
from sos_spark.fit.inference.label_permutation import label_test
from sos_spark.fit.inference.randomisation import go_live_test
from sos_spark.fit.regression.design import TREATED, PreparedPanel, regression, treatment_regression

DOSE = "dose"


def dose_coefficients(panel: PreparedPanel, study: Study, *, inference: Inference) -> tuple[Coefficient, ...]:
    """Returns the effect at mean embeddedness and its change per unit of embeddedness.

    Pilots without a value are left out. Two-way fixed effects under several go-lives too, and the rows say so.

    Raises:
        NotEstimableError: Fewer than two treated LAs have a value, all have the same, or nothing tells the slope apart.
    """
    values = embeddedness(panel, study)
    treated = panel.is_treated_unit
    known = treated & ~np.isnan(values)
    if not known.any():
        raise NotEstimableError("no pilot's embeddedness is known", remedy="Declare embeddedness in [[pilots]]")
    if len(np.unique(values[known])) < 2:
        raise NotEstimableError("the pilots whose embeddedness is known do not differ in it")
    out = treated & ~known
    notes = [f"{int(out.sum())} pilots without a value are not in it"] if out.any() else []
    panel = panel.without({unit for unit, gone in zip(panel.unit_ids, out, strict=True) if gone})
    values, treated, known = values[~out], treated[~out], known[~out]
    mean = float(values[known].mean())
    centred = np.where(known, values - mean, 0.0)
    if not shares_one_go_live(panel):
        notes.append("two-way fixed effects, though go-lives differ")
    effects = {TREATED: panel.treated, DOSE: panel.treated * centred[:, None]}
    moments = regression(panel, effects, weights=inference.weights).moments
    if not set(effects) <= set(moments.names):
        raise NotEstimableError("the effect's slope on embeddedness cannot be told from periods and covariates")
    of_label = label_test(
        treatment_regression(panel, weights=inference.weights).moments,
        treatment=TREATED,
        labels=centred,
        treated=treated.tolist(),
        permutations=inference.permutations,
        seed=inference.seed,
    )
    of_effect = go_live_test(panel, weights=inference.weights, permutations=inference.permutations, seed=inference.seed)
    return (
        Coefficient(
            term="effect at mean embeddedness",
            estimand=f"ATT at embeddedness {mean:.4g}, the mean of the treated authorities",
            moments=moments,
            name=TREATED,
            rests_on=panel.n_treated_units,
            p_ri=of_effect.p,
            notes=(*notes, "p_ri is that of the effect without embeddedness in the model"),
        ),
        Coefficient(
            term="per unit of embeddedness",
            estimand="change of the effect per unit of embeddedness among treated authorities",
            moments=moments,
            name=DOSE,
            rests_on=panel.n_treated_units,
            p_ri=of_label.p,
            between_treated=True,
            notes=tuple(notes),
        ),
    )
