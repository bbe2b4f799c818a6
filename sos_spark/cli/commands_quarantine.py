"""lake quarantine: what is in it, why, and what the present rules let out of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from sos_spark.cli import options as opt

if TYPE_CHECKING:
    from sos_spark.steps.quarantine import Released

OfAuthority = Annotated[str, typer.Option("--la-code", help="Of one authority only.", show_default=False)]


def group() -> typer.Typer:
    """Returns the commands as a group."""
    made = typer.Typer(help="See and release what is in quarantine: counts and rules, never a value.",
                       no_args_is_help=True)  # fmt: skip
    made.command("list", help="List what is in quarantine by file and reason. Needs no Spark.")(list_)
    made.command("explain", help="Say what a rule means and where its rows are. Needs no Spark.")(explain)
    made.command("release", help="Classify again by the present rules; what passes goes to silver.")(release)
    return made


def list_(
    lake: opt.Lake = None,
    la_code: OfAuthority = "",
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Prints a line for each file's authority, year and reason, the most rows first."""
    from sos_spark.steps.quarantine import quarantined

    rows = quarantined(opt.given_lake(lake), la_code=la_code)
    if as_json:
        sys.stdout.write(rows.to_json(orient="records") + "\n")
        return 0
    if not rows.empty:
        sys.stdout.write(f"{'rows':>10}  {'records':<20}  {'rule (`explain RULE` says why)':<34}  LA   year  file\n")
    for row in rows.to_dict("records"):
        sys.stdout.write(
            f"{row['n_rows']:>10,}  {row['entity']:<20}  {row['rule_code']:<34}  {row['la_code']}  {row['census_year']}"
            f"  {row['file_path']}\n"
        )
    if rows.empty:
        sys.stdout.write("Nothing is in quarantine.\n")
    return 0


def explain(
    rule: Annotated[str, typer.Argument(help="The rule, as `lake quarantine list` names it.", show_default=False)],
    lake: opt.Lake = None,
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Prints the rule in words, DfE's number and years, and the files that hold its rows."""
    from sos_spark.steps.quarantine import explain as explained

    found = explained(opt.given_lake(lake), rule)
    if as_json:
        sys.stdout.write(json.dumps([asdict(one) for one in found]) + "\n")
        return 0
    for one in found:
        dfe = f" DfE's rule {one.dfe_code}, specifications {one.years}." if one.dfe_code else ""
        sys.stdout.write(f"{one.entity}: {one.meaning}.{dfe} {one.n_rows:,} rows in quarantine.\n")
        sys.stdout.writelines(f"{n:>10,}  {code}  {year}  {path}\n" for path, code, year, n in one.places)
    return 0


def release(
    lake: opt.Lake = None,
    master: opt.Master = None,
    key_file: opt.KeyFile = None,
    driver_memory: opt.DriverMemory = "4g",
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Runs validate and its gate; where neither rules nor returns changed, nothing is written."""
    from sos_spark.cli.commands_run import new_run, say_messages
    from sos_spark.cli.progress import progress_for
    from sos_spark.config.environment import Environment
    from sos_spark.steps.pipeline import plan, run_steps
    from sos_spark.steps.quarantine import counts_of, released

    root = opt.given_lake(lake)
    before = counts_of(root)
    run = new_run(Environment(lake=root, master=master, key_file=key_file), None, (), driver_memory)
    run_steps(run, plan("validate", "validate"), while_step=progress_for(["validate"], quiet=as_json).step)
    say_messages(run, stopped=False)
    done = released(before, counts_of(root))
    if as_json:
        sys.stdout.write(json.dumps([asdict(one) for one in done]) + "\n")
    else:
        sys.stdout.writelines(_lines(done))
    return 0


def _lines(done: Sequence[Released]) -> list[str]:
    changed = [one for one in done if one.reasons]
    if not changed:
        return ["The present rules decide as those did that filled the quarantine: nothing leaves it.\n"]
    lines = []
    for one in changed:
        lines.append(f"{one.entity}: {one.before:,} rows in quarantine before, {one.after:,} now\n")
        lines += [f"  {rule}: {was:,} before, {now:,} now\n" for rule, was, now in one.reasons]
    return lines
