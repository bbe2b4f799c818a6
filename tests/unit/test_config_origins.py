"""Where each key of a study comes from, and whose fault a faulty value is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sos_spark.cli.main import main
from sos_spark.config.load import load_with_origins
from sos_spark.errors import StudyError


@pytest.fixture
def study_path(tmp_path: Path) -> Path:
    path = tmp_path / "study.toml"
    assert main(["study", "new", str(path)]) == 0
    return path


def test_a_key_is_a_default_the_files_or_the_command_lines(study_path: Path) -> None:
    loaded = load_with_origins(study_path, overrides=["inference.draws=999", "population.age_max=15"])
    assert loaded.origins["study_id"] == "file"
    assert loaded.origins["outcomes[1].kind"] == "file"
    assert loaded.origins["schema_version"] == "file"
    assert loaded.origins["window.max_quarantined"] in ("file", "default")
    assert loaded.origins["inference.draws"] == "command line"
    assert loaded.origins["population.age_max"] == "command line"
    assert loaded.study.inference.draws == 999


def test_every_key_has_an_origin_and_an_unnamed_one_is_a_default(tmp_path: Path) -> None:
    path = tmp_path / "short.toml"
    path.write_text(
        'schema_version = 1\nstudy_id = "s"\ntitle = "t"\n'
        '[window]\nbaseline = ["2014-04-01", "2015-04-01"]\nfollow_up = ["2015-04-01", "2016-04-01"]\n'
        'data_ends = "2016-03-31"\n[[pilots]]\nla_code = "926"\ngo_live = 2015-04-01\n'
        '[[outcomes]]\noutcome_id = "y"\nkind = "icpc"\n'
    )
    found = load_with_origins(path).origins
    assert {key for key, origin in found.items() if origin == "file"} == {
        "schema_version", "study_id", "title", "window.baseline", "window.follow_up", "window.data_ends",
        "pilots[1].la_code", "pilots[1].go_live", "outcomes[1].outcome_id", "outcomes[1].kind",
    }  # fmt: skip
    assert found["inference.draws"] == "default"


def test_a_fault_of_set_is_not_the_files(study_path: Path) -> None:
    with pytest.raises(StudyError) as told:
        load_with_origins(study_path, overrides=["inference.draws=-1"])
    assert "--set inference.draws=-1" in told.value.paragraph()
    assert str(study_path) not in told.value.paragraph()


def test_config_show_says_the_origin_of_each_key(study_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["config", "show", "--origin", str(study_path), "--set", "inference.draws=999"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if line.startswith("inference.draws")] == [
        ["inference.draws", "=", "999", "#", "command", "line"]
    ]
    assert main(["config", "show", str(study_path), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["keys"]["study_id"] == {"value": shown["study_id"], "origin": "file"}
