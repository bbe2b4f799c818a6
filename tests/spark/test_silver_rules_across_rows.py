"""Rules that look at a child's other rows, on whole returns: what DfE's rule of the number says, row by row.

Each case is the returns of an authority of its own, so that all of them are classified at once.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sos_spark.config.reference import authorities
from sos_spark.silver.classify import classify_all
from sos_spark.silver.pseudonyms import key_frame
from sos_spark.silver.rule_book import all_rules
from sos_spark.steps.validate import load_rule_data
from tests.silver_rows import (
    LA,
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

ELSEWHERE = "301"
PLACE = {"PLACE": "U4", "PLACE_PROVIDER": "PR1", "URN": "SC1"}


@dataclass(frozen=True)
class Case:
    """Rows by module, and the places (from 1) of the entity's rows that break a rule of DfE's number."""

    dfe: str
    told: list[int]
    rows: dict[str, list[Row]]
    entity: str = "lac_episodes"


def episodes(dfe: str, told: list[int], *of_children: Row) -> Case:
    """A case of episodes; each child has a header row."""
    children = sorted({(episode["CHILD"], episode["la_code"]) for episode in of_children})
    headers = [a_header_row(child, la_code=la) for child, la in children]
    return Case(dfe, told, {"lac_header": headers, "lac_episodes": list(of_children)})


def moves(dfe: str, reason: str, change: Row, *, is_told: bool) -> Case:
    """A new episode for a reason, in which some of the placement has changed."""
    before = an_episode("c", "01/05/2015", DEC="01/09/2015", REC="X1", **PLACE)
    return episodes(dfe, [2] * is_told, before, an_episode("c", "01/09/2015", RNE=reason, **(PLACE | change)))


OVERLAPPING = {
    "child_identifiers": [a_child()],
    "cin_details": [a_referral(CINclosureDate="2015-08-01"), a_referral(day="2015-07-31")],
    "assessments": [an_assessment(), an_assessment(start="2015-06-02", AssessmentAuthorisationDate="2015-06-20")],
}
CASES: dict[str, Case] = {
    "562 tells of a child who is in no row of last year's return": episodes(
        "562", [3],
        an_episode("there", "01/09/2014", census_year=2015),
        an_episode("there", "01/09/2014"),
        an_episode("new", "01/09/2014"),
        an_episode("new", "01/09/2015", RNE="P"),
    ),
    "562 says nothing where the authority has no return of last year": episodes(
        "562", [],
        an_episode("there", "01/09/2014", census_year=2015, la_code=ELSEWHERE),
        an_episode("new", "01/09/2014"),
    ),
    "433 tells where the episode before has no readable end": episodes(
        "433", [2, 4],
        an_episode("never ended", "01/05/2015"),
        an_episode("never ended", "01/09/2015", RNE="P"),
        an_episode("unreadable", "01/05/2015", DEC="31/02/2015", REC="X1"),
        an_episode("unreadable", "01/09/2015", RNE="P"),
        an_episode("sound", "01/05/2015", DEC="01/09/2015", REC="X1"),
        an_episode("sound", "01/09/2015", RNE="P"),
    ),
    "502 does not take an episode with an unreadable end for an open one": episodes(
        "502", [2],
        an_episode("open", "01/09/2014", census_year=2015),
        an_episode("open", "01/09/2015"),
        an_episode("unreadable", "01/09/2014", DEC="31/02/2015", REC="E8", census_year=2015),
        an_episode("unreadable", "01/09/2015"),
    ),
    "502 sees an open episode that is not the last": episodes(
        "502", [3],
        an_episode("c", "01/05/2014", census_year=2015),
        an_episode("c", "01/09/2014", RNE="P", census_year=2015),
        an_episode("c", "01/09/2014", RNE="P"),
    ),
    "431 tells of care that starts before the episode before has ended": episodes(
        "431", [2],
        an_episode("c", "01/05/2015", DEC="01/10/2015", REC="E8"),
        an_episode("c", "01/09/2015"),
    ),
    "142 tells of an end without a reason before another episode": episodes(
        "142", [1],
        an_episode("c", "01/05/2015", DEC="01/09/2015"),
        an_episode("c", "01/09/2015", RNE="P", DEC="01/10/2015"),
    ),
    "354 is a start after the return and not an end": episodes(
        "354", [2],
        an_episode("ends", "01/05/2015", DEC="01/05/2016", REC="E8"),
        an_episode("starts", "01/04/2016"),
    ),
    **{
        f"178 tells of a provider where there is none: {place}": episodes(
            "178", [1],
            an_episode("with", PLACE=place),
            an_episode("without", PLACE=place, PLACE_PROVIDER=None),
            an_episode("foster", PLACE="U4"),
        )
        for place in ("T0", "T4", "Z1")
    },
    "435: the URN changes": moves("435", "P", {"URN": "SC2"}, is_told=False),
    "435: the provider changes": moves("435", "P", {"PLACE_PROVIDER": "PR4"}, is_told=False),
    "435: nothing changes": moves("435", "P", {}, is_told=True),
    "435: the legal status changes, too": moves("435", "P", {"URN": "SC2", "LS": "V2"}, is_told=True),
    "436: both change": moves("436", "B", {"URN": "SC2", "LS": "V2"}, is_told=False),
    "436: the legal status alone changes": moves("436", "B", {"LS": "V2"}, is_told=True),
    "436: the URN alone changes": moves("436", "B", {"URN": "SC2"}, is_told=True),
    "434: the legal status changes": moves("434", "L", {"LS": "V2"}, is_told=False),
    "434: the URN changes, too": moves("434", "L", {"LS": "V2", "URN": "SC2"}, is_told=True),
    "434: the provider changes, too": moves("434", "L", {"LS": "V2", "PLACE_PROVIDER": "PR4"}, is_told=True),
    "435 says nothing of a placement that is not known": episodes(
        "435", [],
        an_episode("c", "01/05/2015", DEC="01/09/2015", REC="X1"),
        an_episode("c", "01/09/2015", RNE="P"),
    ),
    "2884 is about one date at both levels": Case(
        "2884", [1, 3],
        {
            "child_identifiers": [a_child("same"), a_child("other day"), a_child("other referral")],
            "cin_details": [
                a_referral("same", DateOfInitialCPC="2015-05-20"),
                a_referral("other day", DateOfInitialCPC="2015-05-21"),
                a_referral("other referral"),
                a_referral("other referral", "2015-03-01", DateOfInitialCPC="2015-05-20"),
            ],
            "section47": [an_enquiry("same"), an_enquiry("other day"), an_enquiry("other referral")],
        },
        "section47_enquiries",
    ),
    "8940 tells of both plans that overlap": Case(
        "8940", [2, 3],
        {
            "child_identifiers": [a_child()],
            "cin_details": [a_referral()],
            "cp_plans": [
                a_plan(start="2015-05-02", CPPendDate="2015-05-10"),
                a_plan(start="2015-06-01", CPPendDate="2015-08-01"),
                a_plan(start="2015-08-01"),
            ],
        },
        "cp_plans",
    ),
    "8820 tells of both referrals that overlap": Case("8820", [1, 2], OVERLAPPING, "referrals"),
    "8863Q tells of both assessments that overlap": Case("8863Q", [1, 2], OVERLAPPING, "assessments"),
    **{
        f"8600 is a referral date that is missing or after the return: {day}": Case(
            "8600", [1], {"child_identifiers": [a_child()], "cin_details": [a_referral(day=day)]}, "referrals"
        )
        for day in (None, "2015-02-31", "2016-04-01")
    },
}  # fmt: skip
AUTHORITIES = [
    code
    for code, one in sorted(authorities().items())
    if (one.first_census_year or 0) <= 2015 and (one.last_census_year or 9999) >= 2016
]
PLACES = dict(zip(CASES, zip(AUTHORITIES[::2], AUTHORITIES[1::2], strict=False), strict=False))
"""Each case's own authority, and one that is elsewhere."""


def rows_of_all() -> dict[str, list[Row]]:
    """Every case's rows, numbered within the case and set in its authorities."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for file_id, (name, case) in enumerate(CASES.items(), start=1):
        own = dict(zip((LA, ELSEWHERE), PLACES[name], strict=True))
        for module, of_module in case.rows.items():
            rows[module] += [
                row | {"record_position": position, "la_code": own[row["la_code"]], "file_id": file_id}
                for position, row in enumerate(of_module, start=1)
            ]
    return rows


@pytest.fixture(scope="module")
def told(spark: SparkSession) -> dict[tuple[str, str], dict[str, list[int]]]:
    """By entity and DfE's number, the authorities with rows that break such a rule, and the places of these rows."""
    rule_data = load_rule_data()
    classified = classify_all(all_bronze(spark, rows_of_all()), key_frame(spark, b"k" * 32), rule_data).by_entity
    found: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for entity in {case.entity for case in CASES.values()}:
        dfe = {rule.code: rule.dfe for rule in all_rules(rule_data)[entity]}
        codes = F.split(F.concat_ws(" ", "errors", "warnings"), " ")
        rows = classified[entity].select("la_code", "record_position", codes.alias("codes")).collect()
        for row in sorted(rows, key=lambda row: row.record_position):
            for number in {dfe[code] for code in row.codes if dfe.get(code)}:
                found[entity, str(number)][row.la_code].append(row.record_position)
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_rule_tells_of_the_rows_that_dfe_s_tells_of(
    name: str, told: dict[tuple[str, str], dict[str, list[int]]]
) -> None:
    case = CASES[name]
    assert told[case.entity, case.dfe][PLACES[name][0]] == case.told


def test_there_is_an_authority_for_each_case() -> None:
    assert set(PLACES) == set(CASES)
