"""Runs of a lake compared and made again: as it was, after a corrected return, a changed study, a changed seed.

`python -m tools.trust.changed_runs --out FOLDER [--demo .sos/demo]`: of a small lake, or of a demo's returns under the
study that the demo is of. Prints what `reproduce` and `compare` say; ends with 1 where a run
made again parts from itself, or a comparison names another cause than the one that was changed.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from tools.trust.small_lake import SmallLake, lake_of_demo, make_small_lake, sos_spark

CONFERENCES = 3
"""How many of them a corrected return no longer has."""


def corrected(small: SmallLake) -> str:
    """Sends the largest return of a year again with a later date and a few conferences fewer; returns which."""
    path = max(small.returns.glob("cin/2016/*.xml"), key=lambda file: file.stat().st_size)
    text = path.read_text(encoding="utf-8")
    later = re.sub(r"<DateTime>(\d{4})-", lambda found: f"<DateTime>{int(found[1]) + 1}-", text, count=1)
    mended = re.sub(r"<DateOfInitialCPC>[^<]*</DateOfInitialCPC>", "", later, count=CONFERENCES)
    path.write_text(mended, encoding="utf-8")
    return f"cin/2016/{path.name}"


def compared(small: SmallLake, before: str, after: str) -> dict[str, Any]:
    """Returns what `compare` says of two runs, as its JSON."""
    record: dict[str, Any] = json.loads(
        small.done(sos_spark("compare", "--json", *(str(small.root / n) for n in (before, after))))
    )
    return record


def told(title: str, found: dict[str, Any]) -> list[str]:
    """Prints a comparison in lines and returns the causes that it names."""
    causes = [name for name, lines in found["causes"].items() if lines]
    _say(f"{title}: " + ("equal" if found["equal"] else f"differs by {', '.join(causes)}"))
    for name, table in found["tables"].items():
        if not table["compared"]:
            _say(f"  {name}: left by one of the runs only")
            continue
        _say(f"  {name}: {table['equal']} equal, {table['changed']} changed, {table['only_before']} only before,"
             f" {table['only_after']} only after")  # fmt: skip
    return causes


def main() -> None:
    """Runs the whole exercise; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--demo", type=Path, help="the folder of a demo that has run; its returns are copied")
    options = parser.parse_args()
    root = options.out.absolute()
    shutil.rmtree(root, ignore_errors=True)
    small = make_small_lake(root) if options.demo is None else lake_of_demo(root, options.demo)
    memory = ["--driver-memory", small.memory]
    small.done(small.command("run", lake="lake", out="first"))
    again = json.loads(small.done(sos_spark("reproduce", str(root / "first"), "--json", *memory)))
    _say(f"reproduce: {len(again['same'])} files the same to the last digit, {len(again['different'])} differ")
    for name, override in (("seed", "inference.seed=7"), ("study", "population.age_max=15")):
        first = "fit" if name == "seed" else "cohort"
        small.done(small.command("run", lake="lake", out=name, more=["--from", first, "--set", override]))
    causes = {name: told(f"changed {name}", compared(small, "first", name)) for name in ("seed", "study")}
    _say(f"corrected return: {corrected(small)}")
    small.done(small.command("run", lake="lake", out="corrected"))
    causes["returns"] = told("corrected return", compared(small, "first", "corrected"))
    held = json.loads(small.done(sos_spark("reproduce", str(root / "first"), "--json", *memory)))
    _say(f"the first run made again from the versions before the correction: {len(held['same'])} files the same,"
         f" {len(held['different'])} differ")  # fmt: skip
    wrong = {name: found for name, found in causes.items() if found != [name]}
    parted = again["different"] or held["different"] or wrong
    if wrong:
        _say(f"other causes than expected: {wrong}")
    sys.exit(1 if parted else 0)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
