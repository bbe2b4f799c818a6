"""The data dictionary: every table of the lake and every file of a run, column by column, and the lists of codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from sos_spark.tables import TABLES, Column, Table
from sos_spark.tables.results import RESULT_TABLES, ResultTable
from tools.reference.codes import code_meanings, code_years

INTRODUCTION = """# Data dictionary

Made from `sos_spark/tables` by `python -m tools.reference`; do not edit.

A column is null, or blank in a file, only where the table says so. 'DfE element' is the element of the CIN census, or
the field of the SSDA903 return, that the values come from, below its module."""

LAYERS_IN_WORDS = {
    "bronze": "Returns as received, with provenance.",
    "silver": "Typed, one row per entity, the latest return of each; a child is a pseudonym.",
    "quarantine": "Rows whose key cannot be trusted, with every reason.",
    "dq": "What was checked, and that nothing is lost.",
    "cohort": "A study's authorities, and the days on which their returns observe what they report.",
    "outcome": "What each outcome of a study counts, and why a row is not analysed.",
    "panel": "Collapsed cells of a study, with exact sums.",
}


def page() -> str:
    """Returns the page."""
    return "\n".join([INTRODUCTION, "", *_lake(), *_files(), *_code_lists()]).rstrip() + "\n"


def _lake() -> Iterator[str]:
    yield from ("## Tables of the lake", "")
    by_layer = groupby(sorted(TABLES.values(), key=lambda table: list(LAYERS_IN_WORDS).index(table.layer)), _layer)
    for layer, tables in by_layer:
        yield from (f"### {layer}", "", LAYERS_IN_WORDS[layer], "")
        for table in tables:
            yield from (f"#### {table.name}", "", f"Grain: {safe(table.grain)}.", "")
            yield from _key(table.key)
            if table.checks:
                yield from ("Checks: " + "; ".join(f"`{check}`" for check in table.checks.values()), "")
            yield from _columns(table.columns, blank="null")


def _layer(table: Table) -> str:
    return table.layer


def _files() -> Iterator[str]:
    yield from (
        "## Files of a run",
        "",
        "In `--out`; collapsed numbers, never a child's row. Not cleared for release.",
        "",
    )
    for table in RESULT_TABLES.values():
        yield from (f"### {table.file_name}", "", f"Grain: {safe(table.grain)}.", "")
        yield from _key(table.key)
        yield from _columns(table.columns, blank="blank", optional=table.optional)
        yield from _further(table)


def _further(table: ResultTable) -> Iterator[str]:
    if table.further:
        yield from (f"Beside these: {safe(table.further)}.", "")


def _key(key: Sequence[str]) -> Iterator[str]:
    if key:
        yield from (f"Key: {', '.join(f'`{name}`' for name in key)}", "")


def _columns(columns: Sequence[Column], *, blank: str, optional: frozenset[str] = frozenset()) -> Iterator[str]:
    yield f"| column | type | may be {blank} | meaning | DfE element | codes |"
    yield "|---|---|---|---|---|---|"
    for column in columns:
        lacks = "may be absent" if column.name in optional else "yes" if column.nullable else ""
        cells = (f"`{column.name}`", column.type, lacks, safe(column.meaning), safe(column.dfe_item), _codes(column))
        yield "| " + " | ".join(cells) + " |"
    yield ""


def _codes(column: Column) -> str:
    if isinstance(column.codes, str):
        return f"[{column.codes}](#{_anchor(column.codes)})"
    return "<br>".join(f"`{code}`: {safe(meaning)}" for code, meaning in column.codes.items())


def _code_lists() -> Iterator[str]:
    tables: tuple[Table | ResultTable, ...] = (*TABLES.values(), *RESULT_TABLES.values())
    named = {column.codes: column for table in tables for column in table.columns if isinstance(column.codes, str)}
    yield from ("## Lists of codes", "", "DfE's, with the census years in which each was seen, and ours.", "")
    for name, column in sorted(named.items()):
        years = code_years(column)
        yield from (f"### {name}", "")
        if years:
            yield from (", ".join(f"`{code}` ({years[code]})" for code in years), "")
            continue
        yield from ("| code | meaning |", "|---|---|")
        yield from (f"| `{code}` | {safe(meaning)} |" for code, meaning in code_meanings(column).items())
        yield ""


def _anchor(heading: str) -> str:
    """The anchor that Markdown gives a heading."""
    return "".join(char for char in heading.lower() if char.isalnum() or char in "-_ ").replace(" ", "-")


def safe(text: str) -> str:
    """Text that neither ends a cell of a table nor opens an element of HTML."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")
