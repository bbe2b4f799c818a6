"""Placebo outcomes of a study file: named outcomes only, never of the primary family, and no key for those without."""

from __future__ import annotations

from pathlib import Path

import pytest

from sos_spark.config.freeze import freeze, frozen_plan
from sos_spark.config.load import fingerprint, parse_study
from sos_spark.errors import StudyError

MINIMAL = """
schema_version = 1
study_id = "s"
title = "t"
[window]
baseline = ["2014-04-01", "2015-04-01"]
follow_up = ["2015-04-01", "2016-04-01"]
data_ends = "2016-03-31"
[[pilots]]
la_code = "926"
go_live = 2015-04-01
[[outcomes]]
outcome_id = "y"
kind = "icpc"
[[outcomes]]
outcome_id = "z"
kind = "assessment_duration"
family = "secondary"
"""


def test_every_fault_of_the_list_is_told() -> None:
    with pytest.raises(StudyError) as caught:
        parse_study(MINIMAL + '[sensitivity]\nplacebo_outcomes = ["a", "z", "y", "b"]\n')
    (fault,) = caught.value.faults
    assert "sensitivity.placebo_outcomes" in fault
    assert "a, b" in fault
    assert "primary family: y" in fault


def test_a_plan_without_the_key_is_the_plan_it_was() -> None:
    plain, empty = parse_study(MINIMAL), parse_study(MINIMAL + "[sensitivity]\nplacebo_outcomes = []\n")
    named = parse_study(MINIMAL + '[sensitivity]\nplacebo_outcomes = ["z"]\n')
    assert named.sensitivity.placebo_outcomes == ("z",)
    assert "placebo_outcomes" not in plain.model_dump()["sensitivity"]
    assert fingerprint(empty) == fingerprint(plain) != fingerprint(named)


def test_naming_one_after_the_plan_was_frozen_is_a_change(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(MINIMAL, encoding="utf-8")
    freeze(path, now="2026-01-01T00:00:00Z")
    plan = frozen_plan(path, parse_study(MINIMAL + '[sensitivity]\nplacebo_outcomes = ["z"]\n'))
    assert plan is not None
    assert [change.split(":")[0] for change in plan.changes] == ["sensitivity.placebo_outcomes"]
