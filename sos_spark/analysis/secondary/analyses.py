"""A study's secondary analyses of one outcome: effects by what authorities were, did, or were exposed to.

By the Ofsted rating before go-live, by the embeddedness of the practice, and allowing for comparators' similar practice
models: declared in [secondary] of the study file. An analysis the study lacks the data for is a row of blanks that says
why. These compare few treated LAs with fewer: read them as descriptions, not as tests of the programme.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from sos_spark.analysis.secondary.dose import dose_coefficients
from sos_spark.analysis.secondary.exposure import exposure_coefficients
from sos_spark.analysis.secondary.rows import (
    Analysis,
    Coefficient,
    Source,
    frame_of,
    left_out,
    row_of,
)
from sos_spark.analysis.secondary.split import split_by_rating
from sos_spark.analysis.secondary.subgroups import subgroup_coefficients
from sos_spark.config.simulated import SIMULATED_TRAITS
from sos_spark.config.study import Design, Inference, Study
from sos_spark.errors import InputError, StudyError
from sos_spark.fit.cells.prepare import Prepared
from sos_spark.fit.cells.subpanel import settled
from sos_spark.fit.regression.design import PreparedPanel


def secondary_frame(
    prepared: Prepared,
    *,
    design: Design,
    study: Study,
    inference: Inference,
    source: Source | Mapping[Analysis, Source] = "study",
) -> pd.DataFrame:
    """Runs the declared secondary analyses of one outcome.

    Args:
        prepared: The outcome's panel.
        design: The outcome's design; names the outcome.
        study: Says what is known of authorities, and which analyses are declared.
        inference: Permutations, seed and weights; of the bootstrap draws the fewer of its own and `secondary.draws`.
        source: Where the characteristics come from, for all analyses or each; rows of simulated ones say so.

    Returns:
        Grain: one row per term; the columns of secondary.csv. An analysis left out is one row with a blank term and its
        reason.
    """
    given = inference.model_copy(update={"draws": min(inference.draws, study.secondary.draws)})
    rows, panel = [], settled(prepared.panel)
    for analysis in dict.fromkeys(study.secondary.analyses):
        of_analysis = source if isinstance(source, str) else source.get(analysis, "study")
        try:
            coefficients = _ANALYSES[analysis](panel, study, given)
        except (InputError, StudyError) as error:
            # The panel is sound: what cannot be done here is a matter of who is in which group.
            rows.append(left_out(design.outcome_id, analysis, because=error.what))
            continue
        notes = (SIMULATED_TRAITS,) if of_analysis == "simulated" else ()
        rows += [row_of(each, panel=panel, analysis=analysis, inference=given, notes=notes) for each in coefficients]
    return frame_of(rows)


def _by_rating(panel: PreparedPanel, study: Study, inference: Inference) -> tuple[Coefficient, ...]:
    return subgroup_coefficients(split_by_rating(panel, study), inference=inference)


def _by_dose(panel: PreparedPanel, study: Study, inference: Inference) -> tuple[Coefficient, ...]:
    return dose_coefficients(panel, study, inference=inference)


def _by_exposure(panel: PreparedPanel, study: Study, inference: Inference) -> tuple[Coefficient, ...]:
    return exposure_coefficients(panel, study, inference=inference)


_ANALYSES: dict[Analysis, Callable[[PreparedPanel, Study, Inference], tuple[Coefficient, ...]]] = {
    "ofsted": _by_rating,
    "embeddedness": _by_dose,
    "practice_models": _by_exposure,
}
