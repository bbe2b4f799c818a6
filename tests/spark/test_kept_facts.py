"""Facts of tables by authority: counted again where rows have changed, and as a count of everything has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sos_spark.config.environment import Environment
from sos_spark.config.shipped import expectations_root
from sos_spark.quality import Suite, count_facts, load_suites
from sos_spark.quality.counting import count
from sos_spark.quality.facts import RowsWhere
from sos_spark.quality.suites import Layer
from sos_spark.steps.context import Run
from sos_spark.steps.facts import make_facts
from sos_spark.tables import (
    BRONZE_MODULES,
    DQ_FACTS,
    FILES,
    SILVER_CHILD_LINKS,
    SILVER_CIN_CHILDREN,
    SILVER_LAC_CHILDREN,
    TABLES,
)
from tests import builders
from tests.silver_rows import Row, a_referral, bronze, files_of

DETAILS = BRONZE_MODULES["cin_details"]
LINKED = (SILVER_CHILD_LINKS, SILVER_CIN_CHILDREN, SILVER_LAC_CHILDREN)


def run_on(spark: SparkSession, folder: Path) -> Run:
    return Run("r1", Environment(lake=folder), None, lambda: spark)


def suites_of(layer: Layer, *tables: str) -> list[Suite]:
    return [suite for suite in load_suites(expectations_root(), layer) if suite.table in tables]


def frames(run: Run, suites: Sequence[Suite]) -> dict[str, DataFrame]:
    return {suite.table: run.lake.read(run.spark, TABLES[suite.table]) for suite in suites}


def made(run: Run, layer: Layer, suites: Sequence[Suite]) -> tuple[dict[str, pd.DataFrame], str]:
    return make_facts(run, layer, suites, frames(run, suites), beside={})


def assert_same(facts: Mapping[str, pd.DataFrame], others: Mapping[str, pd.DataFrame]) -> None:
    assert facts.keys() == others.keys()
    for table, of in facts.items():
        place = [name for name in ("la_code", "census_year") if name in of]
        one, other = (each.sort_values(place, ignore_index=True) for each in (of, others[table]))
        pd.testing.assert_frame_equal(one, other, check_dtype=False)


def receive(run: Run, told: Sequence[Row], *untold: Row) -> None:
    """Bronze holds the rows; bronze.files tells of the first only."""
    run.lake.overwrite(bronze(run.spark, "cin_details", *told, *untold), DETAILS, fingerprint=str([*told, *untold]))
    run.lake.overwrite(files_of(run.spark, {"cin_details": list(told)}), FILES, fingerprint=str(told))


def n_rows(facts: Mapping[str, pd.DataFrame]) -> dict[str, int]:
    of = facts[DETAILS.name]
    return dict(zip(of["la_code"], of["n_rows"], strict=True))


def test_only_rows_of_an_authority_that_bronze_files_tells_of_are_counted_again(
    spark: SparkSession, tmp_path: Path
) -> None:
    run, suites = run_on(spark, tmp_path), suites_of("bronze", DETAILS.name, FILES.name)
    rows = [a_referral(str(number), la_code="925", file_id=1) for number in range(3)]
    receive(run, [*rows, a_referral(file_id=2)])
    facts, why = made(run, "bronze", suites)
    assert why == "not made before, or not known from what"
    assert_same(facts, count_facts(frames(run, suites), suites))

    assert made(run, "bronze", suites)[1] == "made from the same already"
    assert run.lake.version(DQ_FACTS) == 1

    # A row of 925 that bronze.files knows nothing of shows whether its rows are looked at.
    corrected = [*rows, a_referral(file_id=3), a_referral("c2", file_id=3)]
    receive(run, corrected, a_referral("unknown to bronze.files", la_code="925", file_id=1))
    facts, why = made(run, "bronze", suites)
    assert why == "1 of 2 authorities have changed"
    assert n_rows(facts) == {"925": 3, "926": 2}
    assert facts[FILES.name]["n_rows"].sum() == 2

    counting_more = [replace(suite, facts={**suite.facts, "more": RowsWhere("file_id = 1")}) for suite in suites]
    facts, why = made(run, "bronze", counting_more)
    assert why == "the code, the reference data, the settings or the key have changed"
    assert n_rows(facts) == {"925": 4, "926": 2}
    assert facts[DETAILS.name]["more"].sum() == 4


def a_child(la_code: str) -> Row:
    """A row of silver's children."""
    where = {"la_code": la_code, "census_year": 2016, "file_id": 1, "record_position": 1}
    return {"child_id": "a", "sex": "male", **where}


def link(run: Run, strangers: Mapping[str, int], parts: Mapping[str, str]) -> None:
    """Links in each authority: one to a child whom silver has, and strangers."""
    links = [{"lac_child_id": "a", "cin_child_id": "a"}]
    rows = [
        {"la_code": la_code, "link_kind": "person", **one}
        for la_code, n in strangers.items()
        for one in links + [{"lac_child_id": "a", "cin_child_id": f"stranger {number}"} for number in range(n)]
    ]
    children = [a_child(la_code) for la_code in strangers]
    for table, of in zip(LINKED, (rows, children, children), strict=True):
        frame = builders.frame(run.spark, table, of)
        run.lake.overwrite(frame, table, fingerprint=f"{of} {parts}", parts=parts)


def test_a_fact_that_looks_into_another_table_follows_both_and_a_table_of_unknown_parts_is_counted_whole(
    spark: SparkSession, tmp_path: Path
) -> None:
    run, suites = run_on(spark, tmp_path), suites_of("silver", *(table.name for table in LINKED))
    link(run, {"925": 0, "926": 1, "927": 0}, {"925": "x.1", "926": "x.1", "927": "x.1"})
    made(run, "silver", suites)

    # The links of 925 that are counted again would have a stranger.
    link(run, {"925": 1, "926": 1, "927": 3}, {"925": "x.1", "926": "x.1", "927": "x.2"})
    facts, why = made(run, "silver", suites)
    assert why == "1 of 3 authorities have changed"
    kept = facts[SILVER_CHILD_LINKS.name].set_index("la_code")["linked_to_a_stranger"].to_dict()
    assert kept == {"925": 0, "926": 1, "927": 3}

    link(run, {"925": 0, "926": 1, "927": 3}, {})
    version = run.lake.version(DQ_FACTS)
    facts, why = made(run, "silver", suites)
    assert why == "not made before, or not known from what"
    assert_same(facts, count_facts(frames(run, suites), suites))
    assert run.lake.version(DQ_FACTS) == version


def test_no_row_of_another_authority_is_looked_at(spark: SparkSession) -> None:
    suites = suites_of("silver", SILVER_CIN_CHILDREN.name)
    rows = [a_child("925"), a_child("926")]
    unread = F.when(F.col("la_code") == "925", F.raise_error(F.lit("read"))).otherwise(F.col("child_id"))
    tables = {SILVER_CIN_CHILDREN.name: builders.frame(spark, SILVER_CIN_CHILDREN, rows).withColumn("child_id", unread)}
    counted = count(tables, suites, only={SILVER_CIN_CHILDREN.name: ["926"]})
    assert counted[SILVER_CIN_CHILDREN.name].to_dict("records") == [
        {"la_code": "926", "census_year": 2016, "n_rows": 1, "keys_repeated": 0}
    ]
    with pytest.raises(PySparkException):
        count(tables, suites)
