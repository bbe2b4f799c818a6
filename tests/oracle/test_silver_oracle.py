"""De-duplication against a plain-Python reading of the same conventions, on generated histories.

The oracle knows nothing of windows: for each key it takes the good rows of the latest return and picks the best.
"""

from __future__ import annotations

import hmac
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession

from sos_spark.silver.classify import Classified, classify_all
from sos_spark.silver.pseudonyms import key_frame
from sos_spark.steps.validate import load_rule_data
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

pytestmark = pytest.mark.slow
KEY = b"k" * 32
NEVER = date(9999, 12, 31)
Key = tuple[Any, ...]


def some_histories(seed: int) -> dict[str, list[Row]]:
    """Few children, few days and three returns, so that keys collide often; about a tenth of the rows are bad."""
    draw = random.Random(seed)
    days = [date(2014, 6, 1) + timedelta(days=20 * step) for step in range(4)]

    def row(make: Callable[..., Row], position: int, **given: Any) -> Row:
        child = draw.choice("abcdefgh")
        year = draw.choice([2015, 2016, 2017])
        return make(child, census_year=year, record_position=position, la_code=draw.choice(["201", "926"]), **given)

    def iso(day: date | None) -> str | None:
        return draw.choice([None, "2014-02-30"]) if day is None else day.isoformat()

    def start() -> date | None:
        return None if draw.random() < 0.05 else draw.choice(days)

    def end(after: date | None) -> str | None:
        if draw.random() < 0.4:
            return None
        return ((after or days[0]) + timedelta(days=draw.choice([-3, 0, 10, 40, 40, 40, 2000]))).isoformat()

    rows: dict[str, list[Row]] = defaultdict(list)
    for position in range(150):
        day = start()
        rows["cin_details"].append(
            row(
                a_referral,
                position,
                day=iso(day),
                CINclosureDate=end(day),
                ReferralNFA=draw.choice(["0", "1", "true", None]),
                PrimaryNeedCode=draw.choice(["N1", "N2"]),
            )
        )
        day = start()
        rows["assessments"].append(
            row(
                an_assessment,
                position,
                start=iso(day),
                AssessmentAuthorisationDate=end(day),
                CINreferralDate=days[0].isoformat(),
            )
        )
        day = start()
        rows["section47"].append(
            row(an_enquiry, position, start=iso(day), DateOfInitialCPC=end(day), CINreferralDate=days[1].isoformat())
        )
        day = start()
        rows["cp_plans"].append(
            row(a_plan, position, start=iso(day), CPPendDate=end(day), CINreferralDate=days[2].isoformat())
        )
        day = start()
        ended = end(day)
        rows["lac_episodes"].append(
            row(
                an_episode,
                position,
                start=None if day is None else f"{day:%d/%m/%Y}",
                DEC=None if ended is None else f"{date.fromisoformat(ended):%d/%m/%Y}",
                PLACE=draw.choice(["U1", "U4", "P1"]),
            )
        )
        rows["child_identifiers"].append(row(a_child, position, GenderCurrent=draw.choice(["1", "2"])))
        rows["lac_header"].append(row(a_header_row, position, SEX=draw.choice(["1", "2"])))
    return rows


def _day(text: str | None) -> date | None:
    """A date, or None for no text; raises where the text is no date."""
    if text is None:
        return None
    return date.fromisoformat(text) if text[4] == "-" else date(int(text[6:]), int(text[3:5]), int(text[:2]))


def _is_good(row: Row, start: str) -> bool:
    """Whether it can be told which record a row is: it has a start, which is a date and not after its return."""
    try:
        began = _day(row[start])
    except ValueError:
        return False
    return began is not None and began <= date(row["census_year"], 3, 31)


def _end_of(row: Row, start: str, end: str, *, may_precede: bool = False) -> tuple[bool, date | None]:
    """Whether what a row says of its end is of no use, and the end it has if it is."""
    began = _day(row[start])
    assert began is not None
    try:
        ended = _day(row[end])
    except ValueError:
        return True, None
    if ended is None:
        return False, None
    is_possible = ended <= date(row["census_year"], 3, 31) and (may_precede or ended >= began)
    return not is_possible, ended if is_possible else None


def fates_by_oracle(
    rows: Iterable[Row], key: Callable[[Row], Key], good: Callable[[Row], bool], rank: Callable[[Row], Any]
) -> tuple[Counter[str], dict[Key, Any]]:
    """How many rows met each fate, and the rank of the row kept for each key: rows of one rank are alike to silver."""
    fates: Counter[str] = Counter()
    groups: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        if good(row):
            groups[key(row)].append(row)
        else:
            fates["quarantined"] += 1
    kept = {}
    for name, members in groups.items():
        latest = max(row["census_year"] for row in members)
        of_latest = [row for row in members if row["census_year"] == latest]
        kept[name] = (latest, min(map(rank, of_latest)))
        fates["silver"] += 1
        fates["same_day_duplicate"] += len(of_latest) - 1
        fates["superseded_by_later_return"] += len(members) - len(of_latest)
    return +fates, kept


def _latest_end(row: Row, start: str, end: str) -> tuple[bool, int]:
    """Later is smaller; open is latest, and an end of no use comes after all."""
    is_unknown, ended = _end_of(row, start, end)
    return is_unknown, _ordinal(ended)


def _is_nfa(row: Row) -> bool:
    return row["ReferralNFA"] in ("1", "true")


def pseudonym(la_code: str, child: str) -> str:
    return hmac.new(KEY, f"child\x1f{la_code}\x1f{child}".encode(), "sha256").hexdigest()[:32]


def _child(row: Row) -> Key:
    return (pseudonym(row["la_code"], row.get("LAchildID") or row["CHILD"]),)


@pytest.fixture(scope="module", params=[20250401])
def generated(spark: SparkSession, request: pytest.FixtureRequest) -> tuple[dict[str, list[Row]], Classified]:
    rows = some_histories(request.param)
    bronze = all_bronze(spark, rows)
    return rows, classify_all(
        bronze, key_frame(spark, KEY), load_rule_data(), keep=lambda frame, _: frame.localCheckpoint()
    )


def silver(classified: Classified, entity: str, key: list[str], rank: Callable[[Any], Any]) -> Any:
    rows = classified.by_entity[entity].collect()
    fates = Counter(row.fate for row in rows)
    kept = {
        (row.child_id, *(row[name] for name in key)): (row.census_year, rank(row))
        for row in rows
        if row.fate == "silver"
    }
    return fates, kept


def _ordinal(day: date | None) -> int:
    return -(day or NEVER).toordinal()


def _earliest(is_unknown: bool, day: date | None) -> tuple[bool, date]:
    return is_unknown, day or NEVER


def _is_unknown(row: Any, column: str) -> bool:
    return column in (row.unknown_fields or "").split()


def _known(row: Any, column: str) -> tuple[bool, int]:
    return _is_unknown(row, column), _ordinal(row[column])


def test_referrals(generated: tuple[dict[str, list[Row]], Classified]) -> None:
    rows, classified = generated
    expected = fates_by_oracle(
        rows["cin_details"],
        lambda row: (*_child(row), _day(row["CINreferralDate"])),
        lambda row: _is_good(row, "CINreferralDate"),
        lambda row: (_is_nfa(row), *_latest_end(row, "CINreferralDate", "CINclosureDate")),
    )

    found = silver(
        classified, "referrals", ["referral_date"], lambda row: (row.is_nfa_at_referral, *_known(row, "closure_date"))
    )

    assert set(expected[0]) == {"silver", "quarantined", "same_day_duplicate", "superseded_by_later_return"}
    assert found == expected


@pytest.mark.parametrize(
    ("entity", "module", "start", "end", "silver_start", "silver_end"),
    [
        (
            "assessments",
            "assessments",
            "AssessmentActualStartDate",
            "AssessmentAuthorisationDate",
            "assessment_start_date",
            "assessment_authorised_date",
        ),
        ("cp_plans", "cp_plans", "CPPstartDate", "CPPendDate", "cpp_start_date", "cpp_end_date"),
        ("lac_episodes", "lac_episodes", "DECOM", "DEC", "care_episode_start_date", "care_episode_end_date"),
    ],
)
def test_modules_keep_the_later_end(
    generated: tuple[dict[str, list[Row]], Classified],
    entity: str,
    module: str,
    start: str,
    end: str,
    silver_start: str,
    silver_end: str,
) -> None:
    rows, classified = generated
    expected = fates_by_oracle(
        rows[module],
        lambda row: (*_child(row), _day(row[start])),
        lambda row: _is_good(row, start),
        lambda row: _latest_end(row, start, end),
    )

    assert silver(classified, entity, [silver_start], lambda row: _known(row, silver_end)) == expected


def test_enquiries_keep_the_earlier_conference(generated: tuple[dict[str, list[Row]], Classified]) -> None:
    rows, classified = generated
    expected = fates_by_oracle(
        rows["section47"],
        lambda row: (*_child(row), _day(row["S47ActualStartDate"])),
        lambda row: _is_good(row, "S47ActualStartDate"),
        lambda row: _earliest(*_end_of(row, "S47ActualStartDate", "DateOfInitialCPC", may_precede=True)),
    )

    found = silver(
        classified,
        "section47_enquiries",
        ["section47_start_date"],
        lambda row: _earliest(_is_unknown(row, "icpc_date"), row.icpc_date),
    )

    assert found == expected


@pytest.mark.parametrize(("entity", "module"), [("cin_children", "child_identifiers"), ("lac_children", "lac_header")])
def test_children_come_from_their_latest_return(
    generated: tuple[dict[str, list[Row]], Classified], entity: str, module: str
) -> None:
    rows, classified = generated
    names = {"1": "male", "2": "female"}
    expected = fates_by_oracle(
        rows[module], _child, lambda row: True, lambda row: names[row.get("SEX") or row["GenderCurrent"]]
    )

    assert silver(classified, entity, [], lambda row: row.sex) == expected


def test_conferences_are_those_of_either_level(generated: tuple[dict[str, list[Row]], Classified]) -> None:
    _, classified = generated
    expected = {
        (row.child_id, row.icpc_date)
        for entity in ("referrals", "section47_enquiries")
        for row in classified.by_entity[entity].collect()
        if row.fate == "silver" and row.icpc_date is not None
    }

    found = [(row.child_id, row.icpc_date) for row in classified.conferences.collect()]

    assert len(found) == len(expected)
    assert set(found) == expected


def test_episodes_of_one_return_and_key_that_differ_are_counted(
    generated: tuple[dict[str, list[Row]], Classified],
) -> None:
    rows, classified = generated
    contents: dict[Key, list[Any]] = defaultdict(list)
    for row in rows["lac_episodes"]:
        if _is_good(row, "DECOM"):
            key = (*_child(row), _day(row["DECOM"]), row["census_year"])
            contents[key].append((row["PLACE"], *_end_of(row, "DECOM", "DEC")))
    expected = Counter({key: len(all_) for key, all_ in contents.items() if len(set(all_)) > 1})

    found = Counter(
        (row.child_id, row.care_episode_start_date, row.census_year)
        for row in classified.by_entity["lac_episodes"].collect()
        if "contradicts_its_return" in row.warnings
    )

    assert len(expected) > 5
    assert found == expected
