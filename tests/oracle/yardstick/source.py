"""The flat tables as typed SQL: what each field of a Parquet table is read with, and the pseudonyms of its children."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb

MODULES = {
    "child_identifiers": "LAchildID",
    "cin_details": "LAchildID",
    "assessments": "LAchildID",
    "section47": "LAchildID",
    "cp_plans": "LAchildID",
    "lac_header": "CHILD",
    "lac_episodes": "CHILD",
}
"""The modules that feed the study, and the column of each that holds the child's id."""

_BLOCK = 64


class Fields:
    """SQL that reads a module's fields: `None` for one that its files lack is SQL's null."""

    def __init__(self, types: dict[str, str]) -> None:
        self.types = types

    def text(self, name: str) -> str:
        """A field without surrounding blanks; null where nothing is left."""
        return f"nullif(trim(\"{name}\"::VARCHAR), '')" if name in self.types else "NULL::VARCHAR"

    def code(self, name: str) -> str:
        """A coded field in upper case."""
        return f"upper({self.text(name)})"

    def iso(self, name: str) -> str:
        """A CIN date."""
        if self.types.get(name) == "DATE":
            return f'"{name}"'
        text = self.text(name)
        return f"CASE WHEN regexp_full_match({text}, '\\d{{4}}-\\d\\d-\\d\\d') THEN try_cast({text} AS DATE) END"

    def british(self, name: str) -> str:
        """An SSDA903 date; a table that was typed once and is text again has it in ISO form."""
        if self.types.get(name) == "DATE":
            return f'"{name}"'
        text = self.text(name)
        return (
            f"CASE WHEN regexp_full_match({text}, '\\d\\d?/\\d\\d?/\\d{{4}}')"
            f" THEN try_strptime({text}, '%d/%m/%Y')::DATE ELSE {self.iso(name)} END"
        )

    def no_date(self, name: str, day: str) -> str:
        """Whether there is text and the date read from it is null."""
        return "FALSE" if self.types.get(name) == "DATE" else f"({self.text(name)} IS NOT NULL AND ({day}) IS NULL)"

    def flag(self, name: str) -> str:
        """0, 1, true or false."""
        text = f"lower({self.text(name)})"
        return f"CASE WHEN {text} IN ('1', 'true') THEN TRUE WHEN {text} IN ('0', 'false') THEN FALSE END"

    def sex(self, *names: str) -> str:
        """male, female or unknown, from the first of the fields that says anything."""
        code = f"coalesce({', '.join(map(self.code, names))}, '')"
        return f"CASE WHEN {code} IN ('1', 'M') THEN 'male' WHEN {code} IN ('2', 'F') THEN 'female' ELSE 'unknown' END"


def open_tables(db: duckdb.DuckDBPyConnection, source: Path) -> dict[str, Fields]:
    """Makes a view raw_<module> of each module's files, with id and record_position; returns how fields are read."""
    fields = {}
    for module, id_column in MODULES.items():
        files = str(source / "tables" / module / "*.parquet")
        read = f"read_parquet('{files}', file_row_number = TRUE, union_by_name = TRUE)"
        types = {name: kind for name, kind, *_ in db.execute(f"DESCRIBE SELECT * FROM {read}").fetchall()}
        fields[module] = Fields(types)
        db.execute(
            f"CREATE VIEW raw_{module} AS SELECT * EXCLUDE (la_code, census_year, file_row_number), la_code,"
            f" census_year::INTEGER AS census_year, {fields[module].text(id_column)} AS id,"
            f" file_row_number + 1 AS record_position FROM {read}"
        )
    return fields


def name_children(db: duckdb.DuckDBPyConnection, fields: dict[str, Fields], key: bytes) -> None:
    """Makes the tables `child_names` (la_code, id, child, child_id) and `person_names` (message, person_key).

    Inside a run a child is a small integer; the pseudonym of a child or person is made once and joined to what is
    written. The key stays out of the SQL: it is data.
    """
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    db.execute("CREATE TABLE pads (ipad BLOB, opad BLOB)")
    db.execute("INSERT INTO pads VALUES (?, ?)", [bytes(byte ^ mask for byte in block) for mask in (0x36, 0x5C)])
    db.execute(
        "CREATE MACRO pseudonym(message, ipad, opad) AS"
        " left(sha256(opad || unhex(sha256(ipad || encode(message)))), 32)"
    )
    everyone = " UNION ".join(
        f"SELECT DISTINCT la_code, id FROM raw_{module} WHERE id IS NOT NULL" for module in MODULES
    )
    db.execute(
        "CREATE TABLE child_names AS SELECT la_code, id, (row_number() OVER ())::INTEGER AS child,"
        " pseudonym('child' || chr(31) || la_code || chr(31) || id, ipad, opad) AS child_id"
        f" FROM ({everyone}), pads"
    )
    messages = f"SELECT {cin_person(fields)} AS message FROM raw_child_identifiers UNION"
    messages += f" SELECT {lac_person(fields)} FROM raw_lac_header"
    db.execute(
        "CREATE TABLE person_names AS SELECT message, pseudonym(message, ipad, opad) AS person_key"
        f" FROM ({messages}), pads WHERE message IS NOT NULL"
    )


def cin_person(fields: dict[str, Fields]) -> str:
    """What names a child in need apart from the authority's id."""
    own = fields["child_identifiers"]
    return _person(own, own.iso("PersonBirthDate"), "Sex", "GenderCurrent")


def lac_person(fields: dict[str, Fields]) -> str:
    """What names a looked-after child apart from the authority's id."""
    return _person(fields["lac_header"], fields["lac_header"].british("DOB"), "SEX")


def _person(fields: Fields, birth: str, *sex: str) -> str:
    upn = fields.code("UPN")
    given = f"coalesce({', '.join(map(fields.text, sex))}) IS NOT NULL"
    return (
        f"CASE WHEN {given} AND NOT regexp_full_match({upn}, 'UN\\d')"
        f" THEN 'person' || chr(31) || {upn} || chr(31) || ({birth})::VARCHAR || chr(31) || {fields.sex(*sex)} END"
    )
