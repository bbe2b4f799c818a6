"""Of the names that a file gives only declared ones are said: any other may be a child's value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sos_spark.bronze.arrive.lac_file import read_lac
from sos_spark.bronze.columns import find_columns
from sos_spark.bronze.fault import SourceError
from sos_spark.bronze.fields import DECLARED, FIELDS
from sos_spark.bronze.record_batches import RecordBatches
from sos_spark.errors import shown_list, shown_name

RECORD = "AB123,01/02/2014,S,C2,N1,U1,PR0,,,,ZQ1 9X0,ZQ1 9X0,SC123456"


def test_a_postcode_in_an_episodes_file_without_a_header_is_not_repeated() -> None:
    with pytest.raises(SourceError, match=r"has no header: found columns 11 and 12$") as fault:
        read_lac(f"{RECORD}\n{RECORD}\n".encode(), "lac_episodes", RecordBatches())
    assert not [value for value in RECORD.split(",") if value and value in str(fault.value)]


@pytest.mark.parametrize("value", ["ZQ1 9X0", "A123456789012", "AB123", "Smith", "Chile", "DOC", "2008-02-01"])
def test_a_value_in_the_place_of_a_column_name_is_shown_as_its_position(value: str) -> None:
    columns = find_columns(["CHILD", value], FIELDS["lac_missing"], required=("CHILD",))
    assert columns.unknown[0].startswith("column 2")
    assert value not in columns.unknown[0]


def test_a_misspelt_column_is_shown_by_what_it_is_like() -> None:
    assert shown_name("CINclosuredat", 3, DECLARED) == "column 3 (like CINclosureDate)"
    assert shown_name(" reC ", 3, DECLARED) == "REC"
    assert shown_name("RED", 3, DECLARED) == "column 3", "a slip in three letters may be anything"


@given(st.text(min_size=1, max_size=20))
def test_nothing_undeclared_is_ever_shown(name: str) -> None:
    told = shown_name(name, 7, DECLARED)
    likes = {f"column 7 (like {known})" for known in DECLARED}
    assert told in {"column 7", *DECLARED, *likes}


def test_a_long_list_stays_short() -> None:
    assert shown_list([f"column {n}" for n in range(1, 12)]).endswith("column 8 and 3 more")
