"""The step that computes the index rows of every outcome of the study and of its declared alternatives, and sums them.

Every index row is computed and summed in one job, so that no row is written to be read once. Who wants to look at
single rows asks for them (--index-rows): they are then written first, and the sums are made from what was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sos_spark.cohort.returned import quarantined_rows
from sos_spark.config.areas import census_years
from sos_spark.config.reference import bank_holidays, code_set
from sos_spark.config.study import Study
from sos_spark.config.variants import Variant, variants
from sos_spark.errors import StudyError
from sos_spark.outcome.assessments import FIRST_SINGLE_ASSESSMENT_DAY
from sos_spark.outcome.calendar import WORKING_DAYS_SCHEMA, working_day_numbers
from sos_spark.outcome.compute import index_rows
from sos_spark.outcome.coverage import coverage
from sos_spark.outcome.doubt import quarantined_years, unreadable_events
from sos_spark.outcome.records import Records
from sos_spark.outcome.rows import Scope
from sos_spark.outcome.sums import require_covariates, sum_index_rows, with_known_levels
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.provenance import made_from, versions_of
from sos_spark.tables import (
    COHORT_OBSERVED,
    COHORT_UNITS,
    OUTCOME_INDEX_ROWS,
    OUTCOME_SUMS,
    QUARANTINE,
    SILVER_CHILD_LINKS,
    SILVER_ENTITIES,
    SILVER_ICPCS,
    Table,
)

INPUTS: dict[str, Table] = {**SILVER_ENTITIES, "icpcs": SILVER_ICPCS, "child_links": SILVER_CHILD_LINKS}
"""What outcomes read, by the names of `Records.silver`."""

_CODES_OF = {"ethnicity": ("cin.Ethnicity", "ssda903.header.ETHNIC"), "primary_need": ("cin.PrimaryNeedCode",)}
"""The code sets of the covariates whose levels are codes as received."""


def outcome(run: Run) -> StepReport:
    """Writes the study's slice of outcome.sums, all outcomes in one commit; of outcome.index_rows too where asked to.

    Outcomes of the kind 'published' are not computed from records and are left out here. Index rows that an earlier
    run left are removed where the lake does not know them to be what this run would make.

    Raises:
        StudyError: An alternative cannot be computed, bank holidays are not known up to data_ends, or records do not
            have a covariate of the study.
        InputError: The lake lacks silver or cohort tables.
    """
    study, lake = run.the_study, run.lake
    computed = [variant for variant in variants(study) if variant.outcome.is_from_records]
    if not computed:
        return StepReport("outcome", facts={"outcomes": []})
    require_covariates(study.covariates)
    settings = {
        "study_id": study.study_id,
        "window": study.window.model_dump(mode="json"),
        "population": study.population.model_dump(mode="json"),
        "outcomes": {variant.outcome_id: variant.outcome.model_dump(mode="json") for variant in computed},
    }
    versions = versions_of(lake, (*INPUTS.values(), *QUARANTINE.values(), COHORT_UNITS, COHORT_OBSERVED))
    of_rows = made_from(versions, step=__name__, settings=settings)
    of_sums = made_from(versions, step=__name__, settings={**settings, "covariates": study.covariates.model_dump()})
    slices = [{"study_id": study.study_id}]
    with _every_row(run, computed) as every_row:
        if run.environment.keep_index_rows:
            lake.replace(every_row, OUTCOME_INDEX_ROWS, slices=slices, fingerprint=of_rows)
            own = F.col("study_id") == study.study_id
            every_row = lake.read(run.spark, OUTCOME_INDEX_ROWS).where(own)
        elif lake.exists(OUTCOME_INDEX_ROWS) and lake.fingerprint(OUTCOME_INDEX_ROWS) != of_rows:
            no_row = every_row.where(F.lit(False))
            lake.replace(no_row, OUTCOME_INDEX_ROWS, slices=slices, fingerprint=f"removed: {of_rows}")
        known = with_known_levels(every_row, known_levels())
        lake.replace(sum_index_rows(known, study.covariates), OUTCOME_SUMS, slices=slices, fingerprint=of_sums)
    written = (OUTCOME_INDEX_ROWS, OUTCOME_SUMS) if run.environment.keep_index_rows else (OUTCOME_SUMS,)
    return StepReport(
        "outcome",
        rows={table.name: n for table in written if (n := _rows_written(run, table)) is not None},
        facts={"outcomes": [variant.outcome_id for variant in computed]},
    )


def known_levels() -> dict[str, frozenset[str]]:
    """Returns the codes of any year of each covariate whose levels are codes as received."""
    return {
        name: frozenset(span.code for field in fields for span in code_set(*field.split(".", 1)))
        for name, fields in _CODES_OF.items()
    }


@contextmanager
def _every_row(run: Run, computed: Sequence[Variant]) -> Iterator[DataFrame]:
    """The index rows of all variants, while what they share is cached."""
    scope, records = _scope(run), _records(run)
    shared = (scope.coverage, scope.in_doubt, *records.shared)
    for frame in shared:
        frame.persist()
    try:
        rows = (index_rows(v.outcome, records, scope, outcome_id=v.outcome_id) for v in computed)
        yield reduce(DataFrame.unionByName, rows)
    finally:
        for frame in shared:
            frame.unpersist()


def _rows_written(run: Run, table: Table) -> int | None:
    """How many rows a table's newest commit wrote, where its log says so."""
    newest = next(iter(run.lake.history(table)), None)
    return None if newest is None else newest.n_rows_written


def _scope(run: Run) -> Scope:
    study, spark = run.the_study, run.spark  # started before a column is named: the step may be a command of its own
    own = F.col("study_id") == study.study_id
    units = run.lake.read(spark, COHORT_UNITS).where(own)
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
