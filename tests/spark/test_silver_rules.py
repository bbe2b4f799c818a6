"""Every rule of every entity has an example that passes and one that fails."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sos_spark.silver.entities.assessments import examine_assessments
from sos_spark.silver.entities.cin_children import classify_cin_children, examine_cin_children, referred_years
from sos_spark.silver.entities.cp_plans import examine_cp_plans
from sos_spark.silver.entities.icpcs import find_conferences
from sos_spark.silver.entities.lac_children import classify_lac_children, examine_lac_children
from sos_spark.silver.entities.lac_episodes import examine_lac_episodes
from sos_spark.silver.entities.referrals import classify_referrals, examine_referrals
from sos_spark.silver.entities.section47_enquiries import classify_section47, examine_section47
from sos_spark.silver.pseudonyms import key_frame, with_pseudonyms
from sos_spark.silver.row_rule import add_findings, codes, error, field
from sos_spark.silver.rule_book import all_rules
from sos_spark.steps.validate import load_rule_data
from sos_spark.tables import RECORD_FAULTS, SILVER_ENTITIES
from tests.silver_rows import (
    a_child,
    a_header_row,
    a_plan,
    a_referral,
    all_bronze,
    an_assessment,
    an_enquiry,
    an_episode,
)

Example = dict[str, Any]
Examples = dict[str, tuple[Example, Example]]
NOTHING: Example = {}


def day(text: str) -> date:
    return date.fromisoformat(text)


def key_day(name: str) -> dict[str, tuple[Example, Example]]:
    """Examples of the rules that every identifying date has. The rows' return is that of census year 2016."""
    return {
        f"{name}_missing": ({name: None, f"{name}_unreadable": True}, {name: None}),
        f"{name}_too_early": ({name: day("1948-07-05")}, {name: day("1948-07-04")}),
        f"{name}_very_old": ({name: day("1990-03-31")}, {name: day("1990-03-30")}),
        **event_day(name),
    }


def event_day(name: str) -> dict[str, tuple[Example, Example]]:
    return {
        f"{name}_unreadable": ({name: None}, {name: None, f"{name}_unreadable": True}),
        f"{name}_after_return": ({name: day("2016-03-31")}, {name: day("2016-04-01")}),
    }


NO_ID: Examples = {
    "child_id_missing": (NOTHING, {"child_id": None}),
    "child_id_invisible_characters": (NOTHING, {"id_has_invisible": True}),
}
RECORD: Examples = {code: ({"record_fault": None}, {"record_fault": code}) for code in RECORD_FAULTS}
ORPHAN: Examples = {"orphan": (NOTHING, {"is_orphan": True})}
CHILDREN: Examples = {
    **NO_ID,
    "birth_date_after_return": ({"birth_date": day("2016-03-31")}, {"birth_date": day("2016-04-01")}),
    "birth_date_placeholder": ({"birth_date": day("1900-01-02")}, {"birth_date": day("1900-01-01")}),
    "birth_date_unreadable": ({"birth_date": None}, {"birth_date": None, "birth_date_unreadable": True}),
    "birth_date_missing": ({"birth_date": None, "birth_date_unreadable": True}, {"birth_date": None}),
    "child_repeated": (NOTHING, {"is_repeated": True}),
    "sex_missing": ({"sex_received": "U"}, {"sex_received": None}),
    "sex_code_unknown": ({"sex_received": "9"}, {"sex_received": "X"}),
    "ethnicity_missing": (NOTHING, {"ethnicity": None}),
    "ethnicity_code_unknown": ({"ethnicity": "MWBC"}, {"ethnicity": "WHITE"}),
    "la_code_unknown": ({"la_code": "840"}, {"la_code": "999"}),
}

# By entity and rule: what a sound row must change to pass (where the rule is close) and to fail.
EXAMPLES: dict[str, Examples] = {
    "cin_children": {
        **CHILDREN,
        **RECORD,
        "expected_birth_date_unreadable": (NOTHING, {"expected_birth_date_unreadable": True}),
        "birth_date_and_expected": (
            {"birth_date": None, "expected_birth_date": day("2016-05-01")},
            {"expected_birth_date": day("2008-06-01")},
        ),
        "over_25": ({"birth_date": day("1990-04-01")}, {"birth_date": day("1990-03-31")}),
        "no_referral": (NOTHING, {"has_referral": False}),
    },
    "lac_children": {
        **CHILDREN,
        "over_21": ({"birth_date": day("1994-04-01")}, {"birth_date": day("1994-03-31")}),
        "sex_changed": ({"sex_last_year": "unknown"}, {"sex_last_year": "male"}),
        "birth_date_changed": (
            {"birth_date_last_year": day("2008-06-15")},
            {"birth_date_last_year": day("2008-06-16")},
        ),
        "ethnicity_changed": ({"ethnicity_last_year": "WBRI"}, {"ethnicity_last_year": "WIRI"}),
    },
    "referrals": {
        **NO_ID,
        **RECORD,
        **key_day("referral_date"),
        **event_day("closure_date"),
        **event_day("icpc_date"),
        "closure_before_referral": ({"closure_date": day("2015-05-01")}, {"closure_date": day("2015-04-30")}),
        # 280 days after 1 May 2015 is 5 February 2016.
        "referral_long_before_birth": ({"birth_date": day("2016-02-05")}, {"birth_date": day("2016-02-06")}),
        "no_child_record": (NOTHING, {"has_child": False}),
        "primary_need_missing": ({"primary_need": None, "is_nfa_at_referral": True}, {"primary_need": None}),
        "primary_need_unknown": ({"primary_need": "N0"}, {"primary_need": "N10"}),
        "referral_source_missing": (NOTHING, {"referral_source": None}),
        "referral_source_unknown": (
            {"referral_source": "5D", "census_year": 2023},
            {"referral_source": "5D", "census_year": 2022},
        ),
        "closure_before_year": ({"closure_date": day("2015-04-01")}, {"closure_date": day("2015-03-31")}),
        "closure_reason_unknown": (
            {"closure_reason": "RC9", "census_year": 2023},
            {"closure_reason": "RC9", "census_year": 2022},
        ),
        "closure_reason_of_no_year": (
            {"closure_reason": "RC9", "census_year": 2022},
            {"closure_reason": "RC99", "census_year": 2022},
        ),
        "closure_without_reason": (
            {"closure_date": day("2015-06-01"), "closure_reason": "RC1"},
            {"closure_date": day("2015-06-01")},
        ),
        "reason_without_closure": (
            {"closure_date_unreadable": True, "closure_reason": "RC1"},
            {"closure_reason": "RC1"},
        ),
        "nfa_flag_missing": ({"nfa_flag": None, "nfa_flag_unreadable": True}, {"nfa_flag": None}),
        "nfa_flag_unreadable": ({"nfa_flag": None}, {"nfa_flag": None, "nfa_flag_unreadable": True}),
        # The year began on 1 April 2015, a Wednesday.
        "nfa_before_year": (
            {"is_nfa_at_referral": True, "referral_date": day("2015-03-31")},
            {"is_nfa_at_referral": True, "referral_date": day("2015-03-30")},
        ),
        "nfa_with_icpc": ({"is_nfa_at_referral": True}, {"is_nfa_at_referral": True, "icpc_date": day("2015-05-20")}),
        "nfa_with_cin_plan": ({"has_cin_plan": True}, {"has_cin_plan": True, "is_nfa_at_referral": True}),
        "icpc_after_closure": (
            {"icpc_date": day("2015-05-20"), "closure_date": day("2015-05-20")},
            {"icpc_date": day("2015-05-20"), "closure_date": day("2015-05-19")},
        ),
        "icpc_before_referral": ({"icpc_date": day("2015-05-01")}, {"icpc_date": day("2015-04-30")}),
        "several_open": ({"n_open_in_return": 2, "is_open": False}, {"n_open_in_return": 2}),
        "open_but_not_latest": (
            {"latest_referral_in_return": day("2015-05-01")},
            {"latest_referral_in_return": day("2015-05-02")},
        ),
        "overlapping_referrals": (
            {"latest_end_before": day("2015-05-01"), "next_start": day("2016-03-31")},
            {"latest_end_before": day("2015-05-02"), "next_start": day("2016-03-31")},
        ),
    },
    "assessments": {
        **NO_ID,
        **RECORD,
        **ORPHAN,
        **key_day("referral_date"),
        **key_day("assessment_start_date"),
        **event_day("assessment_authorised_date"),
        "authorised_before_start": (
            {"assessment_authorised_date": day("2015-05-05")},
            {"assessment_authorised_date": day("2015-05-04")},
        ),
        "authorised_before_year": (
            {"assessment_authorised_date": day("2015-04-01")},
            {"assessment_authorised_date": day("2015-03-31")},
        ),
        "started_before_referral": ({"referral_date": day("2015-05-05")}, {"referral_date": day("2015-05-06")}),
        "nfa_with_assessment": (NOTHING, {"referral_is_nfa": True}),
        "after_closure": ({"closed_on": day("2015-06-02")}, {"closed_on": day("2015-06-01")}),
        "open_at_closure": (
            {
                "closed_on": day("2015-06-02"),
                "assessment_authorised_date": None,
                "assessment_authorised_date_unreadable": True,
            },
            {"closed_on": day("2015-06-02"), "assessment_authorised_date": None},
        ),
        # Easter Monday of 2016 was on 28 March, Good Friday on 25 March; 45 working days before the 31st: 26 January.
        "open_too_long": (
            {"assessment_start_date": day("2016-01-26"), "assessment_authorised_date": None},
            {"assessment_start_date": day("2016-01-25"), "assessment_authorised_date": None},
        ),
        "overlapping_assessments": (
            {"latest_end_before": day("2015-05-04"), "next_start": day("2015-06-03")},
            {"latest_end_before": day("2015-05-05"), "next_start": day("2015-06-03")},
        ),
        "no_factors_but_not_nfa": (
            {"factors": "21", "closed_on": day("2015-07-01"), "referral_closure_reason": "RC8"},
            {"factors": "21", "closed_on": day("2015-07-01"), "referral_closure_reason": "RC1"},
        ),
    },
    "section47_enquiries": {
        **NO_ID,
        **RECORD,
        **ORPHAN,
        **key_day("referral_date"),
        **key_day("section47_start_date"),
        **event_day("icpc_date"),
        "icpc_before_start": ({"icpc_date": day("2015-05-06")}, {"icpc_date": day("2015-05-05")}),
        "started_before_referral": ({"referral_date": day("2015-05-06")}, {"referral_date": day("2015-05-07")}),
        "icpc_before_referral": ({"referral_date": day("2015-05-20")}, {"referral_date": day("2015-05-21")}),
        "nfa_with_section47": (NOTHING, {"referral_is_nfa": True}),
        "icpc_at_both_levels": (
            {"referral_icpc_dates": [day("2015-05-19"), day("2015-05-21")]},
            {"referral_icpc_dates": [day("2015-05-20")]},
        ),
        "after_closure": ({"closed_on": day("2015-05-20")}, {"closed_on": day("2015-05-19")}),
        "open_at_closure": (
            {"closed_on": day("2015-06-01")},
            {"closed_on": day("2015-06-01"), "icpc_date": None, "is_open": True},
        ),
        "icpc_not_required_unreadable": (NOTHING, {"icpc_not_required_unreadable": True}),
        "icpc_despite_not_required": ({"icpc_date": None, "icpc_not_required": True}, {"icpc_not_required": True}),
        # Fifteen working days before 31 March 2016, over Easter: 8 March.
        "open_too_long": (
            {"section47_start_date": day("2016-03-08"), "icpc_date": None, "is_open": True},
            {"section47_start_date": day("2016-03-07"), "icpc_date": None, "is_open": True},
        ),
        "several_open": (
            {"icpc_date": None, "is_open": True, "n_open_in_referral": 1},
            {"icpc_date": None, "is_open": True, "n_open_in_referral": 2},
        ),
    },
    "cp_plans": {
        **NO_ID,
        **RECORD,
        **ORPHAN,
        **key_day("referral_date"),
        **key_day("cpp_start_date"),
        **event_day("cpp_end_date"),
        "cpp_end_before_start": ({"cpp_end_date": day("2015-05-20")}, {"cpp_end_date": day("2015-05-19")}),
        "cpp_end_before_year": ({"cpp_end_date": day("2015-04-01")}, {"cpp_end_date": day("2015-03-31")}),
        "started_before_referral": ({"referral_date": day("2015-05-20")}, {"referral_date": day("2015-05-21")}),
        "nfa_with_plan": (NOTHING, {"referral_is_nfa": True}),
        "after_closure": (
            {"cpp_end_date": day("2015-09-01"), "closed_on": day("2015-09-01")},
            {"cpp_end_date": day("2015-09-01"), "closed_on": day("2015-08-31")},
        ),
        "not_on_conference_day": (
            {"on_conference_day": False, "cpp_start_date": day("2015-03-31")},
            {"on_conference_day": False, "cpp_start_date": day("2015-04-01")},
        ),
        "several_open": ({"n_open_in_return": 2, "is_open": False}, {"n_open_in_return": 2}),
        "overlapping_plans": (
            {"latest_end_before": day("2015-05-19"), "next_start": day("2016-04-01")},
            {"latest_end_before": day("2015-05-19"), "next_start": day("2016-03-31")},
        ),
        "review_not_after_start": ({"first_review_date": day("2015-05-21")}, {"first_review_date": day("2015-05-20")}),
        "initial_category_unknown": ({"initial_category_of_abuse": "MUL"}, {"initial_category_of_abuse": "ABU"}),
        "latest_category_unknown": ({"latest_category_of_abuse": "MUL"}, {"latest_category_of_abuse": "ABU"}),
        "initial_category_missing": (NOTHING, {"initial_category_of_abuse": None}),
        "latest_category_missing": (NOTHING, {"latest_category_of_abuse": None}),
    },
    "lac_episodes": {
        **NO_ID,
        **key_day("care_episode_start_date"),
        **event_day("care_episode_end_date"),
        "end_before_start": (
            {"care_episode_end_date": day("2015-09-01"), "reason_episode_ceased": "E8"},
            {"care_episode_end_date": day("2015-08-31"), "reason_episode_ceased": "E8"},
        ),
        "reason_new_episode_unknown": (
            {"reason_new_episode": "X", "census_year": 2016},
            {"reason_new_episode": "X", "census_year": 2017},
        ),
        "legal_status_unknown": (
            {"legal_status": "V3", "census_year": 2018},
            {"legal_status": "V9", "census_year": 2018},
        ),
        "placement_code_unknown": (
            {"placement_code": "U1", "census_year": 2017},
            {"placement_code": "Q1", "census_year": 2017},
        ),
        "reason_new_episode_perhaps_unknown": ({"reason_new_episode": "B"}, {"reason_new_episode": "X"}),
        "legal_status_perhaps_unknown": ({"legal_status": "J1"}, {"legal_status": "V9"}),
        "placement_code_perhaps_unknown": ({"placement_code": "Q2"}, {"placement_code": "Q3"}),
        "category_of_need_unknown": ({"category_of_need": "N8"}, {"category_of_need": "N9"}),
        "reason_episode_ceased_unknown": (
            {"reason_episode_ceased": "E45", "census_year": 2019},
            {"reason_episode_ceased": "E45", "census_year": 2018},
        ),
        "reason_episode_ceased_of_no_year": (
            {"reason_episode_ceased": "E45", "census_year": 2018},
            {"reason_episode_ceased": "E99", "census_year": 2018},
        ),
        "placement_provider_unknown": ({"placement_provider": "PR5"}, {"placement_provider": "PR6"}),
        "reason_new_episode_missing": (NOTHING, {"reason_new_episode": None}),
        "legal_status_missing": (NOTHING, {"legal_status": None}),
        "placement_code_missing": (NOTHING, {"placement_code": None}),
        "category_of_need_missing": (NOTHING, {"category_of_need": None}),
        "provider_not_needed": (
            {"placement_code": "T4", "census_year": 2026},
            {"placement_code": "T4", "census_year": 2025},
        ),
        "no_header_row": (NOTHING, {"has_child": False}),
        "end_or_reason_missing": (
            {"care_episode_end_date": day("2015-10-01"), "reason_episode_ceased": "E8"},
            {"care_episode_end_date": day("2015-10-01")},
        ),
        "started_before_birth": ({"birth_date": day("2015-09-01")}, {"birth_date": day("2015-09-02")}),
        "ended_same_day": (
            {"care_episode_end_date": day("2015-09-02")},
            {"care_episode_end_date": day("2015-09-01")},
        ),
        "open_before_another": (NOTHING, {"is_last_in_return": False}),
        "first_is_no_start": (
            {"reason_new_episode": "P", "care_episode_start_date": day("2015-03-31")},
            {"reason_new_episode": "P", "care_episode_start_date": day("2015-04-01")},
        ),
        "no_continuation": (
            {
                "care_episode_end_date": day("2015-10-01"),
                "reason_episode_ceased": "X1",
                "next_start": day("2015-10-01"),
            },
            {"care_episode_end_date": day("2015-10-01"), "reason_episode_ceased": "X1"},
        ),
        "start_without_break": ({"end_before": day("2015-08-31")}, {"end_before": day("2015-09-01")}),
        "no_start_after_leaving": (
            {"is_first_in_return": False, "reason_new_episode": "P", "ceased_before": "X1"},
            {"is_first_in_return": False, "reason_new_episode": "P", "ceased_before": "E8"},
        ),
        "continues_after_gap": (
            {"is_first_in_return": False, "reason_new_episode": "P", "end_before": day("2015-09-01")},
            {"is_first_in_return": False, "reason_new_episode": "P", "end_before": None},
        ),
        "status_change_unseen": (
            {
                "is_first_in_return": False,
                "reason_new_episode": "L",
                "legal_status_before": "V2",
                "placement_code_before": "U4",
                "placement_provider_before": "PR1",
            },
            {
                "is_first_in_return": False,
                "reason_new_episode": "L",
                "legal_status_before": "C2",
                "placement_code_before": "U4",
                "placement_provider_before": "PR1",
            },
        ),
        "placement_change_unseen": (
            {"is_first_in_return": False, "reason_new_episode": "P", "legal_status_before": "C2"},
            {"is_first_in_return": False, "reason_new_episode": "P", "legal_status_before": "V2"},
        ),
        "both_changes_unseen": (
            {"is_first_in_return": False, "reason_new_episode": "B", "legal_status_before": "V2"},
            {"is_first_in_return": False, "reason_new_episode": "B", "legal_status_before": "C2"},
        ),
        "started_before_last_ended": ({"end_before": day("2015-09-01")}, {"end_before": day("2015-09-02")}),
        "not_last_years_open_episode": (
            {"first_open_last_year": day("2015-09-01"), "last_open_last_year": day("2015-09-01")},
            {"first_open_last_year": day("2015-08-31"), "last_open_last_year": day("2015-09-01")},
        ),
        "not_in_last_years_return": (
            {"care_episode_start_date": day("2015-03-31")},
            {"care_episode_start_date": day("2015-03-31"), "has_return_last_year": True},
        ),
    },
}


@pytest.fixture(scope="module")
def sound_rows(spark: SparkSession) -> dict[str, DataFrame]:
    """One row an entity as its rules see it, of a child whose records break no rule."""
    reference = load_rule_data()
    bronze = all_bronze(
        spark,
        {
            "child_identifiers": [a_child()],
            "cin_details": [a_referral()],
            "assessments": [an_assessment()],
            "section47": [an_enquiry()],
            "cp_plans": [a_plan()],
            "lac_header": [a_header_row()],
            "lac_episodes": [an_episode()],
        },
    )
    key = key_frame(spark, b"k" * 32)
    named = {module: with_pseudonyms(rows, key) for module, rows in bronze.items()}
    years = with_pseudonyms(referred_years(bronze["cin_details"]), key)
    children = classify_cin_children(named["child_identifiers"], years, reference)
    referrals = classify_referrals(named["cin_details"], named["cin_plan_dates"], children, reference)
    section47 = classify_section47(named["section47"], referrals, children, reference)
    return {
        "cin_children": examine_cin_children(named["child_identifiers"], years),
        "referrals": examine_referrals(named["cin_details"], named["cin_plan_dates"], children),
        "assessments": examine_assessments(named["assessments"], referrals, children),
        "section47_enquiries": examine_section47(named["section47"], referrals, children),
        "cp_plans": examine_cp_plans(named["cp_plans"], referrals, children, find_conferences(referrals, section47)),
        "lac_children": examine_lac_children(named["lac_header"]),
        "lac_episodes": examine_lac_episodes(
            named["lac_episodes"], classify_lac_children(named["lac_header"], reference)
        ),
    }


@pytest.mark.parametrize("entity", sorted(EXAMPLES))
def test_every_rule_has_examples(spark: SparkSession, entity: str) -> None:
    rules = all_rules(load_rule_data())[entity]

    assert {rule.code for rule in rules} == set(EXAMPLES[entity])
    assert len({rule.code for rule in rules}) == len(rules)


@pytest.mark.parametrize("entity", sorted(EXAMPLES))
def test_each_rule_passes_and_fails_as_its_examples_say(
    spark: SparkSession, sound_rows: dict[str, DataFrame], entity: str
) -> None:
    frame = sound_rows[entity]
    [sound] = frame.collect()
    examples = [("sound row", "pass", NOTHING)] + [
        (code, verdict, example)
        for code, pair in EXAMPLES[entity].items()
        for verdict, example in zip(("pass", "fail"), pair, strict=True)
    ]
    unknown = {name for _, _, example in examples for name in example} - set(frame.columns)
    assert not unknown
    rows = [(code, verdict, *(sound.asDict() | example).values()) for code, verdict, example in examples]
    schema = spark.createDataFrame([], "rule STRING, verdict STRING").schema
    for typed in frame.schema.fields:
        schema.add(typed.name, typed.dataType, True)
    found = (
        add_findings(spark.createDataFrame(rows, schema), all_rules(load_rule_data())[entity], SILVER_ENTITIES[entity])
        .select("rule", "verdict", F.concat(codes(F.col("errors")), codes(F.col("warnings"))).alias("broken"))
        .collect()
    )

    assert [row.broken for row in found if row.rule == "sound row"] == [[]]
    wrong = {
        (row.rule, row.verdict)
        for row in found
        if row.rule != "sound row" and (row.rule in row.broken) != (row.verdict == "fail")
    }
    assert wrong == set()


def test_a_field_fault_names_a_column_of_its_table_and_a_bad_key_makes_none_unknown(spark: SparkSession) -> None:
    for entity, rules in all_rules(load_rule_data()).items():
        table = SILVER_ENTITIES[entity]
        nullable = {column.name for column in table.columns if column.nullable} - set(table.key)

        assert {rule.unknown for rule in rules if rule.severity == "field"} <= nullable, entity
        assert all((rule.severity == "field") == bool(rule.unknown and rule.nulls) for rule in rules), entity


def test_unknown_fields_are_named_in_the_order_of_the_table(spark: SparkSession) -> None:
    broken = F.lit(True)
    faults = [
        field("odd_conference", None, broken, "", unknown="icpc_date"),
        field("odd_closure", None, broken, "", unknown="closure_date"),
        field("late_closure", None, broken, "", unknown="closure_date"),
        field("does_not_apply", None, F.lit(None).cast("boolean"), "", unknown="closure_reason"),
        error("odd_child", None, F.lit(False), ""),
    ]
    rows = spark.createDataFrame([("RC1", date(2015, 5, 1), date(2015, 5, 2))],
                                 "closure_reason STRING, closure_date DATE, icpc_date DATE")  # fmt: skip

    [found] = add_findings(rows, faults, SILVER_ENTITIES["referrals"]).collect()

    assert found.unknown_fields == "closure_date icpc_date"
    assert (found.closure_reason, found.closure_date, found.icpc_date) == ("RC1", None, None)
    assert (found.errors, found.warnings) == (None, "odd_conference odd_closure late_closure")
