"""An estimator is one file: what a study, a check and a report need of it is what it declares."""

from __future__ import annotations

import pytest

from sos_spark.analysis.specification import specifications
from sos_spark.config.load import load_study
from sos_spark.config.shipped import conf_root
from sos_spark.config.study import Inference
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.did import fit_prepared
from sos_spark.fit.estimators import ESTIMATORS, Estimator, Words, register, twfe
from sos_spark.report.words.specifications import meaning, spoken
from tests.fit_panels import a_design, some_cells

TOY = Estimator(
    name="toy",
    average="ATT of a toy",
    words=Words("A toy", "does what two-way fixed effects do"),
    moments_of=twfe.moments_of,
    permute=twfe.permute,
    takes_covariates=True,
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

    assert [name for name in names if name in ESTIMATORS] == ["twfe", "cs_not_yet", "imputation", "sun_abraham", "toy"]


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
