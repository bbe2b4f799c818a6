"""doctor, and what concerns the lake as a whole."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import typer

from sos_spark.cli import options as opt
from sos_spark.errors import EnvironmentFaultError


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("doctor", help="Say what this machine has and lacks, with a remedy each.")(doctor)


def doctor(
    lake: opt.Lake = None,
    key_file: opt.KeyFile = None,
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Prints the findings; exit 7 where something needed is wrong."""
    from sos_spark.machine.doctor import examine

    findings = examine(lake=lake, key_file=key_file)
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
