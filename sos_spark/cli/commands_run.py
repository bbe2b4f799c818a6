"""simulate, run, and a command for each step."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import uuid4

import typer

from sos_spark.cli import options as opt
from sos_spark.cli.findings import findings_in, say_findings
from sos_spark.cli.messages import grouped
from sos_spark.cli.progress import CLOCK, Stopwatch, progress_for
from sos_spark.cli.sessions import Ahead, is_local, session_starter
from sos_spark.config.environment import Environment
from sos_spark.config.freeze import frozen_plan
from sos_spark.config.load import load_with_origins
from sos_spark.errors import QualityGateError, StudyError
from sos_spark.machine.side_by_side import usable_processors
from sos_spark.places import Place
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.manifest import earlier_seconds, write_manifest
from sos_spark.steps.pipeline import PlannedStep, missing_options, plan, run_steps
from sos_spark.tables.results import ESTIMATES, TO_MEND

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SUMMARIES = {
    "ingest": "Take returns into bronze as received.",
    "validate": "Type, check and de-duplicate: bronze to silver and quarantine.",
    "cohort": "Harmonise authorities over the study's window.",
    "outcome": "Compute the study's outcomes, and sum them.",
    "panel": "Make cells of the sums.",
    "report": "Write report.html and figures.",
}


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("run", help="Run the steps of a study, in order.")(run)
    app.command("simulate", help="Write synthetic returns with a known truth.")(simulate)
    app.command("fit", help="Fit the study's outcomes on the collapsed panel. Needs no Spark.")(fit)
    app.command("quality", help="Ingest, validate and check data quality, alone; leaves quality.html.")(quality)
    for step, summary in SUMMARIES.items():
        app.command(step, help=summary)(_command_of(step))


def run(
    study: opt.Study = None,
    source: opt.Source = None,
    lake: opt.Lake = None,
    out: opt.Out = None,
    first: opt.First = None,
    last: opt.Last = None,
    master: opt.Master = None,
    key_file: opt.KeyFile = None,
    allow_refused: opt.AllowRefused = False,
    keep_index_rows: opt.KeepIndexRows = False,
    overrides: opt.Set = None,
    driver_memory: opt.DriverMemory = "4g",
    as_json: opt.Json = False,
    dry_run: opt.DryRun = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Runs the steps of a study."""
    environment = Environment(source, lake, out, master, key_file, allow_refused, keep_index_rows)
    the_run = new_run(environment, study, overrides or (), driver_memory)
    return execute(the_run, plan(first, last), as_json=as_json, dry_run=dry_run)


def _command_of(step: str) -> Callable[..., int]:
    def command(
        study: opt.Study = None,
        source: opt.Source = None,
        lake: opt.Lake = None,
        out: opt.Out = None,
        master: opt.Master = None,
        key_file: opt.KeyFile = None,
        allow_refused: opt.AllowRefused = False,
        keep_index_rows: opt.KeepIndexRows = False,
        overrides: opt.Set = None,
        driver_memory: opt.DriverMemory = "4g",
        as_json: opt.Json = False,
        dry_run: opt.DryRun = False,
        debug: opt.Debug = False,
    ) -> int:
        return run(study, source, lake, out, step, step, master, key_file, allow_refused, keep_index_rows, overrides,
                   driver_memory, as_json, dry_run, debug)  # fmt: skip

    return command


def quality(
    source: opt.Source = None,
    lake: opt.Lake = None,
    out: opt.Out = None,
    master: opt.Master = None,
    key_file: opt.KeyFile = None,
    allow_refused: opt.AllowRefused = False,
    driver_memory: opt.DriverMemory = "4g",
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """A data-quality run alone: no study. Its page is left in --out, or else in the lake's folder."""
    environment = Environment(source, lake, out, master, key_file, allow_refused)
    the_run = new_run(environment, None, (), driver_memory)
    try:
        code = execute(the_run, plan("ingest", "validate"), as_json=as_json)
    except QualityGateError:
        # What stopped the run is what the page is read for.
        left = leave_quality_page(the_run)
        sys.stderr.writelines(f"{line}\n" for line in left if not as_json)
        raise
    left = leave_quality_page(the_run)
    sys.stdout.writelines(f"{line}\n" for line in left if not as_json)
    return code


def leave_quality_page(run: Run) -> list[str]:
    """Returns what was left, in lines; none where the lake has no records that a page could be about."""
    from sos_spark.steps.quality_page import PAGE, write_quality

    folder = run.environment.out or run.lake_root
    written = write_quality(run.lake_root, folder, is_simulated=run.lake.is_simulated)
    if not written:
        return []
    name = TO_MEND.file_name
    return [f"page: {folder / PAGE}", f"to ask of the authorities: {written[name]:,} lines in {folder / name}"]


def fit(
    study: opt.Study = None,
    panel: Annotated[opt.Given | None, opt.place_option("--panel", "Collapsed cells (CSV) instead of a lake.")] = None,
    lake: opt.Lake = None,
    out: opt.Out = None,
    source: opt.Source = None,
    overrides: opt.Set = None,
    as_json: opt.Json = False,
    dry_run: opt.DryRun = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Fits the study's outcomes."""
    if study is None or out is None:
        raise StudyError("The command lacks options", expected="--study and --out", remedy="Give them; see --help")
    the_run = new_run(Environment(source, lake, out), study, overrides or (), "1g")
    if panel is None:
        return execute(the_run, plan("fit", "fit"), as_json=as_json, dry_run=dry_run)
    if dry_run:
        return _say_plan(_OF_A_PANEL, missing=(), due={}, as_json=as_json)
    return _fit_panel(the_run, panel, as_json=as_json)


_OF_A_PANEL = (PlannedStep("fit", None), PlannedStep("report", None))


def _fit_panel(run: Run, panel: Place, *, as_json: bool) -> int:
    """Fits a panel file and writes the report of it, without a lake."""
    from sos_spark.steps.fit import fit_panel_file
    from sos_spark.steps.report import report

    steps: dict[str, Callable[[], StepReport]] = {
        "fit": lambda: fit_panel_file(panel, run),
        "report": lambda: report(run),
    }
    progress = progress_for(list(steps), quiet=as_json, earlier=_earlier_seconds(run))
    run.counted = progress.counted
    for name, step in steps.items():
        watch = Stopwatch()
        with progress.step(name) as shown:
            done = step()
            done.facts["seconds"] = round(watch.seconds, 2)
            shown.append(done)
        run.reports.append(done)
    write_manifest(run)
    return _finish(run, 0, as_json=as_json)


def simulate(
    out: Annotated[
        Path,
        typer.Option("--out", help="The folder to write to.", show_default=False, parser=opt.local, metavar="PATH"),
    ],
    scale: Annotated[Literal["tiny", "small", "england"], typer.Option("--scale", help="How many children.")] = "tiny",
    years: Annotated[str, typer.Option("--years", help="Census years, first-last.")] = "2013-2020",
    las: Annotated[
        int | None, typer.Option("--las", help="How many local authorities; all where not given.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="The seed.")] = 1,
    form: Annotated[Literal["returns", "tables"], typer.Option("--format", help="XML and CSV, or flat tables.")] = (
        "returns"
    ),
    effects: Annotated[
        Path | None, typer.Option("--effects", help="The effects to plant (TOML).", show_default=False)
    ] = None,
    master: opt.Master = None,
    driver_memory: opt.DriverMemory = "4g",
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Writes synthetic returns."""
    census_years = _years(years)
    from sos_spark.config.shipped import conf_root
    from sos_spark.machine.faults import faults_told
    from sos_spark.machine.workers import Workers
    from sos_spark.simulate import MOST_PARTS, load_effects
    from sos_spark.simulate import simulate as write_returns

    watch = Stopwatch()
    processes = usable_processors(os.environ, most=MOST_PARTS) if is_local(master) else None
    workers = Workers(session_starter(master, driver_memory), processes)
    progress = progress_for(["simulate"], quiet=as_json)
    with progress.step("simulate") as shown, faults_told(f"simulate, into {out}"):
        report = write_returns(
            workers,
            out=out,
            scale=scale,
            census_years=census_years,
            n_authorities=las,
            seed=seed,
            form=form,
            effects=load_effects(effects or conf_root() / "effects" / "default.toml"),
        )
        shown.append(StepReport("simulate", rows=dict(report.rows)))
    if as_json:
        _say(json.dumps({"out": str(out), "rows": dict(report.rows), "seconds": round(watch.seconds, 1)}))
    else:
        _say(f"{sum(report.rows.values()):,} records of {scale} scale in {out} ({watch.seconds:.0f} s); truth in "
             f"{out / 'truth.json'}")  # fmt: skip
    return 0


def _years(text: str) -> tuple[int, ...]:
    first, _, last = text.partition("-")
    try:
        years = tuple(range(int(first), int(last or first) + 1))
    except ValueError:
        years = ()
    if not years:
        raise StudyError("--years cannot be read", expected="first-last, as in 2013-2020", found=text)
    return years


def execute(run: Run, steps: Sequence[PlannedStep], *, as_json: bool, dry_run: bool = False) -> int:
    """Runs steps and says what came of them; with `dry_run` only what would be run, and why. Returns the exit code."""
    if dry_run:
        missing = missing_options(run, steps)
        return _say_plan(steps, missing=missing, due={} if missing else _due(run, steps), as_json=as_json)
    progress = progress_for([step.name for step in steps], quiet=as_json, earlier=_earlier_seconds(run))
    run.counted = progress.counted
    ahead = run.start_session
    if not isinstance(ahead, Ahead):
        ahead = Ahead(with_imports_ahead(ahead) if any(step.gate for step in steps) else ahead)
    run.start_session, run.begin_session = ahead, ahead.begin
    try:
        code = run_steps(run, steps, while_step=progress.step)
    except Exception:
        # What earlier steps said is not lost with the one that failed.
        say_messages(run, stopped=False)
        raise
    return _finish(run, code, as_json=as_json)


def with_imports_ahead(start_session: Callable[[], SparkSession]) -> Callable[[], SparkSession]:
    """Returns the same start of a session, beside which what the quality gate needs is imported."""

    def start() -> SparkSession:
        from sos_spark.quality import import_ahead

        import_ahead()
        return start_session()

    return start


def _due(run: Run, steps: Sequence[PlannedStep]) -> dict[str, str]:
    from sos_spark.steps.due import what_is_due

    return what_is_due(run, [step.name for step in steps])


def _say_plan(steps: Sequence[PlannedStep], *, missing: Sequence[str], due: Mapping[str, str], as_json: bool) -> int:
    """Says the steps and, of those that can tell, what they would do."""
    if as_json:
        _say(json.dumps({"steps": [asdict(step) for step in steps], "missing_options": missing, "due": due}))
        return 0
    for step in steps:
        told = f": {due[step.name]}" if step.name in due else ""
        _say(step.name + told + (f", then the quality gate of {step.gate}" if step.gate else ""))
    if missing:
        sys.stderr.write(f"the run would lack {', '.join(missing)}\n")
    return 0


def new_run(environment: Environment, study: Path | None, overrides: Sequence[str], driver_memory: str) -> Run:
    """Returns a run with an id of its own; errors of a study file as `load_with_origins`."""
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid4().hex[:6]}"
    received = environment.lake / "bronze" if environment.lake else None
    start_session = session_starter(environment.master, driver_memory, source=environment.source, received=received)
    if study is None:
        if overrides:
            raise StudyError("--set changes a study file, and none is given", remedy="Give --study")
        return Run(
            run_id, environment, None, start_session,
            processes=usable_processors(os.environ), is_local=is_local(environment.master),
        )  # fmt: skip
    loaded = load_with_origins(study, overrides=overrides)
    frozen = frozen_plan(study, loaded.study)
    return Run(
        run_id,
        environment,
        loaded.study,
        start_session,
        frozen,
        loaded.origins,
        loaded.overrides,
        processes=usable_processors(os.environ),
        is_local=is_local(environment.master),
    )


def _finish(run: Run, code: int, *, as_json: bool) -> int:
    """Messages to stderr, results to stdout."""
    say_messages(run, stopped=bool(code))
    fitted = not code and any(report.step == "fit" for report in run.reports)
    found = findings_in(run) if fitted else []
    if as_json:
        _say(
            json.dumps(
                {
                    "run_id": run.run_id,
                    "exit_code": code,
                    "steps": [
                        {"step": r.step, "rows": r.rows, "warnings": r.warnings, "refused": r.refused, **r.facts}
                        for r in run.reports
                    ],
                    **({"findings": [asdict(one) for one in found]} if found else {}),
                },
                default=str,
            )
        )
    elif run.reports and not code:
        for report in run.reports:
            rows = sum(report.rows.values())
            _say(f"{report.step:<16}{_seconds(report):>8} s {rows:>14,} rows")
        _say(f"{'in all':<16}{CLOCK.seconds:>8.1f} s")
        if found:
            _say("")
            say_findings(found, estimates=run.out / ESTIMATES.file_name)
        if run.environment.out is not None and (run.out / "report.html").exists() and run.reports[-1].step == "report":
            _say(f"report: {run.out / 'report.html'}")
    return code


def _earlier_seconds(run: Run) -> dict[str, float]:
    """What steps took when results were last made in the same folder."""
    return {} if run.environment.out is None else earlier_seconds(run.out)


def _seconds(report: StepReport) -> str:
    """A step's seconds; blank where nothing measured them."""
    seconds = report.facts.get("seconds")
    return f"{seconds:.1f}" if isinstance(seconds, float | int) else ""


def say_messages(run: Run, *, stopped: bool) -> None:
    """Writes warnings and refused files of the steps so far to stderr; `stopped`: because of the refused files."""
    for report in run.reports:
        outcome_ids = run.study.outcome_ids if run.study else ()
        for warning in grouped(report.warnings, outcome_ids):
            sys.stderr.write(f"warning: {report.step}: {warning}\n")
    refused = [reason for report in run.reports for reason in report.refused]
    if refused:
        sys.stderr.write(f"refused {len(refused)} source file{'s' if len(refused) > 1 else ''}:\n")
        sys.stderr.writelines(f"  - {reason}\n" for reason in refused)
        if stopped:
            sys.stderr.write("Everything else is committed. Mend or remove them, or go on with --allow-refused.\n")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
