"""Every row rule and every expectation, with what becomes of a row and why. Row rules need a Spark session."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sos_spark.config.shipped import expectations_root
from sos_spark.silver.row_rule import RowRule
from tools.reference.dictionary import safe

INTRODUCTION = """# Rules

Made from `sos_spark/silver/entities` and `expectations/` by `python -m tools.reference`; do not edit.

## Row rules

An `error` sends the row to quarantine; of a `field` fault the one value becomes unknown and the row stays; a `warning`
stays with the row. 'DfE' is the number of the validation rule that it stands for.
"""


def page(rules: Mapping[str, Sequence[RowRule]]) -> str:
    """Returns the page."""
    lines = [INTRODUCTION]
    for entity, own in rules.items():
        lines += [
            f"### {entity}",
            "",
            "| code | severity | DfE | what is wrong | unknown then |",
            "|---|---|---|---|---|",
        ]
        lines += [_row(rule) for rule in own]
        lines.append("")
    return "\n".join([*lines, *_expectations()]).rstrip() + "\n"


def _row(rule: RowRule) -> str:
    unknown = f"`{rule.unknown}`" if rule.unknown else ""
    return f"| `{rule.code}` | {rule.severity} | {rule.dfe or ''} | {safe(rule.text)} | {unknown} |"


def _expectations() -> Iterator[str]:
    about = "About facts of a table, counted by authority and year. An `error` stops the run with exit code 3."
    yield from ("## Expectations", "", about, "")
    for path in sorted(Path(expectations_root()).glob("*.json")):
        suite = json.loads(path.read_text(encoding="utf-8"))
        yield from (f"### {suite['name']}", "", suite["meta"].get("about", ""), "")
        yield from ("| fact | bound | severity | why |", "|---|---|---|---|")
        yield from (_expectation(one) for one in suite["expectations"])
        yield ""


def _expectation(one: Mapping[str, Any]) -> str:
    asked, meta = dict(one["kwargs"]), one["meta"]
    fact = asked.pop("column", one["type"])
    bound = ", ".join(f"{name.removesuffix('_value')} {value}" for name, value in asked.items())
    return f"| `{fact}` | {bound} | {meta.get('severity', '')} | {safe(meta.get('why', ''))} |"
