"""Which row of a child's history silver keeps, what it takes from the child and the referral, and what is refused."""

from __future__ import annotations

import hmac
from datetime import date
from typing import Any

import pytest
from pyspark.sql import Row as SparkRow
from pyspark.sql import SparkSession

from sos_spark.silver.classify import classify_all
from sos_spark.silver.pseudonyms import key_frame
from sos_spark.silver.publish import to_icpcs, to_quarantine, to_silver
from sos_spark.steps.validate import load_rule_data
from sos_spark.tables import QUARANTINE, SILVER_ENTITIES, SILVER_ICPCS
from tests.silver_rows import (
    Row,
    a_child,
    a_header_row,
    a_plan,
    a_referral,
    all_bronze,
    an_assessment,
    an_enquiry,
    an_episode,
)

KEY = b"k" * 32
# Each child's id says what its rows are about; one lake holds them all, so that Spark plans it once.
HISTORY: dict[str, list[Row]] = {
    "child_identifiers": [
        a_child("later return wins"),
        a_child("moves on", census_year=2015, GenderCurrent="1", Ethnicity="WBRI"),
        a_child("moves on", census_year=2016, GenderCurrent=None, Sex="F", Ethnicity=None),
        a_child("unborn", PersonBirthDate=None, ExpectedPersonBirthDate="2015-09-01"),
        a_child("leap", PersonBirthDate="2008-02-29"),
        a_child("bad birth", PersonBirthDate="31 June"),
        a_child("future birth", PersonBirthDate="2016-04-01"),
        a_child("bad expected birth", PersonBirthDate=None, ExpectedPersonBirthDate="spring"),
        a_child("conference"),
    ],
    "cin_details": [
        a_referral("later return wins", census_year=2015, day="2015-03-02"),
        a_referral("later return wins", day="2015-03-02", CINclosureDate="2015-06-01", ReasonForClosure="RC8"),
        a_referral("ended earlier", census_year=2015, day="2014-05-01", CINclosureDate="2014-06-01"),
        a_referral("ended earlier", day="2015-05-01"),
        a_referral("bad later row", census_year=2015, day="2015-03-02"),
        a_referral("bad later row", day="2015-03-02", CINclosureDate="2015-03-01"),
        a_referral("bad end", CINclosureDate="01/06/2015", ReasonForClosure="RC1", ReferralNFA="0;1"),
        a_referral("unreadable is not open", CINclosureDate="soon", PrimaryNeedCode="N2"),
        a_referral("unreadable is not open", CINclosureDate="2015-06-01", PrimaryNeedCode="N3"),
        a_referral("alike"),
        a_referral("alike", record_position=2),
        a_referral("unread flag", ReferralNFA="0;1", PrimaryNeedCode="N2"),
        a_referral("unread flag", ReferralNFA="1", PrimaryNeedCode="N3"),
        a_referral("not NFA", ReferralNFA="true", PrimaryNeedCode="N2"),
        a_referral("not NFA", ReferralNFA="FALSE", CINclosureDate="2015-06-01", PrimaryNeedCode="N3"),
        a_referral("open is latest", CINclosureDate="2016-03-01", PrimaryNeedCode="N2"),
        a_referral("open is latest", PrimaryNeedCode="N3"),
        a_referral("later closure", CINclosureDate="2015-06-01", PrimaryNeedCode="N2"),
        a_referral("later closure", CINclosureDate="2015-06-02", PrimaryNeedCode="N3"),
        a_referral("twice, then again", census_year=2015, day="2015-03-02", PrimaryNeedCode="N1"),
        a_referral("twice, then again", census_year=2015, day="2015-03-02", PrimaryNeedCode="N2"),
        a_referral("twice, then again", day="2015-03-02"),
        a_referral("zeros", LAchildID="007"),
        a_referral("zeros", LAchildID="7"),
        a_referral("moves on", day="2015-04-15"),
        a_referral("unborn", day="2015-05-01"),
        a_referral("leap", day="2015-02-28", CINclosureDate="2016-03-01", ReasonForClosure="RC1"),
        a_referral("bad birth"),
        a_referral("future birth"),
        a_referral("nobody", LAchildID=" "),
        a_referral("no date", day=None),
        a_referral("no day", day="2015-02-30"),
        a_referral("future", day="2028-05-01"),
        a_referral("ancient", day="1900-01-01"),
        a_referral("all wrong", day=None, CINclosureDate="31/04/2015", DateOfInitialCPC="soon"),
        a_referral("conference", day="2015-05-01", DateOfInitialCPC="2015-05-20", PrimaryNeedCode="N4"),
    ],
    "assessments": [
        an_assessment("conference"),
        an_assessment("conference", AssessmentAuthorisationDate=None),
        an_assessment("orphan"),
        an_assessment("backwards", AssessmentAuthorisationDate="2015-05-01"),
    ],
    "section47": [
        an_enquiry("conference"),
        an_enquiry("conference", start="2015-07-01", DateOfInitialCPC="2015-07-15"),
        an_enquiry("bad fields", DateOfInitialCPC="2015-13-01", ICPCnotRequired="perhaps"),
    ],
    "cp_plans": [
        a_plan("conference", census_year=2016),
        a_plan("conference", census_year=2017, CPPendDate="2016-09-01"),
        a_plan("bad fields", CPPendDate="2015-05-19"),
    ],
    "lac_header": [
        a_header_row("in care"),
        a_header_row("in care", DOB="16/06/2008", census_year=2017),
        a_header_row("placeholder", DOB="01/01/1900"),
    ],
    "lac_episodes": [
        an_episode("in care"),
        an_episode("in care", census_year=2017, DEC="01/06/2016", REC="X1"),
        an_episode("in care", "01/06/2016", census_year=2017, RNE="P", PLACE="U1"),
        an_episode("in care", "31/06/2016", census_year=2017),
        an_episode("at two carers", PLACE="U1"),
        an_episode("at two carers", PLACE="U4"),
        an_episode("at two carers", PLACE="U4", REC="E8", DEC="01/02/2016", census_year=2017),
        an_episode(
            "bad fields", "01/06/2016", census_year=2017, DEC="31/06/2016", RNE="Z", LS="Z9", PLACE="Z9", REC="Z"
        ),
    ],
}


def pseudonym(child: str) -> str:
    return hmac.new(KEY, f"child\x1f926\x1f{child}".encode(), "sha256").hexdigest()[:32]


@pytest.fixture(scope="module")
def made(spark: SparkSession) -> dict[str, list[SparkRow]]:
    """The rows of every table, and of every entity under its own name with their fates."""
    result = classify_all(
        all_bronze(spark, HISTORY), key_frame(spark, KEY), load_rule_data(), keep=lambda df, _: df.localCheckpoint()
    )
    tables = {SILVER_ICPCS.name: to_icpcs(result.conferences)}
    for entity, rows in result.by_entity.items():
        tables[entity] = rows
        tables[SILVER_ENTITIES[entity].name] = to_silver(entity, rows)
        tables[QUARANTINE[entity].name] = to_quarantine(entity, rows)
    for table in (SILVER_ICPCS, *SILVER_ENTITIES.values(), *QUARANTINE.values()):
        assert [f.dataType for f in tables[table.name].schema] == [f.dataType for f in table.schema()], table.name
        assert tables[table.name].columns == table.column_names
    return {name: rows.collect() for name, rows in tables.items()}


def of(rows: list[SparkRow], child: str, *columns: str) -> list[Any]:
    """The named columns of a child's rows, sorted."""
    found = [tuple(row[name] for name in columns) for row in rows if row.child_id == pseudonym(child)]
    return sorted(found, key=str)


def test_the_latest_return_of_a_referral_wins(made: dict[str, list[SparkRow]]) -> None:
    kept = of(made["silver.referrals"], "later return wins", "census_year", "closure_reason")
    fates = of(made["referrals"], "later return wins", "census_year", "fate")

    assert kept == [(2016, "RC8")]
    assert fates == [(2015, "superseded_by_later_return"), (2016, "silver")]


def test_a_referral_that_ended_and_is_not_repeated_stays(made: dict[str, list[SparkRow]]) -> None:
    assert of(made["silver.referrals"], "ended earlier", "census_year") == [(2015,), (2016,)]


def test_a_later_row_with_an_unusable_end_wins_with_its_end_unknown(made: dict[str, list[SparkRow]]) -> None:
    [row] = [row for row in made["silver.referrals"] if row.child_id == pseudonym("bad later row")]

    assert (row.census_year, row.closure_date, row.unknown_fields) == (2016, None, "closure_date")
    assert "closure_before_referral" in row.warnings
    assert of(made["quarantine.referrals"], "bad later row", "reasons") == []


def test_a_row_with_a_bad_closure_stays_in_silver_with_that_field_unknown(made: dict[str, list[SparkRow]]) -> None:
    [row] = [row for row in made["silver.referrals"] if row.child_id == pseudonym("bad end")]

    assert row.unknown_fields == "closure_date is_nfa_at_referral"
    assert (row.closure_date, row.is_nfa_at_referral, row.age_at_closure) == (None, None, None)
    assert row.closure_reason == "RC1"
    assert row.warnings == ["closure_date_unreadable", "nfa_flag_unreadable", "no_child_record"]


def test_a_row_without_a_fault_has_no_unknown_field(made: dict[str, list[SparkRow]]) -> None:
    assert of(made["silver.referrals"], "conference", "unknown_fields") == [(None,)]


@pytest.mark.parametrize(
    ("entity", "child", "column", "unknown"),
    [
        ("assessments", "backwards", "assessment_authorised_date", "assessment_authorised_date"),
        ("section47_enquiries", "bad fields", "icpc_date", "icpc_date icpc_not_required"),
        ("cp_plans", "bad fields", "cpp_end_date", "cpp_end_date"),
        (
            "lac_episodes",
            "bad fields",
            "care_episode_end_date",
            "care_episode_end_date reason_new_episode legal_status placement_code reason_episode_ceased",
        ),
        ("cin_children", "future birth", "birth_month", "birth_month"),
        ("cin_children", "bad birth", "birth_month", "birth_month"),
        ("cin_children", "bad expected birth", "birth_month", "birth_month"),
        ("lac_children", "placeholder", "birth_month", "birth_month"),
    ],
)
def test_bad_fields_leave_the_row_of_every_entity_in_silver(
    made: dict[str, list[SparkRow]], entity: str, child: str, column: str, unknown: str
) -> None:
    assert of(made[f"silver.{entity}"], child, column, "unknown_fields") == [(None, unknown)]
    assert of(made[f"quarantine.{entity}"], child, "reasons") == []


def test_a_birth_date_that_cannot_be_right_makes_no_person_key(made: dict[str, list[SparkRow]]) -> None:
    assert of(made["silver.cin_children"], "future birth", "person_key") == [(None,)]
    assert of(made["silver.lac_children"], "placeholder", "person_key") == [(None,)]


def test_two_episodes_of_one_return_and_key_with_u1_and_u4_contradict(made: dict[str, list[SparkRow]]) -> None:
    found = of(made["lac_episodes"], "at two carers", "census_year", "placement_code", "warnings", "fate")

    assert [(*row[:2], "contradicts_its_return" in row[2], row[3]) for row in found] == [
        (2016, "U1", True, "superseded_by_later_return"),
        (2016, "U4", True, "superseded_by_later_return"),
        (2017, "U4", False, "silver"),
    ]


def test_two_referrals_of_one_day_that_differ_contradict_and_two_alike_do_not(made: dict[str, list[SparkRow]]) -> None:
    def marked(child: str) -> list[bool]:
        return ["contradicts_its_return" in warnings for (warnings,) in of(made["silver.referrals"], child, "warnings")]

    assert marked("not NFA") == [True]
    assert marked("alike") == [False]
    # A row that cannot be used contradicts nothing.
    assert marked("no day") == []


def test_an_end_that_could_not_be_read_is_not_taken_for_an_open_case(made: dict[str, list[SparkRow]]) -> None:
    kept = of(made["silver.referrals"], "unreadable is not open", "primary_need", "closure_date")

    assert kept == [("N3", date(2015, 6, 1))]


def test_a_flag_that_could_not_be_read_is_not_taken_for_not_nfa(made: dict[str, list[SparkRow]]) -> None:
    assert of(made["silver.referrals"], "unread flag", "primary_need", "is_nfa_at_referral") == [("N3", True)]


def test_a_conference_with_an_unreadable_date_is_none_of_icpcs(made: dict[str, list[SparkRow]]) -> None:
    assert of(made[SILVER_ICPCS.name], "bad fields", "icpc_date") == []


@pytest.mark.parametrize(("child", "kept"), [("not NFA", "N3"), ("open is latest", "N3"), ("later closure", "N3")])
def test_of_two_referrals_on_a_day_one_is_kept(made: dict[str, list[SparkRow]], child: str, kept: str) -> None:
    assert of(made["silver.referrals"], child, "primary_need") == [(kept,)]
    assert of(made["referrals"], child, "fate") == [("same_day_duplicate",), ("silver",)]


def test_duplicates_in_an_earlier_return_are_superseded_by_the_later(made: dict[str, list[SparkRow]]) -> None:
    fates = of(made["referrals"], "twice, then again", "fate")

    assert fates == [("silver",), ("superseded_by_later_return",), ("superseded_by_later_return",)]


def test_ids_are_text_and_keep_leading_zeros(made: dict[str, list[SparkRow]]) -> None:
    assert (
        len(of(made["silver.referrals"], "007", "child_id")) == len(of(made["silver.referrals"], "7", "child_id")) == 1
    )


def test_a_childs_latest_row_gives_its_attributes_whole(made: dict[str, list[SparkRow]]) -> None:
    assert of(made["silver.cin_children"], "moves on", "census_year", "sex", "ethnicity", "birth_month") == [
        (2016, "female", None, date(2008, 6, 1))
    ]
    assert of(made["silver.referrals"], "moves on", "sex", "ethnicity", "age_at_referral") == [("female", None, 6)]


def test_ages(made: dict[str, list[SparkRow]]) -> None:
    def ages(child: str) -> list[Any]:
        return of(made["silver.referrals"], child, "age_at_referral", "age_at_closure")

    assert ages("unborn") == [(0, None)]
    assert ages("leap") == [(6, 8)]
    assert ages("bad birth") == [(None, None)]
    assert ages("future birth") == [(None, None)]
    assert ages("ended earlier") == [(None, None), (None, None)]


@pytest.mark.parametrize(
    ("child", "reasons"),
    [
        ("no date", ["referral_date_missing"]),
        ("no day", ["referral_date_unreadable"]),
        ("future", ["referral_date_after_return"]),
        ("ancient", ["referral_date_too_early"]),
        ("all wrong", ["referral_date_missing"]),
    ],
)
def test_rows_that_cannot_be_used_are_quarantined_with_every_reason(
    made: dict[str, list[SparkRow]], child: str, reasons: list[str]
) -> None:
    assert of(made["quarantine.referrals"], child, "reasons") == [(reasons,)]
    assert of(made["silver.referrals"], child, "child_id") == []


def test_a_row_without_an_id_has_no_pseudonym(made: dict[str, list[SparkRow]]) -> None:
    assert [row.reasons for row in made["quarantine.referrals"] if row.child_id is None] == [["child_id_missing"]]


def test_assessments_take_the_need_of_their_referral(made: dict[str, list[SparkRow]]) -> None:
    kept = of(made["silver.assessments"], "conference", "primary_need", "age_at_start", "assessment_authorised_date")

    assert kept == [("N4", 6, None)]
    assert of(made["assessments"], "conference", "fate") == [("same_day_duplicate",), ("silver",)]


def test_an_orphan_stays_with_a_warning(made: dict[str, list[SparkRow]]) -> None:
    assert of(made["silver.assessments"], "orphan", "warnings", "primary_need", "sex") == [
        (["orphan"], None, "unknown")
    ]


def test_a_conference_at_both_levels_is_one(made: dict[str, list[SparkRow]]) -> None:
    assert of(made[SILVER_ICPCS.name], "conference", "icpc_date", "recorded_at") == [
        (date(2015, 5, 20), "both"),
        (date(2015, 7, 15), "section47"),
    ]
    warnings = of(made["silver.section47_enquiries"], "conference", "warnings")
    assert warnings == [(["icpc_at_both_levels"],), ([],)]


def test_a_plan_comes_back_with_its_end(made: dict[str, list[SparkRow]]) -> None:
    assert of(made["silver.cp_plans"], "conference", "cpp_end_date", "warnings") == [(date(2016, 9, 1), [])]


def test_episodes_stack_over_the_years(made: dict[str, list[SparkRow]]) -> None:
    kept = of(made["silver.lac_episodes"], "in care", "care_episode_start_date", "placement_code", "census_year")

    assert kept == [(date(2015, 9, 1), "U4", 2017), (date(2016, 6, 1), "U1", 2017)]
    assert of(made["quarantine.lac_episodes"], "in care", "reasons") == [(["care_episode_start_date_unreadable"],)]
    assert of(made["silver.lac_children"], "in care", "warnings", "birth_month") == [
        (["birth_date_changed"], date(2008, 6, 1))
    ]


def test_every_row_has_one_fate(made: dict[str, list[SparkRow]]) -> None:
    modules = {"lac_header": "lac_children", "child_identifiers": "cin_children", "cin_details": "referrals"}
    modules |= {"section47": "section47_enquiries"}
    for module, received in HISTORY.items():
        assert len(made[modules.get(module, module)]) == len(received)
