"""The study file's keys: a JSON Schema for editors, and a page, from the models that read the file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sos_spark.config.study import Study

MEANINGS = Path(__file__).with_name("study_keys.toml")
SHARED = "outcomes"
"""The section of keys that all kinds of outcome have."""


class UndescribedKeyError(Exception):
    """A key of the study file that nothing describes, or a description of none."""


def described_schema() -> dict[str, Any]:
    """Returns the JSON Schema of a study file, with a description of every key.

    Raises:
        UndescribedKeyError: Neither a key's model nor study_keys.toml describes it, or the latter describes one that
            is none.
    """
    schema = Study.model_json_schema(by_alias=True)
    meanings: dict[str, dict[str, str]] = tomllib.loads(MEANINGS.read_text(encoding="utf-8"))
    unused = {(part, key) for part, keys in meanings.items() for key in keys}
    missing = []
    for part, model in _parts(schema):
        for key, told in model.get("properties", {}).items():
            own = part if key in meanings.get(part, {}) else SHARED
            unused.discard((own, key))
            meaning = told.get("description") or meanings.get(own, {}).get(key)
            if meaning is None:
                missing.append(f"{part}.{key}")
            told["description"] = meaning
    if missing or unused:
        raise UndescribedKeyError(f"without a meaning: {missing}; meanings of no key: {sorted(unused)}")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _parts(schema: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "Study", dict(schema)
    yield from schema["$defs"].items()


def json_schema() -> str:
    """Returns the schema as text."""
    return json.dumps(described_schema(), indent=2, ensure_ascii=False) + "\n"


def page() -> str:
    """Returns the page of keys."""
    schema = described_schema()
    head = (
        "# The study file, key by key\n\n"
        "Made from `sos_spark/config/study.py`, `sos_spark/config/outcomes` and `tools/reference/study_keys.toml`\n"
        "by `python -m tools.reference`; do not edit. `study.schema.json` beside this page says the same to\n"
        "an editor. `sos-spark study new` writes a commented file, and `study check` reports every fault at once.\n"
    )
    return head + "\n".join(line for part, model in _parts(schema) for line in _section(part, model)) + "\n"


def _section(part: str, model: Mapping[str, Any]) -> Iterator[str]:
    if not model.get("properties"):
        return
    yield from ("", f"## {part}", "", *_paragraph(model), "| key | takes | default | meaning |", "|---|---|---|---|")
    for key, told in model["properties"].items():
        default = "" if key in model.get("required", ()) else _value(told.get("default"))
        yield f"| `{key}` | {_takes(told)} | {default} | {told['description']} |"


def _paragraph(model: Mapping[str, Any]) -> Iterator[str]:
    """The first paragraph of the model's docstring."""
    yield from (model.get("description", "").partition("\n\n")[0].replace("\n", " "), "")


def _value(default: Any) -> str:
    if isinstance(default, dict):
        return "as below"
    return "none" if default in (None, []) else f"`{json.dumps(default, ensure_ascii=False)}`"


def _takes(told: Mapping[str, Any]) -> str:
    """What a key takes, in words."""
    if "$ref" in told:
        return str(told["$ref"]).rpartition("/")[2]
    if "const" in told:
        return f"`{json.dumps(told['const'])}`"
    if "enum" in told:
        return ", ".join(f"`{json.dumps(value)}`" for value in told["enum"])
    choices = told.get("anyOf") or told.get("oneOf")
    if choices:
        return " or ".join(dict.fromkeys(_takes(choice) for choice in choices if choice.get("type") != "null"))
    if told.get("type") == "array":
        items = told.get("items") or (told.get("prefixItems") or [{}])[0]
        return f"{'two' if 'prefixItems' in told else 'a list'} of: {_takes(items)}"
    return {"integer": "a whole number", "number": "a number", "string": "text", "boolean": "`true` or `false`"}.get(
        "date" if told.get("format") == "date" else told.get("type", ""), _other(told)
    ) + _range(told)


def _other(told: Mapping[str, Any]) -> str:
    return "a date" if told.get("format") == "date" else "a table of keys"


def _range(told: Mapping[str, Any]) -> str:
    low, high = told.get("minimum"), told.get("maximum")
    if low is not None and high is not None:
        return f", {low:,} to {high:,}" if isinstance(high, int) else f", {low:g} to {high:g}"
    above = told.get("exclusiveMinimum")
    return f", {low} or more" if low is not None else f", above {above}" if above is not None else ""
