"""Published tables are known by their columns, whatever the file is called; suppressed is not zero."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pandas as pd
import pytest

from sos_spark.bronze.fault import SourceError
from sos_spark.bronze.read.published import PublishedTable, PublishedValue, published_values, read_published
from sos_spark.config.reference import authorities, published_reference

WIDE = """time_period,geographic_level,old_la_code,Referrals,Re_referrals,No_Further_Action
2014,Local authority,926,50,10,c
2014,Local authority,935,u,"1,234",0
2014,Local authority,838,z,x,:
"""
WIDE_2015 = """2015,Local authority,926,50,10,c
2015,Local authority,935,u,7,0
"""
REGIONAL = """time_period,geographic_level,region_name,old_la_code,Referrals,Re_referrals,No_Further_Action,Not_in_Need
2014,Regional,East of England,,120,30,10,40
2014,Local authority,East of England,926,50,10,c,22
"""
CEASED = """geog_l,geog_c,geog_n,CLA_cease2013,CLA_ceaAdop,CLA-ceaDied,CLA_ceamal,CLA_ceaSpecG,CLA_ceaSpecG2
REGION,A,EAST OF ENGLAND,60,20,0,30,20,20
LA,926,Norfolk,40,12,x,25,x,10
"""


def written(folder: Path, text: str, encoding: str = "utf-8-sig") -> Path:
    path = folder / "any name.csv"
    path.write_bytes(text.encode(encoding))
    return path


def read(path: Path) -> PublishedTable | None:
    return read_published(path.read_bytes(), reference=published_reference())


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


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "time_period,geographic_level,old_la_code,Referrals\n2014,LA,1,2\n"])
def test_any_other_file_is_not_recognised(tmp_path: Path, text: str) -> None:
    assert read(written(tmp_path, text)) is None


def test_where_tables_overlap_the_one_that_reaches_furthest_counts() -> None:
    old, new = (
        PublishedTable(name, year, (PublishedValue("926", 2021, "looked_after", count, "known"),))
        for name, year, count in (("old", 2023, 1), ("new", 2025, 2))
    )
    assert [value.value for value in published_values([new, old])] == [2]


def a_dfe_table(*years: int, last_column: str = "Re_referrals") -> str:
    """A table as DfE publishes them: from the newest year back; in each England, two regions, every authority."""
    counts = ["Referrals", "No_Further_Action", "Re_referrals"]
    counts = [*(name for name in counts if name != last_column), last_column]
    lines = [",".join(["time_period", "geographic_level", "region_name", "old_la_code", "la_name", *counts])]
    rng = random.Random(0)

    def line(*place: object) -> str:
        given = [str(rng.randrange(10, 9_999)), rng.choice(["c", "u", "0", "x"]), str(rng.randrange(100, 999))]
        return ",".join([*map(str, place), *given])

    for year in sorted(years, reverse=True):
        lines += [line(year, "National", "", "", ""), line(year, "Regional", "North East", "", "")]
        lines += [line(year, "Regional", "Inner London", "", "")]
        there = [one for one in authorities().values() if one.existed_in(year)]
        lines += [line(year, "Local authority", one.region, one.la_code, f'"{one.name}"') for one in there]
    return "\r\n".join([*lines, ""])


def what(table: PublishedTable) -> set[PublishedValue]:
    return set(table.values)


@pytest.mark.parametrize("years", [(2013,), (2014, 2015), (2018, 2019, 2020)])
@pytest.mark.parametrize("last_column", ["Re_referrals", "percent"])
def test_a_table_cut_anywhere_is_refused_or_gives_exactly_the_right_values(
    years: tuple[int, ...], last_column: str
) -> None:
    content = a_dfe_table(*years).encode("utf-8-sig")
    if last_column == "percent":
        header, *lines = a_dfe_table(*years).splitlines()
        content = "\r\n".join([f"{header},percent", *(f"{line},12.5" for line in lines), ""]).encode()
    whole = read_published(content, reference=published_reference())
    assert whole is not None
    assert len(whole.values) > 400 * len(years)
    rng = random.Random(20_210_101)
    ends_of_lines = [at for at, byte in enumerate(content) if byte == ord("\n")]
    cuts = [
        *rng.sample(range(len(content)), 150),
        *rng.sample(ends_of_lines, 50),
        *range(len(content) - 40, len(content)),
    ]
    for cut in cuts:
        try:
            table = read_published(content[:cut], reference=published_reference())
        except SourceError:
            continue
        assert table is not None, cut
        lost = what(whole) - what(table)
        assert what(table) <= what(whole), cut
        # A file that ends with a year is whole as far as anyone can tell: what it lacks are years it does not name.
        assert {value.census_year for value in lost}.isdisjoint({value.census_year for value in table.values}), cut


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "The file is empty"),
        ("time_period,geographic_l", "ends inside its header"),
        (WIDE.splitlines()[0] + "\n", "has no rows"),
        (WIDE[: WIDE.index(",c\n")], "another number of columns than the header, or the file is cut off"),
        (WIDE.rstrip("\n")[:-1] + "47", "no line end"),
        (WIDE.replace("926", "92"), "no code: expected three digits"),
        (WIDE.replace("926", ""), "no code: expected three digits"),
        (WIDE.replace("2014,Local authority,926", "201415,Local authority,926"), "four digits in time_period"),
        (WIDE.replace("926,50", "926,5O"), "neither a number nor a symbol .* another text in 2014, authority 926"),
        (WIDE.replace("935,u", "926,51"), "two counts of one place and year: found in 2014, referrals"),
        (WIDE.replace("Re_referrals,", "Referrals,Re_referrals,", 1), "twice: found columns 4 and 5, Referrals"),
        (WIDE + '2015,Local authority,926,50,10,"c\n', "not valid CSV, or the file is cut off"),
        (WIDE + "2015,Local authority,926,50,10,9\n", "lacks authorities of 2015, .* found nothing of 935$"),
        (WIDE + WIDE_2015 + "2016,National,,50,10,9\n", "lacks authorities of 2016, .* found nothing of 926, 935$"),
        (WIDE + "2014,National,,50,10,9\n", r"lacks authorities of 2014, .* nothing of 201, .*, \d+ more"),
        (WIDE + "\0", "cannot be decoded"),
    ],
)  # fmt: skip
def test_a_published_table_that_is_not_whole_is_refused(text: str, told: str) -> None:
    with pytest.raises(SourceError, match=told):
        read_published(text.encode(), reference=published_reference())


def test_a_row_without_a_level_is_told_of_by_its_authority(tmp_path: Path) -> None:
    table = read(written(tmp_path, CEASED + ",420,Isles of Scilly,0,0,0,0,0,0\n"))
    assert table is not None
    assert table.without_level == ("420",)
    assert "420" not in {value.la_code for value in table.values}
    with pytest.raises(SourceError, match="does not say whether"):
        read(written(tmp_path, CEASED + ",SECRET1,Isles of Scilly,0,0,0,0,0,0\n"))


def test_a_byte_that_is_no_utf8_in_a_file_that_says_it_is_makes_it_a_fault() -> None:
    with pytest.raises(SourceError, match="cannot be decoded"):
        read_published(WIDE.encode("utf-8-sig").replace(b"authority", b"author\xefty"), reference=published_reference())


@pytest.mark.reference
def test_every_real_table_is_whole_and_none_is_once_it_is_cut(reference_data: Path) -> None:
    rng = random.Random(20_210_101)
    n_tables = 0
    for path in sorted((reference_data / "dfe_open").glob("*.csv")):
        content = path.read_bytes()
        table = read_published(content, reference=published_reference())
        n_tables += table is not None
        for cut in rng.sample(range(len(content)), 12 if table is not None and len(content) < 500_000 else 0):
            with pytest.raises(SourceError):
                read_published(content[:cut], reference=published_reference())
    assert n_tables == 20


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
