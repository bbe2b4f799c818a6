"""Cells of published measures: known only where every authority of a unit is."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sos_spark.bronze.read.published import EARLY_BANDS, LATE_BANDS, PublishedValue, read_published
from sos_spark.config.reference import published_reference
from sos_spark.config.study import Window
from sos_spark.outcome.published import MEASURES, Component, PublishedCell, published_cells

WINDOW = Window.model_validate(
    {
        "baseline": ["2013-04-01", "2014-04-01"],
        "follow_up": ["2014-04-01", "2015-04-01"],
        "period": "year",
        "data_ends": "2015-03-31",
    }
)
ALWAYS = (0, 9999)


def a_value(quantity: str, value: int | None, code: str = "926", year: int = 2014) -> PublishedValue:
    return PublishedValue(code, year, quantity, value, "suppressed" if value is None else "known")


def cells_of(
    values: list[PublishedValue], measure: str = "nfa_share", codes: tuple[str, ...] = ("926",)
) -> dict[int, PublishedCell]:
    units = {"+".join(codes): [Component(code, *ALWAYS) for code in codes]}
    cells = published_cells(values, measure=MEASURES[measure], units=units, window=WINDOW)
    return {cell.census_year: cell for cell in cells}


def test_a_share_is_its_numerator_and_denominator() -> None:
    cells = cells_of([a_value("referrals", 50), a_value("nfa", 10)])
    assert (cells[2014].n, cells[2014].y_sum, cells[2014].reason) == (50, 10, None)
    assert cells[2015].reason == "unavailable"


def test_a_suppressed_count_is_unknown_not_zero() -> None:
    cell = cells_of([a_value("referrals", 50), a_value("nfa", None)])[2014]
    assert (cell.n, cell.y_sum, cell.reason) == (None, None, "suppressed")


def test_a_count_that_does_not_exist_is_told_from_one_that_is_withheld() -> None:
    referrals, withheld = a_value("referrals", 50), PublishedValue("935", 2014, "nfa", None, "suppressed")
    gone = PublishedValue("926", 2014, "nfa", None, "unavailable")
    cell = cells_of([referrals, gone, a_value("referrals", 9, "935"), withheld], codes=("926", "935"))[2014]
    assert cell.reason == "unavailable"


def test_a_merged_unit_is_known_only_where_each_part_is() -> None:
    whole = [a_value(q, n, code) for code in ("1", "2") for q, n in (("referrals", 50), ("nfa", 10))]
    assert cells_of(whole, codes=("1", "2"))[2014].n == 100
    assert cells_of(whole[:3], codes=("1", "2"))[2014].reason == "unavailable"


def test_a_code_counts_only_in_the_years_it_was_valid() -> None:
    values = [a_value("referrals", 50), a_value("nfa", 10)]
    units = {"u": [Component("926", 0, 2014), Component("935", 2016, 9999)]}
    cells = published_cells(values, measure=MEASURES["nfa_share"], units=units, window=WINDOW)
    assert [(cell.census_year, cell.reason) for cell in cells] == [(2014, None), (2015, "no_authority")]


def test_no_referrals_at_all_is_no_cell() -> None:
    assert cells_of([a_value("referrals", 0), a_value("nfa", 0)])[2014].reason == "none_counted"


@pytest.mark.parametrize(
    ("known", "within"),
    [
        (LATE_BANDS, 94),
        (EARLY_BANDS, 60),
        (EARLY_BANDS + LATE_BANDS, 94),
        ((), None),
        (LATE_BANDS[1:] + EARLY_BANDS[1:], None),
    ],
)
def test_within_45_days_takes_the_late_bands_else_the_early_ones(known: tuple[str, ...], within: int | None) -> None:
    size = dict.fromkeys(EARLY_BANDS, 10) | dict.fromkeys(LATE_BANDS, 2)
    values = [a_value(band, size[band] if band in known else None, year=2015) for band in size]
    cell = cells_of([a_value("assessments", 100, year=2015), *values], "assessed_within_45")[2015]
    assert cell.y_sum == within


def test_assessments_before_the_single_assessment_are_out() -> None:
    assert cells_of([], "assessed_within_45")[2014].reason == "before_measure"


def test_guardianship_is_one_count_or_the_sum_of_two() -> None:
    two = [a_value("ceased_guardianship_carers", 6), a_value("ceased_guardianship_others", 7), a_value("ceased", 100)]
    assert cells_of(two, "special_guardianship_share")[2014].y_sum == 13
    assert (
        cells_of([*two[1:], a_value("ceased_guardianship_carers", None)], "special_guardianship_share")[2014].reason
        == "suppressed"
    )


@pytest.mark.reference
def test_cells_of_the_real_tables_are_pandas_own(reference_data: Path) -> None:
    path = next((reference_data / "dfe_open").glob("c1_*.csv"))
    table = read_published(path.read_bytes(), reference=published_reference())
    assert table is not None
    raw = pd.read_csv(path, dtype=str).query(
        "geographic_level == 'Local authority' and time_period in ('2014', '2015')"
    )
    counts = raw[["Re_referrals", "Referrals"]].apply(pd.to_numeric, errors="coerce")
    expected = counts.dropna().astype(int).assign(unit=raw["old_la_code"], year=raw["time_period"].astype(int))
    units = {code: [Component(code, *ALWAYS)] for code in raw["old_la_code"].unique()}
    ours = published_cells(table.values, measure=MEASURES["rereferral_12m"], units=units, window=WINDOW)
    assert {(c.unit_id, c.census_year, c.y_sum, c.n) for c in ours if c.reason is None} == set(
        expected[["unit", "year", "Re_referrals", "Referrals"]].itertuples(index=False, name=None)
    )
