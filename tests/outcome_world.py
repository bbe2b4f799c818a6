"""Builds the frames an outcome reads from rows in plain Python: silver, units, observed days and a calendar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from datetime import date
from functools import reduce
from typing import Any

from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession

from sos_spark.cohort.observed import observed_days
from sos_spark.cohort.returned import returned_entities
from sos_spark.cohort.units import study_units
from sos_spark.config.areas import census_years
from sos_spark.config.reference import authorities, authority_changes, bank_holidays
from sos_spark.config.study import Study
from sos_spark.outcome.calendar import WORKING_DAYS_SCHEMA, working_day_numbers
from sos_spark.outcome.compute import index_rows
from sos_spark.outcome.coverage import coverage
from sos_spark.outcome.doubt import quarantined_years, unreadable_events
from sos_spark.outcome.records import Records
from sos_spark.outcome.rows import Scope
from sos_spark.tables import (
    COHORT_UNITS,
    FILES,
    SILVER_ASSESSMENTS,
    SILVER_CHILD_LINKS,
    SILVER_CIN_CHILDREN,
    SILVER_CP_PLANS,
    SILVER_ICPCS,
    SILVER_LAC_CHILDREN,
    SILVER_LAC_EPISODES,
    SILVER_REFERRALS,
    SILVER_SECTION47,
)
from tests.builders import a_study, day, frame, returns

Row = Mapping[str, Any]
AUTHORITIES = ("926", "835", "836", "837", "838", "839", "301", "302")
"""All that these worlds have: those that merged in census year 2020 among them."""

TABLES = {
    "cin_children": SILVER_CIN_CHILDREN,
    "referrals": SILVER_REFERRALS,
    "assessments": SILVER_ASSESSMENTS,
    "section47": SILVER_SECTION47,
    "cp_plans": SILVER_CP_PLANS,
    "icpcs": SILVER_ICPCS,
    "lac_children": SILVER_LAC_CHILDREN,
    "lac_episodes": SILVER_LAC_EPISODES,
    "child_links": SILVER_CHILD_LINKS,
}

QUARANTINED = ("entity", "la_code", "child_id", "census_year")


@dataclass(frozen=True)
class World:
    """Rows of silver, of bronze.files and, with the columns `QUARANTINED`, of quarantine."""

    cin_children: Sequence[Row] = ()
    referrals: Sequence[Row] = ()
    assessments: Sequence[Row] = ()
    section47: Sequence[Row] = ()
    cp_plans: Sequence[Row] = ()
    icpcs: Sequence[Row] = ()
    lac_children: Sequence[Row] = ()
    lac_episodes: Sequence[Row] = ()
    child_links: Sequence[Row] = ()
    quarantined: Sequence[Row] = ()
    files: Sequence[Row] = field(default_factory=lambda: returns(2013, 2020))


def quarantine_frame(spark: SparkSession, rows: Iterable[Row]) -> DataFrame:
    """What `quarantined_rows` makes of the quarantine tables."""
    columns = "entity STRING, la_code STRING, child_id STRING, census_year INT"
    return spark.createDataFrame([tuple(row[name] for name in QUARANTINED) for row in rows], columns)


def scope_of(spark: SparkSession, world: World, study: Study) -> Scope:
    known = {code: authority for code, authority in authorities().items() if code in AUTHORITIES}
    rows = study_units(study, authorities=known, changes=authority_changes())
    units = spark.createDataFrame([astuple(row) for row in rows], COHORT_UNITS.schema())
    quarantined = quarantine_frame(spark, world.quarantined)
    returned = returned_entities(
        frame(spark, FILES, world.files),
        quarantined,
        units,
        data_ends=study.window.data_ends,
        max_quarantined=study.window.max_quarantined,
    )
    observed = observed_days(returned, study_id=study.study_id, data_ends=study.window.data_ends)
    # Cached, as in the step: every outcome joins it.
    return Scope(
        study.study_id,
        study.window,
        study.population,
        units,
        coverage(units, observed, years=census_years(study.window)).persist(),
        quarantined_years(
            quarantined, unreadable_events(silver_of(spark, world)), frame(spark, SILVER_CHILD_LINKS, world.child_links)
        ).persist(),
    )


def silver_of(spark: SparkSession, world: World) -> dict[str, DataFrame]:
    """Every table of a world, by its short name."""
    return {table.short_name: frame(spark, table, getattr(world, name)) for name, table in TABLES.items()}


def records_of(spark: SparkSession, world: World, *, data_ends: date = date(2020, 3, 31)) -> Records:
    calendar = working_day_numbers(date(2014, 4, 1), data_ends, holidays=bank_holidays())
    return Records(
        silver_of(spark, world),
        spark.createDataFrame(calendar, WORKING_DAYS_SCHEMA),
    )


def all_index_rows(spark: SparkSession, world: World, study: Study) -> DataFrame:
    """The index rows of all the study's outcomes."""
    scope, records = scope_of(spark, world, study), records_of(spark, world, data_ends=study.window.data_ends)
    rows = [index_rows(outcome, records, scope, outcome_id=outcome.outcome_id) for outcome in study.outcomes]
    return reduce(DataFrame.unionByName, rows)


def assert_index_rows(
    spark: SparkSession,
    world: World,
    expected: Sequence[tuple[str, str, int | None, str | None]],
    *,
    outcome: Mapping[str, Any],
    **study: Any,
) -> None:
    """Index rows as (child, index date, y, reason), in that order."""
    found = all_index_rows(spark, world, a_study(outcomes=[{"outcome_id": "o", **outcome}], **study))
    columns = "child_id STRING, index_date DATE, y BIGINT, reason STRING"
    wanted = spark.createDataFrame([(child, day(on), y, reason) for child, on, y, reason in expected], columns)
    assert_df_equality(
        found.select("child_id", "index_date", "y", "reason").orderBy("child_id", "index_date"),
        wanted.orderBy("child_id", "index_date"),
        ignore_nullable=True,
    )
