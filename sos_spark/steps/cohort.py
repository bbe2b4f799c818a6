"""The step that harmonises LAs over the study's window and says which days their returns observe."""

from __future__ import annotations

from dataclasses import astuple

from sos_spark.cohort.observed import observed_days
from sos_spark.cohort.units import cohort_warnings, study_units
from sos_spark.config.reference import authorities, authority_changes
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.provenance import made_from, versions_of
from sos_spark.tables import COHORT_OBSERVED, COHORT_UNITS, FILES


def cohort(run: Run) -> StepReport:
    """Writes the study's slice of cohort.units and cohort.observed.

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

    data_ends = study.window.data_ends
    observed_from = made_from(
        versions_of(lake, (FILES,)), step=__name__, settings={"units": units_from, "data_ends": data_ends}
    )
    # Published tables come without returns; whatever needs these finds no day observed.
    only_published = all(outcome.kind == "published" for outcome in study.outcomes)
    files = lake.read_or_empty(spark, FILES) if only_published else lake.read(spark, FILES)
    observed = observed_days(files, units, study_id=study.study_id, data_ends=data_ends)
    lake.replace(observed, COHORT_OBSERVED, slices=own, fingerprint=observed_from)
    return StepReport(
        "cohort",
        rows={COHORT_UNITS.name: len(rows)},
        warnings=list(cohort_warnings(rows, study)),
        facts={"n_units": len({row.unit_id for row in rows})},
    )
