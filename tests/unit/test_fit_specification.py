"""The specification curve: exactly the declared names, each equal to a fit by hand, and none that ends a run."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sos_spark.analysis.declared import Specification, declared_specifications, main_specification, specifications
from sos_spark.analysis.specification import fit_beside_main, fit_specification
from sos_spark.config.load import load_study, study_from
from sos_spark.config.shipped import conf_root
from sos_spark.config.study import Comparators, Covariates, Study
from sos_spark.errors import InputError
from sos_spark.fit import fit_did
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.estimators import ESTIMATORS
from sos_spark.fit.result import DidResult
from tests.fit_panels import quarter, some_cells


def a_study(*, pilots: dict[str, int] | None = None, **changed: Any) -> Study:
    """Six pilots that go live in period 3 of eight quarters, one outcome o that may be switched, one z that cannot."""
    chosen = pilots or dict.fromkeys((str(code) for code in range(201, 207)), 3)
    given: dict[str, Any] = {
        "schema_version": 1,
        "study_id": "made_up",
        "title": "A made-up study",
        "window": {
            "baseline": [quarter(0), quarter(3)],
            "follow_up": [quarter(3), quarter(8)],
            "data_ends": quarter(8),
        },
        "pilots": [{"la_code": code, "go_live": quarter(number)} for code, number in chosen.items()],
        "outcomes": [
            {"outcome_id": "o", "kind": "rereferral_nfa"},
            {"outcome_id": "z", "kind": "assessment_duration", "family": "secondary"},
        ],
        "inference": {"draws": 199, "permutations": 99},
    }
    return study_from(given | changed)


def names_of(study: Study, outcome_id: str = "o") -> list[str]:
    return [specification.name for specification in specifications(study, outcome_id)]


def one(study: Study, name: str, outcome_id: str = "o") -> Specification:
    (found,) = [each for each in specifications(study, outcome_id) if each.name == name]
    return found


def same(result: DidResult, by_hand: DidResult) -> None:
    """Every number of the two is the same, whatever their names."""
    ours, theirs = result.to_frame().iloc[0], by_hand.to_frame().iloc[0]
    for column in ours.index.drop(["specification", "analysis", "note"]):
        assert ours[column] == theirs[column] or (pd.isna(ours[column]) and pd.isna(theirs[column])), column


def test_everything_declared_is_listed_in_a_fixed_order() -> None:
    study = a_study(
        comparators={"kind": "listed", "la_codes": ["207", "208", "209"]},
        covariates={"categorical": ["sex"]},
        sensitivity={
            "placebo_dates": [quarter(2), quarter(1)],
            "outcome_switches": [{"outcome_id": "o", "nfa": "at_referral"}, {"outcome_id": "z", "days": "calendar"}],
            "comparators": ["all", "matched", "all"],
            "go_live": [quarter(2), quarter(3), quarter(2)],
            "placebo_outcomes": ["z"],
        },
    )
    shared_before = ["la_equal", "unadjusted", "logit", "synthetic_did", f"go_live={quarter(2)}"]
    shared_before += ["comparators=all", "comparators=matched"]
    shared_after = ["missing=indicator", f"placebo_date={quarter(2)}", f"placebo_date={quarter(1)}"]
    assert names_of(study) == [*shared_before, "nfa=at_referral", *shared_after]
    assert declared_specifications(study) == {
        "o": ("main", *shared_before, "nfa=at_referral", *shared_after),
        # A length in days has no logit.
        "z": ("main", *(name for name in shared_before if name != "logit"), "days=calendar", *shared_after),
    }
    kinds = {each.name: each.analysis for each in specifications(study, "o")}
    assert {name for name, kind in kinds.items() if kind == "beside"} == {"la_equal", "unadjusted", "logit"}
    assert {name for name, kind in kinds.items() if kind == "placebo"} == set(shared_after[1:])
    assert main_specification(study, "o").analysis == "main"
    assert main_specification(study, "z").analysis == "placebo"


def test_a_bare_study_has_its_companions() -> None:
    assert names_of(a_study()) == ["la_equal", "logit", "synthetic_did"]
    assert names_of(a_study(inference={"weights": "la_equal"})) == ["child", "logit", "synthetic_did"]


def test_estimators_for_staggered_go_lives_stand_beside_where_first_periods_differ() -> None:
    staggered = ["la_equal", *ESTIMATORS, "logit", "synthetic_did"]
    assert names_of(a_study(pilots={"201": 3, "202": 4})) == staggered
    # Two days whose first whole period is the same are one go-live.
    days = [{"la_code": "201", "go_live": "2014-01-02"}, {"la_code": "202", "go_live": quarter(4)}]
    same_period = study_from(a_study().model_dump(mode="json", by_alias=True) | {"pilots": days})
    assert names_of(same_period) == ["la_equal", "logit", "synthetic_did"]


def test_a_switch_of_several_keys_has_them_all_in_its_name() -> None:
    switches = [{"outcome_id": "o", "within_months": 3, "nfa": "at_referral"}]
    found = one(a_study(sensitivity={"outcome_switches": switches}), "nfa=at_referral~within_months=3")
    assert found.panel_outcome_id == "o~nfa=at_referral~within_months=3"
    assert found.design.outcome_id == "o"


def test_the_shipped_studies_declare_what_their_files_say() -> None:
    signs = declared_specifications(load_study(conf_root() / "studies" / "signs_of_safety.toml"))
    assert signs["kinship_placement"] == (
        "main",
        "la_equal",
        "logit",
        "synthetic_did",
        "go_live=2014-04-01",
        "go_live=2014-10-01",
        "go_live=2017-04-01",
        "comparators=all",
        "comparators=matched",
        "unit=stock",
        "denominator=foster",
        "placebo_date=2014-04-01",
    )
    other = declared_specifications(load_study(conf_root() / "studies" / "family_safeguarding.toml"))
    assert other["rereferral_3m"] == (
        "main",
        "la_equal",
        "unadjusted",
        *ESTIMATORS,
        "logit",
        "synthetic_did",
        "missing=complete_case",
    )


def test_another_go_live_moves_every_pilot_and_no_row() -> None:
    study = a_study(sensitivity={"go_live": [quarter(5)]})
    result = fit_specification(some_cells(), one(study, f"go_live={quarter(5)}"))
    moved = a_study(pilots=dict.fromkeys((str(code) for code in range(201, 207)), 5))
    same(result, fit_did(some_cells(), design=moved.design("o"), inference=study.inference))


def test_other_comparators_are_those_of_the_same_panel() -> None:
    study = a_study(
        comparators={"kind": "listed", "la_codes": ["207", "208", "209"], "exclude": ["214"]},
        sensitivity={"comparators": ["all", "matched"]},
    )
    everyone = fit_specification(some_cells(), one(study, "comparators=all"))
    assert everyone.n_clusters == 13
    assert everyone.arms["214"] == "unused"
    plain = study.design("o").model_copy(update={"comparators": Comparators()})
    filtered = some_cells().query("unit_id != '214'")
    by_hand = fit_did(filtered, design=plain, inference=study.inference)
    same(everyone, by_hand)
    matched = fit_specification(some_cells(), one(study, "comparators=matched"))
    assert 7 <= matched.n_clusters < 13
    assert "regression to the mean" in matched.note
    assert "regression to the mean" not in everyone.note


def test_an_outcome_switch_is_fitted_from_its_own_cells_and_keeps_the_outcome_s_name() -> None:
    study = a_study(sensitivity={"outcome_switches": [{"outcome_id": "o", "nfa": "at_referral"}]})
    other = some_cells(seed=7)
    panel = pd.concat([some_cells(), other.assign(outcome_id="o~nfa=at_referral")])
    result = fit_specification(panel, one(study, "nfa=at_referral"))
    assert (result.outcome_id, result.specification, result.analysis) == ("o", "nfa=at_referral", "sensitivity")
    same(result, fit_did(other, design=study.design("o"), inference=study.inference))


def test_a_placebo_date_is_a_fit_of_the_periods_before_go_live() -> None:
    study = a_study(
        pilots=dict.fromkeys((str(code) for code in range(201, 207)), 5), sensitivity={"placebo_dates": [quarter(2)]}
    )
    result = fit_specification(some_cells(), one(study, f"placebo_date={quarter(2)}"))
    early = some_cells().query("period < 5")
    moved = a_study(pilots=dict.fromkeys((str(code) for code in range(201, 207)), 2))
    same(result, fit_did(early, design=moved.design("o"), inference=study.inference))
    assert f"first real one, {quarter(5)}" in result.note
    assert result.analysis == "placebo"


def test_weights_covariates_and_missing_values_are_as_said() -> None:
    cells = some_cells()
    sex = np.where(np.arange(len(cells)) % 7 == 0, None, "male")
    halves = [cells.assign(sex=sex), cells.assign(sex="female", y_sum=cells["y_sum"] // 2, y_sumsq=cells["y_sum"] // 2)]
    panel = pd.concat(halves)
    study = a_study(covariates={"categorical": ["sex"]})
    rows = {result.specification: result for result in fit_beside_main(panel, study, "o")}
    design, inference = study.design("o"), study.inference
    bare = design.model_copy(update={"covariates": Covariates()})
    same(rows["unadjusted"], fit_did(panel, design=bare, inference=inference))
    kept = design.model_copy(update={"covariates": Covariates(categorical=("sex",), missing="indicator")})
    same(rows["missing=indicator"], fit_did(panel, design=kept, inference=inference))
    equal = inference.model_copy(update={"weights": "la_equal"})
    same(rows["la_equal"], fit_did(panel, design=design, inference=equal))
    assert rows["missing=indicator"].n_rows == rows["unadjusted"].n_rows > rows["la_equal"].n_rows


def test_without_missing_values_a_panel_that_holds_them_as_a_level_is_fitted_without_it() -> None:
    cells = some_cells()
    sex = np.where(np.arange(len(cells)) % 7 == 0, "missing", "male")
    halves = [cells.assign(sex=sex), cells.assign(sex="female", y_sum=cells["y_sum"] // 2, y_sumsq=cells["y_sum"] // 2)]
    panel = pd.concat(halves)
    study = a_study(covariates={"categorical": ["sex"], "missing": "indicator"})
    result = fit_specification(panel, one(study, "missing=complete_case"))
    complete = study.design("o").model_copy(update={"covariates": Covariates(categorical=("sex",))})
    same(result, fit_did(panel.query("sex != 'missing'"), design=complete, inference=study.inference))
    assert result.n_rows < fit_did(panel, design=study.design("o"), inference=study.inference).n_rows


def test_one_prepared_panel_serves_what_differs_in_weights_or_estimator_only() -> None:
    study = a_study(sensitivity={"comparators": ["matched"], "placebo_dates": [quarter(1)]})
    main = main_specification(study, "o")
    assert [each.name for each in specifications(study, "o") if each.prepares_as(main)] == [
        "la_equal",
        "logit",
        "synthetic_did",
    ]
    prepared = prepare(some_cells(), main.design)
    fresh, reused = (fit_beside_main(some_cells(), study, "o", prepared=given) for given in (None, prepared))
    for ours, theirs in zip(reused, fresh, strict=True):
        same(ours, theirs)


@pytest.mark.parametrize(
    ("sensitivity", "name", "reason"),
    [
        ({"go_live": [quarter(0)]}, f"go_live={quarter(0)}", "No treated unit has rows before go-live"),
        ({"go_live": [date(2030, 1, 1)]}, "go_live=2030-01-01", "No treated unit has rows from go-live on"),
        ({"placebo_dates": [quarter(4)]}, f"placebo_date={quarter(4)}", "No treated unit has rows from go-live on"),
        ({"outcome_switches": [{"outcome_id": "o", "within_months": 3}]}, "within_months=3", "no rows of the outcome"),
    ],
)
def test_an_alternative_that_cannot_be_estimated_is_a_row_with_its_reason(
    sensitivity: dict[str, Any], name: str, reason: str
) -> None:
    result = fit_specification(some_cells(), one(a_study(sensitivity=sensitivity), name))
    assert (result.outcome_id, result.specification) == ("o", name)
    assert result.analysis in ("sensitivity", "placebo")
    assert np.isnan(result.att)
    assert result.fitted is None
    assert reason in result.note


def test_neighbours_that_nobody_lists_end_no_run() -> None:
    pilots = dict.fromkeys(("nowhere", *(str(code) for code in range(202, 207))), 3)
    study = a_study(pilots=pilots, sensitivity={"comparators": ["neighbours"]})
    result = fit_specification(some_cells().replace("201", "nowhere"), one(study, "comparators=neighbours"))
    assert np.isnan(result.att)
    assert "pilots: nowhere has no list of statistical neighbours" in result.note


def test_a_pilot_seen_on_one_side_of_another_go_live_ends_no_run() -> None:
    study = a_study(sensitivity={"go_live": [quarter(6)]})
    gone_early = some_cells().query("unit_id != '203' or period < 6")
    assert fit_did(gone_early, design=study.design("o"), inference=study.inference).n_treated_clusters == 6
    result = fit_specification(gone_early, one(study, f"go_live={quarter(6)}"))
    assert np.isnan(result.att)
    assert "203" in result.note


def test_the_main_specification_s_own_errors_are_raised() -> None:
    study = a_study()
    main = main_specification(study, "o")
    same(fit_specification(some_cells(), main), fit_did(some_cells(), design=main.design, inference=study.inference))
    with pytest.raises(NotEstimableError):
        fit_specification(some_cells().query("period >= 3"), main)
    with pytest.raises(InputError, match="before or after their go-live"):
        fit_specification(some_cells().query("unit_id != '203' or period < 3"), main)
