"""What the lake's tables declare in words and codes is complete, and agrees with what reads and judges them."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules

import pytest

from sos_spark import tables
from sos_spark.bronze.arrive import cin_structure
from sos_spark.config.reference import code_set
from sos_spark.tables import BRONZE_MODULES, LAC_MODULES, OUTCOME_REASONS, TABLES, Column, Table

COLUMNS = [(table, column) for table in TABLES.values() for column in table.columns]


def test_every_table_that_is_declared_is_entered() -> None:
    modules = [import_module(f"{tables.__name__}.{module.name}") for module in iter_modules(tables.__path__)]
    declared = {value.name for module in modules for value in vars(module).values() if isinstance(value, Table)}
    assert declared <= set(TABLES)


def wording_faults(column: Column) -> list[str]:
    words = column.meaning
    return [
        fault
        for fault, there in {
            "no meaning": not words,
            "begins without a capital": words[:1].islower(),
            "ends with a full stop": words.endswith("."),
            "merely repeats the name": words.casefold().replace(" ", "_") == column.name.casefold(),
        }.items()
        if there
    ]


def test_every_column_has_a_plain_meaning() -> None:
    assert {
        f"{table.name}.{column.name}": wording_faults(column) for table, column in COLUMNS if wording_faults(column)
    } == {}


@pytest.mark.parametrize("meaning", ["", "the day.", "Referral date"])
def test_a_meaning_that_says_nothing_is_a_fault(meaning: str) -> None:
    assert wording_faults(Column("referral_date", "DATE", meaning))


def places_of_dfe() -> set[str]:
    """Every leaf below its parent, as in 'CINdetails/CINreferralDate' or 'episodes/DECOM'."""
    inside = {parent: names.replace("*", "").split() for parent, names in cin_structure._INSIDE.items()}
    cin = {f"{parent}/{name}" for parent, names in inside.items() for name in names if name not in inside}
    lac = {column.dfe_item for table in LAC_MODULES.values() for column in table.columns if "/" in column.dfe_item} - {
        "Header/Source/LEA",
        "Header/Year",
    }
    return cin | lac


def test_every_dfe_item_is_an_element_that_is_read() -> None:
    known = places_of_dfe()
    unknown = set()
    for table, column in COLUMNS:
        place = ""
        for item in filter(None, column.dfe_item.split(", ")):
            # 'ChildIdentifiers/UPN, PersonBirthDate': later names stand in the first one's place.
            place, name = item.rsplit("/", 1) if "/" in item else (place, item)
            parent = {"Header": "CollectionDetails"}.get(place.rsplit("/", 1)[-1], place.rsplit("/", 1)[-1])
            if f"{parent}/{name}" not in known:
                unknown.add(f"{table.name}.{column.name}: {item}")
    assert unknown == set()


def test_every_field_of_a_module_says_its_element() -> None:
    bare = {f"{t.name}.{c.name}" for t in BRONZE_MODULES.values() for c in t.columns[5:] if not c.dfe_item}
    assert bare == set()


def test_every_named_list_of_codes_is_there() -> None:
    named = {column.codes for _, column in COLUMNS if isinstance(column.codes, str)} - {OUTCOME_REASONS}
    assert named
    for name in named:
        collection, _, field = name.partition(".")
        assert code_set(collection, field), name


def test_words_do_not_change_what_a_table_is() -> None:
    table = Table("silver.things", "a thing", (Column("name", "STRING", "The name"),))
    assert replace(table, columns=(Column("name", "STRING", "What it is called"),)).form == table.form
    assert replace(table, columns=(Column("name", "STRING", nullable=False),)).form != table.form
    assert replace(table, columns=(Column("name", "INT"),)).form != table.form
