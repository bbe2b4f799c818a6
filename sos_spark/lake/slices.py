"""Slices of a table, which a replacement replaces: as a SQL predicate, and those that share values together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from sos_spark.lake.faults import SchemaMismatchError
from sos_spark.tables import Table


def predicate(table: Table, slices: Sequence[Mapping[str, object]]) -> str:
    """Returns a predicate that holds for exactly the rows of the slices; without slices, for none.

    Slices that share all values but those of one column become one IN list, so that a thousand LA-years are a few
    terms and not a thousand.

    Raises:
        SchemaMismatchError: A slice names a column the table lacks, or other columns than the first slice does.
    """
    if not slices:
        return "false"
    names = list(slices[0])
    if not names or any(set(one) != set(names) for one in slices) or not set(names) <= set(table.column_names):
        raise SchemaMismatchError(
            "Slices must name the same columns of their table",
            where=table.name,
            found="; ".join(sorted({", ".join(map(str, one)) for one in slices})),
        )
    terms = [
        " AND ".join([*(_equals(name, value) for name, value in rest.items()), _one_of(widest, values)])
        for rest, widest, values in grouped(slices)
    ]
    return " OR ".join(f"({term})" for term in terms)


def grouped(slices: Sequence[Mapping[str, object]]) -> list[tuple[dict[str, object], str, list[object]]]:
    """Returns slices that share all values but those of one column together: the shared ones, the column, its values.

    The slices name the same columns.
    """
    if not slices:
        return []
    widest = max(slices[0], key=lambda name: len({one[name] for one in slices}))
    listed: dict[tuple[tuple[str, object], ...], list[object]] = defaultdict(list)
    for one in slices:
        rest = tuple((name, one[name]) for name in slices[0] if name != widest)
        if one[widest] not in listed[rest]:
            listed[rest].append(one[widest])
    return [(dict(rest), widest, values) for rest, values in listed.items()]


def _one_of(name: str, values: Sequence[object]) -> str:
    known = [value for value in values if value is not None]
    terms = [_equals(name, None)] if len(known) < len(values) else []
    if len(known) == 1:
        terms.append(_equals(name, known[0]))
    elif known:
        terms.append(f"`{name}` IN ({', '.join(_literal(value) for value in known)})")
    return terms[0] if len(terms) == 1 else f"({' OR '.join(terms)})"


def _equals(name: str, value: object) -> str:
    return f"`{name}` IS NULL" if value is None else f"`{name}` = {_literal(value)}"


def _literal(value: object) -> str:
    """A SQL literal; text is quoted so that nothing in it is read as SQL."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, date):
        return f"DATE'{value.isoformat()}'"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    raise TypeError(f"a slice cannot hold a {type(value).__name__}")
