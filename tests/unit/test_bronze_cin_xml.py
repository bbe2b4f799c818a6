"""CIN XML: what a file says of itself, and its records, whatever its layout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from sos_spark.bronze.arrive.cin_file import CinFile, read_cin
from sos_spark.bronze.arrive.cin_structure import MESSAGE, MISPLACED, leaves_of
from sos_spark.bronze.fault import SourceError
from sos_spark.bronze.fields import FIELDS
from sos_spark.bronze.record_batches import RecordBatches
from tests.sources import a_child, a_header, a_referral, cin_xml, leaves

CHILD = MESSAGE.below["Children"].below["Child"]
Record = dict[str, str | int | None]


def chunked(text: str, size: int = 7) -> Iterator[bytes]:
    """Pieces small enough to cut every tag and text."""
    content = text.encode()
    return (content[at : at + size] for at in range(0, len(content), size))


def inspect_cin(chunks: Iterable[bytes]) -> CinFile:
    """What a file says of itself, its records counted only."""
    return read_cin(chunks, RecordBatches(keeps=False))


def records(text: str) -> dict[str, list[Record]]:
    """The records by module, each with its position."""
    found: dict[str, list[Record]] = {}
    batches = RecordBatches()
    read_cin(chunked(text), batches)
    for module, batch in batches.give(la_code="201", file_id=1):
        for row in batch.to_pylist():
            fields = {name: row[name] for name in FIELDS[module]}
            place = {"at": row["record_position"]} | ({"fault": row["record_fault"]} if row["record_fault"] else {})
            found.setdefault(module, []).append(place | fields)
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
    monkeypatch.setattr("sos_spark.bronze.record_batches._ROWS_A_BATCH", 3)
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
        (WHOLE.replace("<CINdetails>", "<CINdetails><Child/>"), "Child is out of place: found line 1"),
        (WHOLE.replace("<Children>", "<Children/><Children>"), "more than one Children"),
        (WHOLE.replace("<LEA>", "<LEA>202</LEA><LEA>"), "says LEA more than once"),
        (WHOLE.replace("<Source>", "<Source><Year>2016</Year>"), "Year is out of place"),
        (WHOLE.replace("<Source>", "<Source><X><Year>2016</Year></X>"), "Year is out of place"),
        (WHOLE.replace("DateTime>", "Datetime>"), "DateTime is misspelt"),
        (WHOLE.replace("Child>", "child>"), "Child is misspelt"),
        (WHOLE.replace("Child>", "Pupil>"), "LAchildID is out of place|ChildIdentifiers is out of place"),
        (WHOLE.replace("<Children>", "<Children><LAchildID>SECRET1</LAchildID>"), "LAchildID is out of place"),
        (WHOLE.replace("<Children>", "<Children xmlns='urn:x'>"), "Children is of another namespace"),
        (WHOLE.replace("<Message>", "<d:Message>").replace("</Message>", "</d:Message>"), "unbound prefix"),
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


ASSESSMENT = f"<Assessments>{leaves(AssessmentActualStartDate='2014-05-03')}</Assessments>"
PLAN = f"<ChildProtectionPlans>{leaves(CPPstartDate='2014-06-02')}</ChildProtectionPlans>"


def look(child: str) -> tuple[CinFile, dict[str, list[Record]]]:
    """What is found of a child beside a sound one, and that as many rows are counted as given."""
    text = cin_xml(a_child("SOUND", a_referral(inside=ASSESSMENT)), child)
    seen, found = inspect_cin(chunked(text)), records(text)
    assert {module: len(rows) for module, rows in found.items()} == {m: n for m, n in seen.rows_by_module.items() if n}
    assert [row.get("fault") for rows in found.values() for row in rows if row["LAchildID"] == "SOUND"] == [None] * 3
    return seen, {
        module: others for module, rows in found.items() if (others := [r for r in rows if r["LAchildID"] != "SOUND"])
    }


FAULTY = {
    "a leaf under the wrong parent": (
        a_referral(inside=ASSESSMENT.replace("</A", f"{leaves(CINclosureDate='2014-09-01')}</A", 1)),
        "element_out_of_place CINclosureDate",
        {"cin_details": 1, "assessments": 1},
    ),
    "a leaf of a module in its referral": (
        a_referral(inside=leaves(AssessmentAuthorisationDate="2014-06-01")),
        "element_out_of_place AssessmentAuthorisationDate",
        {"cin_details": 1},
    ),
    "a misspelt module": (
        a_referral(inside=ASSESSMENT.replace("Assessments>", "Assessment>") * 2),
        "element_misspelt Assessments",
        {"cin_details": 1, "assessments": 2},
    ),
    "a misspelt referral": (
        a_referral(inside=ASSESSMENT).replace("CINdetails>", "CINdetail>"),
        "element_misspelt CINdetails",
        {"cin_details": 1, "assessments": 1},
    ),
    "a module of another name": (
        a_referral(inside=ASSESSMENT.replace("Assessments>", "CoreReport>")),
        "element_out_of_place AssessmentActualStartDate",
        {"cin_details": 1, "assessments": 1},
    ),
    "a misspelt leaf": (
        a_referral(inside=leaves(CINClosureDate="2014-09-01")),
        "element_misspelt CINclosureDate",
        {"cin_details": 1},
    ),
    "two identifiers of one child": (
        f"<ChildIdentifiers>{leaves(LAchildID='C1')}</ChildIdentifiers>{a_referral()}",
        "element_repeated ChildIdentifiers",
        {"cin_details": 1},
    ),
    "a leaf twice where one is allowed": (
        a_referral(inside=leaves(ReferralNFA="1")),
        "element_repeated ReferralNFA",
        {"cin_details": 1},
    ),
    "a leaf twice, once empty": (
        a_referral(inside="<ReferralNFA/>"),
        "element_repeated ReferralNFA",
        {"cin_details": 1},
    ),
    "a container twice where one is allowed": (
        a_referral(inside=PLAN.replace("</ChildP", "<Reviews/><Reviews/></ChildP")),
        "element_repeated Reviews",
        {"cin_details": 1, "cp_plans": 1},
    ),
    "a leaf of another namespace": (
        a_referral(inside="<x:ReferralNFA xmlns:x='urn:x'>0</x:ReferralNFA>"),
        "element_of_another_namespace ReferralNFA",
        {"cin_details": 1},
    ),
    "a module of another namespace": (
        a_referral(inside=ASSESSMENT.replace("<Assessments>", "<Assessments xmlns='urn:x'>")),
        "element_of_another_namespace Assessments",
        {"cin_details": 1, "assessments": 1},
    ),
    "a field inside an unknown container": (
        a_referral(inside=f"<Extra>{leaves(CINclosureDate='2014-09-01')}</Extra>"),
        "element_out_of_place CINclosureDate",
        {"cin_details": 1},
    ),
    "a module under the child": (
        a_referral() + ASSESSMENT,
        "element_out_of_place Assessments",
        {"cin_details": 1, "assessments": 1},
    ),
    "a referral in a referral": (
        a_referral(inside=a_referral(day="2014-08-01")),
        "element_out_of_place CINdetails",
        {"cin_details": 2},
    ),
    "a module in another": (
        a_referral(inside=ASSESSMENT.replace("</A", f"{PLAN}</A", 1)),
        "element_out_of_place ChildProtectionPlans",
        {"cin_details": 1, "assessments": 1, "cp_plans": 1},
    ),
    "a container under the wrong module": (
        a_referral(inside=ASSESSMENT.replace("</A", "<Reviews><CPPreviewDate>2014-08-01</CPPreviewDate></Reviews></A")),
        "element_out_of_place Reviews",
        {"cin_details": 1, "assessments": 1},
    ),
    "an element inside a value": (
        a_referral(inside="<CINclosureDate>2014<b/>-09-01</CINclosureDate>"),
        "element_out_of_place CINclosureDate",
        {"cin_details": 1},
    ),
    "an element of a list outside it": (
        f"{a_referral()}<Disability>HAND</Disability>",
        "element_out_of_place Disability",
        {"cin_details": 1},
    ),
}


@pytest.mark.parametrize("fault", FAULTY)
def test_a_record_whose_elements_are_not_where_they_belong_is_faulty_as_a_whole(fault: str) -> None:
    inside, told, rows = FAULTY[fault]
    seen, found = look(a_child("C1", inside))
    assert told in seen.record_faults
    assert seen.n_faulty_records == 1
    assert {module: len(of_module) for module, of_module in found.items()} == {"child_identifiers": 1} | rows
    assert {row.get("fault") for of_module in found.values() for row in of_module} == {told.split()[0]}
    assert {row["LAchildID"] for of_module in found.values() for row in of_module} == {"C1"}


def test_a_value_out_of_place_or_repeated_is_no_value() -> None:
    inside = f"<Extra>{leaves(CINclosureDate='2014-09-01')}</Extra>{leaves(ReferralSource='1A')}"
    (row,) = look(a_child("C1", a_referral(inside=inside + leaves(ReferralSource="1B"))))[1]["cin_details"]
    assert (row["CINclosureDate"], row["ReferralSource"]) == (None, "1A")


def test_an_id_out_of_its_place_still_tells_whose_record_it_is() -> None:
    child = f"<Child><Identity>{leaves(LAchildID='C7')}</Identity>{a_referral()}</Child>"
    seen, found = look(child)
    assert seen.record_faults == {"element_out_of_place LAchildID": 1}
    assert [row["LAchildID"] for row in found["cin_details"]] == ["C7"]


@pytest.mark.parametrize(
    ("child", "n"),
    [
        (a_child("SECRET1", f"<ChildIdentifiers>{leaves(LAchildID='SECRET2')}</ChildIdentifiers>{a_referral()}"), 2),
        (a_child("SECRET1", identifiers=leaves(LAchildID="SECRET2")), 2),
        (a_child("SECRET1", a_referral(inside=leaves(LAchildID="SECRET2"))), 2),
        (a_child("", a_referral(inside=leaves(ReferralNFA="1"))), 0),
        (f"<Child><ChildIdentifiers>{leaves(LAchildId='SECRET1')}</ChildIdentifiers>{a_referral()}</Child>", 0),
    ],
)
def test_a_faulty_record_that_cannot_be_told_whose_it_is_refuses_the_file(child: str, n: int) -> None:
    with pytest.raises(SourceError, match=f"whose it is .*expected one LAchildID, found {n} in the Child") as fault:
        look(child)
    assert "SECRET" not in str(fault.value)


def test_unknown_elements_that_hold_nothing_that_is_read_make_no_record_faulty() -> None:
    extra = f"<Wellbeing>{leaves(Score='4')}<Visits><Visit/></Visits></Wellbeing>"
    foreign = "<x:Note xmlns:x='urn:x'><x:Text>any</x:Text></x:Note>"
    child = a_child("C1", a_referral(inside=extra + foreign), identifiers=leaves(ShoeSize="4"), characteristics=extra)
    seen, found = look(child)
    assert seen.record_faults == {}
    assert seen.unknown_elements == ("Note", "Score", "ShoeSize", "Text", "Visit", "Visits", "Wellbeing")
    assert found["cin_details"][0]["ReferralNFA"] == "false"


def test_every_field_of_every_module_is_read_from_one_place() -> None:
    lists = {"Disability": "Disabilities", "CPPreviewDate": "CPPreviewDates"}
    for row in [CHILD, *MISPLACED.values()]:
        if row.module is not None:
            own = {"LAchildID", "CINreferralDate"} if row.module != "child_identifiers" else set()
            assert own | {lists.get(name, name) for name in leaves_of(row)} == set(FIELDS[row.module])
