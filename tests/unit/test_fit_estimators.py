"""An estimator is one file: what a study, a check and a report need of it is what it declares."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from sos_spark.analysis.declared import specifications
from sos_spark.config.load import load_study
from sos_spark.config.shipped import conf_root
from sos_spark.config.study import Covariates, Inference, Staggered
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.did import fit_did, fit_prepared
from sos_spark.fit.estimators import ESTIMATORS, Estimator, Words, register, require_every_name, twfe
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import Weights
from sos_spark.report.words.specifications import meaning, spoken
from tests.fit_panels import a_design, collapsed, some_cells, some_children
from tests.staggered_panels import random_totals

STAGGERED = {"201": 2, "202": 2, "203": 4, "204": 4, "205": 4}

TOY = Estimator(
    name="toy",
    average="ATT of a toy",
    words=Words("A toy", "does what two-way fixed effects do"),
    moments_of=twfe.moments_of,
    takes_covariates=True,
    permute=twfe.permute,
    by_dummies=True,
)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Estimator:
    monkeypatch.delitem(ESTIMATORS, "toy", raising=False)
    monkeypatch.setitem(ESTIMATORS, "toy", TOY)
    return TOY


def test_a_registered_estimator_stands_beside_main_where_go_lives_differ(toy: Estimator) -> None:
    study = load_study(conf_root() / "studies" / "family_safeguarding.toml")
    assert len({pilot.go_live for pilot in study.pilots}) > 1

    names = [one.name for one in specifications(study, study.outcome_ids[0])]

    assert [name for name in names if name in ESTIMATORS] == [*ESTIMATORS]
    assert [*ESTIMATORS][-1] == "toy"


def test_an_estimator_that_no_study_may_name_is_told(toy: Estimator) -> None:
    with pytest.raises(TypeError, match=r"toy \(registered, and not in Staggered"):
        require_every_name()


def test_a_name_without_an_estimator_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ESTIMATORS, "etwfe")
    with pytest.raises(TypeError, match=r"etwfe \(in Staggered .* not imported"):
        require_every_name()


def test_what_cannot_be_permuted_is_refused() -> None:
    with pytest.raises(ValueError, match="neither permute nor refit_of"):
        register(replace(TOY, permute=None))
    assert "toy" not in ESTIMATORS


def test_a_headline_without_what_placebos_and_bounds_ask_of_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ESTIMATORS, "etwfe")
    with pytest.raises(ValueError, match=r"its refit_of; .* its influence_of"):
        register(replace(TOY, name="etwfe"))


def test_what_takes_no_covariates_says_so_by_itself() -> None:
    cells = collapsed(some_children(n_rows=4_000, n_units=14), y="yes", by=("sex",))
    panel = prepare(cells, a_design(covariates=Covariates(categorical=("sex",)))).panel
    assert list(TOY(panel, weights="child").cautions) == []
    assert list(replace(TOY, takes_covariates=False)(panel, weights="child").cautions) == [
        "A toy: not adjusted for covariates"
    ]


@pytest.mark.parametrize("name", get_args(Staggered))
def test_main_is_what_the_study_names_where_go_lives_differ_and_says_what_it_adjusts_for(name: Staggered) -> None:
    cells = collapsed(some_children(n_rows=4_000, n_units=14), y="yes", by=("sex",))
    covariates = Covariates(categorical=("sex",))
    inference = Inference(draws=99, permutations=99, staggered=name)

    staggered = fit_did(cells, design=a_design(pilots=STAGGERED, covariates=covariates), inference=inference)
    together = fit_did(cells, design=a_design(covariates=covariates), inference=inference)

    assert (staggered.specification, staggered.estimator) == ("main", name)
    assert staggered.adjusted_for == (("sex",) if ESTIMATORS[name].takes_covariates else ())
    assert ("not adjusted for covariates" in staggered.note) == (not ESTIMATORS[name].takes_covariates)
    assert together.estimator == "twfe"


@pytest.mark.parametrize("weights", ["child", "la_equal"])
@pytest.mark.parametrize("name", get_args(Staggered))
def test_every_estimator_is_the_sum_of_its_weights_times_the_sums(name: Staggered, weights: Weights) -> None:
    panel = random_totals((1, 1, 2, 3, 3, 0), gaps=True)
    estimate = ESTIMATORS[name](panel, weights=weights)

    w = estimate.influence()

    assert np.sum(w * panel.y_sum) == pytest.approx(Sandwich(estimate.moments).estimate("treated"), rel=1e-9)
    assert (w[panel.rows == 0] == 0).all()


def test_it_is_fitted_tested_and_spoken_of_as_any_other(toy: Estimator) -> None:
    design = a_design()
    inference = Inference(draws=99, permutations=99)
    prepared = prepare(some_cells(), design)

    own = fit_prepared(prepared, design=design, inference=inference, estimator="toy")
    two_way = fit_prepared(prepared, design=design, inference=inference, estimator="twfe")

    assert own.estimator == "toy"
    assert own.estimand == "ATT of a toy, each index row counts once"
    assert (own.att, own.p_wcr, own.p_ri) == (two_way.att, two_way.p_wcr, two_way.p_ri)
    assert own.event_study()["att"].equals(two_way.event_study()["att"])
    assert (spoken("toy"), meaning("toy")) == ("A toy", "does what two-way fixed effects do")


def test_a_name_is_taken_once(toy: Estimator) -> None:
    with pytest.raises(ValueError, match="registered already"):
        register(TOY)


def test_every_estimator_has_words_of_its_own() -> None:
    assert len({estimator.words for estimator in ESTIMATORS.values()}) == len(ESTIMATORS)
    assert all(spoken(name) != name for name in ESTIMATORS)
