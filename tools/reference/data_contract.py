"""The lake's data contract, in the Open Data Contract Standard (ODCS) v3: tables, columns, keys, checks, as YAML."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sos_spark.tables import TABLES, Column, Table
from tools.reference.codes import code_meanings

HEADER = "# Made from sos_spark/tables by `python -m tools.reference`; do not edit.\n"
_LOGICAL = {
    "STRING": "string",
    "INT": "integer",
    "BIGINT": "integer",
    "DATE": "date",
    "BOOLEAN": "boolean",
    "DECIMAL(38,6)": "number",
    "MAP<STRING,BIGINT>": "object",
}
_WORDS_OF_YAML = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_OF_CHILDREN = ("bronze", "silver", "quarantine", "outcome.index_rows")
"""Layers, and the table, whose rows are a child's."""


def contract() -> str:
    """Returns the contract as YAML."""
    content = {
        "apiVersion": "v3.0.1",
        "kind": "DataContract",
        "id": "sos-spark-lake",
        "name": "The lake of sos_spark",
        "version": "1",
        "status": "active",
        "description": {
            "purpose": "Evaluates whether a practice programme changed what happened to children, from the returns of "
            "English local authorities.",
            "usage": "Delta tables at <lake>/<layer>/<table>; any reader of Delta opens them.",
            "limitations": "Bronze, silver, quarantine and outcome.index_rows hold children's records and leave no "
            "secure setting. Nothing of the lake is cleared for release.",
        },
        "schema": [_object(table) for table in TABLES.values()],
    }
    return HEADER + "\n".join(_yaml(content)) + "\n"


def _object(table: Table) -> dict[str, Any]:
    of_children = table.layer in _OF_CHILDREN or table.name in _OF_CHILDREN
    return {
        "name": table.name,
        "physicalName": f"{table.layer}/{table.short_name}",
        "physicalType": "table",
        "logicalType": "object",
        "dataGranularityDescription": table.grain,
        "tags": [table.layer, "records of children"] if of_children else [table.layer],
        "properties": [_property(column, table) for column in table.columns],
        **({"quality": [_check(name, check) for name, check in table.checks.items()]} if table.checks else {}),
    }


def _property(column: Column, table: Table) -> dict[str, Any]:
    codes = code_meanings(column)
    told: dict[str, Any] = {
        "name": column.name,
        "logicalType": "array" if column.type.startswith("ARRAY<") else _LOGICAL[column.type],
        "physicalType": column.type,
        "description": column.meaning,
        "required": not column.nullable,
    }
    if column.name in table.key:
        told |= {"primaryKey": True, "primaryKeyPosition": table.key.index(column.name) + 1}
    if column.name in table.partition_by:
        told |= {"partitioned": True, "partitionKeyPosition": table.partition_by.index(column.name) + 1}
    custom: list[dict[str, Any]] = [{"property": "dfeElement", "value": column.dfe_item}] if column.dfe_item else []
    if isinstance(column.codes, str):
        custom.append({"property": "codeList", "value": column.codes})
    custom += [{"property": "codes", "value": codes if any(codes.values()) else list(codes)}] if codes else []
    return told | ({"customProperties": custom} if custom else {})


def _check(name: str, check: str) -> dict[str, Any]:
    """A CHECK constraint of the Delta table: a rule that no row breaks."""
    query = f"SELECT COUNT(*) FROM {{object}} WHERE NOT ({check})"  # noqa: S608 - text of a page, never run
    return {"name": name, "type": "sql", "query": query, "mustBe": 0, "severity": "error"}


def _yaml(value: Any, indent: str = "") -> Iterator[str]:
    """Gives the lines of a mapping or a list; text in JSON's quotes, which are YAML's too."""
    pairs = value.items() if isinstance(value, Mapping) else ((None, one) for one in value)
    for name, one in pairs:
        lead = f"{indent}{_key(name)}:" if name is not None else f"{indent}-"
        if isinstance(one, Mapping | list | tuple) and one:
            yield from _below(lead, one, indent, in_list=name is None)
        else:
            yield f"{lead} {json.dumps(one, ensure_ascii=False)}"


def _below(lead: str, value: Mapping[str, Any] | Sequence[Any], indent: str, *, in_list: bool) -> Iterator[str]:
    lines = list(_yaml(value, indent + "  "))
    if in_list:
        # The first line of an entry stands beside its dash.
        yield f"{lead} {lines[0].lstrip()}"
        yield from lines[1:]
    else:
        yield lead
        yield from lines


def _key(name: object) -> str:
    text = str(name)
    return text if text.isidentifier() and text.lower() not in _WORDS_OF_YAML else json.dumps(text, ensure_ascii=False)
