"""A frozen plan: kept once, and every change since is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sos_spark.cli.main import main
from sos_spark.config import load_study
from sos_spark.config.freeze import freeze, frozen_path, frozen_plan
from sos_spark.errors import InputError, StudyError


@pytest.fixture
def study_path(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    assert main(["study", "new", str(path)]) == 0
    return path


def test_no_frozen_plan_is_none(study_path: Path) -> None:
    assert frozen_plan(study_path, load_study(study_path)) is None


def test_an_unchanged_study_is_as_planned(study_path: Path) -> None:
    freeze(study_path, now="2026-01-01T00:00:00Z")
    plan = frozen_plan(study_path, load_study(study_path))
    assert plan is not None
    assert plan.as_planned
    assert plan.frozen_at == "2026-01-01T00:00:00Z"


def test_each_change_since_is_named(study_path: Path) -> None:
    freeze(study_path, now="2026-01-01T00:00:00Z")
    study = load_study(study_path, overrides=["inference.draws=999", "comparators.n=5"])
    plan = frozen_plan(study_path, study)
    assert plan is not None
    assert plan.changes == ("comparators.n: 10 -> 5", "inference.draws: 99999 -> 999")


def test_a_plan_is_frozen_once(study_path: Path) -> None:
    assert main(["study", "freeze", str(study_path)]) == 0
    with pytest.raises(StudyError, match="frozen already"):
        freeze(study_path, now="later")


def test_the_plan_is_carried_as_the_study_it_was(study_path: Path) -> None:
    freeze(study_path, now="2026-01-01T00:00:00Z")
    study = load_study(study_path, overrides=["inference.draws=999"])
    plan = frozen_plan(study_path, study)
    assert plan is not None
    assert plan.study == load_study(study_path)
    assert plan.study != study


def test_a_key_that_is_newer_than_the_plan_is_no_change(study_path: Path) -> None:
    kept = json.loads(freeze(study_path, now="2026-01-01T00:00:00Z").read_text())
    del kept["plan"]["evidence"], kept["plan"]["secondary"]
    frozen_path(study_path).write_text(json.dumps(kept))
    plan = frozen_plan(study_path, load_study(study_path))
    assert plan is not None
    assert plan.as_planned


def test_a_plan_of_keys_that_are_gone_still_lists_its_changes_but_is_no_study(study_path: Path) -> None:
    kept = json.loads(freeze(study_path, now="2026-01-01T00:00:00Z").read_text())
    kept["plan"]["gone"] = 1
    frozen_path(study_path).write_text(json.dumps(kept))
    plan = frozen_plan(study_path, load_study(study_path))
    assert plan is not None
    assert plan.study is None
    assert plan.changes == ("gone: 1 -> null",)


def test_a_damaged_plan_is_an_error_not_unfrozen(study_path: Path) -> None:
    frozen_path(study_path).write_text("{}")
    with pytest.raises(InputError):
        frozen_plan(study_path, load_study(study_path))
