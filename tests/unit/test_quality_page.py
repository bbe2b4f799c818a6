"""quality.html and what goes back to authorities: from the lake's counts alone, without Spark and without a study."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pandas as pd
import pytest

from sos_spark.cli import commands_run
from sos_spark.cli.main import main
from sos_spark.config.environment import Environment
from sos_spark.steps.context import Run
from sos_spark.steps.quality_page import PAGE, read_return_tables, write_quality
from sos_spark.steps.quarantine import counts_of, explain, quarantined, released
from sos_spark.steps.result_tables import read_table
from sos_spark.tables.results import QUALITY, TO_MEND
from tests.lake_counts import BAD, TROUBLED, write_counts
from tests.unit.report_example import no_session


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lake")
    write_counts(folder)
    return folder


@pytest.fixture(scope="module")
def out(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    write_quality(lake, folder, is_simulated=True)
    return folder


@pytest.fixture(scope="module")
def page(out: Path) -> str:
    return (out / PAGE).read_text(encoding="utf-8")


def words(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", html.split("</style>")[1])))


def test_the_page_is_one_file_that_fetches_nothing_and_runs_nothing(page: str) -> None:
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)""", page)
    assert "<script" not in page
    assert "Not cleared for release" in page
    assert "Simulated data" in page


def test_the_page_says_what_became_of_the_records_and_where(page: str) -> None:
    said = words(page)
    assert "6,000 records in 5 accepted files: 5,997 are in use, 3 (0.1%) in quarantine" in said
    assert "Files refused: 1; replaced by a later return: 0." in said
    assert "DfE's published tables were not given" in said
    assert "The referral date is missing: 3" in said
    assert "1 of 2 expectations held." in said, "of the newest run only"
    assert "2023 to 2027" in said


def test_the_heat_table_marks_doubts_and_says_which_authorities_have_none(page: str) -> None:
    table = page.split('<table class="heat">')[1]
    rows = dict(re.findall(r'<th scope="row">([^<]*)</th>(.*?)</tr>', table.split("</table>")[0]))
    cells = re.findall(r'<td class="(\w+)">(.*?)</td>', rows["Norfolk"])
    assert [depth for depth, _ in cells] == ["d0", "none", "d1"]
    assert re.sub(r"<[^>]*>", " ", cells[1][1]) == "no CIN"
    assert cells[2][1] == "1.5<b>V</b>"
    assert "Barking and Dagenham" not in rows
    assert re.findall(r"<summary>No rule .* in one other authority</summary>\s*<ul[^>]*><li>([^<]*)</li>", page) == [
        "Barking and Dagenham"
    ]


def test_what_goes_back_names_file_rule_and_count(out: Path) -> None:
    rows = read_table(out, TO_MEND).fillna({"n_failed": 0}).to_dict("records")
    assert {row["la_code"] for row in rows} == {TROUBLED}
    told = {(int(r["census_year"]), r["kind"], r["code"], r["file_paths"], int(r["n_failed"])) for r in rows}
    assert told == {
        (2015, "file", "refused", "cin/2015/926.xml", 0),
        (2015, "check", "return_missing", "", 0),
        (2016, "rule", BAD, "cin/2016/926.xml", 3),
        (2016, "check", "volume", "cin/2016/926.xml", 0),
    }
    assert read_table(out, QUALITY)["n_failed"].tolist() == [3]


def test_the_command_says_where_the_page_is_and_how_much_goes_back(lake: Path, tmp_path: Path) -> None:
    def said(of: Path) -> list[str]:
        run = Run("run", Environment(lake=of, out=tmp_path), None, no_session)  # type: ignore[arg-type]
        return commands_run.leave_quality_page(run)

    page, requests = tmp_path / PAGE, tmp_path / TO_MEND.file_name
    assert said(lake) == [f"page: {page}", f"to ask of the authorities: 4 lines in {requests}"]
    assert said(tmp_path / "none") == []


def test_a_lake_without_records_leaves_no_page(tmp_path: Path) -> None:
    assert write_quality(tmp_path / "lake", tmp_path, is_simulated=False) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_lake_of_counts_alone_shows_what_it_has(lake: Path) -> None:
    tables = read_return_tables(lake, is_simulated=False)
    assert tables.measures.empty
    assert set(tables.doubts["check"]) == {"return_missing", "volume"}


def test_quarantine_is_listed_by_file_and_reason(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert quarantined(lake)[["file_path", "rule_code", "n_rows"]].values.tolist() == [["cin/2016/926.xml", BAD, 3]]
    assert quarantined(lake, la_code="301").empty
    assert main(["lake", "quarantine", "list", "--lake", str(lake), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["n_rows"] == 3
    assert main(["lake", "quarantine", "list", "--lake", str(lake)]) == 0
    assert "cin/2016/926.xml" in capsys.readouterr().out


def test_a_rule_is_explained_with_dfes_number_and_years(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [told] = explain(lake, BAD)
    assert (told.dfe_code, told.years, told.n_rows) == ("8600", "2023 to 2027", 3)
    assert main(["lake", "quarantine", "explain", BAD, "--lake", str(lake)]) == 0
    assert "The referral date is missing. DfE's rule 8600" in capsys.readouterr().out
    assert main(["lake", "quarantine", "explain", "CANARY", "--lake", str(lake)]) == 2
    assert "CANARY" not in capsys.readouterr().err


def test_a_lake_of_an_earlier_version_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lake", "quarantine", "list", "--lake", str(tmp_path)]) == 4
    assert "sos-spark validate" in capsys.readouterr().err


def test_what_a_change_of_rules_released(lake: Path) -> None:
    before = counts_of(lake)
    assert all(one.reasons == () for one in released(before, before))
    emptied = (before[0] * 0, before[1].iloc[:0])
    [one] = released(before, emptied)
    assert (one.entity, one.before, one.after, one.reasons) == ("referrals", 3, 0, ((BAD, 3, 0),))
    new = pd.Series({("referrals", "another"): 2}).rename_axis(["entity", "rule_code"])
    assert ("another", 0, 2) in released(before, (before[0], new))[0].reasons
