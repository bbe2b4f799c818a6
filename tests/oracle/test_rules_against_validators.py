"""Our row rules against the sector's own validators, rule by rule and row by row, on sample and on simulated returns.

The validators (csc-validator-be-cin and csc-validator-be-903, MIT) stand for DfE's specification. They run in
environments of their own, which `make validators` makes. Where a rule of a number flags other rows than theirs does,
DIFFERS says why; anything else is a fault of ours.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

import pytest
from pyspark.sql import DataFrame, SparkSession

from sos_spark.bronze.arrive.cin_file import read_cin
from sos_spark.bronze.arrive.lac_file import read_lac
from sos_spark.bronze.record_batches import RecordBatches
from sos_spark.config.reference import dfe_rules
from sos_spark.silver.classify import classify_all
from sos_spark.silver.pseudonyms import key_frame
from sos_spark.silver.rule_book import all_rules
from sos_spark.simulate import Effects
from sos_spark.simulate.written import write_returns
from sos_spark.steps.validate import load_rule_data
from tests.oracle.faulty_returns import faulty_cin, faulty_csv
from tests.silver_rows import Row, all_bronze
from tests.simulated import simulated_records

pytestmark = [pytest.mark.slow, pytest.mark.reference]
ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
ENVIRONMENTS = ROOT / ".sos" / "validators"

ENTITY_OF_TABLE = {
    "ChildIdentifiers": "cin_children",
    "CINdetails": "referrals",
    "Assessments": "assessments",
    "Section47": "section47_enquiries",
    "ChildProtectionPlans": "cp_plans",
    "Header": "lac_children",
    "Episodes": "lac_episodes",
}
Flagged = dict[tuple[str, str], Counter[tuple[str, int]]]
"""(entity, DfE's number) -> (return, record position) -> how many rows."""


@dataclass(frozen=True)
class Difference:
    """Why a rule of ours flags other rows than theirs, on purpose, and who flags rows that the other does not."""

    more: Literal["ours", "theirs", "either"]
    why: str


REFUSED = Difference("theirs", "a referral that is refused takes part in nothing; what is under it stays on its merits")
POSTCODE = Difference(
    "theirs", "postcodes are not stored; a place counts as unchanged where provider and URN are known"
)
TWICE = "their rule fails where a child's header row is there twice, and then flags nothing"
NOT_READ = Difference("theirs", "a day that could not be read is not known, which is not that there is none")
DIFFERS: dict[tuple[str, str], Difference] = {
    ("assessments", "8565"): REFUSED,
    ("assessments", "8670Q"): NOT_READ,
    ("assessments", "8867"): NOT_READ,
    ("assessments", "8863Q"): Difference("ours", "an assessment that is there twice overlaps with itself"),
    ("assessments", "8873Q"): Difference("theirs", "a referral that is still open has no reason for closure yet"),
    ("cin_children", "8525Q"): Difference("ours", "theirs reads no date before 1678: one of 1066 is none to it"),
    ("cin_children", "8775Q"): Difference("ours", "theirs lets those pass whose referrals closed before they were 25"),
    ("cp_plans", "2885"): Difference("ours", "the conference of an enquiry that is refused counts for nothing"),
    ("cp_plans", "8565"): Difference("ours", "theirs looks at a plan made up in its code, not at those returned"),
    ("cp_plans", "8940"): Difference("ours", "theirs numbers plans by referral and compares only different numbers"),
    ("lac_children", "202"): Difference("theirs", "a sex that is no code is not another sex; 101 tells of it"),
    ("lac_children", "203"): Difference("ours", TWICE),
    ("lac_children", "204"): Difference("ours", TWICE),
    ("lac_episodes", "142"): Difference(
        "either", "which of two that begin on one day is the last is a matter of order"
    ),
    ("lac_episodes", "149"): Difference("ours", "E45 to E48 are codes from 2019 on; theirs has one list for all years"),
    ("lac_episodes", "357"): Difference("theirs", "a child whose care began in last year's return need not start anew"),
    ("lac_episodes", "432"): Difference("ours", "a reason that is no code ends care as any but X1 does"),
    ("lac_episodes", "433"): Difference(
        "either", "an episode without a readable start stands first here, last in theirs"
    ),
    ("lac_episodes", "434"): POSTCODE,
    ("lac_episodes", "435"): POSTCODE,
    ("lac_episodes", "436"): POSTCODE,
    ("lac_episodes", "INT03"): Difference("theirs", "a header row in another year's return will do"),
    ("referrals", "1104"): Difference("theirs", "we flag the row that holds the conference, they the referral too"),
    ("referrals", "8565"): Difference("theirs", "we flag what comes after the closure, they the referral too"),
    ("referrals", "8569Q"): Difference(
        "theirs", "a flag that is missing or unreadable is 8568's business, and taken as no"
    ),
    ("referrals", "8810"): NOT_READ,
    ("referrals", "8816"): Difference(
        "theirs", "two referrals of a day are one; theirs takes the second for a later one"
    ),
    ("referrals", "8820"): Difference("ours", "a referral without a readable date counts as the earliest"),
    ("section47_enquiries", "8565"): REFUSED,
    ("section47_enquiries", "8615"): Difference("ours", "a start is needed whether or not there is a conference"),
    ("section47_enquiries", "8675Q"): Difference("ours", "a note that is missing or unreadable is no note"),
}
"""(entity, DfE's number) -> how and why our rule of that number differs."""


@dataclass(frozen=True)
class CinReturn:
    name: str
    path: Path
    census_year: int


@dataclass(frozen=True)
class LacReturn:
    name: str
    folder: Path
    census_year: int
    last_folder: Path | None = None


@pytest.fixture(scope="module")
def environments() -> Path:
    """Where the validators' environments are."""
    if not all((ENVIRONMENTS / name / ".installed").is_file() for name in ("cin", "903")):
        if os.environ.get("SOS_SPARK_REQUIRE_REFERENCE") == "1":
            pytest.fail("the validators' environments are required: make validators")
        pytest.skip("the validators' environments are not there: make validators")
    return ENVIRONMENTS


# --- the returns ------------------------------------------------------------------------------------------------


def cin_returns(reference_data: Path, simulated: Path) -> list[CinReturn]:
    samples = reference_data / "returns" / "cin"
    given = [("BAR_cin_2022", 2022), ("cin-2022", 2022), ("CIN_Census_2021", 2023), ("CIN_Census_2024", 2024)]
    return [
        *(CinReturn(f"sample {name}", samples / f"{name}.xml", year) for name, year in given),
        *(
            CinReturn(f"{kind} {path.stem} {path.parent.name}", path, int(path.parent.name))
            for kind in ("simulated", "faulty")
            for path in sorted((simulated / kind / "cin").glob("*/*.xml"))
        ),
    ]


def lac_returns(reference_data: Path, simulated: Path) -> list[LacReturn]:
    def last(folder: Path) -> Path | None:
        before = folder.parent.parent / str(int(folder.parent.name) - 1) / folder.name
        return before if before.is_dir() else None

    return [
        LacReturn("sample 2018", reference_data / "returns" / "ssda903_2018", 2018),
        *(
            LacReturn(f"{kind} {folder.name} {folder.parent.name}", folder, int(folder.parent.name), last(folder))
            for kind in ("simulated", "faulty")
            for folder in sorted((simulated / kind / "ssda903").glob("*/*"))
        ),
    ]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two years of an authority as simulated, and the same with faults."""
    out = tmp_path_factory.mktemp("returns")
    tables, _ = simulated_records(Effects(), la_codes=["926"], scale=0.1, seed=5)
    recent = {name: table.filter(table["census_year"].to_numpy() >= 2019) for name, table in tables.items()}
    write_returns(out / "simulated", recent)
    random = Random(8)
    for path in sorted((out / "simulated").rglob("*.*")):
        text = path.read_text(encoding="utf-8")
        bad = faulty_cin if path.suffix == ".xml" else faulty_csv
        copy = out / "faulty" / path.relative_to(out / "simulated")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(bad(text, share=0.3, random=random), encoding="utf-8")
    return out


# --- both answers -----------------------------------------------------------------------------------------------


def theirs(python: Path, script: str, jobs: list[dict[str, Any]], folder: Path) -> Flagged:
    """What a validator flags in the tables that our rules are about."""
    asked, answered = folder / "jobs.json", folder / "answers.json"
    asked.write_text(json.dumps(jobs))
    subprocess.run([python, HERE / script, asked, answered], cwd=folder, check=True, capture_output=True, timeout=900)
    found: Flagged = defaultdict(Counter)
    for name, flagged in json.loads(answered.read_text()).items():
        for rule, table, position, n in flagged:
            if table in ENTITY_OF_TABLE:
                found[ENTITY_OF_TABLE[table], rule][name, position] += n
    return found


def ours(spark: SparkSession, rows: dict[str, list[Row]], names: dict[tuple[str, int], str]) -> Flagged:
    """What our rules flag; `names`: LA code and census year -> the return's name."""
    reference = load_rule_data()
    numbers = {
        (entity, rule.code): rule.dfe for entity, rules in all_rules(reference).items() for rule in rules if rule.dfe
    }
    classified = classify_all(
        all_bronze(spark, rows), key_frame(spark, b"k" * 32), reference, keep=lambda frame, _: frame.localCheckpoint()
    )
    found: Flagged = defaultdict(Counter)
    for entity, frame in classified.by_entity.items():
        for row in _findings(frame):
            broken = {numbers.get((entity, code)) for code in (*(row.errors or "").split(), *row.warnings)} - {None}
            name = names.get((row[0], row[1]))
            for number in broken if name else ():
                found[entity, str(number)][str(name), row[2]] += 1
    return found


def _findings(frame: DataFrame) -> Sequence[Any]:
    return frame.select("la_code", "census_year", "record_position", "errors", "warnings").collect()


def bronze_rows(records: RecordBatches, la: str, year: int, file_id: int) -> Iterator[tuple[str, Row]]:
    for module, batch in records.give(la_code=la, file_id=file_id):
        for record in batch.to_pylist():
            yield module, record | {"census_year": year}


def of_cin(returns: Sequence[CinReturn]) -> tuple[dict[str, list[Row]], dict[tuple[str, int], str]]:
    """Bronze rows; each return is an authority of its own, as the validator sees one file only."""
    rows, names = defaultdict(list), {}
    for number, each in enumerate(returns):
        la = f"C{number}"
        names[la, each.census_year] = each.name
        records = RecordBatches()
        read_cin([each.path.read_bytes()], records)
        for module, row in bronze_rows(records, la, each.census_year, number):
            rows[module].append(row)
    return rows, names


def of_lac(returns: Sequence[LacReturn]) -> tuple[dict[str, list[Row]], dict[tuple[str, int], str]]:
    """Bronze rows; each return is an authority of its own, with last year's where the validator gets that."""
    rows, names = defaultdict(list), {}
    for number, each in enumerate(returns):
        la = f"L{number}"
        names[la, each.census_year] = each.name
        for folder, year in ((each.folder, each.census_year), (each.last_folder, each.census_year - 1)):
            for module in ("lac_header", "lac_episodes") if folder else ():
                content = (Path(str(folder)) / f"{module.removeprefix('lac_')}.csv").read_bytes()
                records = RecordBatches()
                read_lac(content, module, records)
                for _, row in bronze_rows(records, la, year, number * 10_000 + year):
                    rows[module].append(row)
    return rows, names


# --- the comparison ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both(
    spark: SparkSession,
    reference_data: Path,
    environments: Path,
    simulated: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Flagged, Flagged]:
    """What the validators flag, and what we do."""
    cin, lac = cin_returns(reference_data, simulated), lac_returns(reference_data, simulated)
    cin_jobs = [{"name": r.name, "path": str(r.path), "census_year": r.census_year} for r in cin]
    lac_jobs = [
        {"name": r.name, "folder": str(r.folder), "census_year": r.census_year,
         "last_folder": r.last_folder and str(r.last_folder)}
        for r in lac
    ]  # fmt: skip
    work = tmp_path_factory.mktemp("validators")
    (rows, names), (lac_rows, lac_names) = of_cin(cin), of_lac(lac)
    expected = theirs(environments / "cin/bin/python", "cin_validator_run.py", cin_jobs, work)
    expected |= theirs(environments / "903/bin/python", "lac_validator_run.py", lac_jobs, work)
    return expected, ours(spark, rows | lac_rows, names | lac_names)


def compared() -> list[tuple[str, str]]:
    return sorted(
        {(entity, rule.dfe) for entity, rules in all_rules(load_rule_data()).items() for rule in rules if rule.dfe}
    )


def agreement(both: tuple[Flagged, Flagged], entity: str, number: str) -> tuple[int, int, int]:
    """How many rows both flag, only the validators do, and only we do."""
    expected, found = both[0].get((entity, number), Counter()), both[1].get((entity, number), Counter())
    shared = (expected & found).total()
    return shared, expected.total() - shared, found.total() - shared


def test_each_rule_flags_the_rows_that_the_sectors_validators_flag(
    spark: SparkSession, both: tuple[Flagged, Flagged], capsys: pytest.CaptureFixture[str]
) -> None:
    table = {key: agreement(both, *key) for key in compared()}
    with capsys.disabled():
        lines = [
            f"{entity:<20} {number:<6} {shared:>6} {missed:>10} {added:>9}  {_why(entity, number)}"
            for (entity, number), (shared, missed, added) in table.items()
        ]
        header = f"{'entity':<20} {'rule':<6} {'both':>6} {'validator':>10} {'sos_spark':>9}  why they differ"
        os.write(1, "\n".join(["", header, *lines, ""]).encode())
    unexplained = {
        key: counts
        for key, counts in table.items()
        if (counts[1] and not _may(key, "theirs")) or (counts[2] and not _may(key, "ours"))
    }
    assert unexplained == {}
    assert set(DIFFERS) <= set(table)


def _why(entity: str, number: str) -> str:
    known = DIFFERS.get((entity, number))
    return known.why if known else ""


def _may(key: tuple[str, str], more: str) -> bool:
    return key in DIFFERS and DIFFERS[key].more in (more, "either")


@pytest.mark.parametrize(("collection", "package"), [("cin", "cin_validator"), ("ssda903", "lac_validator")])
def test_the_years_of_a_rules_specification_are_those_of_the_validators(
    environments: Path, collection: str, package: str
) -> None:
    years = range(2023, 2028)
    script = f"""
import json, sys
from {package}.rules.ruleset_utils import get_year_ruleset
print(json.dumps({{year: [str(code) for code in get_year_ruleset(year)] for year in sys.argv[1:]}}))
"""
    python = environments / {"cin": "cin", "ssda903": "903"}[collection] / "bin" / "python"
    said = subprocess.run([python, "-c", script, *map(str, years)], check=True, capture_output=True, timeout=300)
    theirs = {int(year): set(codes) for year, codes in json.loads(said.stdout).items()}
    own = {number: span for (of, number), span in dfe_rules().items() if of == collection}
    assert own
    for number, span in own.items():
        known = [year for year in years if number in theirs[year]]
        assert known == list(range(span.first_census_year, span.last_census_year + 1)), number


def test_every_rule_meets_rows_that_the_validators_flag(spark: SparkSession, both: tuple[Flagged, Flagged]) -> None:
    """The rules that were once found wanting flag rows that theirs flag, and are not only equal at zero."""
    wanting = {("lac_episodes", number) for number in ("178", "433", "435", "436", "502", "562")}
    wanting |= {("section47_enquiries", "2884"), ("referrals", "8600")}
    assert {key for key in wanting if agreement(both, *key)[0] == 0} == set()
