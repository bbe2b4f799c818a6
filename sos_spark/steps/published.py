"""Published tables at the edge: files into bronze.published_values, and those values into a study's cells."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from sos_spark.bronze.arrive.inspection import Inspection
from sos_spark.bronze.arrive.inventory import SourceFile, published_files
from sos_spark.bronze.decide.files import holds_returns
from sos_spark.bronze.fault import SourceError
from sos_spark.bronze.read.published import PublishedTable, PublishedValue, published_values, read_published
from sos_spark.cohort.units import Unit
from sos_spark.config.reference import authorities, published_reference
from sos_spark.errors import InputError, StudyError
from sos_spark.outcome.published_rows import published_outcomes, published_rows
from sos_spark.places import Place, place_of
from sos_spark.steps.context import Run
from sos_spark.steps.provenance import made_from, versions_of
from sos_spark.tables import COHORT_UNITS, FILES, OUTCOME_FLOW, PANEL_BOUNDS, PANEL_CELLS, PUBLISHED_VALUES

if TYPE_CHECKING:
    from sos_spark.lake.lake import Lake


@dataclass(frozen=True)
class PublishedSource:
    """A source's published tables: each file as it was looked at, and the tables of those that are sound, in order.

    `unknown` names the files whose columns are those of no series known here.
    """

    files: tuple[Inspection, ...]
    tables: tuple[PublishedTable, ...]
    unknown: tuple[str, ...]

    @property
    def refused(self) -> list[str]:
        """The refused files, each with its reason."""
        return [f"{seen.file.name}: {seen.reason}" for seen in self.files if seen.reason is not None]

    @property
    def warnings(self) -> list[str]:
        """What was not recognised, and rows that were not read."""
        names = ", ".join(self.unknown)
        sound = [seen.file.name for seen in self.files if seen.reason is None]
        return [
            *([f"files that are no published table known here: {names}"] if names else []),
            *(
                f"{name}: rows that do not say whether they are an authority's are not read: {', '.join(codes)}"
                for name, table in zip(sound, self.tables, strict=True)
                if (codes := table.without_level)
            ),
        ]


def inspect_published(source: Place) -> PublishedSource:
    """Reads a source's published tables, each whole or refused."""
    looked = [_looked_at(file) for file in published_files(source)]
    return PublishedSource(
        files=tuple(seen for seen, table in looked if table is not None or seen.reason is not None),
        tables=tuple(table for _, table in looked if table is not None),
        unknown=tuple(seen.file.name for seen, table in looked if table is None and seen.reason is None),
    )


def _looked_at(file: SourceFile) -> tuple[Inspection, PublishedTable | None]:
    if file.fault is not None:
        return Inspection(file, reason=file.fault), None
    try:
        content = place_of(file.path).read_bytes()
    except OSError as error:
        return Inspection(file, reason=f"The file cannot be read: found {type(error).__name__}"), None
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        table = read_published(content, reference=published_reference())
    except SourceError as fault:
        return Inspection(file, sha256=sha256, reason=str(fault)), None
    n_values = {} if table is None else {PUBLISHED_VALUES.short_name: len(table.values)}
    return Inspection(file, sha256=sha256, rows_by_module=n_values), table


def require_published(run: Run, source: PublishedSource) -> None:
    """Checks that there are published tables where the study needs some.

    Raises:
        InputError: None of the source's files is one, and none was refused.
    """
    if published_outcomes(run.study) and not source.files:
        raise InputError(
            "No published table was found",
            where=str(run.source),
            expected="DfE's and ONS's LA tables as downloaded, in published/ or in the folder itself",
            found=f"{len(source.unknown)} CSV files, none of them recognised by its columns",
            remedy="Download the tables that the README lists",
        )


def write_published(run: Run, source: PublishedSource) -> dict[str, int]:
    """Writes bronze.published_values from a source's sound tables, if it has a file that is, or should be, one.

    Returns the rows by table.
    """
    if not source.tables and not (source.files and run.lake.exists(PUBLISHED_VALUES)):
        return {}
    digest = hashlib.sha256("".join(sorted(str(seen.sha256) for seen in source.files)).encode()).hexdigest()
    rows = [astuple(value) for value in published_values(source.tables)]
    frame = run.spark.createDataFrame(rows, PUBLISHED_VALUES.schema())
    fingerprint = made_from({}, step=__name__, settings={"files": digest})
    run.lake.overwrite(frame, PUBLISHED_VALUES, fingerprint=fingerprint)
    return {PUBLISHED_VALUES.name: len(rows)}


def lake_holds_returns(lake: Lake) -> bool:
    """Returns whether any return was ever given to a lake, or published tables only."""
    return lake.exists(FILES) and holds_returns(lake.arrow(FILES).to_pylist())


def write_published_cells(run: Run) -> None:
    """Writes the cells of the study's published outcomes, why a unit's year is unknown, and what it can have been.

    Raises:
        StudyError: The study's periods are not years, the only period that is published.
        InputError: The published tables were not ingested.
    """
    study, lake = run.the_study, run.lake
    outcomes = published_outcomes(study)
    if not outcomes:
        return
    if study.window.period != "year":
        raise StudyError(
            "Published tables hold years", where="window.period", expected="year", found=study.window.period
        )
    values = [PublishedValue(**row) for row in lake.arrow(PUBLISHED_VALUES).to_pylist()]
    units = lake.arrow(COHORT_UNITS, where={"study_id": study.study_id}).to_pylist()
    rows = published_rows(study, values, units=[Unit(**unit) for unit in units], authorities=authorities())
    fingerprint = made_from(
        versions_of(lake, (PUBLISHED_VALUES, COHORT_UNITS)),
        step=__name__,
        settings={
            "study_id": study.study_id,
            "window": study.window.model_dump(mode="json"),
            "outcomes": [outcome.model_dump(mode="json") for outcome in outcomes],
        },
    )
    slices = [{"study_id": study.study_id, "outcome_id": outcome.outcome_id} for outcome in outcomes]
    for table, made in ((PANEL_CELLS, rows.cells), (OUTCOME_FLOW, rows.flow), (PANEL_BOUNDS, rows.bounds)):
        lake.replace(run.spark.createDataFrame(made, table.schema()), table, slices=slices, fingerprint=fingerprint)
