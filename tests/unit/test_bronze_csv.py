"""SSDA903 CSV and files of flat tables: what is whole, what is not, and where a record stands."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sos_spark.bronze.arrive.lac_file import LacFile, census_year_of_day, decode, read_lac, require_filed_in_its_year
from sos_spark.bronze.arrive.table_file import inspect_table_file
from sos_spark.bronze.fault import SourceError
from sos_spark.bronze.fields import FIELDS
from sos_spark.bronze.record_batches import RecordBatches
from tests.sources import EPISODES_HEADER, put

WANTED = ("la_code", "census_year", "CHILD", "DOB")
MISSING = "CHILD,DOB,MISSING,MIS_START,MIS_END"


def inspect_lac(content: bytes, module: str) -> LacFile:
    return read_lac(content, module, RecordBatches(keeps=False))


def lac_records(content: bytes, module: str) -> list[tuple[int, dict[str, str | None]]]:
    batches = RecordBatches()
    read_lac(content, module, batches)
    return [
        (row["record_position"], {name: row[name] for name in FIELDS[module]})
        for _, batch in batches.give(la_code="201", file_id=1)
        for row in batch.to_pylist()
    ]


def test_records_stand_on_their_line_and_blank_lines_are_none() -> None:
    content = f'{MISSING}\nA1,01/02/2008,M,01/05/2014,\n\n"A,2",01/02/2009,A,02/05/2014,03/05/2014\n'.encode()
    rows = lac_records(content, "lac_missing")
    assert [(line, row["CHILD"], row["MIS_END"]) for line, row in rows] == [(2, "A1", None), (4, "A,2", "03/05/2014")]
    assert inspect_lac(content, "lac_missing").n_rows == 2


def test_names_in_any_case_and_order_and_a_byte_order_mark() -> None:
    ((_, row),) = lac_records("\ufeffdob,Child,other\n01/02/2008, 007 ,x\n".encode(), "lac_missing")
    assert (row["CHILD"], row["DOB"], row["MISSING"]) == ("007", "01/02/2008", None)


def test_columns_that_are_not_known_or_not_there_are_told() -> None:
    seen = inspect_lac(b"CHILD,DOB,MISSING,MIS_START,EXTRA\n", "lac_missing")
    assert (seen.n_rows, seen.unknown_columns, seen.absent_columns) == (0, ("column 5",), ("MIS_END",))


def test_postcodes_are_dropped_without_a_word() -> None:
    content = f"{EPISODES_HEADER}\nA1,01/05/2014,S,C2,N1,U1,PR0,,,,AB1 2CD,EF3 4GH,\n".encode()
    assert inspect_lac(content, "lac_episodes").unknown_columns == ()
    ((_, row),) = lac_records(content, "lac_episodes")
    assert not [value for value in row.values() if value in ("AB1 2CD", "EF3 4GH")]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"A1,01/02/2008,M,SECRET1,\n", "lacks required columns, or its header"),
        (f"{MISSING}\nSECRET1,01/02/2008\n".encode(), "expected 5, found 2 at line 2"),
        (f"{MISSING}\nSECRET1,01/02/2008,M,,,\n".encode(), "expected 5, found 6 at line 2"),
        (f'{MISSING}\nA1,01/02/2008,M,,\n"SECRET1,01/02'.encode(), "cut off: found line 3"),
        (f'{MISSING}\n"SECRET1"x,01/02/2008,M,,\n'.encode(), "not valid CSV"),
        (b"CHILD,CHILD,DOB\n", "twice, or the file has no header: found columns 1 and 2, CHILD"),
        (f"{MISSING}\nSECRET1\x81,01/02/2008,M,,\n".encode("latin-1"), "decoded"),
        (MISSING.encode("utf-16"), "decoded"),
    ],
)
def test_a_broken_file_is_a_fault_that_quotes_no_value(content: bytes, told: str) -> None:
    with pytest.raises(SourceError, match=told) as fault:
        inspect_lac(content, "lac_missing")
    assert "SECRET1" not in str(fault.value)


def test_episodes_need_what_outcomes_read() -> None:
    with pytest.raises(SourceError, match=r"expected DEC, REC$"):
        inspect_lac(b"CHILD,DECOM,RNE,LS,PLACE\n", "lac_episodes")


def test_a_very_long_field_is_read() -> None:
    content = f"{MISSING}\nA1,01/02/2008,{'x' * 200_000},01/05/2014,\n".encode()
    assert inspect_lac(content, "lac_missing").n_rows == 1
    ((_, row),) = lac_records(content, "lac_missing")
    assert len(row["MISSING"] or "") == 200_000


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("31/03/2015", 2015), ("1/4/2015", 2016), (" 2015-03-31 00:00:00", 2015), ("2015-04-01", 2016),
        ("", None), ("31/03/15", None), ("2015", None), ("01/04/20155", None),
    ],
)  # fmt: skip
def test_census_year_of_a_day(text: str, year: int | None) -> None:
    assert census_year_of_day(text) == year


def episodes(*spans: tuple[str, str]) -> bytes:
    rows = (f"A{n},{begun},S,C2,N1,U1,PR0,{ended},,,,," for n, (begun, ended) in enumerate(spans))
    return "\n".join([EPISODES_HEADER, *rows]).encode()


@pytest.mark.parametrize(
    ("spans", "is_late"),
    [
        ([("01/05/2013", "01/06/2013"), ("01/05/2013", "")], True),
        ([("01/05/2013", "31/03/2014")], True),
        ([("01/05/2013", "01/04/2014")], False),
        ([("01/05/2013", "01/06/2013"), ("31/03/2015", "")], False),
        ([("01/05/2013", "")], False),
        ([("", "no date")], False),
        ([], False),
    ],
)
def test_episodes_filed_a_year_late_are_told(spans: list[tuple[str, str]], is_late: bool) -> None:
    seen = inspect_lac(episodes(*spans), "lac_episodes")
    assert seen.n_rows == len(spans)
    if is_late:
        with pytest.raises(SourceError, match="another year than the folder's: expected one that begins or ends from"):
            require_filed_in_its_year(seen.years_begun, seen.years_ended, 2015)
    else:
        require_filed_in_its_year(seen.years_begun, seen.years_ended, 2015)


def test_text_is_utf8_or_else_windows_1252() -> None:
    assert decode("Zoë".encode()) == decode("Zoë".encode("cp1252")) == decode("Zoë".encode("utf-8-sig")) == "Zoë"


def look(path: Path) -> tuple[tuple[str, ...], tuple[str, ...], str, str]:
    digest = hashlib.sha256()
    seen = inspect_table_file(str(path), digest.update, WANTED)
    assert digest.hexdigest() == hashlib.sha256(path.read_bytes()).hexdigest()
    return seen.columns, seen.kinds, seen.encoding, path.suffix


def test_a_table_file_tells_its_columns(tmp_path: Path) -> None:
    csv = put(tmp_path / "a.csv", 'la_code,"census_year"\n201,2015\n')
    assert look(csv) == (("la_code", "census_year"), ("string", "string"), "utf-8", ".csv")
    nanoseconds = pa.array([0], pa.timestamp("ns"))
    pq.write_table(pa.table({"la_code": ["201"], "DOB": nanoseconds, "x": [["a"]]}), tmp_path / "a.parquet")
    assert look(tmp_path / "a.parquet")[:2] == (("la_code", "DOB", "x"), ("string", "nanoseconds", "array<string>"))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b'la_code,X\n201,"SECRET1\n', "does not end on its line, or the file is cut off: found line 2"),
        ("a.csv", b"la_code\x00X\n", "decoded"),
        ("a.csv", b"la_code,X\n201,\x81\n", "decoded"),
        ("a.csv", ",".join(map(str, range(30_000))).encode(), "too many columns: expected at most 2000, found 30000"),
        ("a.parquet", b"PAR1 and no more", "no Parquet file, or cut off"),
        ("a.parquet", b"", "no Parquet file, or its head is damaged"),
    ],
)
def test_a_broken_table_file_is_a_fault(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    path = put(tmp_path / name, content)
    with pytest.raises(SourceError, match=told) as fault:
        inspect_table_file(str(path), lambda _: None, WANTED)
    assert "SECRET1" not in str(fault.value)


def a_parquet(path: Path, **columns: object) -> bytes:
    pq.write_table(pa.table({"la_code": ["201"] * 3, **columns}), path, compression="snappy", use_dictionary=False)
    return path.read_bytes()


def test_a_damaged_parquet_page_is_found_before_spark_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    content = bytearray(a_parquet(path, CHILD=["SECRET1", "SECRET1", "SECRET1"], other=["x"] * 3))
    start = pq.ParquetFile(path).metadata.row_group(0).column(1).data_page_offset
    content[start : start + 60] = bytes(60)
    path.write_bytes(content)
    with pytest.raises(SourceError, match="A page of the file is damaged"):
        look(path)


def test_a_damaged_parquet_head_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    content = a_parquet(path, CHILD=["A1"] * 3)
    path.write_bytes(b"XXXX" + content[4:])
    with pytest.raises(SourceError, match="its head is damaged"):
        look(path)


def test_text_in_a_parquet_page_that_is_no_utf8_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"CHILD": ["Zq7Zq7Zq"]}), path, compression="none", use_dictionary=False,
                   write_statistics=False)  # fmt: skip
    path.write_bytes(path.read_bytes().replace(b"Zq7Zq7Zq", b"Zq7Z\xff\xfeZq"))
    with pytest.raises(SourceError, match="A page of the file is damaged"):
        look(path)


def test_of_parquet_columns_only_those_that_are_wanted_must_be_readable(tmp_path: Path) -> None:
    times = pa.array([1, 2, 3], pa.time64("us"))
    a_parquet(tmp_path / "a.parquet", DOB=times, other=times, nothing=pa.nulls(3))
    assert look(tmp_path / "a.parquet")[1] == ("string", "unreadable", "unreadable", "nothing")
