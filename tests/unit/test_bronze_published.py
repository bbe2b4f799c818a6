"""Published tables are known by their columns, whatever the file is called; suppressed is not zero."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from sos_spark.bronze.published import PublishedTable, PublishedValue, published_values, read_published
from sos_spark.config.reference import england_ceased

WIDE = """time_period,geographic_level,old_la_code,Referrals,Re_referrals,No_Further_Action
2014,National,,100,20,10
2014,Local authority,926,50,10,c
2014,Local authority,935,u,"1,234",0
2014,Local authority,838,z,x,:
"""
REGIONAL = """time_period,geographic_level,region_name,old_la_code,Referrals,Re_referrals,No_Further_Action,Not_in_Need
2014,Regional,East of England,,120,30,10,40
2014,Local authority,East of England,926,50,10,c,22
"""
CEASED = """geog_l,geog_c,geog_n,CLA_cease,CLA_ceaAdop,CLA-ceaDied,CLA_ceamal,CLA_ceaSpecG,CLA_ceaSpecG2
NATIONAL,999,ENGLAND,28460,1,1,1,1,1
REGION,A,EAST OF ENGLAND,60,20,0,30,20,20
LA,926,Norfolk,40,12,x,25,x,10
"""


def written(folder: Path, text: str, encoding: str = "utf-8-sig") -> Path:
    path = folder / "any name.csv"
    path.write_bytes(text.encode(encoding))
    return path


def read(path: Path) -> PublishedTable | None:
    return read_published(path, england_ceased=england_ceased())


def test_a_table_is_known_by_its_columns_and_suppressed_is_not_zero(tmp_path: Path) -> None:
    table = read(written(tmp_path, WIDE))
    assert table is not None
    values = {(v.la_code, v.quantity): (v.value, v.status) for v in table.values}
    assert values[("926", "referrals")] == (50, "known")
    assert values[("926", "nfa")] == (None, "suppressed")
    assert values[("935", "referrals")] == (None, "unavailable")
    assert values[("935", "rereferrals")] == (1234, "known")
    assert values[("935", "nfa")] == (0, "known")
    assert [values["838", name][1] for name in ("referrals", "rereferrals", "nfa")] == [
        "not_applicable",
        "unavailable",
        "unavailable",
    ]


def test_regions_and_what_narrows_a_suppressed_count_are_read_too(tmp_path: Path) -> None:
    table = read(written(tmp_path, REGIONAL))
    assert table is not None
    values = {(v.la_code, v.quantity): v.value for v in table.values}
    assert values[("region:east of england", "nfa")] == 10
    assert values[("926", "not_in_need")] == 22


def test_until_2017_an_x_is_suppressed_and_every_reason_for_leaving_care_is_read(tmp_path: Path) -> None:
    table = read(written(tmp_path, CEASED))
    assert table is not None
    values = {(v.la_code, v.quantity): (v.value, v.status) for v in table.values}
    assert {name: value for (code, name), value in values.items() if code == "926"} == {
        "ceased": (40, "known"),
        "ceased_guardianship_carers": (None, "suppressed"),
        "ceased_guardianship_others": (10, "known"),
        "ceased_because:CLA_ceaAdop": (12, "known"),
        "ceased_because:CLA-ceaDied": (None, "suppressed"),
    }
    assert values["region:east of england", "ceased"] == (60, "known")


def test_column_order_encoding_and_stray_spaces_do_not_matter(tmp_path: Path) -> None:
    shuffled = WIDE.replace(
        "time_period,geographic_level,old_la_code,Referrals", "time_period,geographic_level,old_la_code,Referrals "
    ).replace("926", "926 ")
    assert read(written(tmp_path, shuffled, "cp1252")) == read(written(tmp_path, WIDE))


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "time_period,geographic_level,old_la_code,Referrals\n2014,LA,1,2\n"]
)
def test_any_other_file_is_not_recognised(tmp_path: Path, text: str) -> None:
    assert read(written(tmp_path, text)) is None


def test_where_tables_overlap_the_one_that_reaches_furthest_counts() -> None:
    old, new = (
        PublishedTable(name, year, (PublishedValue("926", 2021, "looked_after", count, "known"),))
        for name, year, count in (("old", 2023, 1), ("new", 2025, 2))
    )
    assert [value.value for value in published_values([new, old])] == [2]


@pytest.mark.reference
def test_the_years_of_tables_that_do_not_say_them_are_found_whatever_the_name(
    reference_data: Path, tmp_path: Path
) -> None:
    for year, name in ((2012, "SFR20_CEA2012"), (2013, "SFR36_CEA2013"), (2015, "SFR34_CEA2015")):
        copy = shutil.copy(reference_data / "dfe_open" / f"{name}.csv", tmp_path / "x.csv")
        table = read(Path(copy))
        assert table is not None
        assert {value.census_year for value in table.values} == {year}


@pytest.mark.reference
def test_values_are_those_that_pandas_reads(reference_data: Path) -> None:
    path = next((reference_data / "dfe_open").glob("c1_*.csv"))
    table = read(path)
    assert table is not None
    raw = pd.read_csv(path, dtype=str)
    raw = raw[raw["geographic_level"] == "Local authority"]
    expected = pd.to_numeric(raw["Re_referrals"], errors="coerce")
    ours = [value for value in table.values if value.quantity == "rereferrals" and value.la_code.isdigit()]
    assert sum(v.value for v in ours if v.value is not None) == int(expected.sum())
    assert sum(v.value is None for v in ours) == int(expected.isna().sum())
