"""Sample flow: what is received is what is analysed plus every loss."""

from typing import Any

import pandas as pd

from sos_spark.outcome.reasons import is_eligibility
from sos_spark.report.results import LakeTables, Results
from sos_spark.report.sections.flow import flow_table
from sos_spark.report.sections.quality import expected, failures_per_1000, links_by_arm, quality_table, unobserved_years
from sos_spark.report.sections.unknown import unknown_by_period
from sos_spark.report.words.reasons import reason_in_words
from tests.unit import report_example as example


def results_with(**tables: pd.DataFrame) -> Results:
    lake: dict[str, Any] = {
        "units": example.units(), "flow": example.flow(), "files": example.files(), "ledger": example.ledger(),
        "rule_counts": example.rule_counts(), "link_rates": example.link_rates(),
    }  # fmt: skip
    return Results(
        study=example.a_study(),
        fingerprint="f",
        estimates=example.estimates(),
        arms=example.arms(),
        cells=example.cells(),
        lake=LakeTables(**(lake | tables)),
    )


def stages_of(results: Results, outcome_id: str, arm: str) -> dict[tuple[str, str], int]:
    flow = flow_table(results)
    own = flow[(flow["outcome_id"] == outcome_id) & (flow["arm"] == arm)]
    return dict(zip(zip(own["stage"], own["reason"], strict=True), own["n_rows"], strict=True))


def test_each_stage_is_the_next_one_and_its_losses() -> None:
    flow = flow_table(results_with())

    for _, own in flow.groupby(["outcome_id", "arm"]):
        totals = own[own["reason"] == ""].set_index("stage")["n_rows"]
        losses = own[own["reason"] != ""].groupby("stage")["n_rows"].sum()
        for before, after in (("received", "valid"), ("index_rows", "eligible"), ("eligible", "analysed")):
            if after in totals:
                assert totals[before] == totals[after] + losses.get(f"lost_{after}", 0)


def test_counts_of_an_arm() -> None:
    stages = stages_of(results_with(), "rereferral_nfa_6m", "pilot")

    # 9 pilots with five files of 100 referrals each; 95 index rows each, of which 80 analysed
    assert stages[("received", "")] == 9 * 5 * 100
    assert stages[("lost_valid", "quarantined")] == 9 * 5 * 4
    assert stages[("valid", "")] == 9 * 5 * 90
    assert stages[("index_rows", "")] == 9 * 95
    assert stages[("lost_eligible", "outside_window")] == 9 * 10
    assert stages[("lost_analysed", "not_fully_observed")] == 9 * 5
    assert stages[("analysed", "")] == 9 * 80


def test_records_of_national_files_are_not_told_apart_by_arm() -> None:
    files = example.files().assign(file_id=1)
    ledger = pd.DataFrame([{**example.ledger().iloc[0].to_dict(), "file_id": 1, "entity": "referrals"}])

    stages = stages_of(results_with(files=files, ledger=ledger), "rereferral_nfa_6m", "several")

    assert stages[("received", "")] == 100


def test_without_a_lake_the_cells_say_what_was_analysed() -> None:
    results = Results(
        study=example.a_study(),
        fingerprint="f",
        estimates=example.estimates(),
        arms=example.arms(),
        cells=example.cells(),
    )

    flow = flow_table(results)

    own = example.cells().query("outcome_id == 'kinship_placement'")
    pilots = own[own["unit_id"].isin(example.PILOTS)]["n"].sum()
    assert set(flow["stage"]) == {"analysed"}
    assert stages_of(results, "kinship_placement", "pilot") == {("analysed", ""): pilots}


def test_reasons_of_window_and_population_are_eligibility_and_the_others_are_not() -> None:
    assert is_eligibility("between_windows")
    assert is_eligibility("age_out_of_range")
    assert not is_eligibility("open_after_window")
    assert not is_eligibility("something_new")


def test_reasons_are_spelled_out() -> None:
    assert reason_in_words("quarantined") == "refused by an error rule"
    assert reason_in_words("something_new") == "something new"


def test_unknown_rows_are_a_share_of_the_eligible() -> None:
    row = unknown_by_period(results_with()).query("outcome_id == 'kinship_placement' and arm == 'pilot'").iloc[0]

    assert (row["reason"], row["n_rows"], row["n_eligible"]) == ("not_fully_observed", 45, 9 * 85)


def test_unknown_rows_are_shown_by_period_where_they_are_counted_so() -> None:
    frame = unknown_by_period(results_with(flow=example.flow().assign(period=3)))

    assert set(frame["period"]) == {3}


def test_rows_outside_the_estimand_are_not_unknown() -> None:
    frame = unknown_by_period(results_with(flow=example.flow().replace({"not_fully_observed": "not_rereferred"})))

    assert frame.empty


def test_quality_has_names_arms_and_shares() -> None:
    row = quality_table(results_with()).query("la_code == '304' and rule_code == 'closure_before_referral'").iloc[0]

    assert (row["la_name"], row["arm"], row["n_rows"]) == ("Authority 304", "pilot", 500)
    assert row["failed_share"] == row["n_failed"] / 500


def test_a_rate_counts_rules_that_cost_a_record_or_a_value_and_a_missing_year_has_none() -> None:
    rates = failures_per_1000(results_with())
    counts = example.rule_counts().query("la_code == '304' and census_year == 2015 and severity != 'warning'")

    assert rates.at["304", 2015] == 1000 * counts["n_failed"].sum() / 500
    assert pd.isna(rates[2014]["926"])


def test_an_authority_without_any_record_still_has_its_row() -> None:
    silent = example.rule_counts().query("la_code != '801'")

    assert failures_per_1000(results_with(rule_counts=silent)).loc["801"].isna().all()


def test_nothing_is_expected_of_an_authority_before_it_existed() -> None:
    units = example.units()
    units.loc[units["la_code"] == "304", "first_census_year"] = 2016
    results = results_with(units=units)

    there = expected(results, failures_per_1000(results))

    assert there.loc["304"].to_dict() == {2014: False, 2015: False, 2016: True, 2017: True, 2018: True}


def test_link_rates_by_arm() -> None:
    assert links_by_arm(results_with())[0] == ("Pilots", "1,800", "90.0%", "5.0%", "5.0%")


def test_returns_that_are_not_counted_on_are_said_by_authority_year_file_and_share() -> None:
    columns = ["la_code", "census_year", "entity", "reason", "file_paths", "n_received", "n_quarantined"]
    rows = [("801", 2016, "lac_episodes", "mostly_quarantined", ["ssda903/2016/801/episodes.csv"], 100, 66),
            ("801", 2017, "referrals", "empty_return", ["cin/2017/801.xml"], 0, 0)]  # fmt: skip
    results = results_with(unobserved=pd.DataFrame(rows, columns=columns))

    name = results.name_of("801")
    assert unobserved_years(results) == [
        (
            name,
            "2016",
            "lac episodes",
            "ssda903/2016/801/episodes.csv",
            "100",
            "66.0%",
            "more than 10.0% in quarantine",
        ),
        (name, "2017", "referrals", "cin/2017/801.xml", "0", "", "empty, and an earlier return had rows"),
    ]
