"""Writes a unit's records: CIN XML and SSDA903 CSV in the folders of the real returns, or flat Parquet tables."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from uuid import uuid4
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq

from sos_spark.simulate.generate import by_return
from sos_spark.simulate.records import schema_of

_IDENTIFIERS = (
    "LAchildID",
    "UPN",
    "FormerUPN",
    "UPNunknown",
    "PersonBirthDate",
    "ExpectedPersonBirthDate",
    "GenderCurrent",
    "Sex",
    "PersonDeathDate",
)
_DETAILS = (
    "CINreferralDate",
    "ReferralSource",
    "PrimaryNeedCode",
    "CINclosureDate",
    "ReasonForClosure",
    "DateOfInitialCPC",
)
# The modules inside CINdetails, in the order of real files, with ReferralNFA between the last two.
_INNER = (("assessments", "Assessments"), ("cin_plan_dates", "CINPlanDates"), ("section47", "Section47"))
_PLANS = (("cp_plans", "ChildProtectionPlans"),)
# Joined leaves: the element around them, and the element of each.
_LISTS = {
    "Disabilities": ("Disabilities", "Disability"),
    "AssessmentFactors": ("FactorsIdentifiedAtAssessment", "AssessmentFactors"),
    "CPPreviewDates": ("Reviews", "CPPreviewDate"),
}
Return = tuple[str, int]
_Key = tuple[str | None, str | None]


def write_file(path: Path, text: str) -> None:
    """Writes a file so that it is whole or absent: a task that is tried again replaces it with the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    draft.write_text(text, encoding="utf-8", newline="")
    draft.replace(path)


def write_returns(folder: Path, tables: Mapping[str, pa.Table]) -> int:
    """Writes cin/<year>/<la>.xml and ssda903/<year>/<la>/*.csv; returns the number of files."""
    cin: dict[Return, dict[str, pa.Table]] = defaultdict(dict)
    n_files = 0
    for module, table in tables.items():
        for (code, year), rows in by_return(table):
            if module.startswith("lac_"):
                path = folder / "ssda903" / str(year) / code / f"{module.removeprefix('lac_')}.csv"
                _write_csv(path, rows)
                n_files += 1
            else:
                cin[code, year][module] = rows
    for (code, year), modules in cin.items():
        write_file(folder / "cin" / str(year) / f"{code}.xml", cin_xml(code, year, modules))
    return n_files + len(cin)


def _write_csv(path: Path, rows: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    names = rows.column_names[2:]
    with draft.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(names)
        writer.writerows(zip(*(rows[name].to_pylist() for name in names), strict=True))
    draft.replace(path)


def cin_xml(code: str, year: int, modules: Mapping[str, pa.Table]) -> str:
    """Returns the CIN census of one authority and year, in the element tree of the published specification."""
    inner = {module: _grouped(modules.get(module), module, tag) for module, tag in (*_INNER, *_PLANS)}
    details: dict[str | None, list[str]] = defaultdict(list)
    table = modules["cin_details"]
    nfa = table["ReferralNFA"].to_pylist()
    keys = _keys(table)
    for (child_id, referred), leaves, flag in zip(keys, _leaves(table, _DETAILS), nfa, strict=True):
        # Popped, so that a second referral of one day does not repeat the first one's modules.
        before = "".join(inner[module].pop((child_id, referred), "") for module, _ in _INNER)
        after = "".join(inner[module].pop((child_id, referred), "") for module, _ in _PLANS)
        flag_leaf = f"<ReferralNFA>{escape(flag)}</ReferralNFA>"
        details[child_id].append(f"<CINdetails>{leaves}{before}{flag_leaf}{after}</CINdetails>\n")
    children = modules["child_identifiers"]
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>\n<Message>\n<Header><CollectionDetails><Collection>CIN</Collection>'
        f"<Year>{year}</Year><ReferenceDate>{year}-03-31</ReferenceDate></CollectionDetails>"
        f"<Source><SourceLevel>L</SourceLevel><LEA>{escape(code)}</LEA><SoftwareCode>Simulated</SoftwareCode>"
        f"<Release>1</Release><SerialNo>001</SerialNo><DateTime>{year}-06-30T09:00:00</DateTime></Source></Header>\n"
        "<Children>\n"
    ]
    characteristics = ("Ethnicity", "Disabilities")
    for child_id, who, what in zip(
        children["LAchildID"].to_pylist(),
        _leaves(children, _IDENTIFIERS),
        _leaves(children, characteristics),
        strict=True,
    ):
        parts.append(
            f"<Child>\n<ChildIdentifiers>{who}</ChildIdentifiers>"
            f"<ChildCharacteristics>{what}</ChildCharacteristics>\n{''.join(details.pop(child_id, ()))}</Child>\n"
        )
    parts.append("</Children>\n</Message>\n")
    return "".join(parts)


def _keys(table: pa.Table) -> list[_Key]:
    referred = table["CINreferralDate"].cast(pa.string()).to_pylist()
    return list(zip(table["LAchildID"].to_pylist(), referred, strict=True))


def _grouped(table: pa.Table | None, module: str, tag: str) -> dict[_Key, str]:
    """Returns the elements of a module, joined by child and referral."""
    groups: dict[_Key, str] = defaultdict(str)
    if table is None:
        return groups
    own = [name for name in schema_of(module).names[2:] if name not in ("LAchildID", "CINreferralDate")]
    for key, leaves in zip(_keys(table), _leaves(table, own), strict=True):
        groups[key] += f"<{tag}>{leaves}</{tag}>"
    return groups


def _leaves(table: pa.Table, names: Sequence[str]) -> list[str]:
    """Returns each row's elements, blank ones left out."""
    columns = [_elements(name, table[name].cast(pa.string()).to_pylist()) for name in names]
    return ["".join(row) for row in zip(*columns, strict=True)]


def _elements(name: str, values: Iterable[str | None]) -> list[str]:
    if name in _LISTS:
        around, each = _LISTS[name]
        return [
            ""
            if value is None
            else f"<{around}>{''.join(f'<{each}>{escape(item)}</{each}>' for item in value.split(';'))}</{around}>"
            for value in values
        ]
    return ["" if value is None else f"<{name}>{escape(value)}</{name}>" for value in values]


class TableParts:
    """The Parquet files of one part, a module each: written unit by unit, renamed when all units are in."""

    def __init__(self, folder: Path, part: int) -> None:
        self._folder, self._name = folder / "tables", f"part-{part:05d}.parquet"
        self._writers: dict[str, tuple[pq.ParquetWriter, Path, Path]] = {}

    def __enter__(self) -> TableParts:
        return self

    def write(self, tables: Mapping[str, pa.Table]) -> None:
        """Adds a unit's rows; a module without rows has no file."""
        for module, table in tables.items():
            if table.num_rows:
                self._writer(module).write_table(table)

    def _writer(self, module: str) -> pq.ParquetWriter:
        if module not in self._writers:
            final = self._folder / module / self._name
            final.parent.mkdir(parents=True, exist_ok=True)
            draft = final.with_name(f".{final.name}.{uuid4().hex}")
            self._writers[module] = (pq.ParquetWriter(draft, schema_of(module)), draft, final)
        return self._writers[module][0]

    @property
    def n_files(self) -> int:
        """How many files there are."""
        return len(self._writers)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer, draft, final in self._writers.values():
            writer.close()
            if kind is None:
                draft.replace(final)
            else:
                draft.unlink()
