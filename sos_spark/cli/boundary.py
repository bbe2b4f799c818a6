"""The one boundary around every command: errors become one paragraph and an exit code, and no message is repeated.

Spark, Delta and the XML and CSV parsers quote values in their messages, so of anything but our own errors only the
kind, the step and the place in our code are told; `--debug` adds the frames of the stack, still without messages.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable

import typer

from sos_spark.errors import EnvironmentFaultError, SosError
from sos_spark.machine.faults import fault_of
from sos_spark.machine.java_errors import condition_of

INTERRUPTED = 130
_OF_RECORDS = "This command reads records or a lake, and the packages for it are not installed"
_EXTRAS = {
    **dict.fromkeys(("delta", "deltalake", "great_expectations", "pyarrow", "pyspark"), ("spark", _OF_RECORDS)),
    "great_tables": ("tables", "This command writes tables for papers, and the package for it is not installed"),
}
"""What `pip install sos-spark` leaves out, for a fit and its report need none of it: the extra, and what is told."""


def within_boundary(command: Callable[[], int | None], *, debug: bool, as_json: bool) -> int:
    """Runs a command. Returns its exit code; whatever it raises is told on stderr."""
    try:
        return _with_what_is_installed(command) or 0
    except SosError as error:
        _tell(error.paragraph(), kind=type(error).__name__, code=error.exit_code, as_json=as_json, **error.details())
        if debug:
            _tell_frames(error)
        return error.exit_code
    except typer.Exit as done:
        return done.exit_code
    except typer.TyperException as error:
        _tell(f"{error.format_message().rstrip('.')}. Try --help.", kind="UsageError", code=2, as_json=as_json)
        return 2
    except (KeyboardInterrupt, typer.Abort):
        _tell("Interrupted; the same command goes on where this one stopped.", kind="Interrupted", code=INTERRUPTED,
              as_json=as_json)  # fmt: skip
        return INTERRUPTED
    except Exception as error:
        known = fault_of(error, where="the command")
        if known is None:
            _tell(_describe(error), kind=type(error).__name__, code=1, as_json=as_json)
        else:
            _tell(known.paragraph(), kind=type(known).__name__, code=known.exit_code, as_json=as_json)
        if debug:
            _tell_frames(error)
        return 1 if known is None else known.exit_code


def _with_what_is_installed(command: Callable[[], int | None]) -> int | None:
    try:
        return command()
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _EXTRAS:
            raise
        extra, told = _EXTRAS[package]
        raise EnvironmentFaultError(
            told, found=f"no module {error.name}", remedy=f"Install it: pip install 'sos-spark[{extra}]'"
        ) from None


def _describe(error: Exception) -> str:
    """A paragraph without the error's own message."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if "sos_spark" in frame.filename]
    place = f"{own[-1].name}, line {own[-1].lineno}" if own else "outside sos_spark"
    condition = condition_of(error)
    cause = f"{type(error).__name__}{f' [{condition}]' if condition else ''}"
    return (
        f"Something failed that should not have. Where: {place}. Found: {cause}; its message is withheld, since it may "
        "quote a record. Run again with --debug for the frames, and report them."
    )


def _tell(paragraph: str, *, kind: str, code: int, as_json: bool, **details: object) -> None:
    told = {"error": kind, "exit_code": code, "message": paragraph, **details}
    sys.stderr.write((json.dumps(told) if as_json else f"error: {paragraph}") + "\n")


def _tell_frames(error: BaseException) -> None:
    for frame in traceback.extract_tb(error.__traceback__):
        sys.stderr.write(f"  {frame.filename}:{frame.lineno} {frame.name}\n")
