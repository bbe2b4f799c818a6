"""`sos-spark demo`: what it is made of, its key, and what stands beside cells."""

from __future__ import annotations

import stat
from pathlib import Path

import pandas as pd
import pytest

from sos_spark.cli.commands_demo import KEY_BYTES, _key
from sos_spark.cli.main import main
from sos_spark.config.demo import demo, shipped_cells, shipped_studies, study_named
from sos_spark.config.load import load_study
from sos_spark.config.shipped import conf_root
from sos_spark.errors import InputError, StudyError
from sos_spark.fit.cells.reading import outcomes_in, read_panel
from sos_spark.steps.cells_file import (
    bounds_beside,
    bounds_file_of,
    durations_beside,
    keep_bounds,
    keep_durations,
)
from sos_spark.tables.results import DURATIONS


def test_what_is_shown_ships_with_the_package() -> None:
    shown = demo()
    for name in (shown.published.study, shown.published.cells, shown.records.study, shown.records.effects):
        assert (conf_root() / name).is_file()


def test_every_study_of_published_tables_finds_its_outcomes_among_the_cells() -> None:
    present = set(outcomes_in(read_panel(shipped_cells())))
    studies = [load_study(path) for path in shipped_studies().values()]
    published = [study for study in studies if not any(outcome.is_from_records for outcome in study.outcomes)]
    assert len(published) == 5
    assert all(set(study.outcome_ids) <= present for study in published)


def test_a_study_is_a_file_or_one_that_ships(tmp_path: Path) -> None:
    name, shipped = next(iter(shipped_studies().items()))
    mine = tmp_path / "mine.toml"
    mine.write_text("")
    assert study_named(name) == shipped
    assert study_named(str(mine)) == mine
    with pytest.raises(StudyError, match="There is no such study"):
        study_named("neither")


def test_a_study_goes_with_published_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--study", "any"]) == 2
    assert "goes with --published" in capsys.readouterr().err


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    key = _key(tmp_path / "out")
    content = key.read_bytes()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(content) > KEY_BYTES
    assert _key(tmp_path / "out").read_bytes() == content


def test_bounds_stand_beside_cells_and_go_with_them(tmp_path: Path) -> None:
    cells, kept = tmp_path / "a.csv", tmp_path / "b" / "cells.csv"
    assert bounds_beside(cells) is None
    keep_bounds(cells, kept)
    assert not kept.parent.exists()

    bounds_file_of(cells).write_text(
        "outcome_id,unit_id,period,period_start,n,y_low,y_high,reason\no,007,1,2015-04-01,9,,,c\n"
    )
    keep_bounds(cells, kept)
    found = bounds_beside(kept)
    assert found is not None
    assert found.loc[0, "unit_id"] == "007"
    assert found["y_low"].isna().all()


def test_bounds_that_cannot_be_read_are_told_by_their_file(tmp_path: Path) -> None:
    cells = tmp_path / "cells.csv"
    bounds_file_of(cells).write_text("outcome_id,unit_id\no,1\n")
    with pytest.raises(InputError, match="bounds beside the cells"):
        bounds_beside(cells)


def test_days_stand_beside_the_cells_and_go_with_them(tmp_path: Path) -> None:
    cells = tmp_path / "cells.csv"
    assert durations_beside(cells).empty
    keep_durations(durations_beside(cells), tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
    days = pd.DataFrame([("o", "201", 0, "2013-04-01", 2, True, False, 5)], columns=list(DURATIONS.column_names))
    keep_durations(days, tmp_path)
    found = durations_beside(cells)
    assert found["unit_id"].tolist() == ["201"]
    assert found["is_concluded"].tolist() == ["True"]
    (tmp_path / "durations.csv").write_text("outcome_id,unit_id\no,201\n")
    with pytest.raises(InputError, match="lacks columns"):
        durations_beside(cells)
    for faulty in (days.assign(days=-1), days.assign(n=0.5), days.assign(is_followed="maybe")):
        keep_durations(faulty, tmp_path)
        with pytest.raises(InputError, match="days beside the cells"):
            durations_beside(cells)
