"""release: what of a run may leave the secure environment, after disclosure control."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from sos_spark.cli import options as opt
from sos_spark.config.disclosure import profile_files


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("release", help="Clear a run's outputs by a disclosure profile, and pack them. Needs no Spark.")(
        release
    )


def release(
    run: Annotated[opt.Given, opt.place_option("--run", "The --out of the run.")],
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            help="The disclosure profile; the study's own if not given.",
            show_default=False,
            autocompletion=opt.beginning_with(profile_files),
        ),
    ] = None,
    since: Annotated[
        opt.Given | None, opt.place_option("--since", "The ledger of earlier releases: checker/ledger.jsonl.")
    ] = None,
    left_out: Annotated[
        list[str] | None,
        typer.Option("--leave-out", help="A table of counts that is not to be released.", show_default=False),
    ] = None,
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Writes release/ and checker/ into the run's folder; exit 6 where disclosure control refuses."""
    from sos_spark.steps.release import release as clear

    done = clear(run, profile=profile, since=since, left_out=left_out or ())
    for warning in done.warnings:
        sys.stderr.write(f"warning: release: {warning}\n")
    if as_json:
        told = {"pack": str(done.pack), "checker": str(done.checker), "ledger": str(done.ledger)}
        outputs = [{**asdict(entry), "risk": entry.risk} for entry in done.entries]
        sys.stdout.write(json.dumps({**told, "withheld": done.withheld, "outputs": outputs}) + "\n")
        return 0
    for entry in done.entries:
        sys.stdout.write(f"{entry.risk:<8}{entry.kind:<12}{entry.name:<44}{entry.n_hidden:>6} hidden\n")
    sys.stdout.write(f"pack: {done.pack}\nfor the checker: {done.checker / 'index.html'}\nledger: {done.ledger}\n")
    return 0
