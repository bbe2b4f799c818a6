"""Rows leave quarantine by command after a rule was changed, and come back when it is changed again.

`python -m tools.trust.released_quarantine --out FOLDER`. A small lake is filled and validated. A copy of the package
has one rule of severity error turned into a warning; its `lake quarantine release` lets out what that rule alone kept,
the package's own takes it back, and given twice it changes nothing. Prints the ledger after each; ends with 1 where it
does not balance, where a row came from nowhere, or where the last ledger is not the first.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from sos_spark.lake.arrow import read_arrow
from sos_spark.tables import DQ_LEDGER
from tools.trust.small_lake import SmallLake, make_small_lake, sos_spark

ROOT = Path(__file__).resolve().parents[2]
FILE = Path("sos_spark/silver/row_rule.py")
BEFORE, AFTER = 'error(f"{day}_after_return"', 'warning(f"{day}_after_return"'
SUPERSEDED = ("n_superseded_by_later_return", "n_same_day_duplicates")
COUNTS = ("n_received", "n_silver", "n_quarantined", *SUPERSEDED)

Ledger = Mapping[str, int]


def ledger_of(lake: Path) -> Ledger:
    """Returns the ledger's sums over all files and entities."""
    rows = read_arrow(lake, DQ_LEDGER)
    return {name: sum(rows[name].to_pylist()) for name in COUNTS}


def with_a_warning(folder: Path) -> Path:
    """Copies the package to a folder, the rule a warning there; returns the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("sos_spark", "conf", "expectations"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    source = (folder / FILE).read_text(encoding="utf-8")
    if source.count(BEFORE) != 1:
        sys.exit(f"{FILE} does not hold {BEFORE} once")
    (folder / FILE).write_text(source.replace(BEFORE, AFTER), encoding="utf-8")
    return folder


def release(small: SmallLake, package: Path) -> list[dict[str, object]]:
    """Gives the command with a package's code; returns what it says of each entity that changed."""
    command = sos_spark(
        "lake", "quarantine", "release", "--lake", str(small.root / "lake"), "--key-file", str(small.root / "key"),
        "--master", "local[2]", "--driver-memory", "1g", "--json",
    )  # fmt: skip
    told: list[dict[str, object]] = json.loads(small.done(command, package=package))
    return [entity for entity in told if entity["reasons"]]


def main() -> None:
    """Runs the whole exercise; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    root = parser.parse_args().out.absolute()
    shutil.rmtree(root, ignore_errors=True)
    small = make_small_lake(root)
    small.done(small.command("run", lake="lake", out="out", more=["--to", "validate"]))
    changed = with_a_warning(root / "code")
    ledgers = [_told("validated", ledger_of(root / "lake"), [])]
    for title, package in (("rule changed", changed), ("given again", changed), ("rule changed back", ROOT)):
        said = release(small, package)
        ledgers.append(_told(title, ledger_of(root / "lake"), said))
    first, out, again, last = ledgers
    left = first["n_quarantined"] - out["n_quarantined"]
    arrived = sum(out[name] - first[name] for name in ("n_silver", *SUPERSEDED))
    sys.exit(0 if left == arrived > 0 and again == out and last == first and all(map(_balances, ledgers)) else 1)


def _balances(ledger: Ledger) -> bool:
    return ledger["n_received"] == sum(ledger[name] for name in COUNTS[1:])


def _told(title: str, ledger: Ledger, said: list[dict[str, object]]) -> Ledger:
    counts = ", ".join(f"{name[2:]} {count}" for name, count in ledger.items())
    sys.stdout.write(f"{title}: {counts}; {json.dumps(said) if said else 'nothing told'}\n")
    sys.stdout.flush()
    return ledger


if __name__ == "__main__":
    main()
