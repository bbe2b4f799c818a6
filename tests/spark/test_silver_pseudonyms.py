"""Pseudonyms equal Python's own HMAC, and the key is in no plan."""

from __future__ import annotations

import hmac

import pytest
from pyspark.sql import SparkSession

from sos_spark.silver.pseudonyms import add_hmac, key_frame, with_pseudonyms
from tests.silver_rows import a_child, a_header_row, a_referral, bronze


def expected(key: bytes, *parts: str) -> str:
    return hmac.new(key, "\x1f".join(parts).encode(), "sha256").hexdigest()[:32]


@pytest.mark.parametrize("key", [b"short" * 7, bytes(range(64)), b"longer than one block of sixty-four bytes" * 3])
def test_equal_to_hmac_whatever_the_key_length(spark: SparkSession, key: bytes) -> None:
    children = bronze(spark, "child_identifiers", a_child("Ängström 7"), a_child(" 007 "), a_child(" "))

    found = [row.child_id for row in with_pseudonyms(children, key_frame(spark, key)).collect()]

    assert found == [expected(key, "child", "926", "Ängström 7"), expected(key, "child", "926", "007"), None]


def test_one_child_has_one_pseudonym_in_both_collections_and_another_in_another_la(spark: SparkSession) -> None:
    key = key_frame(spark, b"k" * 32)
    cin = with_pseudonyms(bronze(spark, "cin_details", a_referral("7"), a_referral("7", la_code="201")), key).collect()
    lac = with_pseudonyms(bronze(spark, "lac_header", a_header_row("7")), key).collect()

    assert cin[0].child_id == lac[0].child_id
    assert cin[1].child_id != cin[0].child_id


@pytest.mark.parametrize("received", ["7\u200b", "\u200e7\u00ad", "\u20607", "7\u00a0"])
def test_invisible_characters_make_no_other_child_and_are_told(spark: SparkSession, received: str) -> None:
    rows = bronze(spark, "lac_header", a_header_row("7"), a_header_row(received), a_header_row("\u200b"))

    plain, marked, nobody = with_pseudonyms(rows, key_frame(spark, b"k" * 32)).collect()

    assert (plain.id_has_invisible, marked.id_has_invisible) == (False, True)
    assert marked.child_id == plain.child_id
    assert nobody.child_id is None


def test_a_person_is_upn_birth_date_and_sex_however_they_are_written(spark: SparkSession) -> None:
    key = key_frame(spark, b"k" * 32)
    cin = with_pseudonyms(
        bronze(
            spark,
            "child_identifiers",
            a_child(UPN="a123456789012", GenderCurrent=None, Sex="F"),
            a_child(UPN=None),
            a_child(UPN="un4"),
            a_child(PersonBirthDate=None),
            a_child(GenderCurrent="9"),
            a_child(GenderCurrent=None),
        ),
        key,
    )
    lac = with_pseudonyms(
        bronze(spark, "lac_header", a_header_row("another id"), a_header_row("a third", SEX="U")), key
    )

    person = expected(b"k" * 32, "person", "A123456789012", "2008-06-15", "female")
    not_known = expected(b"k" * 32, "person", "A123456789012", "2008-06-15", "unknown")
    assert [row.person_key for row in cin.collect()] == [person, None, None, None, not_known, None]
    assert [row.person_key for row in lac.collect()] == [person, not_known]
    assert not {"LAchildID", "UPN", "FormerUPN"} & set(cin.columns)


def test_no_plan_shows_the_key(spark: SparkSession) -> None:
    secret = b"a key that nobody must ever read"
    rows = bronze(spark, "cin_details", a_referral())

    named = with_pseudonyms(rows, key_frame(spark, secret))

    plan = named._jdf.queryExecution().toString()  # every stage of the plan
    pads = [bytes(byte ^ mask for byte in secret) for mask in (0, 0x36, 0x5C)]
    assert "Broadcast" in plan
    assert not any(text in plan for pad in pads for text in (pad.hex(), pad.decode("latin-1"), pad.hex().upper()))


def test_rows_are_neither_lost_nor_doubled(spark: SparkSession) -> None:
    assert add_hmac(spark.range(5), key_frame(spark, b"k" * 32)).count() == 5
