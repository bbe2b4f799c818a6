"""doctor, and what concerns the lake as a whole."""

from __future__ import annotations

import getpass
import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from sos_spark.cli import commands_quarantine
from sos_spark.cli import options as opt
from sos_spark.config.environment import Environment
from sos_spark.errors import EnvironmentFaultError, InputError, StudyError


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(
        help="Look after a lake: history, verify, maintain, erase, quarantine, migrate.", no_args_is_help=True
    )
    group.command("history", help="List the versions of each table. Needs no Spark.")(history)
    group.command("verify", help="Look for files that are missing, damaged or foreign. Needs no Spark.")(verify)
    group.command("maintain", help="Remove files that no version needs any more. Needs no Spark.")(maintain)
    group.command("erase", help="Take a child out of every table and version, and prove it.")(erase)
    group.command("migrate", help="Bring a lake of another version of the tables up to date. Needs no Spark.")(migrate)
    group.add_typer(commands_quarantine.group(), name="quarantine")
    app.add_typer(group, name="lake")
    app.command("doctor", help="Say what this machine has and lacks, with a remedy each.")(doctor)


def doctor(
    spark: Annotated[bool, typer.Option("--spark", help="Start Spark too, and try it: some ten seconds.")] = False,
    master: opt.Master = None,
    lake: opt.Lake = None,
    key_file: opt.KeyFile = None,
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Prints the findings; exit 7 where something needed is wrong."""
    from sos_spark.machine.doctor import examine

    findings = examine(spark=spark, master=master, lake=lake, key_file=key_file)
    if as_json:
        sys.stdout.write(json.dumps([asdict(finding) for finding in findings]) + "\n")
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            mark = "ok  " if finding.ok else "BAD "
            sys.stdout.write(f"{mark}{finding.name:<{width}}  {finding.found}\n")
            if not finding.ok:
                sys.stdout.write(f"    {'':<{width}}  {finding.remedy}\n")
    return 0 if all(finding.ok for finding in findings) else EnvironmentFaultError.exit_code


Runs = Annotated[
    list[opt.Given] | None, opt.place_option("--keep", "The --out of a run whose table versions stay. Repeatable.")
]


def history(
    lake: opt.Lake = None,
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Prints a line for each version of each table, newest first."""
    from sos_spark.lake.maintenance import tables_of
    from sos_spark.lake.versions import history as commits_of

    root = opt.given_lake(lake)
    commits = {table.name: commits_of(root, table) for table in tables_of(root)}
    if as_json:
        told = {name: [asdict(commit) for commit in found] for name, found in commits.items()}
        sys.stdout.write(json.dumps(told, default=str) + "\n")
        return 0
    width = max(map(len, commits), default=0)
    for name, found in commits.items():
        for commit in found:
            rows = "" if commit.n_rows_written is None else f"{commit.n_rows_written:,} rows"
            sys.stdout.write(
                f"{name:<{width}}  {commit.version:>4}  {commit.at:%Y-%m-%d %H:%M:%S}  {commit.operation:<22}{rows:>18}"
                f"  {(commit.fingerprint or '')[:12]}".rstrip()
                + "\n"
            )
    return 0


def verify(
    lake: opt.Lake = None,
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Prints what is wrong; exit 4 where a file is missing, damaged or foreign."""
    from sos_spark.lake.maintenance import verify as examine

    found = examine(opt.given_lake(lake))
    if as_json:
        sys.stdout.write(json.dumps([asdict(finding) for finding in found]) + "\n")
    else:
        sys.stdout.writelines(f"{finding.sentence()}\n" for finding in found)
        if not found:
            sys.stdout.write("Every file of every version is there and whole, and there is no other.\n")
    return InputError.exit_code if any(finding.kind != "unreferenced" for finding in found) else 0


def maintain(
    lake: opt.Lake = None,
    keep: Runs = None,
    older_than_days: Annotated[
        int, typer.Option("--older-than-days", min=0, help="Files that went out of use later stay.")
    ] = 7,
    dry_run: opt.DryRun = False,
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Removes what no version needs; what the runs of --keep were made from stays."""
    from sos_spark.lake.drafts import remove_drafts
    from sos_spark.lake.lake import Lake
    from sos_spark.lake.maintenance import maintain as remove
    from sos_spark.steps.fitted_study import fitted_study

    root = opt.given_lake(lake)
    versions: dict[str, set[int]] = {}
    for run in keep or ():
        for name, version in fitted_study(run).tables.items():
            versions.setdefault(name, set()).add(version)
    with Lake(root).hold_records(to_write=True):
        removed = remove(root, keep=dict(versions), older_than_days=older_than_days, dry_run=dry_run)
        n_staged = remove_drafts(root, dry_run=dry_run)
    if as_json:
        sys.stdout.write(json.dumps(removed | ({"staged": n_staged} if n_staged else {})) + "\n")
    else:
        verb = "would go" if dry_run else "removed"
        sys.stdout.writelines(f"{name}: {n:,} files {verb}\n" for name, n in removed.items())
        if n_staged:
            sys.stdout.write(f"folders that stopped runs left: {n_staged:,} {verb}\n")
        elif not removed:
            sys.stdout.write("Nothing to remove.\n")
    return 0


def erase(
    lake: opt.Lake = None,
    la_code: Annotated[str, typer.Option("--la-code", help="The authority's DfE code.", show_default=False)] = "",
    key_file: opt.KeyFile = None,
    master: opt.Master = None,
    driver_memory: opt.DriverMemory = "4g",
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Asks for the child's id, which no command line or log should hold, or reads it from standard input."""
    from sos_spark.cli.sessions import session_starter
    from sos_spark.lake.lake import Lake
    from sos_spark.steps.erase import erase as take_out
    from sos_spark.steps.pseudonym_key import read_key

    root = opt.given_lake(lake)
    if not la_code:
        raise StudyError("The command lacks options", expected="--la-code", remedy="Give it; see --help")
    key = read_key(Environment(lake=root, key_file=key_file))
    child_id = getpass.getpass("The child's id in the authority: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not child_id.strip():
        raise StudyError("There is no id", expected="the child's id on standard input")
    the_lake = Lake(root)
    with the_lake.hold_records(to_write=True):
        done = take_out(
            the_lake, session_starter(master, driver_memory)(), key=key, la_code=la_code, child_id=child_id.strip()
        )
    if as_json:
        sys.stdout.write(json.dumps({**asdict(done), "proved": done.is_proved}) + "\n")
    else:
        sys.stdout.writelines(f"{name}: {n:,} rows removed\n" for name, n in done.rows.items())
        if not done.rows:
            sys.stdout.write("No table holds this child.\n")
        sys.stdout.write(
            f"{done.n_files_searched:,} data files searched, {done.n_files_holding:,} hold the child.\n"
            "Take the child out of the returns too: whatever is ingested again comes back. Run the studies again:\n"
            "cells that were made before still count the child.\n"
        )
    return 0 if done.is_proved else InputError.exit_code


def migrate(
    lake: opt.Lake = None,
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Says which tables got columns, and which the next run makes again."""
    from sos_spark.lake.migrate import migrate as migrate_lake

    done = migrate_lake(opt.given_lake(lake))
    if as_json:
        sys.stdout.write(json.dumps(asdict(done)) + "\n")
        return 0
    if not done.migrated and not done.to_rebuild:
        sys.stdout.write("The lake is up to date: no table was changed.\n")
    sys.stdout.writelines(f"{name}: got the columns it lacked\n" for name in done.migrated)
    sys.stdout.writelines(f"{name}: taken away; the next run makes it again from bronze\n" for name in done.to_rebuild)
    return 0
