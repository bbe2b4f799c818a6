"""The step that computes the index rows of every outcome of the study and of its declared alternatives, and sums them.

Every index row is computed and summed in one job, so that no row is written to be read once. Who wants to look at
single rows asks for them (--index-rows): they are then written first, and the sums are made from what was written. How
long assessments were open is counted by day in a job of its own, of assessments only.

A unit's sums depend on its own authorities' records alone: where some units' records have changed, only theirs are made
again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
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
from sos_spark.outcome.compute import judged_rows
from sos_spark.outcome.coverage import coverage
from sos_spark.outcome.doubt import quarantined_years, unreadable_events
from sos_spark.outcome.durations import day_counts, lengths_in
from sos_spark.outcome.records import Records
from sos_spark.outcome.rows import Scope
from sos_spark.outcome.sums import require_covariates, sum_index_rows, sum_judged, with_known_levels
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.outcome_parts import INPUTS, RECORDS, UnitsDue, units_due
from sos_spark.steps.parts import fingerprint_of
from sos_spark.steps.provenance import made_from, versions_of
from sos_spark.tables import (
    COHORT_OBSERVED,
    COHORT_UNITS,
    OUTCOME_DURATIONS,
    OUTCOME_INDEX_ROWS,
    OUTCOME_SUMS,
    QUARANTINE,
    SILVER_CHILD_LINKS,
    SILVER_ENTITIES,
    Table,
)

_CODES_OF = {"ethnicity": ("cin.Ethnicity", "ssda903.header.ETHNIC"), "primary_need": ("cin.PrimaryNeedCode",)}
"""The code sets of the covariates whose levels are codes as received."""


def outcome(run: Run) -> StepReport:
    """Writes the study's slice of outcome.sums, all outcomes in one commit; of outcome.index_rows too where asked to.

    Of outcomes that are lengths outcome.durations first: what the sums say of themselves then holds of both.

    Outcomes of the kind 'published' are not computed from records and are left out here. Index rows that an earlier
    run left are removed where the lake does not know them to be what this run would make.

    Raises:
        StudyError: An alternative cannot be computed, bank holidays are not known up to data_ends, or records do not
            have a covariate of the study.
        InputError: The lake lacks silver or cohort tables.
    """
    study, lake = run.the_study, run.lake
    computed = _computed(study)
    if not computed:
        return StepReport("outcome", facts={"outcomes": []})
    require_covariates(study.covariates)
    due = what_is_due(run)
    keep, lengths = run.environment.keep_index_rows, lengths_in(computed)
    own = {"study_id": study.study_id}
    of_rows = made_from(
        versions_of(lake, (*RECORDS, COHORT_UNITS, COHORT_OBSERVED)), step=__name__, settings=_settings(study)
    )
    if not keep and lake.exists(OUTCOME_INDEX_ROWS) and lake.fingerprint(OUTCOME_INDEX_ROWS) != of_rows:
        no_row = run.spark.createDataFrame([], OUTCOME_INDEX_ROWS.schema())
        lake.replace(no_row, OUTCOME_INDEX_ROWS, slices=[own], fingerprint=f"removed: {of_rows}")
    if keep or not due.change.is_none:
        units = None if keep else due.change.only
        slices = [own] if units is None else [{**own, "unit_id": unit} for unit in units]
        made = fingerprint_of(due.parts)
        with _shared(run, None if units is None else due.codes_of(units)) as (scope, records):
            if lengths:
                lake.replace(day_counts(lengths, records, scope), OUTCOME_DURATIONS, slices=slices, fingerprint=made)
            levels = known_levels()
            judged = judged_rows({one.outcome_id: one.outcome for one in computed}, records, scope)
            if keep:
                every_row = reduce(DataFrame.unionByName, (one.of_each() for one in judged))
                lake.replace(every_row, OUTCOME_INDEX_ROWS, slices=[own], fingerprint=of_rows)
                kept = lake.read(run.spark, OUTCOME_INDEX_ROWS).where(F.col("study_id") == study.study_id)
                sums = sum_index_rows(with_known_levels(kept, levels), study.covariates)
            else:
                known = [replace(one, rows=with_known_levels(one.rows, levels)) for one in judged]
                sums = sum_judged(known, study.covariates)
            lake.replace(sums, OUTCOME_SUMS, slices=slices, fingerprint=made, parts=due.parts)
    written = [OUTCOME_INDEX_ROWS] * keep + [OUTCOME_SUMS] + [OUTCOME_DURATIONS] * bool(lengths)
    return StepReport(
        "outcome",
        rows={table.name: n for table in written if (n := _rows_written(run, table)) is not None},
        facts={"outcomes": [variant.outcome_id for variant in computed], "recomputed": due.change.why},
    )


def what_is_due(run: Run) -> UnitsDue:
    """Returns which units' sums would be made again, and why. Needs no Spark.

    Raises:
        InputError: The lake lacks the study's cohort.
    """
    study = run.the_study
    settings = {**_settings(study), "covariates": study.covariates.model_dump()}
    return units_due(run, made_from({}, step=__name__, settings=settings))


def _computed(study: Study) -> list[Variant]:
    return [variant for variant in variants(study) if variant.outcome.is_from_records]


def _settings(study: Study) -> dict[str, object]:
    """What of the study decides index rows."""
    return {
        "study_id": study.study_id,
        "window": study.window.model_dump(mode="json"),
        "population": study.population.model_dump(mode="json"),
        "outcomes": {one.outcome_id: one.outcome.model_dump(mode="json") for one in _computed(study)},
    }


def known_levels() -> dict[str, frozenset[str]]:
    """Returns the codes of any year of each covariate whose levels are codes as received."""
    return {
        name: frozenset(span.code for field in fields for span in code_set(*field.split(".", 1)))
        for name, fields in _CODES_OF.items()
    }


@contextmanager
def _shared(run: Run, codes: Sequence[str] | None) -> Iterator[tuple[Scope, Records]]:
    """What the outcomes read, of some LA codes or (None) of all, while what they share is cached."""

    def of_codes(rows: DataFrame) -> DataFrame:
        return rows if codes is None else rows.where(F.col("la_code").isin(*codes))

    scope, records = _scope(run, of_codes), _records(run, of_codes)
    shared = (scope.coverage, scope.in_doubt, *records.shared)
    for frame in shared:
        frame.persist()
    try:
        yield scope, records
    finally:
        for frame in shared:
            frame.unpersist()


def _rows_written(run: Run, table: Table) -> int | None:
    """How many rows a table's newest commit wrote, where its log says so."""
    newest = next(iter(run.lake.history(table)), None)
    return None if newest is None else newest.n_rows_written


def _scope(run: Run, of_codes: Callable[[DataFrame], DataFrame]) -> Scope:
    study, spark = run.the_study, run.spark  # started before a column is named: the step may be a command of its own
    own = F.col("study_id") == study.study_id
    units = of_codes(run.lake.read(spark, COHORT_UNITS).where(own))
    observed = of_codes(run.lake.read(run.spark, COHORT_OBSERVED).where(own))
    quarantine = {name: of_codes(run.lake.read_or_empty(run.spark, table)) for name, table in QUARANTINE.items()}
    links = of_codes(run.lake.read_or_empty(run.spark, SILVER_CHILD_LINKS))
    silver = {name: of_codes(run.lake.read_or_empty(run.spark, table)) for name, table in SILVER_ENTITIES.items()}
    return Scope(
        study.study_id,
        study.window,
        study.population,
        units,
        coverage(units, observed, years=census_years(study.window)),
        quarantined_years(quarantined_rows(quarantine), unreadable_events(silver), links),
    )


def _records(run: Run, of_codes: Callable[[DataFrame], DataFrame]) -> Records:
    silver = {name: of_codes(run.lake.read_or_empty(run.spark, table)) for name, table in INPUTS.items()}
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
