"""lineage.ndjson: what each step of a run read and wrote, as OpenLineage events for a catalogue to take in.

Made from what the run's manifest says and what tables declare that they are made from. Holds names, versions, columns
and numbers of rows, and never a value. One event per line, one per step that ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    DatasetFacet,
    OutputDatasetFacet,
    dataset_version_dataset,
    output_statistics_output_dataset,
    parent_run,
    schema_dataset,
)
from openlineage.client.serde import Serde

from sos_spark.places import Place, RemotePlace
from sos_spark.steps.results import write_result
from sos_spark.tables import DQ_FACTS, DQ_RESULTS, TABLES, Table
from sos_spark.tables.results import RESULT_TABLES, ResultTable

FILE = "lineage.ndjson"
NAMESPACE = "sos_spark"
PRODUCER = f"urn:sos_spark:{version('sos-spark')}"
_MADE_BY = {
    "bronze": "ingest",
    "silver": "validate",
    "quarantine": "validate",
    "dq": "validate",
    "cohort": "cohort",
    "outcome": "outcome",
    "panel": "panel",
}
_OF_GATES = (DQ_FACTS, DQ_RESULTS)
"""What each gate adds to."""
_READS = {"fit": ("panel.cells", "panel.moments", "panel.bounds", "bronze.files"), "report": ("dq.*", "cohort.*")}
"""What the steps read that write no table."""


def write_lineage(manifest: Mapping[str, Any], *, out: Place, lake: Place | None, source: Place | None) -> None:
    """Writes the events of a run's steps to its results.

    Args:
        manifest: The run's manifest (see `steps.manifest`).
        out: The folder of results.
        lake: Its lake, where it had one.
        source: Its returns, where it had some.
    """
    events = events_of(manifest, out=out, lake=lake, source=source)
    lines = [json.dumps(Serde.to_dict(event), sort_keys=True) for event in events]
    write_result(out / FILE, "".join(f"{line}\n" for line in lines))


def events_of(manifest: Mapping[str, Any], *, out: Place, lake: Place | None, source: Place | None) -> list[RunEvent]:
    """Returns an event for each step that the manifest knows the time of, in order of time; arguments as above."""
    steps = {name: told for name, told in manifest["steps"].items() if "started" in told}
    study = (manifest["study"] or {}).get("study_id", "quality")
    parent = _run_id(manifest["run_id"])
    events = []
    for name, told in sorted(steps.items(), key=lambda item: item[1]["started"]):
        ended = datetime.fromtimestamp(told["started"] + told["seconds"], UTC)
        events.append(
            RunEvent(
                eventTime=ended.isoformat(),
                producer=PRODUCER,
                eventType=RunState.COMPLETE,
                run=Run(_run_id(f"{manifest['run_id']} {name}"), facets={"parent": _parent(parent, study)}),
                job=Job(NAMESPACE, f"{study}.{name.replace(' ', '_')}"),
                inputs=_inputs(name, manifest["tables"], lake=lake, source=source),
                outputs=_outputs(name, told["rows"], manifest["tables"], lake=lake, out=out),
            )
        )
    return events


def _run_id(text: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{NAMESPACE} {text}"))


def _parent(run_id: str, study: str) -> parent_run.ParentRunFacet:
    return parent_run.ParentRunFacet(parent_run.Run(run_id), parent_run.Job(NAMESPACE, study), producer=PRODUCER)


def _inputs(step: str, versions: Mapping[str, int], *, lake: Place | None, source: Place | None) -> list[InputDataset]:
    found = []
    if step == "ingest" and source is not None:
        found.append(InputDataset(*_named(source)))
    for table in _read_by(step):
        if lake is not None and table.name in versions:
            facets = _facets(table, versions[table.name])
            found.append(InputDataset(*_named(lake / table.layer / table.short_name), facets=facets))
    return found


def _outputs(
    step: str, rows: Mapping[str, int], versions: Mapping[str, int], *, lake: Place | None, out: Place
) -> list[OutputDataset]:
    found = [
        OutputDataset(
            *_named(lake / table.layer / table.short_name),
            _statistics(rows.get(table.name)),
            facets=_facets(table, versions[table.name]),
        )
        for table in _tables_of(step)
        if lake is not None and table.name in versions
    ]
    files = {table.file_name: table for table in RESULT_TABLES.values()}
    found.extend(
        OutputDataset(*_named(out / name), _statistics(rows[name]), facets=_facets(files[name], None))
        for name in sorted(set(rows) & set(files))
    )
    return found


def _tables_of(step: str) -> list[Table]:
    """The tables that a step writes; each gate, 'quality <layer>', adds to the same ones."""
    if step.startswith("quality "):
        return list(_OF_GATES)
    return [table for table in TABLES.values() if _MADE_BY[table.layer] == step and table not in _OF_GATES]


def _read_by(step: str) -> list[Table]:
    """The tables that a step reads beside its own."""
    if step.startswith("quality "):
        return [table for table in TABLES.values() if table.layer == step.partition(" ")[2]]
    made_here = _tables_of(step)
    wanted = [name for table in made_here for name in table.made_from] or _READS.get(step, ())
    return [table for table in _expanded(wanted) if table not in made_here]


def _expanded(names: Iterable[str]) -> list[Table]:
    """The tables that names stand for, `silver.*` for all of a layer, each once, in declared order."""
    wanted = set(names)
    return [table for table in TABLES.values() if table.name in wanted or f"{table.layer}.*" in wanted]


def _facets(table: Table | ResultTable, version: int | None) -> dict[str, DatasetFacet]:
    columns = [
        schema_dataset.SchemaDatasetFacetFields(column.name, column.type, column.meaning or None)
        for column in table.columns
    ]
    facets: dict[str, DatasetFacet] = {"schema": schema_dataset.SchemaDatasetFacet(columns, producer=PRODUCER)}
    if version is not None:
        facets["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(str(version), producer=PRODUCER)
    return facets


def _statistics(n_rows: int | None) -> dict[str, OutputDatasetFacet]:
    if n_rows is None:
        return {}
    counted = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=n_rows, producer=PRODUCER)
    return {"outputStatistics": counted}


def _named(place: Place) -> tuple[str, str]:
    """OpenLineage's namespace and name of a place: its file system, and its path there."""
    if isinstance(place, RemotePlace):
        return place.root, str(place.path)
    return "file", str(place.absolute())
