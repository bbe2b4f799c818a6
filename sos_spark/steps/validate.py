"""validate: bronze to silver and quarantine, with the ledger that proves nothing is lost.

Everything is classified and counted before anything is written: a run whose ledger does not balance changes no table.

An authority's rows depend on its own returns alone: rows of one child share its authority, which every join and window
holds to. So where some authorities' returns have changed, only theirs are classified, and replace theirs in each table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial, reduce
from itertools import groupby
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from sos_spark.config.reference import CodeSpan, authorities, bank_holidays, code_set, dfe_rules
from sos_spark.lake.arrow import arrow_rows
from sos_spark.lake.constraints import held_to
from sos_spark.lake.drafts import Drafts, drafts
from sos_spark.lake.faults import told_safely
from sos_spark.lake.lake import Lake
from sos_spark.machine.tuning import parted_for, tuned
from sos_spark.silver.classify import NEEDED_MODULES, Classified, classify_all
from sos_spark.silver.described import describe_rules
from sos_spark.silver.entities.child_links import count_links, link_children
from sos_spark.silver.fate import QUARANTINED, SILVER
from sos_spark.silver.ledger import (
    count_places,
    count_quarantined,
    count_rows,
    count_rules,
    count_unknown,
    make_ledger,
    require_nothing_lost,
    with_contents_of_kept,
)
from sos_spark.silver.measures import EVENTS, count_events, count_people
from sos_spark.silver.measures import NEEDED as MEASURED
from sos_spark.silver.pseudonyms import key_frame
from sos_spark.silver.publish import is_silver_already, to_icpcs, to_quarantine, to_silver
from sos_spark.silver.row_rule import CONTRADICTION, INVISIBLE_IN_ID, OLDEST_RECORD_YEARS, VERY_OLD
from sos_spark.silver.rule_book import counted_rules
from sos_spark.silver.rule_data import RuleData
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.known_files import read_files
from sos_spark.steps.parts import Change, authority_parts, fingerprint_of, rows_by_authority, what_changed
from sos_spark.steps.provenance import made_from, versions_of
from sos_spark.steps.pseudonym_key import read_key
from sos_spark.steps.published import lake_holds_returns
from sos_spark.tables import (
    BRONZE_MODULES,
    DQ_LEDGER,
    DQ_LINK_RATES,
    DQ_MEASURES,
    DQ_QUARANTINED,
    DQ_ROW_COUNTS,
    DQ_RULE_COUNTS,
    DQ_RULES,
    FILES,
    PUBLISHED_VALUES,
    QUARANTINE,
    SILVER_CHILD_LINKS,
    SILVER_ENTITIES,
    SILVER_ICPCS,
    Table,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

CODED_FIELDS = {
    "cin": (
        "Ethnicity",
        "PrimaryNeedCode",
        "ReferralSource",
        "ReasonForClosure",
        "InitialCategoryOfAbuse",
        "LatestCategoryOfAbuse",
    ),
    "ssda903": (
        "header.ETHNIC",
        "episodes.RNE",
        "episodes.LS",
        "episodes.CIN",
        "episodes.PLACE",
        "episodes.PLACE_PROVIDER",
        "episodes.REC",
    ),
}
TOLD = {
    VERY_OLD: f"dates of {{entity}} lie more than {OLDEST_RECORD_YEARS} years before their return and are kept",
    CONTRADICTION: "rows of {entity} differ from another row of their return with the same key, of which one is kept",
    INVISIBLE_IN_ID: "rows of {entity} had characters in their child's id that cannot be seen and are left out",
}
"""What a run says of rules by authority and year, by the end of their codes."""
PLACES_TOLD = 5
"""How many authority-years a warning names."""
WRITERS = 3
"""Tables written at once: committing a small table is mostly waiting."""

BY_AUTHORITY = (
    *SILVER_ENTITIES.values(),
    *QUARANTINE.values(),
    SILVER_ICPCS,
    SILVER_CHILD_LINKS,
    DQ_ROW_COUNTS,
    DQ_LINK_RATES,
)
"""Tables of which an authority's rows depend on its own returns alone."""
_TUNING = {
    # Joins by child and referral may use rows partitioned by child, as the windows do: one shuffle, not two.
    "spark.sql.requireAllClusterKeysForCoPartition": "false",
    # HotSpot leaves a longer method interpreted; Spark then splits it instead.
    "spark.sql.codegen.hugeMethodLimit": "8000",
    # Of the four fates of a row each has its file open: else rows are sorted by fate before they are staged.
    "spark.sql.maxConcurrentOutputFileWriters": "4",
}
_TABLE_OF_DRAFT = {"conferences": SILVER_ICPCS, "row_counts": DQ_ROW_COUNTS}
"""Drafts that have their table's columns; an entity's has more."""
_WHOLE = (DQ_RULES, DQ_RULE_COUNTS, DQ_QUARANTINED, DQ_LEDGER, DQ_MEASURES)
"""Tables that are small, or in which one authority's rows depend on another's."""


@dataclass(frozen=True)
class Due:
    """What the tables are to be made from, by authority and as a whole, and what of them has changed."""

    parts: Mapping[str, str]
    fingerprint: str
    change: Change

    def of(self, rows: DataFrame) -> DataFrame:
        """Returns the rows of the authorities that are to be made again. Needs la_code."""
        only = self.change.only
        return rows if only is None else rows.where(F.col("la_code").isin(*only))


def validate(run: Run) -> StepReport:
    """Makes silver, quarantine and dq tables from bronze; does nothing where they are made from the same already.

    Raises:
        InputError: There is no bronze, or a file's rows are not all accounted for.
        EnvironmentFaultError: There is no usable pseudonym key.
    """
    report = StepReport("validate")
    if run.lake.exists(PUBLISHED_VALUES) and not lake_holds_returns(run.lake):
        report.facts["unchanged"] = "published tables only: no records to validate"
        return report
    key = read_key(run.environment)
    versions = versions_of(run.lake, _bronze_tables())
    due = what_is_due(run.lake, key)
    report.facts |= {"fingerprint": due.fingerprint, "recomputed": due.change.why}
    if all(run.lake.fingerprint(table) == due.fingerprint for table in (*BY_AUTHORITY, *_WHOLE)):
        report.facts["unchanged"] = True
        return report
    with tuned(run.spark, {**_TUNING, **parted_for(run.spark, due.change.n_rows)}):
        _classify(run, key, versions, due, report)
        _link(run, due)
        _measure(run, due)
    return report


def _classify(run: Run, key: bytes, versions: Mapping[str, int | None], due: Due, report: StepReport) -> None:
    """Writes silver, quarantine and what was counted of their rows, and reports it."""
    rule_data = load_rule_data()
    with drafts(run.lake_root) as drafted:
        files = run.lake.read(run.spark, FILES, version=versions[FILES.name])
        bronze = {name: due.of(_read(run, BRONZE_MODULES[name], versions)) for name in NEEDED_MODULES}
        keep = partial(_draft, drafted)
        classified = classify_all(bronze, key_frame(run.spark, key), rule_data, keep=keep)
        counted = [count_rows(*entity) for entity in classified.by_entity.items()]
        counts = keep(_counts(run, due, counted), "row_counts")
        ledger = keep(make_ledger(files, counts), "ledger")
        require_nothing_lost(ledger, files)
        rules = counted_rules(rule_data)
        described = arrow_rows(describe_rules(rules, dfe_rules()), DQ_RULES)
        as_drafted = _as_drafted(drafted, classified, due)
        frames = [
            *((SILVER_ENTITIES[entity], to_silver(entity, rows)) for entity, rows in classified.by_entity.items()),
            *((QUARANTINE[entity], to_quarantine(entity, rows)) for entity, rows in classified.by_entity.items()),
            (SILVER_ICPCS, to_icpcs(classified.conferences)),
            (DQ_ROW_COUNTS, due.of(counts).select(*DQ_ROW_COUNTS.column_names)),
            (DQ_RULE_COUNTS, count_rules(counts, rules)),
            (DQ_QUARANTINED, count_quarantined(counts, rules)),
            (DQ_LEDGER, ledger),
        ]
        run.lake.put(described, DQ_RULES, fingerprint=due.fingerprint)
        _write(run, [(table, rows) for table, rows in frames if table not in as_drafted], due)
        _report(report, ledger)
        _tell_unknown(report, counts)
        _tell_findings(report, counts)
        for table, name in as_drafted.items():
            run.lake.adopt(drafted, name, table, fingerprint=due.fingerprint, parts=due.parts)


def _draft(drafted: Drafts, rows: DataFrame, name: str) -> DataFrame:
    """Writes what several others read, an entity's rows by fate; held to the table that may take the files."""
    if name in _TABLE_OF_DRAFT:
        table = _TABLE_OF_DRAFT[name]
        with told_safely(table):
            return drafted.keep(held_to(rows, table), name)
    if name not in SILVER_ENTITIES:
        return drafted.keep(rows, name)
    table = SILVER_ENTITIES[name]
    rows = with_contents_of_kept(rows)
    if is_silver_already(name, rows):
        rows = held_to(rows, table, where=F.col("fate") == SILVER)
    with told_safely(table):
        return drafted.keep(rows, name, part_by=("fate",))


def _as_drafted(drafted: Drafts, classified: Classified, due: Due) -> dict[Table, str]:
    """Returns the tables that are made as a whole and whose rows lie in a draft already, each with that draft."""
    if due.change.only is not None:
        return {}
    drafts_of = {table: name for name, table in _TABLE_OF_DRAFT.items()}
    for entity, rows in classified.by_entity.items():
        if is_silver_already(entity, rows):
            drafts_of[SILVER_ENTITIES[entity]] = f"{entity}/fate={SILVER}"
        if not drafted.files(unusable := f"{entity}/fate={QUARANTINED}"):
            drafts_of[QUARANTINE[entity]] = unusable
    return drafts_of


def what_is_due(lake: Lake, key: bytes) -> Due:
    """Returns what validate would make again, and why. Needs no Spark."""
    files = read_files(lake).values()
    parts = authority_parts(files, _how(key))
    before = [lake.parts(table) for table in BY_AUTHORITY]
    change = what_changed(before, parts, weights=rows_by_authority(files), called="authorities")
    return Due(parts, fingerprint_of(parts), change)


def load_rule_data() -> RuleData:
    """Returns the reference data that rules look at, from conf/reference."""
    return RuleData(
        code_sets={
            f"{collection}.{field}": code_set(collection, field)
            for collection, fields in CODED_FIELDS.items()
            for field in fields
        },
        authorities=tuple(
            CodeSpan(one.la_code, one.first_census_year or 0, one.last_census_year or 9999)
            for one in authorities().values()
        ),
        bank_holidays=frozenset(bank_holidays()),
    )


def _bronze_tables() -> tuple[Table, ...]:
    return (FILES, *(BRONZE_MODULES[name] for name in NEEDED_MODULES))


def _read(run: Run, table: Table, versions: Mapping[str, int | None]) -> DataFrame:
    """Returns a table at the version that the fingerprint names, so that a writer meanwhile mixes nothing."""
    version = versions[table.name]
    return (
        run.lake.read_or_empty(run.spark, table)
        if version is None
        else run.lake.read(run.spark, table, version=version)
    )


def _how(key: bytes) -> str:
    """Returns how silver is made from bronze: the code and reference data of this step, and which key."""
    # A hash of the key's hash: says that the key is another one, and nothing of what it is.
    which_key = hashlib.sha256(hashlib.sha256(key).digest()).hexdigest()[:16]
    return made_from({}, step=__name__, settings={"key": which_key})


def _union(first: DataFrame, second: DataFrame) -> DataFrame:
    return first.unionByName(second)


def _counts(run: Run, due: Due, counted: Sequence[DataFrame]) -> DataFrame:
    """Returns dq.row_counts as it will be: those just counted, and those of authorities that have not changed."""
    if due.change.only is not None:
        known = run.lake.read(run.spark, DQ_ROW_COUNTS)
        counted = [*counted, known.where(~F.col("la_code").isin(*due.change.only))]
    return reduce(_union, counted)


def _save(run: Run, frame: DataFrame, table: Table, due: Due) -> None:
    """Writes a table, or of one by authority the rows of the authorities that are due."""
    if table.name not in {one.name for one in BY_AUTHORITY}:
        run.lake.overwrite(frame, table, fingerprint=due.fingerprint)
    elif due.change.only is None:
        run.lake.overwrite(frame, table, fingerprint=due.fingerprint, parts=due.parts)
    else:
        slices = [{"la_code": la_code} for la_code in due.change.only]
        run.lake.replace(frame, table, slices=slices, fingerprint=due.fingerprint, parts=due.parts)


def _write(run: Run, frames: Sequence[tuple[Table, DataFrame]], due: Due) -> None:
    def write(item: tuple[Table, DataFrame]) -> None:
        _save(run, item[1], item[0], due)

    with ThreadPoolExecutor(WRITERS) as pool:
        # list() raises what a writer raised, after all have ended.
        list(pool.map(write, frames))


def _link(run: Run, due: Due) -> None:
    lac_children, cin_children = (
        due.of(run.lake.read(run.spark, SILVER_ENTITIES[name])) for name in ("lac_children", "cin_children")
    )
    _save(run, link_children(lac_children, cin_children), SILVER_CHILD_LINKS, due)
    links = due.of(run.lake.read(run.spark, SILVER_CHILD_LINKS))
    _save(run, count_links(links), DQ_LINK_RATES, due)


def _measure(run: Run, due: Due) -> None:
    tables = {table.short_name: table for table in (*SILVER_ENTITIES.values(), SILVER_ICPCS)}
    silver = {name: run.lake.read(run.spark, tables[name]) for name in MEASURED}
    events = count_events({name: due.of(rows) for name, rows in silver.items()})
    if due.change.only is not None:
        known = run.lake.read(run.spark, DQ_MEASURES)
        is_known = ~F.col("la_code").isin(*due.change.only) & F.col("measure").isin(*EVENTS)
        events = events.unionByName(known.where(is_known))
    # A child may be another authority's, too.
    _save(run, events.unionByName(count_people(silver)), DQ_MEASURES, due)


def _tell_unknown(report: StepReport, counts: DataFrame) -> None:
    """Warns of rows in which a value could not be used."""
    for entity, n_unknown in sorted(map(tuple, count_unknown(counts).collect())):
        table = SILVER_ENTITIES[entity].name
        report.warnings.append(
            f"{n_unknown} of {report.rows[table]} rows of {table} have a value that could not be used: it is null "
            "there, and unknown_fields names it; quality.html says which rules and authorities"
        )


def _tell_findings(report: StepReport, counts: DataFrame) -> None:
    """Warns, by authority and year, of what rules of `TOLD` found."""
    places = count_places(counts, tuple(TOLD)).collect()
    for (ending, entity), group in groupby(places, key=lambda place: (place["ending"], place["entity"])):
        found = list(group)
        n_rows = sum(place["n"] for place in found)
        told = [f"{place['la_code']} in {place['census_year']} {place['n']}" for place in found[:PLACES_TOLD]]
        told += [f"{len(found) - PLACES_TOLD} other authority-years"] * (len(found) > PLACES_TOLD)
        report.warnings.append(f"{n_rows} {TOLD[ending].format(entity=entity)}: {', '.join(told)}")


def _report(report: StepReport, ledger: DataFrame) -> None:
    sums = ledger.groupBy("entity").sum("n_received", "n_silver", "n_quarantined").orderBy("entity").collect()
    for entity, received, silver, quarantined in sums:
        report.rows[SILVER_ENTITIES[entity].name] = silver
        report.rows[QUARANTINE[entity].name] = quarantined
        if quarantined:
            report.warnings.append(
                f"{quarantined} of {received} rows of {entity} are in quarantine; `sos-spark lake quarantine list` says"
                " of which files and why"
            )
