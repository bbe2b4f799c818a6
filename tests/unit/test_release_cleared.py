"""Only what was cleared can be written: by hand nothing can be made, and a count that slipped through is refused."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from sos_spark.config.disclosure import load_profile
from sos_spark.errors import DisclosureError
from sos_spark.release.cleared import (
    HIDDEN,
    Cleared,
    ClearedTable,
    Draft,
    clear_figure,
    clear_page,
    clear_table,
    significant,
)
from sos_spark.release.pack import pack_files
from sos_spark.report.words.numbers import SCALES
from sos_spark.steps.guarded_csv import guarded_csv

DFE, OPENSAFELY = load_profile("dfe-cin"), load_profile("opensafely")


def a_draft(n: list[float], *, hidden: list[bool] | None = None) -> Draft:
    frame = pd.DataFrame({"arm": ["=pilot"] * len(n), "n": n, "att": 0.123456789, "child": "a postcode"})
    mask = pd.DataFrame({"arm": False, "n": hidden or [False] * len(n), "att": False}, index=frame.index)
    return Draft("t", "T", "table", {"arm": "label", "n": "count", "att": "estimate"}, frame, mask, pd.DataFrame())


def test_a_hidden_number_is_a_symbol_and_what_is_not_declared_is_gone() -> None:
    table = clear_table(a_draft([6, float("nan")], hidden=[False, True]), DFE)
    assert table.text["n"].tolist() == ["6", HIDDEN]
    assert list(table.text.columns) == ["arm", "n", "att"]


def test_an_estimate_has_no_more_digits_than_the_profile_gives() -> None:
    assert clear_table(a_draft([6]), DFE).text["att"].tolist() == ["0.1235"]
    assert significant(-123456.0, 4) == -123500.0
    assert significant(np.float64(0.0), 4) == 0


def test_the_end_of_an_endless_interval_is_written_as_that() -> None:
    draft = a_draft([6])
    draft.frame["att"] = -math.inf
    assert clear_table(draft, DFE).text["att"].tolist() == ["-inf"]


@pytest.mark.parametrize(("whole", "shown"), [(0.0914996, "9.1"), (0.0915004, "9.2"), (-0.0914996, "-9.1")])
def test_the_page_rounds_once_from_the_whole_value(whole: float, shown: str) -> None:
    draft = a_draft([6])
    draft.frame["att"] = whole
    table = clear_table(draft, DFE)
    assert table.text["att"].tolist() == [f"{math.copysign(0.0915, whole)}"]
    assert SCALES["points"].change(table.numbers["att"].item()) == shown


@pytest.mark.parametrize("n", [1, 5])
def test_a_small_count_that_slipped_through_is_refused(n: float) -> None:
    with pytest.raises(DisclosureError, match="the profile does not allow"):
        clear_table(a_draft([n]), DFE)


def test_a_count_that_is_not_rounded_is_refused() -> None:
    with pytest.raises(DisclosureError, match="multiples of 5"):
        clear_table(a_draft([12]), OPENSAFELY)


def test_nothing_cleared_can_be_made_by_hand() -> None:
    table = clear_table(a_draft([6]), DFE)
    with pytest.raises(DisclosureError, match="not cleared"):
        ClearedTable(a_draft([1]), table.text, table.numbers, object())
    with pytest.raises(DisclosureError, match="not cleared"):
        Cleared("name", "title", None)


@pytest.mark.parametrize("item", [pd.DataFrame({"n": [1]}), "a page", a_draft([1])])
def test_the_pack_takes_nothing_that_was_not_cleared(item: object) -> None:
    with pytest.raises(DisclosureError, match="not cleared"):
        pack_files([item], guard=guarded_csv)


def test_a_figure_or_page_is_cleared_by_the_tables_it_is_made_from() -> None:
    with pytest.raises(DisclosureError, match="not made from cleared tables"):
        clear_figure("f", "F", {"svg": b""}, made_from=())
    with pytest.raises(DisclosureError, match="not made from cleared tables"):
        clear_page("p", "P", "", made_from=(a_draft([6]),))  # type: ignore[arg-type]


def test_the_pack_guards_text_against_formulas_and_writes_each_form() -> None:
    files = pack_files([clear_table(a_draft([6]), DFE)], guard=guarded_csv)
    assert sorted(files) == ["tables/t.csv", "tables/t.md", "tables/tables.docx"]
    assert b"'=pilot,6,0.1235" in files["tables/t.csv"]
