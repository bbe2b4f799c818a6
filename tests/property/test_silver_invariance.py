"""Neither the order of rows nor their partitioning nor a second delivery of what is there already changes silver."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sos_spark.silver.fate import add_fate, open_counts_as_latest, total_order

ROWS = (
    "child_id STRING, start INT, census_year INT, end INT, note STRING, errors STRING,"
    " record_position BIGINT, file_id BIGINT, unknown_fields STRING, warnings STRING"
)

rows_of_children = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]),
        st.sampled_from([1, 2, None]),
        st.sampled_from([2015, 2016]),
        st.sampled_from([5, 6, None]),
        st.sampled_from(["x", "y"]),
        st.sampled_from([None, None, None, "bad"]),
        st.integers(1, 3),
        st.just(1),
        st.sampled_from([None, None, "end"]),
        st.just(None),
    ),
    min_size=1,
    max_size=25,
)


def fates(spark: SparkSession, rows: list[tuple[Any, ...]], partitions: int) -> Counter[tuple[Any, ...]]:
    frame = spark.createDataFrame(rows, ROWS).withColumn("la_code", F.lit("201")).repartition(partitions)
    best_first = [*open_counts_as_latest("end"), *total_order(["note"])]
    found = add_fate(frame, key=("start",), best_first=best_first, contents=("end", "note"))
    return Counter(tuple(tuple(one) if isinstance(one, list) else one for one in row) for row in found.collect())


def contradictory(rows: list[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """The child, start and year of good rows that differ: those of a year that cannot all be right."""
    contents: dict[tuple[Any, ...], set[tuple[Any, ...]]] = defaultdict(set)
    for row in rows:
        if row[5] is None:
            contents[row[:3]].add((row[3], row[4], row[8]))
    return {key for key, different in contents.items() if len(different) > 1}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows_of_children, data=st.data())
def test_order_and_partitions_change_nothing_and_nothing_is_lost(
    spark: SparkSession, rows: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    found = fates(spark, rows, 1)

    assert fates(spark, data.draw(st.permutations(rows)), 3) == found
    assert Counter(row[:9] for row in found.elements()) == Counter(row[:9] for row in rows)
    assert {row[:3] for row in found if row[-2]} == contradictory(rows)
    kept = [(row[0], row[1]) for row in found.elements() if row[-1] == "silver"]
    assert len(kept) == len(set(kept))
    assert set(kept) == {row[:2] for row in rows if row[5] is None}


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows_of_children)
def test_what_is_delivered_again_in_the_next_year_only_supersedes(
    spark: SparkSession, rows: list[tuple[Any, ...]]
) -> None:
    again = [(*row[:2], 2017, *row[3:]) for row in rows]

    found = fates(spark, rows + again, 2)

    assert {row[-1] for row in found if row[2] < 2017} <= {"quarantined", "superseded_by_later_return"}
    assert {row[:2] for row in found if row[-1] == "silver"} == {row[:2] for row in rows if row[5] is None}


@pytest.mark.parametrize("zone", ["UTC", "Europe/London", "Pacific/Auckland"])
def test_the_session_time_zone_moves_no_date(spark: SparkSession, zone: str) -> None:
    from sos_spark.silver import conform

    before = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", zone)
    try:
        rows = spark.createDataFrame([("2015-03-29T00:30:00", "29/03/2015")], "cin STRING, lac STRING")
        [found] = rows.select(
            conform.iso_day("cin").cast("string"), conform.british_day("lac").cast("string")
        ).collect()
    finally:
        spark.conf.set("spark.sql.session.timeZone", before or "UTC")

    assert tuple(found) == ("2015-03-29", "2015-03-29")
