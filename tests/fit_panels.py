"""Panels for the fit: individual rows with their collapsed cells, and a small panel one can change a cell of."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from sos_spark.config.periods import add_periods
from sos_spark.config.study import Continuous, Covariates, Design, Inference, Pilot, Window

FIRST_QUARTER = date(2013, 4, 1)
QUICK = Inference(draws=999, permutations=199)


def quarter(number: int) -> date:
    """The first day of the period of that number."""
    return add_periods(FIRST_QUARTER, number, "quarter")


def a_window(**changed: Any) -> Window:
    given = {
        "baseline": (FIRST_QUARTER, quarter(3)),
        "follow_up": (quarter(3), quarter(40)),
        "period": "quarter",
        "data_ends": quarter(40),
    }
    return Window.model_validate(given | changed)


def a_design(*, pilots: dict[str, int] | None = None, outcome_id: str = "o", **changed: Any) -> Design:
    """A design of pilots, by LA code, that go live at the start of a period."""
    chosen = pilots or {"201": 3, "202": 3, "203": 3, "204": 3, "205": 3, "206": 3}
    given: dict[str, Any] = {
        "outcome_id": outcome_id,
        "window": a_window(),
        "pilots": tuple(Pilot(la_code=code, go_live=quarter(number)) for code, number in chosen.items()),
    }
    return Design(**(given | changed))


def some_cells(*, n_units: int = 14, n_periods: int = 8, seed: int = 1) -> pd.DataFrame:
    """One cell a unit (201, 202, ...) and period of a binary outcome, of unequal sizes."""
    random = np.random.default_rng(seed)
    unit, period = (index.ravel() for index in np.indices((n_units, n_periods)))
    n = random.integers(20, 90, len(unit))
    y_sum = random.binomial(n, np.clip(random.normal(0.3, 0.05, len(unit)), 0.05, 0.9))
    return pd.DataFrame(
        {
            "outcome_id": "o",
            "unit_id": (201 + unit).astype(str),
            "period": period,
            "period_start": [quarter(int(number)).isoformat() for number in period],
            "n": n,
            "y_sum": y_sum,
            "y_sumsq": y_sum,
        }
    )


def some_children(
    *, n_rows: int, n_units: int = 40, n_treated: int = 9, n_periods: int = 12, seed: int = 1
) -> pd.DataFrame:
    """Individual rows in LAs of very unequal size: two categorical covariates, an age, days and a yes or no."""
    random = np.random.default_rng(seed)
    unit = random.choice(n_units, n_rows, p=random.dirichlet(np.full(n_units, 2.0)))
    period = random.integers(0, n_periods, n_rows)
    treated = ((unit < n_treated) & (period >= n_periods // 2)).astype(float)
    shock = random.normal(0, 0.04, (n_units, n_periods))[unit, period]
    age = random.integers(0, 18, n_rows)
    band = np.array(["0", "1-4", "5-9", "10-15", "16-17"], dtype=object)[np.digitize(age, [1, 5, 10, 16])]
    sex = random.choice(np.array(["female", "male", "unknown"], dtype=object), n_rows, p=[0.49, 0.49, 0.02])
    share = np.clip(
        0.25 + 0.002 * unit + shock + 0.03 * treated + 0.03 * (band == "0") - 0.02 * (sex == "male"), 0.01, 1
    )
    return pd.DataFrame(
        {
            "unit": unit,
            "period": period,
            "treated": treated,
            "age_band": band,
            "sex": sex,
            "age_years": age - 8,
            "yes": (random.random(n_rows) < share).astype(int),
            "days": np.round(28 + 100 * share + random.gamma(2, 6, n_rows)).astype(int),
        }
    )


def collapsed(children: pd.DataFrame, *, y: str, by: tuple[str, ...] = (), z: str | None = None) -> pd.DataFrame:
    """The cells of individual rows, with the moments of one continuous covariate where asked for."""
    columns = {"n": (y, "size"), "y_sum": (y, "sum"), "y_sumsq": ("_yy", "sum")}
    rows = children.assign(_yy=children[y] ** 2)
    if z:
        rows = rows.assign(_zz=rows[z] ** 2, _zy=rows[z] * rows[y])
        columns |= {f"{z}__sum": (z, "sum"), f"{z}__{z}__sum": ("_zz", "sum"), f"{z}__y__sum": ("_zy", "sum")}
    cells = rows.groupby(["unit", "period", *by], observed=True).agg(**columns).reset_index()
    starts = {number: quarter(int(number)).isoformat() for number in cells["period"].unique()}
    return cells.assign(
        outcome_id="o", unit_id=(201 + cells["unit"]).astype(str), period_start=cells["period"].map(starts)
    ).drop(columns="unit")


def design_of(children: pd.DataFrame, *, by: tuple[str, ...] = (), z: str | None = None) -> Design:
    """The design that some_children's treatment is."""
    treated = children[children["treated"] == 1]
    first = int(treated["period"].min())
    return a_design(
        pilots={str(201 + unit): first for unit in sorted(treated["unit"].unique())},
        covariates=Covariates(categorical=by, continuous=(Continuous(name=z, centre=8),) if z else ()),
    )
