"""Which returns enter the lake: gathered from files, compared with each other and with what is held."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sos_spark.bronze.arrive.inspection import Inspection
from sos_spark.bronze.arrive.inventory import SourceFile
from sos_spark.bronze.decide.decisions import Held, decide
from sos_spark.bronze.decide.files import FileRow, file_rows, held_slices, updated_rows
from sos_spark.bronze.decide.returns import (
    Part,
    RefusedReturn,
    Return,
    Slice,
    TableCount,
    gather_cin_files,
    gather_lac_folders,
    gather_tables,
)
from sos_spark.config.reference import Authority

CIN_2015 = Slice("cin", "201", 2015)
AUTHORITIES = {
    "201": Authority("201", "A", "R", None, None, ()),
    "202": Authority("202", "C", "R", None, None, ()),
    "838": Authority("838", "B", "R", 2020, None, ()),
}


def a_file(sha: str = "aa", *, name: str = "cin/a.xml", module: str | None = None, reason: str | None = None,
           rows: int = 1) -> Inspection:  # fmt: skip
    form = "xml" if module is None else "table" if name.startswith("tables") else "csv"
    file = SourceFile(f"/s/{name}", name, form, 10, module)  # type: ignore[arg-type]
    return Inspection(file, sha * 32, reason, "201", 2015, rows_by_module={module or "cin_details": rows})


def a_return(sha: str = "aa", *, at: str | None = None, name: str | None = None) -> Return:
    file = a_file(sha, name=name or f"cin/{sha}.xml")
    return Return(CIN_2015, file.file.name, (Part(file, file.rows_by_module),), at)


def held(sha: str, *, at: str | None = None) -> dict[Slice, Held]:
    return {CIN_2015: Held(frozenset({sha * 32}), at, {"cin_details": 1})}


class TestWithinASource:
    def test_the_later_date_time_wins(self) -> None:
        old, new = a_return("aa", at="2015-05-01T09:00:00"), a_return("bb", at="2015-06-01T09:00:00")
        for order in ([old, new], [new, old]):
            decisions = decide(order, {})
            assert decisions.accepted == [new]
            assert decisions.replaced == [(old, "cin/bb.xml has a later DateTime")]

    def test_a_tie_refuses_both(self) -> None:
        decisions = decide([a_return("aa", at="2015-05-01"), a_return("bb", at="2015-05-01")], {})
        assert [one.name for one in decisions.refused] == ["cin/aa.xml", "cin/bb.xml"]
        assert not decisions.accepted

    def test_one_without_a_date_time_refuses_all(self) -> None:
        decisions = decide([a_return("aa"), a_return("bb", at="2015-05-01"), a_return("cc", at="2015-04-01")], {})
        assert len(decisions.refused) == 3

    def test_a_tie_of_the_latest_leaves_no_earlier_one_standing(self) -> None:
        rivals = [a_return("aa", at="2015-04-01"), a_return("bb", at="2015-05-01"), a_return("cc", at="2015-05-01")]
        assert len(decide(rivals, {}).refused) == 3


class TestAgainstTheLake:
    def test_the_same_content_is_known(self) -> None:
        decisions = decide([a_return("aa")], held("aa"))
        assert (decisions.known, decisions.changed) == ([a_return("aa")], [])

    def test_a_later_one_or_one_without_date_time_replaces(self) -> None:
        for at, held_at in (("2015-06-01", "2015-05-01"), (None, "2015-05-01"), ("2015-05-01", "2015-05-01")):
            assert decide([a_return("bb", at=at)], held("aa", at=held_at)).changed == [CIN_2015]

    def test_an_earlier_one_is_ignored_with_a_warning(self) -> None:
        decisions = decide([a_return("bb", at="2015-04-01")], held("aa", at="2015-05-01"))
        assert decisions.changed == []
        assert decisions.warnings

    def test_a_contradiction_of_the_held_one_empties_the_slice(self) -> None:
        rivals = [a_return("aa"), a_return("bb")]
        assert decide(rivals, held("aa")).emptied == [CIN_2015]
        assert decide(rivals, held("cc")).emptied == []


class TestFolders:
    HEADER = a_file("h1", name="ssda903/2015/201/header.csv", module="lac_header")
    EPISODES = a_file("e1", name="ssda903/2015/201/episodes.csv", module="lac_episodes")
    REVIEWS = a_file("r1", name="ssda903/2015/201/reviews.csv", module="lac_reviews")

    def test_a_folder_is_one_return(self) -> None:
        (one,) = gather_lac_folders([self.HEADER, self.EPISODES]).returns
        assert one.name == "ssda903/2015/201/"
        assert one.rows_by_module == {"lac_header": 1, "lac_episodes": 1}

    def test_without_a_sound_episodes_file_it_is_refused_whole(self) -> None:
        for members in ([self.HEADER], [self.HEADER, replace(self.EPISODES, reason="cut off")]):
            gathered = gather_lac_folders(members)
            assert gathered.returns == []
            assert "episodes.csv" in gathered.refused[0].reason

    def test_another_broken_file_is_left_out(self) -> None:
        gathered = gather_lac_folders([self.HEADER, self.EPISODES, replace(self.REVIEWS, reason="cut off")])
        assert [one.name for one in gathered.refused] == ["ssda903/2015/201/reviews.csv"]
        assert "lac_reviews" not in gathered.returns[0].rows_by_module

    def test_a_module_in_two_files_is_refused_whole(self) -> None:
        twin = a_file("h2", name="ssda903/2015/201/HEADER.CSV", module="lac_header")
        assert gather_lac_folders([self.HEADER, self.EPISODES, twin]).returns == []


def test_the_same_content_under_two_names_is_one_file() -> None:
    assert len(gather_cin_files([a_file("aa", name="cin/a.xml"), a_file("aa", name="cin/b.xml")]).returns) == 1


class TestTables:
    DETAILS = a_file("d1", name="tables/cin_details.csv", module="cin_details")
    SECTION47 = a_file("s1", name="tables/section47.csv", module="section47")
    REVIEWS = a_file("r1", name="tables/lac_reviews.csv", module="lac_reviews")

    def gather(self, *counts: TableCount, files: list[Inspection] | None = None) -> tuple[list[Return], dict[str, str]]:
        gathered = gather_tables(files or [count.file for count in counts], counts, AUTHORITIES)
        return gathered.returns, {one.name: one.reason for one in gathered.refused}

    def test_an_la_year_is_a_return_over_all_files(self) -> None:
        (one,), refused = self.gather(
            TableCount(self.DETAILS, "201", 2015, 5, 0), TableCount(self.SECTION47, "201", 2015, 2, 0)
        )
        assert one.rows_by_module == {"cin_details": 5, "section47": 2}
        assert refused == {}

    def test_an_la_year_that_cannot_be_is_refused_alone(self) -> None:
        returns, refused = self.gather(
            TableCount(self.DETAILS, "201", 2015, 5, 0),
            TableCount(self.DETAILS, "838", 2015, 5, 0),
            TableCount(self.DETAILS, "999", 2015, 5, 0),
        )
        assert [one.slice.la_code for one in returns] == ["201"]
        assert sorted(refused) == [f"tables/ (cin of LA {code}, census year 2015)" for code in ("838", "999")]

    @pytest.mark.parametrize(
        ("la_code", "year", "left"),
        [
            (None, 2015, {("201", 2016), ("202", 2016)}),
            ("201", None, {("202", 2015), ("202", 2016)}),
            (None, None, set()),
        ],
    )
    def test_rows_without_an_authority_or_a_year_take_with_them_what_they_may_belong_to(
        self, la_code: str | None, year: int | None, left: set[tuple[str, int]]
    ) -> None:
        sound = [TableCount(self.DETAILS, la, census, 5, 0) for la in ("201", "202") for census in (2015, 2016)]
        returns, refused = self.gather(*sound, TableCount(self.SECTION47, la_code, year, 3, 0))
        assert {(one.slice.la_code, one.slice.census_year) for one in returns} == left
        assert sum("found 3 of tables/section47.csv" in reason for reason in refused.values()) == 4 - len(left)

    def test_rows_of_a_lac_table_no_outcome_needs_take_nothing_with_them(self) -> None:
        header = a_file("h1", name="tables/lac_header.csv", module="lac_header")
        returns, refused = self.gather(
            TableCount(header, "201", 2015, 5, 0), TableCount(self.REVIEWS, None, 2015, 1, 0)
        )
        assert ([one.slice.la_code for one in returns], len(refused)) == (["201"], 1)

    def test_modules_without_their_core_are_no_return(self) -> None:
        returns, refused = self.gather(TableCount(self.SECTION47, "201", 2015, 2, 0))
        assert returns == []
        assert len(refused) == 1

    def test_a_broken_cin_table_leaves_no_cin_la_year_whole(self) -> None:
        counts = (TableCount(self.DETAILS, "201", 2015, 5, 0), TableCount(self.SECTION47, "201", 2015, 2, 1))
        returns, refused = self.gather(*counts)
        assert returns == []
        assert set(refused) == {"tables/section47.csv", "tables/ (cin of LA 201, census year 2015)"}

    def test_a_broken_lac_table_no_outcome_needs_is_left_out(self) -> None:
        header = a_file("h1", name="tables/lac_header.csv", module="lac_header")
        returns, refused = self.gather(
            TableCount(header, "201", 2015, 5, 0), files=[header, replace(self.REVIEWS, reason="cut off")]
        )
        assert [one.slice.collection for one in returns] == ["ssda903"]
        assert set(refused) == {"tables/lac_reviews.csv"}


class TestFilesRows:
    def rows_after(self, returns: list[Return], rows: dict[tuple[object, ...], FileRow]) -> dict[str, str]:
        updated = updated_rows(rows, decide(returns, held_slices(rows)), [])
        return {row["file_path"]: row["status"] for row in updated.values()}

    def test_a_replaced_return_keeps_its_row(self) -> None:
        first = updated_rows({}, decide([a_return("aa")], {}), [])
        assert self.rows_after([a_return("bb")], first) == {"cin/aa.xml": "replaced", "cin/bb.xml": "accepted"}

    def test_the_same_again_changes_no_row(self) -> None:
        rows = updated_rows({}, decide([a_return("aa")], {}), [])
        assert updated_rows(rows, decide([a_return("aa")], held_slices(rows)), []) == rows

    def test_a_refused_folder_leaves_the_accepted_files_of_an_earlier_one(self) -> None:
        rows = updated_rows({}, decide([a_return("aa")], {}), [])
        part = Part(a_file("aa"), {})
        refused = [RefusedReturn(CIN_2015, "cin/", "a file of it is broken", (part,))]
        assert updated_rows(rows, decide([], held_slices(rows)), refused) == rows

    def test_rows_are_known_again_as_they_were_read(self) -> None:
        rows = updated_rows({}, decide([a_return("aa")], {}), [])
        read = [{**row, "rows_by_module": list(row["rows_by_module"].items())} for row in rows.values()]
        assert file_rows(read) == rows

    def test_nothing_is_counted_of_what_is_refused(self) -> None:
        rows = updated_rows({}, decide([a_return("aa"), a_return("bb")], {}), [])
        assert [(row["status"], row["rows_by_module"]) for row in rows.values()] == [("refused", {})] * 2
