"""Published tables on a lake: cells, why a unit's year is unknown, and what it can have been."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sos_spark.analysis.bounds import study_bounds
from sos_spark.config.environment import Environment
from sos_spark.lake.arrow import read_arrow
from sos_spark.lake.lake import Lake
from sos_spark.steps.cohort import cohort
from sos_spark.steps.context import Run
from sos_spark.steps.ingest import ingest
from sos_spark.steps.panel import panel
from sos_spark.steps.quality import check_layer
from sos_spark.steps.validate import validate
from sos_spark.tables import FILES, OUTCOME_FLOW, PANEL_BOUNDS, PANEL_CELLS, PUBLISHED_VALUES
from tests.builders import a_study
from tests.sources import put, run_ingest

REFERRALS = """time_period,geographic_level,region_name,old_la_code,Referrals,Re_referrals,No_Further_Action,Not_in_Need
2014,Local authority,East of England,926,100,20,10,30
2015,Local authority,East of England,926,100,20,c,30
2014,Local authority,East of England,935,100,20,10,30
2015,Local authority,East of England,935,100,20,x,c
2014,Regional,East of England,,1200,240,40,360
2014,Local authority,Outer London,304,100,20,10,30
2015,Local authority,Outer London,304,100,20,12,30
2015,Regional,East of England,,1200,240,40,360
"""


@pytest.mark.slow
def test_from_published_tables_to_bounds(spark: SparkSession, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "any name.csv").write_text(REFERRALS)
    study = a_study(
        window={
            "baseline": ["2013-04-01", "2014-04-01"],
            "follow_up": ["2014-04-01", "2015-04-01"],
            "period": "year",
            "data_ends": "2015-03-31",
        },
        pilots=[{"la_code": "926", "go_live": "2014-04-01"}],
        outcomes=[{"outcome_id": "o", "kind": "published", "measure": "nfa_share"}],
    )
    lake = Lake(tmp_path / "lake")
    run = Run("run", Environment(source=source, lake=lake.root, out=tmp_path), study, lambda: spark)
    ingest(run)
    cohort(run)
    panel(run)

    bounds = [row for row in read_arrow(lake.root, PANEL_BOUNDS).to_pylist() if row["n"] is not None]
    place = {"study_id": "s", "outcome_id": "o", "period": 1, "period_start": date(2014, 4, 1), "n": 100, "y_low": 0}
    assert sorted(bounds, key=lambda row: row["unit_id"]) == [
        # Of the region's 40, give or take 5, no other count is known.
        {**place, "unit_id": "926", "y_high": 45, "reason": "suppressed"},
        {**place, "unit_id": "935", "y_high": 100, "reason": "unavailable"},
    ]
    flow = read_arrow(lake.root, OUTCOME_FLOW).to_pylist()
    assert {(row["unit_id"], row["period"], row["reason"]) for row in flow if row["unit_id"] in ("926", "304")} == {
        ("926", 0, "analysed"),
        ("926", 1, "suppressed"),
        ("304", 0, "analysed"),
        ("304", 1, "analysed"),
    }
    assert {row["n_rows"] for row in flow} == {1}
    n_cells = read_arrow(lake.root, PANEL_CELLS).num_rows
    assert n_cells == sum(row["reason"] == "analysed" for row in flow)
    assert check_layer(run, "panel").warnings == []

    version = lake.version(PANEL_BOUNDS)
    panel(run)
    assert lake.version(PANEL_BOUNDS) == version, "the same inputs change nothing"

    where = {"study_id": study.study_id}
    frame = study_bounds(
        read_arrow(lake.root, PANEL_CELLS, where=where).to_pandas(),
        study.model_copy(update={"population": study.population.model_copy(update={"incomplete_units": "drop"})}),
        published=read_arrow(lake.root, PANEL_BOUNDS, where=where).to_pandas(),
    )
    assert frame.loc[0, "note"], "the pilot has no known year after go-live: nothing to compare"


@pytest.mark.slow
def test_published_tables_are_refused_by_name_and_stand_in_the_ledger(spark: SparkSession, tmp_path: Path) -> None:
    source, lake = tmp_path / "source", tmp_path / "lake"
    put(source / "published/whole.csv", REFERRALS)
    put(source / "published/cut.csv", REFERRALS[:-30])
    put(source / "published/other.csv", "a,b\n1,2\n")
    (source / "published/nowhere.csv").symlink_to(tmp_path / "none")
    run, report = run_ingest(spark, source, lake)
    assert [text.partition(": ")[0] for text in report.refused] == ["published/cut.csv", "published/nowhere.csv"]
    assert (report.exit_code, [text for text in report.warnings if "other.csv" in text] != []) == (4, True)
    files = {row["file_path"]: row for row in read_arrow(lake, FILES).to_pylist()}
    assert {name: (row["collection"], row["status"]) for name, row in files.items()} == {
        "published/whole.csv": ("published", "accepted"),
        "published/cut.csv": ("published", "refused"),
    }
    n_values = read_arrow(lake, PUBLISHED_VALUES).num_rows
    assert dict(files["published/whole.csv"]["rows_by_module"]) == {"published_values": n_values}
    assert validate(run).facts == {"unchanged": "published tables only: no records to validate"}

    versions = [Lake(lake).version(table) for table in (FILES, PUBLISHED_VALUES)]
    run_ingest(spark, source, lake)
    assert [Lake(lake).version(table) for table in (FILES, PUBLISHED_VALUES)] == versions, "nothing is new"

    (source / "published/whole.csv").unlink()
    run_ingest(spark, source, lake)
    assert read_arrow(lake, PUBLISHED_VALUES).num_rows == 0, "what is refused now does not stand as it was"
    assert {row["status"] for row in read_arrow(lake, FILES).to_pylist()} == {"refused", "replaced"}
