"""Which parts of a table have to be made again: from what each was made from, then and now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sos_spark.steps.parts import Change, authority_parts, digest, fingerprint_of, rows_by_authority, what_changed

HOW, OTHERWISE = "a" * 64, "b" * 64
SAME = {name: digest(HOW, name) for name in ("201", "202", "203", "204")}


def changed(*before: dict[str, str], now: dict[str, str] = SAME, weights: Mapping[str, int] | None = None) -> Change:
    return what_changed(before, now, weights=weights or {}, called="authorities")


def test_nothing_is_due_where_all_is_made_from_the_same() -> None:
    assert changed(SAME, SAME) == Change((), "made from the same already")


def test_what_is_not_known_is_made_again() -> None:
    assert changed(SAME, {}).only is None


def test_a_part_of_any_table_is_due_where_it_is_other_new_or_gone() -> None:
    assert changed(SAME, SAME | {"202": digest(HOW, "before")}).only == ("202",)
    assert changed({name: part for name, part in SAME.items() if name != "203"}).only == ("203",)
    assert changed(SAME | {"999": digest(HOW, "gone")}).only == ("999",)
    assert changed(SAME | {"202": "x.y"}, SAME | {"203": "x.y"}).only == ("202", "203")


def test_other_code_is_told_as_that() -> None:
    before = {name: digest(OTHERWISE, name) for name in SAME}
    assert changed(before) == Change(None, "the code, the reference data, the settings or the key have changed", 4)


@pytest.mark.parametrize(("n_rows", "only"), [(3, ("201",)), (4, None)])
def test_above_half_of_the_rows_all_are_made_again(n_rows: int, only: tuple[str, ...] | None) -> None:
    weights = {"201": n_rows, "202": 1, "203": 1, "204": 1}
    assert changed(SAME | {"201": "x.y"}, weights=weights).only == only


@pytest.mark.parametrize(
    ("before", "n_rows"),
    [
        ({}, 15),
        (SAME | {"204": "x.y"}, 15),
        (SAME | {"201": "x.y", "202": "x.y"}, 3),
        (SAME | {"999": digest(HOW, "gone")}, 0),
        (SAME, 0),
    ],
    ids=["not made before", "most", "two", "one that is gone", "nothing"],
)
def test_the_rows_of_what_is_made_again_are_known(before: dict[str, str], n_rows: int) -> None:
    weights = {"201": 1, "202": 2, "203": 4, "204": 8}
    assert changed(before, weights=weights).n_rows == n_rows


def test_the_fingerprint_is_of_the_parts_in_any_order() -> None:
    assert fingerprint_of(SAME) == fingerprint_of(dict(reversed(SAME.items())))
    assert fingerprint_of(SAME) != fingerprint_of(SAME | {"201": "x.y"})


def a_file(**given: Any) -> dict[str, Any]:
    return {
        "file_id": 1,
        "file_sha256": "0" * 64,
        "collection": "cin",
        "la_code": "201",
        "census_year": 2016,
        "status": "accepted",
        "read_by": "code",
        "rows_by_module": {"cin_details": 3, "assessments": 2},
    } | given


@pytest.mark.parametrize(
    "other",
    [{"file_sha256": "1" * 64}, {"census_year": 2017}, {"read_by": "other"}, {"rows_by_module": {"cin_details": 4}}],
    ids=lambda given: next(iter(given)),
)
def test_an_authority_is_what_its_files_and_their_reading_are(other: dict[str, Any]) -> None:
    beside = a_file(la_code="202")
    before, after = (authority_parts([beside, a_file(**given)], HOW) for given in ({}, other))
    assert before["202"] == after["202"]
    assert before["201"] != after["201"]


def test_files_whose_rows_are_not_in_bronze_count_for_nothing() -> None:
    files = [a_file(), a_file(status="refused", file_id=2), a_file(la_code=None, collection="published")]
    assert authority_parts(files, HOW) == authority_parts([a_file()], HOW)
    assert authority_parts(reversed([a_file(), a_file(file_id=2)]), HOW) == authority_parts(
        [a_file(), a_file(file_id=2)], HOW
    )
    assert rows_by_authority(files) == {"201": 5}
