"""Secondary analyses on panels whose answers one can work out in one's head, and why an analysis is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from sos_spark.analysis.secondary.traits import BETTER, OTHER, UNKNOWN, embeddedness, intensity_of_models, rating_groups
from sos_spark.config.simulated import SIMULATED_TRAITS
from sos_spark.config.study import Inference, Pilot
from sos_spark.fit.cells.prepare import prepare
from sos_spark.tables.results import SECONDARY
from tests.fit_panels import a_design, some_cells
from tests.secondary_panels import (
    GO_LIVE,
    N_PERIODS,
    OTHERS,
    TREATED,
    a_split_world,
    a_study,
    cells_of,
    means,
    rows_of,
)

GOOD = "effect in good or outstanding"
WORSE = "effect in requires_improvement or inadequate"


def ofsted(**knobs: Any) -> dict[str, Any]:
    return {"secondary": {"analyses": ("ofsted",)} | knobs}


def test_a_triple_difference_takes_each_group_s_own_trend_out() -> None:
    cells, design, known = a_split_world()
    rows = rows_of(cells, design, a_study(design, **known, **ofsted()))
    assert list(rows.columns) == list(SECONDARY.column_names)
    assert list(rows.index) == [WORSE, GOOD, "difference"]
    assert rows["att"].to_numpy() == pytest.approx([0.02, 0.10, -0.08], abs=1e-12)
    assert str(rows.loc["difference", "estimand"]).startswith("triple difference")
    assert rows["n_treated_clusters"].tolist() == [5, 5, 5]
    assert rows["n_rows"].eq(22 * N_PERIODS * 1000).all()


def test_without_comparators_ratings_both_groups_meet_all_comparators() -> None:
    cells, design, known = a_split_world()
    rows = rows_of(cells, design, a_study(design, pilots=known["pilots"], **ofsted()))
    # Comparators move by the mean of 0.05 and -0.03.
    assert rows["att"].to_numpy() == pytest.approx([-0.02, 0.14, -0.16], abs=1e-12)
    assert str(rows.loc["difference", "estimand"]).startswith("difference of effects, each against all comparators")


def test_too_few_rated_comparators_are_not_split_and_the_rows_say_so() -> None:
    cells, design, known = a_split_world(n_comparators=4)
    rows = rows_of(cells, design, a_study(design, **known, **ofsted()))
    assert rows.loc["difference", "att"] == pytest.approx(-0.16, abs=1e-12)
    assert rows["note"].str.contains("comparators' ratings are not used: 4 and 4").all()


def test_authorities_without_a_rating_are_left_out_and_counted() -> None:
    cells, design, known = a_split_world(n_first=6)
    del known["pilots"][TREATED[0]]
    del known["ratings"][OTHERS[0]]
    odd = cells.copy()
    odd.loc[odd["unit_id"].isin([TREATED[0], OTHERS[0]]) & (odd["period"] == 4), ["y_sum", "y_sumsq"]] = 1000.0
    rows = rows_of(odd, design, a_study(design, **known, **ofsted()))
    assert rows["att"].to_numpy() == pytest.approx([0.02, 0.10, -0.08], abs=1e-12)
    assert rows["note"].str.contains("1 pilots without a rating").all()
    assert rows["note"].str.contains("1 comparators without a rating").all()


def test_the_groups_are_those_the_study_codes() -> None:
    cells, design, known = a_split_world()
    study = a_study(design, **known, **ofsted(ofsted_better=("outstanding",)))
    reason = rows_of(cells, design, study)["note"].item()
    assert reason == (
        "left out: every pilot whose rating is known was good or requires_improvement or inadequate before go-live:"
        " there is no other group to compare"
    )


def test_what_compares_treated_authorities_with_one_another_is_judged_by_permuted_labels() -> None:
    cells, design, known = a_split_world(noise=0.01)
    for k, own in enumerate(known["pilots"].values()):
        own["embeddedness"] = k
    study = a_study(design, **known, secondary={"analyses": ("ofsted", "embeddedness")})
    rows = rows_of(cells, design, study)
    assert rows["headline"].tolist() == ["p_wcr", "p_wcr", "p_ri", "p_wcr", "p_ri"]
    assert rows["p_wcr"].notna().all()


@pytest.mark.parametrize("n_second", [1, 2, 4])
def test_few_treated_leave_randomisation_inference_as_the_headline(n_second: int) -> None:
    cells, design, known = a_split_world(n_second=n_second, noise=0.01)
    rows = rows_of(cells, design, a_study(design, **known, **ofsted()))
    few, many = rows.loc[[WORSE, "difference"]], rows.loc[GOOD]
    alone = n_second == 1
    assert few["headline"].eq("" if alone else "p_ri").all()
    assert few[["p_wcr", "ci_low_wcr", "ci_high_wcr"]].isna().all(axis=None)
    assert few["p_ri"].between(0, 1).ne(alone).all()
    assert few["n_treated_clusters"].eq(n_second).all()
    assert few[["se_cr2", "df_satterthwaite", "p_cr2", "ci_low_cr2", "ci_high_cr2"]].isna().eq(alone).all(axis=None)
    assert few["note"].str.contains("no CR2 standard error and no p_ri").eq(alone).all()
    assert (
        few["note"].str.contains("with 4 or fewer the wild cluster bootstrap is left out and p_ri is").ne(alone).all()
    )
    assert many["headline"] == "p_wcr"
    assert 0 <= many["p_wcr"] <= 1
    assert many["ci_low_wcr"] < 0.1 < many["ci_high_wcr"]
    assert "left out" not in many["note"]


def test_the_effect_grows_with_the_dose() -> None:
    doses = {code: 0.1 * k for k, code in enumerate(TREATED[:6])}
    mean_of = {code: means(0.3, after=0.02 + 0.1 * dose) for code, dose in doses.items()}
    mean_of |= {code: means(0.25) for code in OTHERS[:6]}
    design = a_design(pilots=dict.fromkeys(doses, GO_LIVE))
    study = a_study(design, pilots={code: {"embeddedness": dose} for code, dose in doses.items()})
    rows = rows_of(cells_of(mean_of), design, study)
    assert rows.loc["effect at mean embeddedness", "att"] == pytest.approx(0.02 + 0.1 * 0.25, abs=1e-12)
    assert rows.loc["per unit of embeddedness", "att"] == pytest.approx(0.1, abs=1e-12)
    assert "0.25" in rows.loc["effect at mean embeddedness", "estimand"]


def test_comparators_practice_models_no_longer_hide_part_of_the_effect() -> None:
    mean_of = {code: means(0.3, after=0.1) for code in TREATED[:6]}
    users = [(code, 2 + k % 3, 0.2 + 0.1 * k) for k, code in enumerate(OTHERS[:6])]
    for code, start, size in users:
        mean_of[code] = means(0.2, after=0.3 * size, go_live=start)
    mean_of |= {code: means(0.2) for code in OTHERS[6:]}
    design = a_design(pilots=dict.fromkeys(TREATED[:6], GO_LIVE))
    rows = rows_of(cells_of(mean_of), design, a_study(design, models=users))
    adjusted, slope = rows.loc["effect allowing for comparators' practice models"], rows.iloc[-1]
    assert adjusted["att"] == pytest.approx(0.1, abs=1e-12)
    assert slope["term"] == "per unit of comparators' intensity"
    assert slope["att"] == pytest.approx(0.3, abs=1e-12)
    assert (adjusted["n_treated_clusters"], slope["n_treated_clusters"]) == (6, 6)
    assert "6 of 12 comparators use a model within the panel, 6 of them start it there" in adjusted["note"]
    assert np.isnan(slope["p_ri"])


@pytest.mark.parametrize(("n_users", "headline"), [(1, ""), (3, "p_cr2"), (5, "p_wcr")])
def test_a_slope_on_few_comparators_has_no_bootstrap_and_on_one_no_inference(n_users: int, headline: str) -> None:
    mean_of = {code: means(0.3, after=0.1) for code in TREATED[:6]} | {code: means(0.2) for code in OTHERS}
    models = [(code, 1 + k, 0.5) for k, code in enumerate(OTHERS[:n_users])]
    design = a_design(pilots=dict.fromkeys(TREATED[:6], GO_LIVE))
    adjusted, slope = rows_of(
        cells_of(mean_of, noise=0.01),
        design,
        a_study(design, models=models, secondary={"analyses": ("practice_models",)}),
    ).to_dict("records")
    assert (adjusted["headline"], slope["headline"]) == ("p_wcr", headline)
    assert pd.isna(slope["p_wcr"]) == (n_users < 5)
    assert pd.isna(slope["p_cr2"]) == (n_users == 1)


@pytest.mark.parametrize(
    ("known", "analysis", "reason"),
    [
        ({}, "ofsted", "no pilot's rating before go-live (ofsted_before) is known"),
        ({}, "embeddedness", "no pilot's embeddedness is known"),
        ({}, "practice_models", "no practice model of comparators is known"),
        ({"pilots": {"201": {"ofsted_before": "good"}}}, "ofsted", "every pilot whose rating is known was good or out"),
        ({"pilots": {"201": {"embeddedness": 1.0}}}, "embeddedness", "the pilots whose embeddedness is known do not"),
        ({"models": [("201", 2, 0.5)]}, "practice_models", "no comparator of the panel has a practice model in use"),
        ({"models": [("301", 9, 0.5)]}, "practice_models", "no comparator of the panel has a practice model in use"),
        (
            {"models": [("301", 0, 0.5)]},
            "practice_models",
            "the 1 comparators with a practice model used it throughout",
        ),
    ],
)
def test_an_analysis_without_its_data_is_a_row_that_says_why(known: Any, analysis: str, reason: str) -> None:
    cells, design, _ = a_split_world()
    rows = rows_of(cells, design, a_study(design, **known)).reset_index(drop=True)
    row = rows[rows["analysis"] == analysis]
    assert row["note"].item().startswith(f"left out: {reason}")
    numeric = row.select_dtypes("number").drop(columns=["n_rows", "n_treated_clusters"])
    assert numeric.isna().all(axis=None)
    assert row["term"].item() == row["headline"].item() == ""


def test_only_declared_analyses_are_run() -> None:
    cells, design, known = a_split_world()
    nothing = rows_of(cells, design, a_study(design, **known, secondary={"analyses": ()}))
    assert list(nothing.columns) == list(SECONDARY.column_names)
    assert nothing.empty
    assert set(rows_of(cells, design, a_study(design, **known, **ofsted()))["analysis"]) == {"ofsted"}


def test_rows_of_simulated_characteristics_say_so() -> None:
    cells, design, known = a_split_world(noise=0.01)
    known["pilots"] = {code: own | {"embeddedness": k} for k, (code, own) in enumerate(known["pilots"].items())}
    study = a_study(design, **known)
    assert not rows_of(cells, design, study)["note"].str.contains(SIMULATED_TRAITS).any()
    of_all = rows_of(cells, design, study, source="simulated")
    assert of_all.loc[of_all["headline"] != "", "note"].str.startswith(SIMULATED_TRAITS).all()
    of_one = rows_of(cells, design, study, source={"embeddedness": "simulated"})
    assert set(of_one.loc[of_one["note"].str.startswith(SIMULATED_TRAITS), "analysis"]) == {"embeddedness"}


def test_draws_are_the_fewer_of_the_study_s() -> None:
    cells, design, known = a_split_world(noise=0.01)
    study = a_study(design, **known, **ofsted(draws=99))
    rows = rows_of(cells, design, study, inference=Inference(draws=999, permutations=99))
    counted = rows["p_wcr"][GOOD] * (1 + 99)
    assert counted == pytest.approx(round(counted))


def test_several_go_lives_give_group_time_averages_within_groups() -> None:
    cells, _, known = a_split_world(noise=0.001)
    late = {code: 3 + k % 2 for k, code in enumerate(TREATED[:10])}
    design = a_design(pilots=late)
    rows = rows_of(cells, design, a_study(design, **known, **ofsted()))
    assert rows["estimand"].str.contains(r"simple average of ATT\(g,t\)").all()
    assert rows.loc["difference", "att"] == pytest.approx(rows.loc[WORSE, "att"] - rows.loc[GOOD, "att"], abs=1e-12)
    assert rows["p_ri"].between(0, 1).all()


def test_a_merged_unit_stands_for_its_authorities() -> None:
    cells = some_cells(n_units=4)
    joined = cells.assign(
        unit_id=cells["unit_id"].map({"201": "201+205", "202": "202", "203": "203+206", "204": "204"})
    )
    design = a_design(pilots={"201": 3, "205": 3, "202": 3})
    study = a_study(
        design,
        pilots={
            "201": {"ofsted_before": "good", "embeddedness": 1.0},
            "205": {"ofsted_before": "outstanding", "embeddedness": 4.0},
            "202": {"ofsted_before": "inadequate"},
        },
        ratings={"203": "good", "206": "inadequate"},
        models=[("203", 2, 0.25), ("206", 4, 0.75), ("204", 3, 0.5), ("204", 5, 0.1)],
    )
    panel = prepare(joined, design).panel
    assert panel.unit_ids == ("201+205", "202", "203+206", "204")
    assert rating_groups(panel, study).group.tolist() == [BETTER, OTHER, UNKNOWN, UNKNOWN]
    assert embeddedness(panel, study).tolist()[0] == 2.5
    assert np.isnan(embeddedness(panel, study)[1:]).all()
    assert intensity_of_models(panel, study).tolist() == [
        [0.0] * 8,
        [0.0] * 8,
        [0.0, 0.0, 0.25, 0.25, 0.75, 0.75, 0.75, 0.75],
        [0.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5, 0.5],
    ]


def test_what_is_declared_of_a_later_code_is_the_unit_s_that_holds_its_area() -> None:
    cells = some_cells(n_units=4).replace({"unit_id": {"201": "909", "203": "928"}})
    design = a_design(pilots={"942": 3})
    study = a_study(
        design,
        pilots={"942": {"ofsted_before": "good", "embeddedness": 2.0}},
        ratings={"940": "inadequate"},
        models=[("941", 2, 0.5)],
    )
    panel = prepare(cells, design).panel
    assert panel.unit_ids == ("202", "204", "909", "928")
    assert rating_groups(panel, study).group.tolist() == [UNKNOWN, UNKNOWN, BETTER, OTHER]
    assert embeddedness(panel, study)[2] == 2.0
    assert intensity_of_models(panel, study)[3].tolist() == [0, 0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]


def test_a_model_counts_from_the_first_period_that_starts_with_it() -> None:
    cells, design, _ = a_split_world()
    study = a_study(design, models=[(OTHERS[0], 2, 0.5)])
    inside = study.practice_models[0].model_copy(update={"from_": pd.Timestamp("2013-10-02").date()})
    panel = prepare(cells, design).panel
    place = panel.unit_ids.index(OTHERS[0])
    assert intensity_of_models(panel, study)[place].tolist() == [0, 0, 0.5, 0.5, 0.5, 0.5]
    moved = study.model_copy(update={"practice_models": (inside,)})
    assert intensity_of_models(panel, moved)[place].tolist() == [0, 0, 0, 0.5, 0.5, 0.5]


def test_a_pilot_s_embeddedness_is_a_number() -> None:
    with pytest.raises(ValueError, match="finite"):
        Pilot.model_validate({"la_code": "201", "go_live": "2014-01-01", "embeddedness": float("nan")})
