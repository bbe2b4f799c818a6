"""A run made again: the same study on the same table versions, and whether every file of results is the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sos_spark.config.environment import Environment
from sos_spark.config.simulated import TRUTH_FILE
from sos_spark.errors import InputError
from sos_spark.places import Place
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.fit import fit_panel_file
from sos_spark.steps.fitted_study import FILE as STUDY_FILE
from sos_spark.steps.fitted_study import FittedStudy, fitted_study
from sos_spark.steps.pipeline import WhileStep, step_function
from sos_spark.steps.results import write_result

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

STEPS = ("cohort", "outcome", "panel", "fit")
"""What is made again from the lake's silver tables. A run of a file of cells is fitted again."""
_NOT_COMPARED = frozenset({STUDY_FILE, "manifest.json", "returns.csv", "flow.csv", "quality.csv", TRUTH_FILE})
"""Files that say when and by what a run was made, or that the report writes."""


@dataclass(frozen=True)
class Reproduction:
    """What became of a run made again.

    Attributes:
        same: Files that are the same bytes.
        different: Files that differ, each with the first line in which it does.
        missing: Files that only one of the two runs left.
        steps: The steps that were run again.
        code_differs: Whether another code made the run.
    """

    same: tuple[str, ...]
    different: Mapping[str, str]
    missing: tuple[str, ...]
    steps: tuple[str, ...]
    code_differs: bool

    @property
    def is_equal(self) -> bool:
        """Whether every file of results is the same to the last digit."""
        return not self.different and not self.missing


def reproduce(
    out: Place,
    *,
    lake: Place | None,
    scratch: Path,
    start_session: Callable[[], SparkSession],
    while_step: WhileStep,
) -> Reproduction:
    """Makes a run again in a scratch folder and compares its files.

    Args:
        out: The folder of the run's results.
        lake: Its lake; where not given, the one that the run names.
        scratch: An empty folder for what is written; the lake is only read.
        start_session: Starts Spark, if the run came from a lake.
        while_step: Shows progress.

    Raises:
        InputError: The run does not say what it was made from, or that is not there any more.
    """
    fitted = fitted_study(out)
    again = scratch / "results"
    if fitted.lake is None:
        steps = _from_cells(fitted, out, again, start_session, while_step)
    else:
        _keep_truth(lake or fitted.lake, out, scratch / "lake")
        steps = _from_lake(fitted, lake or fitted.lake, scratch, again, start_session, while_step)
    return _compared(out, again, steps=steps, code_differs=fitted_study(again).made_by != fitted.made_by)


def _from_cells(
    fitted: FittedStudy, out: Place, again: Path, start_session: Callable[[], SparkSession], while_step: WhileStep
) -> tuple[str, ...]:
    cells = out / "cells.csv"
    found = hashlib.sha256(cells.read_bytes()).hexdigest() if cells.exists() else "no file"
    if found != fitted.cells_sha256:
        raise InputError(
            "The cells of the run are not those that were fitted",
            where=str(cells),
            expected=f"SHA-256 {str(fitted.cells_sha256)[:12]}",
            found=found[:12],
            remedy="Restore the file, or fit anew",
        )
    run = _run(fitted, Environment(out=again), start_session)
    with while_step("fit") as shown:
        shown.append(fit_panel_file(cells, run))
    return ("fit",)


def _from_lake(
    fitted: FittedStudy,
    lake: Place,
    scratch: Path,
    again: Path,
    start_session: Callable[[], SparkSession],
    while_step: WhileStep,
) -> tuple[str, ...]:
    from sos_spark.lake.lake import Lake
    from sos_spark.lake.pinned import PinnedLake

    if not lake.is_dir():
        raise InputError("The lake of the run is not there", where=str(lake), remedy="Name it: --lake")
    made = {"cohort", "outcome", "panel"}
    pinned = {name: version for name, version in fitted.tables.items() if _layer(name) not in made}
    run = _run(fitted, Environment(lake=scratch / "lake", out=again), start_session)
    run.lake = PinnedLake(scratch / "lake", source=Lake(lake), pinned=pinned)
    for name in STEPS:
        with while_step(name) as shown:
            report: StepReport = step_function(name)(run)
            shown.append(report)
    return STEPS


def _keep_truth(lake: Place, out: Place, scratch: Path) -> None:
    """Of simulated returns the fit takes the authorities' traits from the truth, wherever the run found it."""
    found = next((path for path in (lake / TRUTH_FILE, out / TRUTH_FILE) if path.exists()), None)
    if found is not None:
        write_result(scratch / TRUTH_FILE, found.read_bytes())


def _layer(table_name: str) -> str:
    return table_name.partition(".")[0]


def _run(fitted: FittedStudy, environment: Environment, start_session: Callable[[], SparkSession]) -> Run:
    return Run("reproduced", environment, fitted.study, start_session, fitted.frozen, fitted.origins, fitted.overrides)


def _compared(out: Place, again: Path, *, steps: tuple[str, ...], code_differs: bool) -> Reproduction:
    names = sorted({path.name for path in again.iterdir() if path.is_file()} - _NOT_COMPARED)
    same, different, missing = [], {}, []
    for name in names:
        if not (out / name).exists():
            missing.append(name)
        elif (out / name).read_bytes() == (again / name).read_bytes():
            same.append(name)
        else:
            different[name] = _first_difference(out / name, again / name)
    return Reproduction(tuple(same), different, tuple(missing), steps, code_differs)


def _first_difference(before: Place, after: Path) -> str:
    """Where two files part: the line, and of a table the column, with both values."""
    old, new = (path.read_text(encoding="utf-8").splitlines() for path in (before, after))
    number = next(
        (position for position, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )
    if number >= min(len(old), len(new)):
        return f"{len(old):,} lines before, {len(new):,} after"
    return f"line {number + 1:,}: {old[number][:200]} -> {new[number][:200]}"
