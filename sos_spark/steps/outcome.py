"""The step that computes the index rows of every outcome of the study, and of its declared alternatives."""

from __future__ import annotations

from datetime import date
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sos_spark.cohort.returned import quarantined_rows
from sos_spark.config.areas import census_years
from sos_spark.config.reference import bank_holidays
from sos_spark.config.study import Study
from sos_spark.config.variants import variants
from sos_spark.errors import StudyError
from sos_spark.outcome.assessments import FIRST_SINGLE_ASSESSMENT_DAY
from sos_spark.outcome.calendar import WORKING_DAYS_SCHEMA, working_day_numbers
from sos_spark.outcome.compute import index_rows
from sos_spark.outcome.coverage import coverage
from sos_spark.outcome.doubt import quarantined_years, unreadable_events
from sos_spark.outcome.records import Records
from sos_spark.outcome.rows import Scope
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.provenance import made_from, versions_of
from sos_spark.tables import (
    COHORT_OBSERVED,
    COHORT_UNITS,
    OUTCOME_INDEX_ROWS,
    QUARANTINE,
    SILVER_CHILD_LINKS,
    SILVER_ENTITIES,
    SILVER_ICPCS,
    Table,
)

INPUTS: dict[str, Table] = {**SILVER_ENTITIES, "icpcs": SILVER_ICPCS, "child_links": SILVER_CHILD_LINKS}
"""What outcomes read, by the names of `Records.silver`."""


def outcome(run: Run) -> StepReport:
    """Writes the study's slice of outcome.index_rows, all outcomes in one commit.

    Outcomes of the kind 'published' are not computed from records and are left out here.

    Raises:
        StudyError: An alternative cannot be computed, or bank holidays are not known up to data_ends.
        InputError: The lake lacks silver or cohort tables.
    """
    study, lake = run.the_study, run.lake
    computed = [variant for variant in variants(study) if variant.outcome.is_from_records]
    if not computed:
        return StepReport("outcome", facts={"outcomes": []})
    fingerprint = made_from(
        versions_of(lake, (*INPUTS.values(), *QUARANTINE.values(), COHORT_UNITS, COHORT_OBSERVED)),
        step=__name__,
        settings={
            "study_id": study.study_id,
            "window": study.window.model_dump(mode="json"),
            "population": study.population.model_dump(mode="json"),
            "outcomes": {variant.outcome_id: variant.outcome.model_dump(mode="json") for variant in computed},
        },
    )
    scope, records = _scope(run), _records(run)
    shared = (scope.coverage, scope.in_doubt, *records.shared)
    for frame in shared:
        frame.persist()
    try:
        rows = [index_rows(v.outcome, records, scope, outcome_id=v.outcome_id) for v in computed]
        every_row = reduce(DataFrame.unionByName, rows)
        lake.replace(every_row, OUTCOME_INDEX_ROWS, slices=[{"study_id": study.study_id}], fingerprint=fingerprint)
    finally:
        for frame in shared:
            frame.unpersist()
    written = next(iter(lake.history(OUTCOME_INDEX_ROWS)), None)
    n_rows = (
        {} if written is None or written.n_rows_written is None else {OUTCOME_INDEX_ROWS.name: written.n_rows_written}
    )
    return StepReport("outcome", rows=n_rows, facts={"outcomes": [variant.outcome_id for variant in computed]})


def _scope(run: Run) -> Scope:
    study = run.the_study
    own = F.col("study_id") == study.study_id
    units = run.lake.read(run.spark, COHORT_UNITS).where(own)
    observed = run.lake.read(run.spark, COHORT_OBSERVED).where(own)
    quarantine = {name: run.lake.read_or_empty(run.spark, table) for name, table in QUARANTINE.items()}
    links = run.lake.read_or_empty(run.spark, SILVER_CHILD_LINKS)
    silver = {name: run.lake.read_or_empty(run.spark, table) for name, table in SILVER_ENTITIES.items()}
    return Scope(
        study.study_id,
        study.window,
        study.population,
        units,
        coverage(units, observed, years=census_years(study.window)),
        quarantined_years(quarantined_rows(quarantine), unreadable_events(silver), links),
    )


def _records(run: Run) -> Records:
    silver = {name: run.lake.read_or_empty(run.spark, table) for name, table in INPUTS.items()}
    return Records(silver, _calendar(run.spark, run.the_study))


def _calendar(spark: SparkSession, study: Study) -> DataFrame:
    """The working-day calendar up to data_ends."""
    holidays = bank_holidays()
    known_until = date(holidays[-1].year, 12, 31)
    if study.window.data_ends > known_until:
        raise StudyError(
            "Working days are not known up to the end of the data",
            where="window.data_ends",
            expected=f"no day after {known_until}",
            found=str(study.window.data_ends),
            remedy="Add later bank holidays to conf/reference/bank_holidays.csv",
        )
    days = working_day_numbers(FIRST_SINGLE_ASSESSMENT_DAY, study.window.data_ends, holidays=holidays)
    return spark.createDataFrame(days, WORKING_DAYS_SCHEMA)
