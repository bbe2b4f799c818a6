"""The steps in order, and what surrounds each: the quality gate after a layer, the report, the manifest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from time import perf_counter, time
from typing import Literal

from sos_spark.cohort.units import study_units
from sos_spark.config.reference import authorities, authority_changes
from sos_spark.errors import EnvironmentFaultError, StudyError
from sos_spark.machine.faults import faults_told
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.manifest import write_manifest
from sos_spark.steps.provenance import code_sha256
from sos_spark.steps.pseudonym_key import read_key

STEPS = ("ingest", "validate", "cohort", "outcome", "panel", "fit", "report")
Layer = Literal["bronze", "silver", "panel"]
GATE_AFTER: dict[str, Layer] = {"ingest": "bronze", "validate": "silver", "panel": "panel"}
FOLDERS_OF_RETURNS = ("cin", "ssda903", "tables")
WRITES_RECORDS = frozenset({"ingest", "validate"})
READS_RECORDS = frozenset({"cohort", "outcome", "panel"})
NEEDS_SPARK = READS_RECORDS | {"validate"}
"""From the beginning; `ingest` begins to start it itself, once it knows that there is something to read."""
NEEDS_SOURCE = frozenset({"ingest"})
NEEDS_STUDY = frozenset({"cohort", "outcome", "panel", "fit"})
NEEDS_LAKE = WRITES_RECORDS | READS_RECORDS | {"fit"}
NEEDS_OUT = frozenset({"panel", "fit", "report"})
WhileStep = Callable[[str], AbstractContextManager[list[StepReport]]]


@dataclass(frozen=True)
class PlannedStep:
    """A step of a run and the layer that is checked after it."""

    name: str
    gate: Layer | None


def plan(first: str | None, last: str | None) -> tuple[PlannedStep, ...]:
    """Returns the steps from the first to the last, both included.

    Raises:
        StudyError: A name that is no step's, or the last before the first.
    """
    for name in (first, last):
        if name is not None and name not in STEPS:
            raise StudyError("There is no such step", expected=", ".join(STEPS), found=name)
    start = STEPS.index(first) if first else 0
    end = STEPS.index(last) if last else len(STEPS) - 1
    if end < start:
        raise StudyError("The run would end before it starts", found=f"--from {first} --to {last}")
    return tuple(PlannedStep(name, GATE_AFTER.get(name)) for name in STEPS[start : end + 1])


def run_steps(run: Run, steps: Sequence[PlannedStep], *, while_step: WhileStep) -> int:
    """Runs steps in order. Returns the exit code: that of the first step that ended with one, or 0.

    A run whose steps leave results (`--out`) leaves a manifest too, whichever way it ends.

    Raises:
        ConflictError: Another live run writes the lake's records, or reads those that this one would write.
    """
    _require(run, steps)
    failed = 0
    try:
        with ExitStack() as records:
            _hold_records(run, steps, records)
            for step in steps:
                if step.name not in WRITES_RECORDS | READS_RECORDS:
                    records.close()
                if step.name in NEEDS_SPARK:
                    run.begin_session()
                with while_step(step.name) as shown:
                    shown.extend(_run_one(run, step))
                run.reports.extend(shown or ())
                failed = next((report.exit_code for report in run.reports if report.exit_code), 0)
                if failed:
                    break
    except BaseException:
        # The manifest of a step that failed is worth having, and never worth hiding why it failed.
        with suppress(EnvironmentFaultError):
            _leave_manifest(run)
        raise
    _leave_manifest(run)
    return failed


def _leave_manifest(run: Run) -> None:
    if run.environment.out is not None:
        written = write_manifest(run)
        if find_spec("openlineage") is not None:
            from sos_spark.steps.lineage import write_lineage

            where = run.environment
            write_lineage(
                json.loads(written.read_text(encoding="utf-8")), out=run.out, lake=where.lake, source=where.source
            )


def _hold_records(run: Run, steps: Sequence[PlannedStep], until: ExitStack) -> None:
    """Keeps other runs from changing the records while this one works with them."""
    names = {step.name for step in steps}
    if names & (WRITES_RECORDS | READS_RECORDS):
        until.enter_context(run.lake.hold_records(to_write=bool(names & WRITES_RECORDS)))


def _run_one(run: Run, step: PlannedStep) -> Iterator[StepReport]:
    started, start = time(), perf_counter()
    with faults_told(f"step {step.name}", source=run.environment.source):
        report = step_function(step.name)(run)
    report.facts |= _times(started, start)
    report.facts["code_sha256"] = code_sha256(f"sos_spark.steps.{step.name}")
    yield report
    if step.gate is not None and not report.exit_code:
        from sos_spark.steps.quality import check_layer

        started, start = time(), perf_counter()
        with faults_told(f"the quality gate of {step.gate}"):
            checked = check_layer(run, step.gate)
        checked.facts |= _times(started, start)
        yield checked


def _times(started: float, start: float) -> dict[str, float]:
    """When a step began, in seconds since the epoch, and how long it took by the clock that never jumps."""
    return {"started": round(started, 3), "seconds": round(perf_counter() - start, 2)}


def step_function(name: str) -> Callable[[Run], StepReport]:
    """Returns the function of a step; its module is imported only now, so that a fit starts no Spark."""
    function: Callable[[Run], StepReport] = getattr(import_module(f"sos_spark.steps.{name}"), name)
    return function


def required_options(steps: Sequence[PlannedStep]) -> tuple[str, ...]:
    """Returns the options that steps cannot do without."""
    names = {step.name for step in steps}
    needs = {"--source": NEEDS_SOURCE, "--lake": NEEDS_LAKE, "--study": NEEDS_STUDY, "--out": NEEDS_OUT}
    return tuple(option for option, needed in needs.items() if names & needed)


def missing_options(run: Run, steps: Sequence[PlannedStep]) -> tuple[str, ...]:
    """Returns the options that steps cannot do without and a run lacks."""
    given = {
        "--source": run.environment.source,
        "--lake": run.environment.lake,
        "--study": run.study,
        "--out": run.environment.out,
    }
    return tuple(option for option in required_options(steps) if given[option] is None)


def _require(run: Run, steps: Sequence[PlannedStep]) -> None:
    names, missing = {step.name for step in steps}, missing_options(run, steps)
    if missing:
        raise StudyError("The command lacks options", expected=", ".join(missing), remedy="Give them; see --help")
    if run.study is not None and "cohort" in names:  # as are authorities that no one knows
        study_units(run.study, authorities=authorities(), changes=authority_changes())
    if {"ingest", "validate"} <= names and any((run.source / name).is_dir() for name in FOLDERS_OF_RETURNS):
        read_key(run.environment)  # a key that is missing is told before hours of ingest, not after
