"""The three answers of a row, and what it says it adjusted for."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from sos_spark.config.study import Covariates, Design
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.did import fit_did, fit_prepared
from sos_spark.fit.verdict import Verdict, verdict_of
from tests.fit_panels import QUICK, a_design, some_cells

ONE_DATE, TWO_DATES = (
    {"201": 3, "202": 3, "203": 3, "204": 3, "205": 3},
    {"201": 3, "202": 3, "203": 4, "204": 4, "205": 4},
)
BY_SEX = pd.concat([some_cells().assign(sex="female"), some_cells(seed=2).assign(sex="male")], ignore_index=True)


def by_sex(pilots: dict[str, int]) -> Design:
    return a_design(pilots=pilots, covariates=Covariates(categorical=("sex",)))


@pytest.mark.parametrize(
    ("significant", "p_equivalence", "verdict"),
    [
        (True, math.nan, "a change"),
        (True, 0.01, "a change"),
        (False, 0.01, "no change of a size that matters"),
        (False, 0.05, "cannot tell"),
        (False, math.nan, "cannot tell"),
        (False, None, "cannot tell"),
        (None, 0.01, ""),
    ],
)
def test_the_three_answers(significant: bool | None, p_equivalence: float | None, verdict: Verdict) -> None:
    assert verdict_of(significant=significant, p_equivalence=p_equivalence) == verdict


@pytest.mark.parametrize(("bound", "verdict"), [(None, "cannot tell"), (0.9, "no change of a size that matters")])
def test_a_row_of_estimates_and_the_terminal_give_the_same_answer(bound: float | None, verdict: str) -> None:
    design = a_design(smallest_effect_of_interest=bound)
    result = fit_did(some_cells(), design=design, inference=QUICK)
    assert result.to_frame()["verdict"].item() == verdict
    assert f": {verdict}\n" in result.summary() + "\n"


def test_every_row_has_its_own_test_of_equivalence() -> None:
    design = a_design(smallest_effect_of_interest=0.9)
    result = fit_prepared(prepare(some_cells(), design), design=design, inference=QUICK, specification="beside")
    assert result.p_equivalence < 0.05


@pytest.mark.parametrize(
    ("pilots", "estimator", "fitted"),
    [
        (ONE_DATE, "main", ("sex",)),
        (TWO_DATES, "cs_simple", ()),
        (TWO_DATES, "cs_not_yet", ()),
        (TWO_DATES, "imputation", ("sex",)),
        (TWO_DATES, "twfe", ("sex",)),
    ],
)
def test_a_result_says_what_its_estimator_adjusted_for(
    pilots: dict[str, int], estimator: str, fitted: tuple[str, ...]
) -> None:
    design = by_sex(pilots)
    result = fit_prepared(prepare(BY_SEX, design), design=design, inference=QUICK, estimator=estimator)
    assert result.adjusted_for == fitted
    assert result.to_frame()["adjusted_for"].item() == ", ".join(fitted)
    assert f"adjusted for {'sex' if fitted else 'authority and period alone'}" in result.summary()


def test_a_covariate_of_one_level_is_not_adjusted_for() -> None:
    cells = some_cells().assign(sex="female")
    assert fit_did(cells, design=by_sex(ONE_DATE), inference=QUICK).adjusted_for == ()
