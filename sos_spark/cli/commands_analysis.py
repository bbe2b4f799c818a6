"""power, calibrate and sensitivity: what a study can find, how reliable it is, and what its findings hang on."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sos_spark.cli import options as opt
from sos_spark.cli.progress import progress_for
from sos_spark.config.load import load_study
from sos_spark.errors import StudyError
from sos_spark.places import Place
from sos_spark.tables.results import CALIBRATION, CALIBRATION_SWITCHES, CELLS

if TYPE_CHECKING:
    import pandas as pd

    from sos_spark.config.study import Study

Panel = Annotated[opt.Given | None, opt.place_option("--panel", "Collapsed cells (CSV) instead of a lake.")]

Replications = Annotated[int, typer.Option("--replications", min=1, help="Studies simulated for each outcome.")]
Seed = Annotated[
    int | None, typer.Option("--seed", min=0, help="In place of the study file's seed.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("power", help="Simulate how likely effects are to be found, from a panel's own scatter. No Spark.")(
        power
    )
    app.command("calibrate", help="Simulate how reliable each method is on the study's own design. No Spark.")(
        calibrate
    )
    app.command("sensitivity", help="Fit every declared specification, placebos and bounds of drift. No Spark.")(
        sensitivity
    )


def power(
    study: opt.Study = None,
    panel: Panel = None,
    lake: opt.Lake = None,
    out: opt.Out = None,
    effects: Annotated[
        str | None,
        typer.Option(
            "--effects",
            help="Effects in the outcomes' own units: 0.01,0.02. Without it, multiples of the smallest effect of"
            " interest, or of the minimum detectable one.",
            show_default=False,
        ),
    ] = None,
    replications: Replications = 500,
    pilots: Annotated[
        int | None,
        typer.Option(
            "--pilots", min=1, help="Draw so many pilots at random in each study instead.", show_default=False
        ),
    ] = None,
    seed: Seed = None,
    overrides: opt.Set = None,
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Writes power.csv and prints what it holds."""
    grid = _effects("--effects", effects) if effects is not None else None
    the_study, cells, out = _inputs(study, panel, lake, out, overrides)
    the_study = _with_seed(the_study, seed)
    from sos_spark.steps.power import power as compute

    progress = progress_for(list(the_study.outcome_ids), quiet=as_json)
    frame, report = compute(
        cells,
        the_study,
        out,
        effects=grid,
        replications=replications,
        pilots=pilots,
        while_step=progress.step,
    )
    for warning in report.warnings:
        sys.stderr.write(f"warning: {report.step}: {warning}\n")
    rows = _records(frame)
    if as_json:
        sys.stdout.write(json.dumps({"out": str(out), "warnings": report.warnings, "power": rows}) + "\n")
        return 0
    sys.stdout.write(f"{'outcome':<32}{'how':<12}{'effect':>12}{'power':>8}{'+-':>8}{'mde':>12}\n")
    for row in rows:
        numbers = (_shown(row["effect"], 12, ".4g"), _shown(row["power"], 8, ".3f"), _shown(row["mc_se"], 8, ".3f"))
        sys.stdout.write(
            f"{row['outcome_id']:<32}{row['source']:<12}{''.join(numbers)}{_shown(row['mde'], 12, '.4g')}\n"
        )
    sys.stdout.write(f"power: {out / 'power.csv'}\n")
    return 0


def calibrate(
    study: opt.Study = None,
    panel: Panel = None,
    lake: opt.Lake = None,
    out: opt.Out = None,
    effects: Annotated[
        str | None,
        typer.Option(
            "--effects",
            help="Effects in the outcomes' own units, beside none: 0.01,0.02. Without it, the smallest effect of"
            " interest, or the minimum detectable one.",
            show_default=False,
        ),
    ] = None,
    switches: Annotated[
        list[str] | None,
        typer.Option(
            "--switches",
            help="An outcome and the effects asked about, as kinship_placement=-0.13: each way of doing its sums is"
            " simulated, and calibration_switches.csv written in place of calibration.csv. May be given again.",
            metavar="OUTCOME[=EFFECT,...]",
            show_default=False,
        ),
    ] = None,
    replications: Replications = 500,
    seed: Seed = None,
    overrides: opt.Set = None,
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Writes calibration.csv and prints what it holds; without --panel and --lake from the cells that a run left."""
    if switches and effects is not None:
        raise StudyError("--effects stands beside --switches", remedy="Name each outcome's effects in --switches")
    grid = _effects("--effects", effects) if effects is not None else None
    asked = _asked(switches or [])
    if panel is None and lake is None and out is not None:
        panel = out / CELLS.file_name
    the_study, cells, out = _inputs(study, panel, lake, out, overrides)
    the_study = _with_seed(the_study, seed)
    from sos_spark.steps.calibrate import calibrate_study, calibrate_switches

    shared: dict[str, Any] = {
        "replications": replications,
        "while_step": progress_for(list(the_study.outcome_ids), quiet=as_json).step,
    }
    if asked:
        frame, report = calibrate_switches(cells, the_study, out, asked=asked, **shared)
    else:
        frame, report = calibrate_study(cells, the_study, out, effects=grid, **shared)
    for warning in report.warnings:
        sys.stderr.write(f"warning: calibrate: {warning}\n")
    rows = _records(frame)
    table = CALIBRATION_SWITCHES if asked else CALIBRATION
    if as_json:
        sys.stdout.write(json.dumps({"out": str(out), "warnings": report.warnings, table.name: rows}) + "\n")
        return 0
    sys.stdout.write("".join(_switches_in_text(rows) if asked else _calibration_in_text(rows)))
    sys.stdout.write(f"calibrate: {out / table.file_name}\n")
    return 0


def _calibration_in_text(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield f"{'outcome':<32}{'measure':<10}{'method':<10}{'effect':>12}{'share':>8}{'+-':>8}  holds\n"
    for row in rows:
        numbers = (_shown(row["effect"], 12, ".4g"), _shown(row["share"], 8, ".3f"), _shown(row["mc_se"], 8, ".3f"))
        named = "".join(f"{row[name] or '':<10}" for name in ("measure", "method"))
        holds = {True: "yes", False: "no"}.get(row["holds"], "")
        yield f"{row['outcome_id']:<32}{named}{''.join(numbers)}  {holds}\n"


def _switches_in_text(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield f"{'outcome':<32}{'specification':<32}{'effect':>12}{'reported':>10}{'+-':>8}{'mde':>12}\n"
    for row in rows:
        numbers = (
            _shown(row["effect"], 12, ".4g"),
            _shown(row["reported"], 10, ".3f"),
            _shown(row["mc_se"], 8, ".3f"),
            _shown(row["mde"], 12, ".4g"),
        )
        yield f"{row['outcome_id']:<32}{row['specification']:<32}{''.join(numbers)}\n"


def sensitivity(
    study: opt.Study = None,
    panel: Panel = None,
    lake: opt.Lake = None,
    out: opt.Out = None,
    overrides: opt.Set = None,
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Writes sensitivity.csv and what stands beside it, and prints the specifications."""
    the_study, cells, out = _inputs(study, panel, lake, out, overrides)
    from sos_spark.steps.fit import fit_sensitivity

    with progress_for(["sensitivity"], quiet=as_json).step("sensitivity") as shown:
        frame, report = fit_sensitivity(cells, the_study, out)
        shown.append(report)
    for warning in report.warnings:
        sys.stderr.write(f"warning: {report.step}: {warning}\n")
    rows = _records(frame)
    if as_json:
        sys.stdout.write(json.dumps({"out": str(out), "warnings": report.warnings, "sensitivity": rows}) + "\n")
        return 0
    sys.stdout.write(f"{'outcome':<32}{'specification':<32}{'effect':>12}{'low':>12}{'high':>12}{'p':>8}\n")
    for row in rows:
        by = "ri" if row["p_wcr"] is None else "wcr"
        p = row[f"p_{by}"]
        numbers = [_shown(row[name], 12, ".4g") for name in ("att", f"ci_low_{by}", f"ci_high_{by}")]
        sys.stdout.write(f"{row['outcome_id']:<32}{row['specification']:<32}{''.join(numbers)}{_shown_p(p):>8}\n")
    sys.stdout.write(f"sensitivity: {out / 'sensitivity.csv'}\n")
    return 0


def _with_seed(study: Study, seed: int | None) -> Study:
    if seed is None:
        return study
    return study.model_copy(update={"inference": study.inference.model_copy(update={"seed": seed})})


def _inputs(
    study: Path | None, panel: Place | None, lake: Place | None, out: Place | None, overrides: list[str] | None
) -> tuple[Study, pd.DataFrame, Place]:
    """Returns the study, its collapsed cells and the folder of results."""
    if study is None or out is None or (panel is None) == (lake is None):
        raise StudyError(
            "The command lacks options",
            expected="--study, --out, and either --panel or --lake",
            remedy="Give them; see --help",
        )
    the_study = load_study(study, overrides=overrides or ())
    from sos_spark.fit.cells.reading import read_panel
    from sos_spark.steps.fit import panel_frame
    from sos_spark.steps.simulated import cells_are_simulated, panel_is_simulated

    if panel is not None:
        cells, simulated = read_panel(panel), cells_are_simulated(panel)
    elif lake is not None:
        cells, simulated = panel_frame(lake, the_study), panel_is_simulated(lake, the_study)
    if simulated:
        sys.stderr.write("warning: the data are simulated: no child or authority is described\n")
    return the_study, cells, out


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A frame's rows for JSON and for text: null where a number is not known, text where it is endless."""

    def plain(value: Any) -> Any:
        if not isinstance(value, float) or math.isfinite(value):
            return value
        return None if math.isnan(value) else str(value)

    return [{str(name): plain(value) for name, value in row.items()} for row in frame.to_dict(orient="records")]


def _asked(switches: list[str]) -> dict[str, tuple[float, ...]]:
    """Returns the effects asked about by outcome; none where an outcome stands by itself."""
    parts = (text.partition("=") for text in switches)
    return {name.strip(): _effects("--switches", effects) if given else () for name, given, effects in parts}


def _effects(option: str, text: str) -> tuple[float, ...]:
    try:
        effects = tuple(float(part) for part in text.split(","))
    except ValueError:
        effects = (math.nan,)
    if not all(map(math.isfinite, effects)):
        raise StudyError(f"{option} cannot be read", expected="numbers with commas, as in 0.01,0.02", found=text)
    return effects


def _shown_p(p: float | None) -> str:
    """Writes a p-value with three decimals, never as 0."""
    return "" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def _shown(value: object, width: int, form: str) -> str:
    text = "" if value is None else value if isinstance(value, str) else format(value, form)
    return f"{text:>{width}}"
