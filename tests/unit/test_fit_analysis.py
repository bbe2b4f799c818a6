"""A study's whole fit: which specifications stand beside the main one, the family, and what the evidence reads."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sos_spark.analysis.study import StudyFit, fit_study
from sos_spark.config.load import study_from
from sos_spark.config.study import Study
from sos_spark.errors import InputError
from tests.fit_panels import quarter, some_cells


def a_study(
    *, pilots: dict[str, int] | None = None, families: dict[str, str] | None = None, **changed: object
) -> Study:
    chosen = pilots or dict.fromkeys((str(code) for code in range(201, 207)), 3)
    return study_from(
        {
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
                {"outcome_id": name, "kind": "icpc", "family": family, "smallest_effect_of_interest": 0.2}
                for name, family in (families or {"o": "primary"}).items()
            ],
            "inference": {"draws": 999, "permutations": 199},
            **changed,
        }
    )


def rows_of(fitted: StudyFit) -> dict[tuple[str, str], pd.Series]:
    return {(row["outcome_id"], row["specification"]): row for _, row in fitted.estimates.iterrows()}


def three_outcomes() -> pd.DataFrame:
    return pd.concat([some_cells(seed=seed).assign(outcome_id=name) for seed, name in enumerate("abc")])


def test_each_family_is_adjusted_by_itself() -> None:
    fitted = rows_of(fit_study(three_outcomes(), a_study(families={"a": "primary", "b": "primary", "c": "secondary"})))
    p = [fitted[name, "main"]["p_wcr"] for name in "ab"]
    adjusted = [fitted[name, "main"]["p_adjusted"] for name in "ab"]
    assert all(q >= own for q, own in zip(adjusted, p, strict=True))
    assert min(adjusted) > min(p)
    assert fitted[("a" if p[0] < p[1] else "b"), "main"]["p_holm"] == pytest.approx(min(1, 2 * min(p)))
    assert fitted["c", "main"]["p_adjusted"] == pytest.approx(fitted["c", "main"]["p_wcr"], rel=1e-9)
    assert np.isnan(fitted["a", "la_equal"]["p_adjusted"])


def test_staggered_go_lives_have_a_row_of_every_estimator_beside_the_main_one() -> None:
    pilots = dict(zip((str(code) for code in range(201, 207)), (3, 3, 4, 4, 5, 5), strict=True))
    fitted = fit_study(some_cells(), a_study(pilots=pilots))
    rows = rows_of(fitted)
    staggered = ("twfe", "cs_simple", "cs_not_yet", "imputation", "sun_abraham", "etwfe")
    assert [name for _, name in rows] == ["main", "la_equal", *staggered, "logit", "synthetic_did"]
    assert rows["o", "main"]["estimator"] == "imputation"
    assert rows["o", "main"]["att"] == rows["o", "imputation"]["att"]
    assert all(rows["o", name]["estimator"] == name for name in staggered)
    assert "negative" in rows["o", "twfe"]["note"]
    assert len(fitted.tables["leave_one_out"]) == 14
    assert {"group_time", "aggregates", "goodman_bacon"} <= {
        name for name, table in fitted.tables.items() if len(table)
    }
    assert not any(" left out: " in warning for warning in fitted.warnings)


def test_the_other_weights_stand_beside_the_studys_own() -> None:
    fitted = fit_study(some_cells(), a_study(inference={"draws": 999, "permutations": 199, "weights": "la_equal"}))
    assert [name for _, name in rows_of(fitted)][:2] == ["main", "child"]
    assert "each authority" in rows_of(fitted)["o", "main"]["estimand"]


def test_with_few_treated_the_family_is_adjusted_by_shared_permutations() -> None:
    few = dict.fromkeys(("204", "205", "206"), 3)
    families = dict.fromkeys("abc", "primary")
    fitted = fit_study(three_outcomes(), a_study(pilots=few, families=families))
    rows = [rows_of(fitted)[name, "main"] for name in "abc"]
    p, adjusted = (np.array([row[name] for row in rows]) for name in ("p_ri", "p_adjusted"))
    assert (adjusted >= p).all()
    assert adjusted.min() > p.min()
    assert any("3 treated authorities" in warning for warning in fitted.warnings)


def test_an_outcome_with_nothing_to_compare_is_a_row_and_the_others_go_on() -> None:
    late = some_cells().query("period >= 3").assign(outcome_id="late")
    fitted = fit_study(pd.concat([some_cells(), late]), a_study(families={"late": "primary", "o": "primary"}))
    rows = rows_of(fitted)
    assert np.isnan(rows["late", "main"]["att"])
    assert rows["late", "main"]["evidence"] == "not estimable"
    assert not np.isnan(rows["o", "main"]["att"])
    assert [failure.exit_code for failure in fitted.failures] == [4]


def test_evidence_and_pre_trend_are_of_the_main_row() -> None:
    rows = rows_of(fit_study(some_cells(), a_study()))
    assert rows["o", "main"]["evidence"] == "no change of a size that matters"
    assert 0 <= rows["o", "main"]["p_pretrend"] <= 1
    assert rows["o", "la_equal"]["evidence"] == ""


def test_leave_one_out_can_be_declined() -> None:
    assert fit_study(some_cells(), a_study(sensitivity={"leave_one_out": False})).tables["leave_one_out"].empty


def test_everything_that_is_declared_is_a_row_and_a_point_of_the_curve() -> None:
    fitted = fit_study(
        some_cells(),
        a_study(
            sensitivity={
                "go_live": [quarter(0), quarter(4)],
                "comparators": ["matched"],
                "placebo_dates": [quarter(2)],
                "placebo_pilots": 20,
            }
        ),
    )
    rows = rows_of(fitted)
    kinds = {name: row["analysis"] for (_, name), row in rows.items()}
    assert kinds == {
        "main": "main",
        "la_equal": "beside",
        "logit": "beside",
        "synthetic_did": "sensitivity",
        f"go_live={quarter(0)}": "sensitivity",
        f"go_live={quarter(4)}": "sensitivity",
        "comparators=matched": "sensitivity",
        f"placebo_date={quarter(2)}": "placebo",
    }
    # No period lies before this go-live: a row of blanks with its reason, and the run went on.
    assert np.isnan(rows["o", f"go_live={quarter(0)}"]["att"])
    assert "before go-live" in rows["o", f"go_live={quarter(0)}"]["note"]
    curve = fitted.sensitivity.set_index("specification")
    assert list(curve.index) == list(kinds)
    shifted = curve.loc[f"go_live={quarter(4)}"]
    assert shifted["difference"] == pytest.approx(shifted["att"] - curve.loc["main", "att"])
    assert len(fitted.tables["placebo_pilots"]) == 20
    assert len(fitted.tables["placebo_summary"]) == 1
    assert fitted.tables["group_time"].empty


def test_a_placebo_outcome_takes_no_part_in_the_family() -> None:
    fitted = fit_study(
        three_outcomes(),
        a_study(families={"a": "primary", "b": "primary", "c": "secondary"}, sensitivity={"placebo_outcomes": ["c"]}),
    )
    assert rows_of(fitted)["c", "main"]["analysis"] == "placebo"
    assert np.isnan(rows_of(fitted)["c", "main"]["p_adjusted"])


def test_an_equivalence_test_stands_in_the_main_row() -> None:
    row = rows_of(fit_study(some_cells(), a_study()))["o", "main"]
    assert 0 <= row["p_equivalence"] <= 1


def test_a_panel_of_other_outcomes_is_an_error() -> None:
    with pytest.raises(InputError, match="none of the study's outcomes"):
        fit_study(some_cells(), a_study(families={"other": "primary"}))
