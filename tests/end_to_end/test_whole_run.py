"""The whole study on returns in their real formats: what it leaves, that nothing is lost and that nothing leaks."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from sos_spark.cli.main import main
from sos_spark.lake.arrow import read_arrow
from sos_spark.lake.lake import Lake
from sos_spark.lake.simulated import is_marked
from sos_spark.steps.reproduce import reproduce
from sos_spark.tables import DQ_LEDGER, FILES, OUTCOME_FLOW, PANEL_CELLS, SILVER_ENTITIES, TABLES
from sos_spark.tables.results import ESTIMATES, EVENT_STUDY
from tests.end_to_end.conftest import WholeRun, command
from tests.modes import open_to_others
from tools.trust.canaries import CANARY, FIELD_CANARY, holding

pytestmark = pytest.mark.slow

OUTCOMES = ["assessment_duration", "icpc", "kinship_placement", "rereferral_escalated", "rereferral_nfa_6m"]


def test_the_run_ends_well_and_leaves_what_the_contract_names(whole_run: WholeRun) -> None:
    assert whole_run.exit_code == 0, whole_run.said[-3000:]
    names = {path.name for path in whole_run.out.iterdir()}
    assert names >= {
        "report.html", "estimates.csv", "estimates.json", "event_study.csv", "flow.csv", "quality.csv",
        "leave_one_out.csv", "manifest.json", "cells.csv", "figures", "quality.html", "returns_to_mend.csv",
    }  # fmt: skip
    assert f"report: {whole_run.out / 'report.html'}" in whole_run.said


def test_every_outcome_has_its_main_row(whole_run: WholeRun) -> None:
    estimates = pd.read_csv(whole_run.out / "estimates.csv")
    assert tuple(estimates.columns) == ESTIMATES.column_names
    main = estimates[estimates["specification"] == "main"].set_index("outcome_id")
    assert sorted(outcome for outcome in main.index if "~" not in outcome) == OUTCOMES
    assert main.loc[OUTCOMES, "att"].notna().all()
    event_study = pd.read_csv(whole_run.out / "event_study.csv")
    assert tuple(event_study.columns) == EVENT_STUDY.column_names
    reference = event_study[event_study["event_time"] == -1]
    assert (reference["att"] == 0).all()
    assert reference["se_cr2"].isna().all()


def test_nothing_is_lost_in_any_file(whole_run: WholeRun) -> None:
    ledger = read_arrow(whole_run.lake, DQ_LEDGER).to_pandas()
    placed = ledger[["n_silver", "n_quarantined", "n_superseded_by_later_return", "n_same_day_duplicates"]].sum(axis=1)
    assert (ledger["n_received"] == placed).all()
    assert set(ledger["entity"]) == set(SILVER_ENTITIES)
    n_silver = ledger.groupby("entity")["n_silver"].sum()
    for entity, n_rows in n_silver.items():
        assert read_arrow(whole_run.lake, SILVER_ENTITIES[str(entity)]).num_rows == n_rows
    files = read_arrow(whole_run.lake, FILES).to_pandas()
    assert set(files["status"]) == {"accepted"}


def test_cells_are_the_analysed_rows_of_the_flow(whole_run: WholeRun) -> None:
    cells = read_arrow(whole_run.lake, PANEL_CELLS).to_pandas()
    flow = read_arrow(whole_run.lake, OUTCOME_FLOW).to_pandas().query("reason == 'analysed'")
    assert cells.groupby("outcome_id")["n"].sum().to_dict() == flow.groupby("outcome_id")["n_rows"].sum().to_dict()
    written = pd.read_csv(whole_run.out / "cells.csv", dtype={"unit_id": str})
    assert written["n"].sum() == cells["n"].sum()


def test_lengths_counted_day_by_day_are_the_cells_rows(whole_run: WholeRun) -> None:
    days = pd.read_csv(whole_run.out / "durations.csv", dtype={"unit_id": str})
    cells = pd.read_csv(whole_run.out / "cells.csv", dtype={"unit_id": str})
    place = ["outcome_id", "unit_id", "period"]
    followed = days[days["is_followed"]].groupby(place)["n"].sum()
    completed = cells[cells["outcome_id"].isin(days["outcome_id"])].groupby(place)["n"].sum()
    assert len(completed)
    # Cells hold no row that is open on the last day observed.
    assert (followed.loc[completed.index] >= completed).all()
    assert (pd.read_csv(whole_run.out / "duration_days.csv")["within"] <= 1).all()


def test_a_pseudonym_stands_for_every_child_from_silver_on(whole_run: WholeRun) -> None:
    for table in TABLES.values():
        if table.layer in ("bronze", "dq") or not (whole_run.lake / table.layer / table.short_name).exists():
            continue
        rows = read_arrow(whole_run.lake, table).to_pylist()
        assert CANARY not in repr(rows), table.name
        assert all(len(row["child_id"] or " " * 32) == 32 for row in rows if "child_id" in row), table.name


def test_no_child_s_value_is_outside_the_lake(whole_run: WholeRun) -> None:
    """The canary stands in ids, UPNs and postcodes of every file; only the lake's bronze may hold it."""
    bronze = read_arrow(whole_run.lake, TABLES["bronze.lac_header"]).to_pylist()
    assert CANARY in repr(bronze), "the canary was not planted"
    assert FIELD_CANARY in repr(bronze), "the canary was not planted in every field"
    assert holding(whole_run.said) == []
    assert [path for path in whole_run.events.iterdir() if path.stat().st_size > 10_000], "events were not logged"
    for folder in (whole_run.out, whole_run.events, whole_run.temporary):
        assert [path for path in folder.rglob("*") if path.is_file() and holding(path.read_bytes())] == []
    for path in whole_run.lake.rglob("*"):
        assert not holding(path.name)
    # Postcodes are not kept even in bronze.
    for name in ("HOME_POST", "PL_POST"):
        assert f"{CANARY}{name}" not in repr(read_arrow(whole_run.lake, TABLES["bronze.lac_episodes"]).to_pylist())


def test_nothing_that_is_made_of_a_run_or_says_what_the_lake_holds_leaks(
    whole_run: WholeRun, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out, lake = tmp_path / "out", str(whole_run.lake)
    shutil.copytree(whole_run.out, out)
    commands = [
        (["release", "--run", str(out), "--profile", "dfe-cin"], {0, 6}),
        (["compare", str(whole_run.out), str(out), "--page", str(out / "changes.html")], {0}),
        (["lake", "history", "--lake", lake], {0}),
        (["lake", "verify", "--lake", lake], {0}),
        (["lake", "maintain", "--lake", lake, "--dry-run"], {0}),
        (["lake", "quarantine", "list", "--lake", lake], {0}),
        (["lake", "quarantine", "explain", "child_id_missing", "--lake", lake], {0}),
        (["lake", "quarantine", "explain", CANARY, "--lake", lake], {2}),
    ]
    for arguments, codes in commands:
        assert main([*arguments, "--debug"]) in codes, arguments
    assert {"quality.html", "returns_to_mend.csv", "changes.html"} <= {path.name for path in out.iterdir()}
    assert FIELD_CANARY not in (out / "returns_to_mend.csv").read_text()
    assert [path for path in out.rglob("*") if path.is_file() and holding(path.read_bytes())] == []
    said = capfd.readouterr()
    assert holding(said.out + said.err) == []


def test_failures_do_not_leak_either(whole_run: WholeRun, tmp_path: Path) -> None:
    """An element that is none, each field of the header, a record in place of CSV's header, and of a table's."""
    originals = sorted(whole_run.returns.glob("cin/2015/*.xml"))
    broken = tmp_path / "cin" / "2015"
    broken.mkdir(parents=True)
    faults = {"</Child>": f"<{CANARY}></Child>"} | {
        f"<{name}>": f"<{name}>{CANARY}" for name in ("LEA", "Year", "ReferenceDate", "Collection")
    }
    files = [broken / original.name for original in originals[: len(faults)]]
    for original, path, (text, fault) in zip(originals, files, faults.items(), strict=False):
        path.write_text(original.read_text().replace(text, fault, 1))
    for path in (tmp_path / "ssda903" / "2015" / "926" / "header.csv", tmp_path / "tables" / "cin_details" / "a.csv"):
        path.parent.mkdir(parents=True)
        path.write_text(f"{CANARY},{CANARY}1,{CANARY}\n" * 3)
        files.append(path)
    done = command("ingest", "--source", str(tmp_path), "--lake", str(tmp_path / "lake"), "--debug")
    assert done.returncode == 4
    assert [path.name for path in files if path.name not in done.stderr] == []
    assert holding(done.stdout + done.stderr) == []


def test_the_manifest_says_what_made_the_numbers(whole_run: WholeRun) -> None:
    manifest = json.loads((whole_run.out / "manifest.json").read_text())
    assert manifest["study"]["study_id"] == "tiny"
    assert manifest["tables"]["panel.cells"] >= 1
    assert set(manifest["steps"]) >= {"ingest", "validate", "cohort", "outcome", "panel", "fit", "report"}
    assert all("seconds" in step for step in manifest["steps"].values())


def test_the_same_run_again_changes_no_table_and_no_estimate(whole_run: WholeRun) -> None:
    lake = Lake(whole_run.lake)
    kept = [table for table in TABLES.values() if lake.exists(table) and table.name != "dq.results"]
    before = {table.name: lake.version(table) for table in kept}
    estimates = (whole_run.out / "estimates.csv").read_bytes()
    done = command("run", *whole_run.arguments(), "--driver-memory", "2g")
    assert done.returncode == 0, done.stderr[-3000:]
    assert {table.name: lake.version(table) for table in kept} == before
    assert (whole_run.out / "estimates.csv").read_bytes() == estimates


def test_every_file_of_the_lake_and_of_the_results_is_its_owners_alone(whole_run: WholeRun) -> None:
    assert open_to_others(whole_run.lake, whole_run.out) == []


def test_every_table_made_from_simulated_returns_is_marked(whole_run: WholeRun) -> None:
    assert {row["is_simulated"] for row in read_arrow(whole_run.lake, FILES).to_pylist()} == {True}
    lake = Lake(whole_run.lake)
    made = [table for table in TABLES.values() if lake.exists(table)]
    assert [table.name for table in made if not is_marked(whole_run.lake, table)] == []
    assert pd.read_csv(whole_run.out / "estimates.csv")["is_simulated"].all()
    assert json.loads((whole_run.out / "cells.provenance.json").read_text())["is_simulated"] is True


@pytest.mark.parametrize("kept", ["lake", "results"])
def test_a_report_without_the_source_still_says_simulated(whole_run: WholeRun, tmp_path: Path, kept: str) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole_run.out, out)
    for name in ("truth.json", "manifest.json", "report.html"):
        (out / name).unlink()
    lake = whole_run.lake if kept == "lake" else tmp_path / "no lake"
    done = command("report", "--study", str(whole_run.study), "--lake", str(lake), "--out", str(out))
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Simulated data" in (out / "report.html").read_text()


def test_a_fit_without_the_source_still_says_simulated(whole_run: WholeRun, tmp_path: Path) -> None:
    out = tmp_path / "out"
    where = ["--study", str(whole_run.study), "--lake", str(whole_run.lake), "--out", str(out)]
    done = command("run", "--from", "fit", *where)
    assert done.returncode == 0, done.stderr[-3000:]
    assert pd.read_csv(out / "estimates.csv")["is_simulated"].all()
    assert "Simulated data" in (out / "report.html").read_text()


def test_the_run_is_made_again_from_its_table_versions_to_the_last_digit(
    whole_run: WholeRun, spark: SparkSession, tmp_path: Path
) -> None:
    lake = Lake(whole_run.lake)
    before = {name: lake.version(table) for name, table in TABLES.items()}

    made = reproduce(
        whole_run.out,
        lake=None,
        scratch=tmp_path,
        start_session=lambda: spark,
        while_step=lambda _: nullcontext([]),
    )

    assert made.is_equal, made
    assert {"cells.csv", "estimates.csv", "event_study.csv"} <= set(made.same)
    assert made.steps == ("cohort", "outcome", "panel", "fit")
    assert {name: lake.version(table) for name, table in TABLES.items()} == before
