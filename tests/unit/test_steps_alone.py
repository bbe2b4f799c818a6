"""A step given as a command of its own starts Spark before it makes anything that needs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sos_spark.config.environment import Environment
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.outcome import outcome
from sos_spark.steps.panel import panel
from sos_spark.tables import COHORT_OBSERVED, COHORT_UNITS
from tests.builders import a_study
from tests.lake_counts import put_rows


class StartedError(Exception):
    """Spark would have been started."""


def start() -> None:
    raise StartedError


@pytest.mark.parametrize("step", [outcome, panel])
def test_a_step_by_itself_starts_spark_first(tmp_path: Path, step: Callable[[Run], StepReport]) -> None:
    for table in (COHORT_UNITS, COHORT_OBSERVED):
        put_rows(tmp_path, table, [])
    run = Run("run", Environment(lake=tmp_path, out=tmp_path / "out"), a_study(), start)  # type: ignore[arg-type]
    with pytest.raises(StartedError):
        step(run)
