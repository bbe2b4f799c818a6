"""The grouped logit on cells is the logit of individual rows: coefficient, average effect, clustered error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.logit import grouped_logit
from tests.fit_panels import collapsed, design_of, some_children
from tests.references import Reference

LOGIT = Reference(
    "Grouped logit",
    "estimate",
    "a logit of the individual rows",
    "package",
    1e-8,
)


def by_hand(children: pd.DataFrame, *, levels: str | None) -> tuple[float, float]:
    """The average effect on treated rows and its clustered delta-method error, from individual rows."""
    treated = children["treated"]
    parts: list[Any] = [
        treated.rename("treated"),
        pd.get_dummies(children["period"], prefix="p", drop_first=True, dtype=float),
        pd.get_dummies(children["unit"], prefix="u", dtype=float),
    ]
    n_levels = 0
    if levels:
        parts.append(pd.get_dummies(children[levels], prefix="z", drop_first=True, dtype=float))
        n_levels = parts[-1].shape[1]
    x = pd.concat(parts, axis=1)
    fitted = sm.Logit(children["yes"], x).fit(
        disp=0, method="newton", maxiter=100, tol=1e-13,
        cov_type="cluster", cov_kwds={"groups": pd.factorize(children["unit"])[0], "use_correction": False},
    )  # fmt: skip
    rows, groups = len(children), children["unit"].nunique()
    k = 1 + children["period"].nunique() + n_levels
    factor = groups / (groups - 1) * (rows - 1) / (rows - k)
    on = x[treated == 1].to_numpy()
    off = on.copy()
    off[:, 0] = 0

    def effect(beta: np.ndarray) -> float:
        return float((1 / (1 + np.exp(-on @ beta)) - 1 / (1 + np.exp(-off @ beta))).mean())

    beta = fitted.params.to_numpy()
    step = 1e-6
    gradient = np.array([(effect(beta + step * e) - effect(beta - step * e)) / (2 * step) for e in np.eye(len(beta))])
    return effect(beta), float(np.sqrt(factor * gradient @ fitted.cov_params().to_numpy() @ gradient))


@pytest.mark.parametrize("levels", [None, "sex"])
def test_cells_give_the_logit_of_individual_rows(levels: str | None) -> None:
    children = some_children(n_rows=4000, n_units=10, n_treated=4, n_periods=6)
    by = (levels,) if levels else ()
    design = design_of(children, by=by)
    panel = prepare(collapsed(children, y="yes", by=by), design).panel
    att, se = by_hand(children, levels=levels)

    ours = grouped_logit(panel, weights="child")

    assert ours.att == LOGIT.equals(att)
    assert ours.se_cr1 == pytest.approx(se, rel=1e-6)


def test_an_outcome_that_is_not_0_or_1_has_no_logit() -> None:
    children = some_children(n_rows=400, n_units=6, n_treated=3, n_periods=4)
    cells = collapsed(children.assign(days=children["yes"] * 3 + 1), y="days")
    with pytest.raises(NotEstimableError, match="0 and 1"):
        grouped_logit(prepare(cells, design_of(children)).panel, weights="child")


def test_an_authority_without_any_yes_is_left_out_and_changes_nothing() -> None:
    children = some_children(n_rows=3000, n_units=10, n_treated=4, n_periods=6)
    panel = prepare(collapsed(children, y="yes"), design_of(children)).panel
    never = next(u for u, on in zip(panel.unit_ids, panel.is_treated_unit, strict=True) if not on)
    flat = children.assign(yes=children["yes"].where(children["unit"] != int(never) - 201, 0))
    with_flat = prepare(collapsed(flat, y="yes"), design_of(children)).panel

    assert grouped_logit(with_flat, weights="child").att == pytest.approx(
        grouped_logit(panel.without({never}), weights="child").att, rel=1e-9
    )
