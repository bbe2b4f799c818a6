"""ingest on a lake: what it writes, what it leaves alone, and that it can be repeated."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from sos_spark.bronze.arrive.inspection import Looked, inspect_files
from sos_spark.errors import InputError
from sos_spark.lake.arrow import read_arrow
from sos_spark.lake.lake import Lake
from sos_spark.tables import BRONZE_MODULES, CIN_MODULES, FILES, LAC_MODULES
from tests.sources import a_child, a_header, a_referral, cin_xml, put, put_lac_folder, run_ingest

DETAILS = CIN_MODULES["cin_details"]


def contents(lake: Path, module: str) -> list[str]:
    """The rows of a module's table, provenance included."""
    return sorted(map(str, read_arrow(lake, BRONZE_MODULES[module]).to_pylist()))


def statuses(lake: Path) -> dict[str, str]:
    return {row["file_path"]: row["status"] for row in read_arrow(lake, FILES).to_pylist()}


def versions(lake: Path) -> dict[str, int | None]:
    return {table.name: Lake(lake).version(table) for table in (FILES, *BRONZE_MODULES.values())}


@pytest.mark.slow
def test_a_corrected_return_replaces_its_slice_and_equals_a_rebuild(spark: SparkSession, tmp_path: Path) -> None:
    source, lake = tmp_path / "source", tmp_path / "lake"
    put(source / "cin" / "a.xml", cin_xml(a_child("C1", a_referral()), a_child("C2", a_referral())))
    put(source / "cin" / "b.xml", cin_xml(a_child("C1", a_referral()), header=a_header(la="202")))
    _, first = run_ingest(spark, source, lake)
    assert (first.exit_code, first.rows["bronze.cin_details"]) == (0, 3)
    before = versions(lake)

    _, again = run_ingest(spark, source, lake)
    assert versions(lake) == before
    assert again.rows == {}

    corrected = cin_xml(a_child("C1", a_referral(day="2014-06-01")), header=a_header(at="2015-06-01T09:00:00"))
    put(source / "cin" / "a.xml", corrected)
    run_ingest(spark, source, lake)
    run_ingest(spark, source, tmp_path / "rebuilt")
    for module in ("child_identifiers", "cin_details"):
        assert contents(lake, module) == contents(tmp_path / "rebuilt", module)
    assert [row["CINreferralDate"] for row in read_arrow(lake, DETAILS).sort_by("la_code").to_pylist()] == [
        "2014-06-01", "2014-05-01",
    ]  # fmt: skip
    replaced = [row["status"] for row in read_arrow(lake, FILES).to_pylist() if row["la_code"] == "201"]
    assert sorted(replaced) == ["accepted", "replaced"]

    put(source / "cin" / "a.xml", cin_xml(header=a_header(at="2015-05-02T09:00:00")))
    corrected_version = Lake(lake).version(DETAILS)
    _, late = run_ingest(spark, source, lake)
    assert any("ignored" in warning for warning in late.warnings)
    assert Lake(lake).version(DETAILS) == corrected_version


def test_a_file_of_the_same_name_and_size_is_read_again_if_it_is_another(spark: SparkSession, tmp_path: Path) -> None:
    source, lake = tmp_path / "source", tmp_path / "lake"
    text = cin_xml(a_child("C1", a_referral()))
    put(source / "cin" / "a.xml", text)
    run_ingest(spark, source, lake)
    put(source / "cin" / "a.xml", text.replace("C1", "C2"))
    run_ingest(spark, source, lake)
    assert [row["LAchildID"] for row in read_arrow(lake, DETAILS).to_pylist()] == ["C2"]
    assert not list(lake.glob(".staged-*"))


def test_a_file_that_changes_between_two_looks_is_named(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, lake = tmp_path / "source", tmp_path / "lake"
    text = cin_xml(a_child("SECRET1", a_referral()))
    put(source / "cin" / "a.xml", text)
    run_ingest(spark, source, lake)
    before = versions(lake)
    put(source / "cin" / "a.xml", text.replace("SECRET1", "SECRET2"))

    def looked_and_then_changed(*args: Any, **options: Any) -> Looked:
        found = inspect_files(*args, **options)
        put(source / "cin" / "a.xml", text.replace("SECRET1", "SECRET3"))
        return found

    monkeypatch.setattr("sos_spark.steps.ingest.inspect_files", looked_and_then_changed)
    with pytest.raises(InputError, match="another content than at the first look") as fault:
        run_ingest(spark, source, lake)
    assert "SECRET" not in str(fault.value)
    assert versions(lake) == before
    assert not list(lake.glob(".staged-*"))


@pytest.mark.slow
def test_a_return_that_has_lost_a_module_empties_it(spark: SparkSession, tmp_path: Path) -> None:
    source, lake = tmp_path / "source", tmp_path / "lake"
    folder = put_lac_folder(source)
    put(folder / "reviews.csv", "CHILD,DOB,REVIEW,REVIEW_CODE\nA1,01/02/2008,01/06/2014,PN1\n")
    run_ingest(spark, source, lake)
    assert len(contents(lake, "lac_reviews")) == 1
    (folder / "reviews.csv").unlink()
    run_ingest(spark, source, lake)
    assert contents(lake, "lac_reviews") == []
    assert len(contents(lake, "lac_episodes")) == 1


@pytest.mark.slow
@pytest.mark.reference
def test_the_sample_returns_behave_as_they_should(spark: SparkSession, tmp_path: Path, reference_data: Path) -> None:
    source, lake = tmp_path / "source", tmp_path / "lake"
    shutil.copytree(reference_data / "returns" / "cin", source / "cin")
    shutil.copytree(reference_data / "returns" / "ssda903_2018", source / "ssda903" / "2018" / "201")
    _, report = run_ingest(spark, source, lake)
    assert report.exit_code == 4
    assert [reason.partition(":")[0] for reason in report.refused] == [
        "cin/BAR_cin_2022.xml", "cin/CIN_Census_2024.xml", "cin/cin-2022.xml",
    ]  # fmt: skip
    assert "expected 2023-03-31, found 2024-03-31" in report.refused[1]
    assert {row["census_year"] for row in read_arrow(lake, DETAILS).to_pylist()} == {2023}
    n_rows = {module: read_arrow(lake, table).num_rows for module, table in LAC_MODULES.items()}
    assert (n_rows["lac_episodes"], n_rows["lac_header"], n_rows["lac_reviews"]) == (5050, 2675, 12582)
    assert all(n_rows.values())

    (source / "cin" / "BAR_cin_2022.xml").chmod(0o600)
    (source / "cin" / "BAR_cin_2022.xml").unlink()
    _, report = run_ingest(spark, source, lake, allow_refused=True)
    assert report.exit_code == 0
    assert [reason.partition(":")[0] for reason in report.refused] == ["cin/CIN_Census_2024.xml"]
    assert {row["census_year"] for row in read_arrow(lake, DETAILS).to_pylist()} == {2022, 2023}
    assert statuses(lake)["cin/cin-2022.xml"] == "accepted"


def test_a_source_without_returns_is_an_error(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    with pytest.raises(InputError, match="holds no returns"):
        run_ingest(spark, tmp_path / "source", tmp_path / "lake")
