"""The step that harmonises LAs over the study's window and says which days their returns observe."""

from __future__ import annotations

from dataclasses import astuple

from sos_spark.cohort.observed import observed_days
from sos_spark.cohort.returned import quarantined_rows, returned_entities, unobserved, unobserved_warnings
from sos_spark.cohort.units import cohort_warnings, study_units
from sos_spark.config.reference import authorities, authority_changes
from sos_spark.errors import InputError
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.provenance import made_from, versions_of
from sos_spark.steps.published import lake_holds_returns
from sos_spark.tables import COHORT_OBSERVED, COHORT_UNITS, COHORT_UNOBSERVED, FILES, QUARANTINE


def cohort(run: Run) -> StepReport:
    """Writes the study's slice of cohort.units, cohort.observed and cohort.unobserved; warns of each row of the last.

    Raises:
        StudyError: The study's LA codes cannot be harmonised.
        InputError: Nothing was ingested.
    """
    study, lake, spark = run.the_study, run.lake, run.spark
    rows = study_units(study, authorities=authorities(), changes=authority_changes())
    own = [{"study_id": study.study_id}]
    units_from = made_from({}, step=__name__, settings={"units": [astuple(row) for row in rows]})
    units = spark.createDataFrame([astuple(row) for row in rows], COHORT_UNITS.schema())
    lake.replace(units, COHORT_UNITS, slices=own, fingerprint=units_from)

    window = study.window
    observed_from = made_from(
        versions_of(lake, (FILES, *QUARANTINE.values())),
        step=__name__,
        settings={"units": units_from, "data_ends": window.data_ends, "max_quarantined": window.max_quarantined},
    )
    # Published tables come without returns; whatever needs these finds no day observed.
    only_published = not any(outcome.is_from_records for outcome in study.outcomes)
    if not only_published and lake.exists(FILES) and not lake_holds_returns(lake):
        raise InputError(
            "The lake holds published tables and no return",
            where=str(lake.root),
            expected="returns, which the study's outcomes are made from",
            remedy="Run `ingest` on a folder with returns first",
        )
    files = lake.read_or_empty(spark, FILES) if only_published else lake.read(spark, FILES)
    quarantined = quarantined_rows({name: lake.read_or_empty(spark, table) for name, table in QUARANTINE.items()})
    returned = returned_entities(
        files, quarantined, units, data_ends=window.data_ends, max_quarantined=window.max_quarantined
    ).persist()
    try:
        observed = observed_days(returned, study_id=study.study_id, data_ends=window.data_ends)
        lake.replace(observed, COHORT_OBSERVED, slices=own, fingerprint=observed_from)
        missing = unobserved(returned, study_id=study.study_id)
        lake.replace(missing, COHORT_UNOBSERVED, slices=own, fingerprint=observed_from)
        # Counts by authority and year, no child's: few, and what a person running the study must see.
        warnings = unobserved_warnings(missing.collect(), max_quarantined=window.max_quarantined)
    finally:
        returned.unpersist()
    return StepReport(
        "cohort",
        rows={COHORT_UNITS.name: len(rows)},
        warnings=[*cohort_warnings(rows, study), *warnings],
        facts={"n_units": len({row.unit_id for row in rows})},
    )
