"""What help adds to every command: which options it cannot do without, and an example to start from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sos_spark.steps.pipeline import STEPS, plan, required_options

RECORDS = "--source RETURNS --lake LAKE --key-file KEY"
EXAMPLES = {
    "demo": "sos-spark demo --published",
    "simulate": "sos-spark simulate --out RETURNS --scale small --years 2013-2020",
    "run": f"sos-spark run --study mine.toml {RECORDS} --out RESULTS",
    "ingest": f"sos-spark ingest {RECORDS}",
    "validate": "sos-spark validate --lake LAKE --key-file KEY",
    "cohort": "sos-spark cohort --study mine.toml --lake LAKE",
    "outcome": "sos-spark outcome --study mine.toml --lake LAKE",
    "panel": "sos-spark panel --study mine.toml --lake LAKE --out RESULTS",
    "fit": "sos-spark fit --study mine.toml --panel CELLS.csv --out RESULTS",
    "report": "sos-spark report --out RESULTS",
    "tables": "sos-spark tables --out RESULTS",
    "quality": f"sos-spark quality {RECORDS}",
    "study new": "sos-spark study new mine.toml",
    "study check": "sos-spark study check mine.toml",
    "study freeze": "sos-spark study freeze mine.toml",
    "config show": "sos-spark config show mine.toml --origin",
    "power": "sos-spark power --study mine.toml --panel CELLS.csv --out RESULTS --effects 0.01,0.02",
    "calibrate": "sos-spark calibrate --study mine.toml --out RESULTS --replications 500",
    "sensitivity": "sos-spark sensitivity --study mine.toml --lake LAKE --out RESULTS",
    "compare": "sos-spark compare RESULTS OTHER --page changes.html",
    "reproduce": "sos-spark reproduce RESULTS",
    "release": "sos-spark release --run RESULTS --profile dfe-cin --since LEDGER",
    "doctor": "sos-spark doctor --spark --lake LAKE --key-file KEY",
    "lake history": "sos-spark lake history --lake LAKE",
    "lake verify": "sos-spark lake verify --lake LAKE",
    "lake maintain": "sos-spark lake maintain --lake LAKE --keep RESULTS",
    "lake erase": "sos-spark lake erase --lake LAKE --help",
    "lake migrate": "sos-spark lake migrate --lake LAKE",
    "lake quarantine list": "sos-spark lake quarantine list --lake LAKE",
    "lake quarantine explain": "sos-spark lake quarantine explain child_id_missing --lake LAKE",
    "lake quarantine release": "sos-spark lake quarantine release --lake LAKE --key-file KEY",
}
_ONE_STUDY = ("--study", "--out")
REQUIRED: dict[str, tuple[str, ...]] = {
    "run": required_options(plan(None, None)),
    **{step: required_options(plan(step, step)) for step in STEPS},
    "quality": required_options(plan("ingest", "validate")),
    "fit": _ONE_STUDY,
    **dict.fromkeys(("power", "calibrate", "sensitivity"), _ONE_STUDY),
    **dict.fromkeys((f"lake {name}" for name in ("history", "verify", "maintain", "erase", "migrate")), ("--lake",)),
    **dict.fromkeys((f"lake quarantine {name}" for name in ("list", "explain", "release")), ("--lake",)),
}
"""Options that a command refuses to run without, and that its declaration leaves open to say all that lack at once."""


def leaves(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yields each command by its words, those of groups among them."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def guided(group: Any) -> Any:
    """Returns the command line with each command's required options marked in its help, and its example below."""
    for words, command in leaves(group):
        command.epilog = f"\b\nExample:\n  {EXAMPLES[words]}"
        for option in command.params:
            if set(option.opts) & set(REQUIRED.get(words, ())):
                option.help = f"{option.help} [required]"
    return group
