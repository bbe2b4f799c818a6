"""The ledger balances, or the run stops; rule counts say what was broken where."""

from __future__ import annotations

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sos_spark.errors import InputError
from sos_spark.silver.ledger import (
    count_places,
    count_quarantined,
    count_rows,
    count_rules,
    count_unknown,
    make_ledger,
    require_nothing_lost,
    with_contents_of_kept,
)
from sos_spark.silver.row_rule import RowRule, error, warning
from sos_spark.tables import DQ_LEDGER, DQ_QUARANTINED, DQ_RULE_COUNTS
from tests.silver_rows import a_plan, a_referral, files_of

CLASSIFIED = (
    "file_id BIGINT, la_code STRING, census_year INT, fate STRING, errors STRING, warnings STRING,"
    " unknown_fields STRING, tally STRING"
)


@pytest.fixture(scope="module")
def counts(spark: SparkSession) -> DataFrame:
    referrals = spark.createDataFrame(
        [
            (1, "926", 2016, "silver", None, "small odd contradicts_its_return", "closure_date", None),
            (1, "926", 2016, "same_day_duplicate", None, "odd contradicts_its_return", None, None),
            (1, "926", 2016, "quarantined", "bad", None, None, None),
            (2, "926", 2015, "superseded_by_later_return", None, None, None, "icpc_in_year"),
        ],
        CLASSIFIED,
    )
    plans = spark.createDataFrame(
        [(2, "926", 2015, "silver", None, None, None, "plan_start_in_year") for _ in range(3)], CLASSIFIED
    )
    return count_rows("referrals", referrals).unionByName(count_rows("cp_plans", plans)).cache()


def test_what_is_counted_does_not_need_the_contents_of_rows_that_are_lost(spark: SparkSession) -> None:
    fates = ("silver", "quarantined", "superseded_by_later_return", "same_day_duplicate")
    rows = [
        (1, "926", 2016, fate, None, f"{fate} odd", "sex", "a tally", "a child", day) for day, fate in enumerate(fates)
    ]
    classified = spark.createDataFrame(rows, f"{CLASSIFIED}, child_id STRING, day INT")

    kept = with_contents_of_kept(classified)

    assert [(row.fate, row.child_id, row.day) for row in kept.collect()] == [
        ("silver", "a child", 0),
        ("quarantined", "a child", 1),
        ("superseded_by_later_return", None, None),
        ("same_day_duplicate", None, None),
    ]
    before, after = (count_rows("referrals", frame).collect() for frame in (classified, kept))
    assert sorted(map(str, before)) == sorted(map(str, after))


def received(spark: SparkSession, *, referrals_of_1: int) -> DataFrame:
    return files_of(
        spark,
        {
            "cin_details": [a_referral(file_id=1)] * referrals_of_1 + [a_referral(file_id=2, census_year=2015)],
            "cp_plans": [a_plan(file_id=2, census_year=2015)] * 3,
            "cin_plan_dates": [a_referral(file_id=2, census_year=2015)],
        },
    )


def test_what_was_received_is_accounted_for(spark: SparkSession, counts: DataFrame) -> None:
    files = received(spark, referrals_of_1=3)

    ledger = make_ledger(files, counts)

    assert ledger.columns == DQ_LEDGER.column_names
    assert {tuple(row) for row in ledger.collect()} == {
        (1, "referrals", 3, 1, 1, 0, 1),
        (2, "referrals", 1, 0, 0, 1, 0),
        (2, "cp_plans", 3, 3, 0, 0, 0),
    }
    require_nothing_lost(ledger, files)


@pytest.mark.parametrize("delivered", [2, 4])
def test_a_lost_or_invented_row_stops_the_run_and_names_the_file(
    spark: SparkSession, counts: DataFrame, delivered: int
) -> None:
    files = received(spark, referrals_of_1=delivered)

    with pytest.raises(InputError, match="file 1") as caught:
        require_nothing_lost(make_ledger(files, counts), files)

    assert caught.value.exit_code == 4
    assert f"{delivered} referrals" in caught.value.expected
    assert "3 referrals" in caught.value.found


def test_a_refused_file_delivers_nothing(spark: SparkSession, counts: DataFrame) -> None:
    files = received(spark, referrals_of_1=3).withColumn("status", F.lit("refused"))

    with pytest.raises(InputError, match="not all accounted for"):
        require_nothing_lost(make_ledger(files, counts), files)


def test_rules_are_counted_by_la_and_year_with_their_zeros(spark: SparkSession, counts: DataFrame) -> None:
    never = F.lit(False)
    rules: dict[str, tuple[RowRule, ...]] = {
        "referrals": (
            error("bad", "8600", never, ""),
            warning("odd", None, never, ""),
            warning("small", None, never, ""),
        ),
        "cp_plans": (),
    }

    found = count_rules(counts, rules)

    assert found.columns == DQ_RULE_COUNTS.column_names
    assert {tuple(row) for row in found.collect()} == {
        ("referrals", "bad", "8600", "error", "926", 2016, 3, 1),
        ("referrals", "odd", None, "warning", "926", 2016, 3, 2),
        ("referrals", "small", None, "warning", "926", 2016, 3, 1),
        ("referrals", "bad", "8600", "error", "926", 2015, 1, 0),
        ("referrals", "odd", None, "warning", "926", 2015, 1, 0),
        ("referrals", "small", None, "warning", "926", 2015, 1, 0),
        # Three plans started, one conference was held.
        ("cp_plans", "more_plans_than_conferences", "2883", "warning", "926", 2015, 3, 2),
    }


def test_quarantine_is_counted_by_file_and_reason_without_warnings(counts: DataFrame) -> None:
    never = F.lit(False)
    rules = {"referrals": (error("bad", "8600", never, ""), warning("odd", None, never, ""))}
    found = count_quarantined(counts, rules)
    assert found.columns == DQ_QUARANTINED.column_names
    assert [tuple(row) for row in found.collect()] == [(1, "926", 2016, "referrals", "bad", 1)]


def test_a_run_tells_contradictions_by_authority_and_year_and_unknown_fields_by_entity(counts: DataFrame) -> None:
    assert [tuple(row) for row in count_places(counts, ["its_return", "_very_old"]).collect()] == [
        ("its_return", "referrals", "926", 2016, 2)
    ]
    assert [tuple(row) for row in count_unknown(counts).collect()] == [("referrals", 1)]
