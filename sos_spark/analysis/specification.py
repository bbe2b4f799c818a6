"""Fits what `declared` lists, each from the same cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pandas as pd

from sos_spark.analysis.declared import MAIN, Specification, main_specification, specifications
from sos_spark.analysis.placebo import cells_ending_by
from sos_spark.config.study import Study
from sos_spark.errors import SosError, StudyError
from sos_spark.fit.cells.prepare import Prepared, prepare
from sos_spark.fit.did import blank_result, fit_prepared
from sos_spark.fit.logit import logit_result
from sos_spark.fit.result import DidResult
from sos_spark.fit.synthetic import synthetic_result

_OWN_ROWS: Mapping[str, Callable[..., DidResult]] = {"logit": logit_result, "synthetic_did": synthetic_result}
"""What is not one coefficient of a linear regression makes its own row."""


def fit_specification(
    panel_frame: pd.DataFrame, specification: Specification, *, prepared: Prepared | None = None
) -> DidResult:
    """Estimates one specification from collapsed cells.

    An alternative never ends a run: one that cannot be estimated, because no period lies before its go-live, a pilot is
    seen on one side of it only or the panel has no cells of it, is a row of blanks whose note says why.

    Args:
        panel_frame: The columns of `panel.cells` and of a --panel file.
        specification: As `specifications` lists it.
        prepared: The panel, where one has been prepared that `prepares_as` this one.

    Raises:
        SosError: `main` itself cannot be estimated; as `fit_did`.
    """
    design, inference = specification.design, specification.inference
    try:
        ready = prepared or prepared_panel(panel_frame, specification)
        if specification.estimator in _OWN_ROWS:
            result_of = _OWN_ROWS[specification.estimator]
            result = result_of(ready, design=design, inference=inference, specification=specification.name)
        else:
            result = fit_prepared(
                ready,
                design=design,
                inference=inference,
                specification=specification.name,
                estimator=specification.estimator,
            )
    except SosError as error:
        if specification.name == MAIN:
            raise
        result = blank_result(design, inference=inference, specification=specification.name, note=_reason(error))
    note = "; ".join(filter(None, (specification.note, result.note)))
    return replace(result, analysis=specification.analysis, note=note)


def fit_beside_main(
    panel_frame: pd.DataFrame, study: Study, outcome_id: str, *, prepared: Prepared | None = None
) -> tuple[DidResult, ...]:
    """Estimates all of an outcome's `specifications`, in order. `prepared`: main's panel, used where it serves.

    The results are rows only, without what was fitted: a national panel of cells for each would fill the memory.
    """
    main = main_specification(study, outcome_id)
    results = []
    for specification in specifications(study, outcome_id):
        own = prepared if specification.prepares_as(main) else None
        results.append(replace(fit_specification(panel_frame, specification, prepared=own), fitted=None))
    return tuple(results)


def prepared_panel(panel_frame: pd.DataFrame, specification: Specification) -> Prepared:
    """Returns the panel that a specification is fitted from.

    Raises:
        SosError: It cannot be made: cells are faulty, or nothing compares.
    """
    design = specification.design.model_copy(update={"outcome_id": specification.panel_outcome_id})
    if specification.before is not None:
        panel_frame = cells_ending_by(panel_frame, specification.before, period=design.window.period)
    return prepare(panel_frame, design)


def _reason(error: SosError) -> str:
    """A note in one line. Errors hold codes of LAs and counts, never a row's value."""
    what = error.what.rstrip(".")
    found = error.found or (", ".join(error.faults) if isinstance(error, StudyError) else "")
    return " ".join((f"{what}: {found}" if found else what).replace(";", ",").split())
