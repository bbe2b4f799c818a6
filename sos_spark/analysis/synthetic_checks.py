"""Synthetic controls made in other ways than the row synthetic_did: by whole years, and augmented by a regression."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from sos_spark.config.study import Inference
from sos_spark.fit.augmented import augmented_control
from sos_spark.fit.cells.subpanel import settled
from sos_spark.fit.cells.years import in_years, periods_a_year
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.regression.design import NEVER, PreparedPanel
from sos_spark.fit.synthetic import synthetic_did, why_no_p
from sos_spark.tables.results import SYNTHETIC_CHECKS

REFITS = 99
"""Draws of pseudo-pilots: enough for a check, whose p is not quoted."""


def synthetic_checks_frame(panel: PreparedPanel, *, inference: Inference) -> pd.DataFrame:
    """Returns the columns of synthetic_checks.csv; annual has no row where the study's periods are years."""
    made: dict[str, Callable[[PreparedPanel, Inference], dict[str, object]]] = {"augmented": _augmented}
    if periods_a_year(panel) > 1:
        made = {"annual": _annual, **made}
    rows = []
    for method, of in made.items():
        row: dict[str, object] = dict.fromkeys(SYNTHETIC_CHECKS.column_names[2:-1], np.nan)
        row |= {"outcome_id": panel.outcome_id, "method": method, "note": ""}
        try:
            row |= of(panel, inference)
        except NotEstimableError as error:
            row["note"] = f"{error.what}: {error.found}" if error.found else error.what
        rows.append(row)
    return pd.DataFrame(rows, columns=list(SYNTHETIC_CHECKS.column_names))


def _annual(panel: PreparedPanel, inference: Inference) -> dict[str, object]:
    fitted = synthetic_did(in_years(panel), refits=REFITS, seed=inference.seed)
    years = fitted.panel
    return {
        "att": fitted.att,
        "se_placebo": fitted.se,
        "se_jackknife": fitted.se_jackknife,
        "p": np.nan if fitted.n_pilots == 1 or why_no_p(panel) else fitted.p,
        "note": why_no_p(panel),
        "n_pilots": fitted.n_pilots,
        "n_comparators": int(np.count_nonzero(years.gtime == NEVER)),
        "n_before": int(np.count_nonzero(years.periods < fitted.groups[0].gtime)),
    }


def _augmented(panel: PreparedPanel, inference: Inference) -> dict[str, object]:
    fitted = augmented_control(settled(panel), refits=REFITS, seed=inference.seed)
    said = f"the weights alone leave the path before go-live by {fitted.distance:.3g} on average"
    return {
        "att": fitted.att,
        "plain": fitted.plain,
        "se_placebo": fitted.se,
        "p": np.nan if why_no_p(panel) else fitted.p,
        "n_pilots": fitted.n_pilots,
        "n_comparators": fitted.n_comparators,
        "n_before": fitted.n_before,
        "note": "; ".join(filter(None, (said, why_no_p(panel)))),
    }
