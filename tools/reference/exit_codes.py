"""Exit codes of the command line, from the errors that have them."""

from __future__ import annotations

from collections.abc import Iterator

from sos_spark.cli.boundary import INTERRUPTED
from sos_spark.cli.commands_compare import PARTED
from sos_spark.errors import SosError

_OTHERS = {
    0: "Done.",
    PARTED: "Something failed that should not have; of `reproduce`: the run does not give the same numbers again.",
    INTERRUPTED: "Interrupted; the same command goes on where this one stopped.",
}


def _with_a_code(error: type[SosError]) -> Iterator[type[SosError]]:
    """Yields the kinds of an error, at any depth, that name an exit code of their own."""
    for kind in error.__subclasses__():
        if "exit_code" in vars(kind):
            yield kind
        yield from _with_a_code(kind)


def page() -> str:
    """Returns the page."""
    meant = {error.exit_code: (error.__doc__ or "").partition("\n")[0] for error in _with_a_code(SosError)}
    rows = [f"| {code} | {meaning} |" for code, meaning in sorted({**meant, **_OTHERS}.items())]
    head = (
        "# Exit codes\n\n"
        "Made from `sos_spark/errors.py` by `python -m tools.reference`; do not edit. An error is one paragraph on\n"
        "stderr: what, where, what was expected, what was found, what to do. With `--json` it is an object; no\n"
        "traceback without `--debug`, and never a child's value.\n"
    )
    return "\n".join([head, "| code | meaning |", "|---|---|", *rows]) + "\n"
