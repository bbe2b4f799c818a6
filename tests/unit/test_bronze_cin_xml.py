"""CIN XML: what a file says of itself, and its records, whatever its layout."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sos_spark.bronze.cin_xml import inspect_cin, parse_cin
from sos_spark.bronze.fault import SourceError
from sos_spark.bronze.modules import FIELDS
from sos_spark.bronze.records import RecordBatches
from tests.sources import a_child, a_header, a_referral, cin_xml, leaves

Record = dict[str, str | int | None]


def chunked(text: str, size: int = 7) -> Iterator[bytes]:
    """Pieces small enough to cut every tag and text."""
    content = text.encode()
    return (content[at : at + size] for at in range(0, len(content), size))


def records(text: str) -> dict[str, list[Record]]:
    """The records by module, each with its position."""
    found: dict[str, list[Record]] = {}
    batches = RecordBatches(la_code="201", census_year=2015, file_id=1)
    for batch in parse_cin(chunked(text), batches):
        for row in batch.to_pylist():
            fields = dict(zip(FIELDS[row["module"]], row["values"], strict=True))
            found.setdefault(row["module"], []).append({"at": row["record_position"], **fields})
    return found


def test_header_and_counts_of_every_module() -> None:
    section47 = f"<Section47>{leaves(S47ActualStartDate='2014-05-02')}</Section47>"
    seen = inspect_cin(chunked(cin_xml(a_child("C1", a_referral(inside=section47 * 2)), a_child("C2"))))
    assert seen.header == {
        "Collection": "CIN", "Year": "2015", "ReferenceDate": "2015-03-31", "LEA": "201",
        "DateTime": "2015-05-01T09:00:00",
    }  # fmt: skip
    assert seen.rows_by_module == {
        "child_identifiers": 2, "cin_details": 1, "assessments": 0, "cin_plan_dates": 0, "section47": 2, "cp_plans": 0,
    }  # fmt: skip


def test_no_children_is_a_sound_return() -> None:
    assert inspect_cin(chunked(cin_xml())).rows_by_module["child_identifiers"] == 0


def test_unknown_elements_are_named_and_the_rest_is_read() -> None:
    text = cin_xml(a_child("C1", identifiers=leaves(ShoeSize="4")))
    assert inspect_cin(chunked(text)).unknown_elements == ("ShoeSize",)
    assert records(text)["child_identifiers"][0]["LAchildID"] == "C1"


def test_icpc_date_stays_at_the_level_it_was_recorded_at() -> None:
    inside = leaves(DateOfInitialCPC="2014-06-01") + (
        f"<Section47>{leaves(S47ActualStartDate='2014-05-02', DateOfInitialCPC='2014-06-09')}</Section47>"
    )
    found = records(cin_xml(a_child("C1", a_referral(inside=inside))))
    assert found["cin_details"][0]["DateOfInitialCPC"] == "2014-06-01"
    assert found["section47"][0]["DateOfInitialCPC"] == "2014-06-09"


def test_a_field_after_a_nested_module_belongs_to_the_referral() -> None:
    inside = f"<Assessments>{leaves(AssessmentActualStartDate='2014-05-03')}</Assessments>"
    found = records(cin_xml(a_child("C1", a_referral(inside=inside))))
    assert found["cin_details"][0]["ReferralNFA"] == "false"
    assert found["assessments"][0]["CINreferralDate"] == "2014-05-01"


def test_keys_are_taken_wherever_they_stand_in_their_element() -> None:
    late = (
        "<Child><CINdetails><CINPlanDates><CINPlanStartDate>2014-07-01</CINPlanStartDate></CINPlanDates>"
        "<CINreferralDate>2014-05-01</CINreferralDate></CINdetails>"
        "<ChildIdentifiers><LAchildID>C9</LAchildID></ChildIdentifiers></Child>"
    )
    (plan,) = records(cin_xml(a_child("C1"), late))["cin_plan_dates"]
    assert plan == {"at": 2, "LAchildID": "C9", "CINreferralDate": "2014-05-01", "CINPlanStartDate": "2014-07-01",
                    "CINPlanEndDate": None}  # fmt: skip


def test_repeated_leaves_are_joined_and_empty_ones_are_null() -> None:
    characteristics = "<Disabilities><Disability>HAND</Disability><Disability>HEAR</Disability></Disabilities>"
    child = a_child("007", identifiers="<UPN/><Sex> M\n</Sex>", characteristics=characteristics)
    (row,) = records(cin_xml(child))["child_identifiers"]
    assert (row["LAchildID"], row["UPN"], row["Sex"], row["Disabilities"]) == ("007", None, "M", "HAND;HEAR")


def test_text_between_elements_is_no_value() -> None:
    child = a_child("C1", identifiers="stray<UPN>U1</UPN>stray")
    (row,) = records(cin_xml(child))["child_identifiers"]
    assert (row["LAchildID"], row["UPN"]) == ("C1", "U1")


def test_tags_with_prefixes_are_known_by_their_local_names() -> None:
    plain = cin_xml(a_child("C1", a_referral()))
    prefixed = plain.replace("</", "</d:").replace("<", "<d:").replace("<d:/d:", "</d:")
    prefixed = prefixed.replace("<d:Message>", '<d:Message xmlns:d="urn:x">', 1)
    assert inspect_cin(chunked(prefixed)) == inspect_cin(chunked(plain))
    assert records(prefixed) == records(plain)


def test_every_record_survives_the_cut_into_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    text = cin_xml(*(a_child(f"C{n}", a_referral()) for n in range(50)))
    whole = records(text)
    monkeypatch.setattr("sos_spark.bronze.records.ROWS_A_BATCH", 3)
    assert records(text) == whole
    assert [row["LAchildID"] for row in whole["cin_details"]] == [f"C{n}" for n in range(50)]


WHOLE = cin_xml(a_child("SECRET1", a_referral()))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"<!DOCTYPE Message [<!ENTITY e 'x'>]>{WHOLE}", "DOCTYPE"),
        (WHOLE[:-10], "cut off"),
        (WHOLE.replace("</CINdetails>", ""), "not well-formed"),
        ("", "cut off"),
        ("no XML", "not well-formed"),
        (WHOLE.replace(a_header(), ""), "no Header"),
        (WHOLE.replace(a_header(), a_header() * 2), "more than one Header"),
        (WHOLE.replace("<Message>", "<Census>").replace("</Message>", "</Census>"), "out of place|root"),
        (WHOLE.replace("<CINdetails>", "<CINdetails><Child/>"), "out of place"),
        (f"<?xml version='1.0' encoding='no-such'?>{WHOLE}", "encoding"),
    ],
)
def test_a_file_that_is_not_whole_is_a_fault_that_quotes_no_value(text: str, told: str) -> None:
    with pytest.raises(SourceError, match=told) as fault:
        inspect_cin(chunked(text))
    assert "SECRET1" not in str(fault.value)


def test_bytes_of_another_encoding_are_a_fault() -> None:
    with pytest.raises(SourceError, match="not well-formed"):
        inspect_cin([WHOLE.replace("SECRET1", "Zo\xeb").encode("latin-1")])
