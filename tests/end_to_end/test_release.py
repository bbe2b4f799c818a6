"""`sos-spark release`: the pack, what its checker gets, and when it is refused."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from sos_spark.cli.main import main
from sos_spark.release.release import LEAVABLE
from tests.end_to_end.test_fit_panel_file import STUDY, fitted, some_outcomes

SMALL = frozenset("12345")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two outcomes, fitted once."""
    folder = tmp_path_factory.mktemp("release")
    assert fitted(folder, some_outcomes()) == 0
    return folder / "out"


@pytest.fixture(scope="module")
def released(run: Path) -> Path:
    assert main(["release", "--run", str(run), "--profile", "dfe-cin"]) == 0
    return run


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_the_pack_holds_no_small_count(released: Path) -> None:
    tables = list((released / "release" / "tables").glob("*.csv"))
    assert {"arms_by_year", "pilots_before_after", "estimates"} <= {path.stem for path in tables}
    for path in tables:
        for row in rows_of(path):
            assert row.get("n") not in SMALL
            assert row.get("events") not in SMALL


def test_what_is_hidden_is_in_the_checker_s_counts_alone(released: Path) -> None:
    behind = rows_of(released / "checker" / "counts" / "pilots_before_after.csv")
    hidden = [row for row in behind if row["n_shown"] == "False" or row["events_shown"] == "False"]
    shown = rows_of(released / "release" / "tables" / "pilots_before_after.csv")
    marked = [row for row in shown if "[c]" in (row["n"], row["events"])]
    assert len(hidden) == len(marked)
    for row in hidden:
        for name in ("n", "events"):
            if row[f"{name}_shown"] == "False":
                span = float(row[f"{name}_could_be_to"]) - float(row[f"{name}_could_be_from"])
                assert span >= 5


def test_the_page_is_of_cleared_numbers_and_says_so(released: Path) -> None:
    page = (released / "release" / "report_public.html").read_text(encoding="utf-8")
    assert "After disclosure control" in page
    assert "Not cleared for release" not in page
    assert "unchecked" not in page
    assert "Year by year" in page


def test_nothing_but_cleared_outputs_is_in_the_pack(released: Path) -> None:
    names = {
        str(path.relative_to(released / "release")) for path in (released / "release").rglob("*") if path.is_file()
    }
    record = json.loads((released / "checker" / "results.json").read_text())
    listed = {file["name"] for one in record["results"].values() for file in one["files"]}
    assert names - {"tables/tables.docx"} == listed


def test_the_record_has_the_form_checkers_know_and_its_hashes_hold(released: Path) -> None:
    record = json.loads((released / "checker" / "results.json").read_text())
    for one in record["results"].values():
        assert one["status"] in ("pass", "review")
        assert one["type"] in ("table", "regression", "custom")
        assert set(one) == {
            "uid", "status", "type", "properties", "files", "outcome", "command", "summary", "timestamp", "comments",
            "exception",
        }  # fmt: skip
        for file in one["files"]:
            content = (released / "checker" / file["name"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == file["checksum"]
            assert (released / "release" / file["name"]).read_bytes() == content


def test_the_checker_s_page_lists_every_output_the_riskiest_first(released: Path) -> None:
    page = (released / "checker" / "index.html").read_text(encoding="utf-8")
    closeness = [float(found) for found in re.findall(r"<td[^>]*>(\d\.\d\d)</td>", page)]
    record = json.loads((released / "checker" / "results.json").read_text())
    assert len(closeness) == len(record["results"])
    assert closeness == sorted(closeness, reverse=True)


def test_the_word_file_opens_as_one(released: Path) -> None:
    with zipfile.ZipFile(released / "release" / "tables" / "tables.docx") as archive:
        assert archive.testzip() is None
        assert b"<w:tbl>" in archive.read("word/document.xml")


def test_the_same_release_again_with_its_ledger_is_allowed(released: Path, tmp_path: Path) -> None:
    ledger = str(shutil.copy(released / "checker" / "ledger.jsonl", tmp_path))
    assert main(["release", "--run", str(released), "--since", ledger]) == 0
    assert len((released / "checker" / "ledger.jsonl").read_text().splitlines()) == 2


def test_a_second_study_whose_difference_is_one_authority_is_refused(
    released: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With one pilot fewer, each table of the pilots less the same one of before is that authority's own."""
    cells = pd.read_csv(released / "cells.csv", dtype={"unit_id": str})
    few = cells["unit_id"] == "206"
    cells.loc[few, ["y_sum", "y_sumsq"]] = cells.loc[few, ["y_sum", "y_sumsq"]].clip(upper=1)
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, last in ((first, 207), (second, 206)):
        folder.mkdir()
        cells.to_csv(folder / "cells.csv", index=False)
        pilots = "\n".join(f'[[pilots]]\nla_code = "{code}"\ngo_live = 2014-01-01' for code in range(201, last))
        listed = STUDY.format(pilots=pilots, comparators="all")
        (folder / "study.toml").write_text(listed)
        fit = ["fit", "--panel", str(folder / "cells.csv"), "--study", str(folder / "study.toml")]
        assert main([*fit, "--out", str(folder / "out")]) == 0
    assert main(["release", "--run", str(first / "out")]) == 0
    ledger = first / "out" / "checker" / "ledger.jsonl"
    assert main(["release", "--run", str(second / "out"), "--since", str(ledger)]) == 6
    told = capsys.readouterr().err
    assert "would give hidden counts away" in told
    assert "\n  - " in told, "a line for each"
    assert not (second / "out" / "release").exists()
    advised = re.findall(r"--leave-out \w+", told)
    again = ["release", "--run", str(second / "out"), "--since", str(ledger), *" ".join(advised).split()]
    assert main(again) == 0, "what the message advises"


def test_a_release_without_any_table_of_counts_holds_its_estimates(run: Path, tmp_path: Path) -> None:
    out = shutil.copytree(run, tmp_path / "out")
    left_out = [word for table in sorted(LEAVABLE) for word in ("--leave-out", table)]
    assert main(["release", "--run", str(out), *left_out]) == 0
    assert (out / "release" / "tables" / "estimates.csv").exists()
    assert not (out / "release" / "tables" / "arms_by_year.csv").exists()


def test_an_unknown_profile_table_run_or_ledger_is_told(run: Path, tmp_path: Path) -> None:
    assert main(["release", "--run", str(run), "--profile", "none"]) == 2
    assert main(["release", "--run", str(run), "--leave-out", "none"]) == 2
    assert main(["release", "--run", str(tmp_path / "none")]) == 4
    assert main(["release", "--run", str(run), "--since", str(tmp_path / "none")]) == 4
