"""What `simulate` writes: the same bytes for a seed, the same records in both forms, and the truth beside them."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from sos_spark.config.reference import code_set
from sos_spark.config.simulated import MARK_FILE
from sos_spark.errors import StudyError
from sos_spark.machine import workers as machine_workers
from sos_spark.machine.workers import Workers
from sos_spark.simulate import Effects, SimulationReport, simulate
from sos_spark.simulate.written import _LISTS
from sos_spark.tables import BRONZE_MODULES, PROVENANCE

YEARS = range(2014, 2018)
PILOTS = ("926", "304")
INNER = {
    "Assessments": "assessments",
    "CINPlanDates": "cin_plan_dates",
    "Section47": "section47",
    "ChildProtectionPlans": "cp_plans",
}


def effects(size: float = -0.06, level: float = 0.3) -> Effects:
    return Effects.model_validate(
        {
            "effects": [
                {"outcome_id": "kinship_placement", "la_codes": PILOTS, "from": "2015-04-01", "size": size},
                {"outcome_id": "assessment_duration", "la_codes": PILOTS, "from": "2015-04-01", "size": -2.0},
            ],
            "baselines": [{"outcome_id": "kinship_placement", "la_codes": PILOTS, "level": level}],
            "missing_returns": [{"la_codes": ["304"], "census_years": [2014]}],
        }
    )


def no_session() -> SparkSession:
    raise AssertionError("Spark is not needed")


THIS_PROCESS = Workers(no_session, 1)


def run(out: Path, workers: Workers = THIS_PROCESS, **changes: object) -> SimulationReport:
    asked: dict[str, object] = {
        "scale": "tiny",
        "census_years": YEARS,
        "n_authorities": 4,
        "seed": 11,
        "form": "returns",
        "effects": effects(),
    }
    return simulate(workers, out=out, **(asked | changes))  # type: ignore[arg-type]


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def returns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("returns")
    run(out)
    return out


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tables")
    run(out, form="tables")
    return out


def rows_of_tables(folder: Path) -> Iterator[tuple[str, ...]]:
    """Yields (module, la_code, census_year, then name=text of every value) of each row."""
    for path in (folder / "tables").rglob("*.parquet"):
        for row in pq.read_table(path).to_pylist():
            key = path.parent.name, row.pop("la_code"), str(row.pop("census_year"))
            yield (*key, *(f"{name}={value}" for name, value in sorted(row.items()) if value is not None))


def rows_of_returns(folder: Path) -> Iterator[tuple[str, ...]]:
    """Yields the same of the files, read by the standard library."""
    for path in (folder / "ssda903").rglob("*.csv"):
        with path.open(newline="") as handle:
            for row in csv.DictReader(handle):
                values = (f"{name}={value}" for name, value in sorted(row.items()) if value)
                yield (f"lac_{path.stem}", path.parent.name, path.parent.parent.name, *values)
    for path in (folder / "cin").rglob("*.xml"):
        for child in ElementTree.parse(path).getroot().iter("Child"):
            identifiers = [
                leaf for part in ("ChildIdentifiers", "ChildCharacteristics") for leaf in child.iterfind(f"{part}/*")
            ]
            child_id = [leaf for leaf in identifiers if leaf.tag == "LAchildID"]
            place = path.stem, path.parent.name
            yield ("child_identifiers", *place, *named(identifiers))
            for details in child.iter("CINdetails"):
                referral = [*child_id, *(leaf for leaf in details if leaf.tag == "CINreferralDate")]
                yield ("cin_details", *place, *named([*child_id, *(x for x in details if x.tag not in INNER)]))
                for element in details:
                    if element.tag in INNER:
                        yield (INNER[element.tag], *place, *named([*referral, *element]))


def named(elements: list[ElementTree.Element]) -> list[str]:
    around = {outer: name for name, (outer, _) in _LISTS.items()}
    return sorted(
        f"{around.get(e.tag, e.tag)}={';'.join(x.text or '' for x in e) if len(e) else e.text}" for e in elements
    )


def test_both_forms_hold_the_same_records(returns: Path, tables: Path) -> None:
    in_files, in_tables = Counter(rows_of_returns(returns)), Counter(rows_of_tables(tables))
    assert sum(in_tables.values()) > 1500
    assert in_files == in_tables


def test_the_report_counts_what_was_written(tmp_path: Path, returns: Path) -> None:
    report = run(tmp_path)
    assert report.rows == dict(Counter(module for module, *_ in rows_of_returns(returns)))
    beside = {"truth.json", "cin/.simulated", "ssda903/.simulated"}
    assert report.files == len(set(digests(tmp_path)) - beside)
    assert report.truth == json.loads((tmp_path / "truth.json").read_text())


@pytest.mark.parametrize("who", ["two processes", "executors"])
def test_the_same_seed_gives_the_same_bytes_whoever_works(
    who: str, spark: SparkSession, tmp_path: Path, returns: Path, tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_workers, "FEW_BYTES", 0)
    workers = Workers(no_session, 2) if who == "two processes" else Workers(lambda: spark)
    run(tmp_path / "a", workers)
    run(tmp_path / "b", workers, form="tables")

    assert digests(tmp_path / "a") == digests(returns)
    assert digests(tmp_path / "b") == digests(tables)


def test_another_seed_gives_other_children(tmp_path: Path, returns: Path) -> None:
    run(tmp_path, seed=12)
    assert not set(rows_of_returns(tmp_path)) & set(rows_of_returns(returns))


def test_folders_and_headers_are_those_of_real_returns(returns: Path) -> None:
    codes = {path.stem for path in (returns / "cin" / "2017").iterdir()}
    assert len(codes) == 4
    assert set(PILOTS) < codes
    header = ElementTree.parse(returns / "cin" / "2016" / "926.xml").getroot().find("Header")
    assert header is not None
    found = {leaf.tag: leaf.text for leaf in header.iter() if not len(leaf)}
    wanted = {"Collection": "CIN", "Year": "2016", "ReferenceDate": "2016-03-31", "LEA": "926"}
    assert wanted.items() <= found.items()
    assert found["DateTime"] > "2016-03-31T"
    folder = returns / "ssda903" / "2016" / "926"
    assert {path.name for path in folder.iterdir()} == {"header.csv", "episodes.csv", "previous_permanence.csv"}


@pytest.mark.reference
def test_every_element_stands_where_the_specification_has_it(returns: Path, reference_data: Path) -> None:
    """Order of elements: as in the outside sample that uses the most of them."""

    def orders(path: Path) -> set[tuple[str, str, str]]:
        return {
            (parent.tag, one.tag, other.tag)
            for parent in ElementTree.parse(path).getroot().iter()
            for one, other in zip(list(parent), list(parent)[1:], strict=False)
            if one.tag != other.tag
        }

    known: dict[str, list[str]] = {}
    for sample in sorted((reference_data / "returns" / "cin").glob("*.xml")):
        for parent in ElementTree.parse(sample).getroot().iter():
            known.setdefault(parent.tag, [])
            tags = list(dict.fromkeys(element.tag for element in parent))
            if len(tags) > len(known[parent.tag]):
                known[parent.tag] = tags
    ours = set().union(*(orders(path) for path in (returns / "cin" / "2016").glob("*.xml")))
    assert len(ours) > 20
    for tag, one, other in ours:
        assert one in known[tag], f"{one} in {tag}"
        assert known[tag].index(one) < known[tag].index(other), f"{one} before {other} in {tag}"


@pytest.mark.reference
def test_csv_columns_are_those_of_the_outside_sample(returns: Path, reference_data: Path) -> None:
    folder = returns / "ssda903" / "2016" / "926"
    for path in folder.iterdir():
        sample = reference_data / "returns" / "ssda903_2018" / path.name
        assert path.read_text().splitlines()[0] == sample.read_text().splitlines()[0]


def test_tables_have_the_received_columns_and_types(tables: Path) -> None:
    for folder in (tables / "tables").iterdir():
        if folder.name == MARK_FILE:
            continue
        schema = pq.read_schema(next(folder.iterdir()))
        kept = ["la_code", "census_year", *BRONZE_MODULES[folder.name].column_names[len(PROVENANCE) :]]
        assert [name for name in schema.names if name not in ("HOME_POST", "PL_POST")] == kept
        assert schema.field("la_code").type == "string"
        assert schema.field("census_year").type == "int32"
        for name in schema.names[2:]:
            is_date = name.endswith("Date") or name in ("DateOfInitialCPC", "InitialCPCtarget")
            wanted = "date32[day]" if is_date or name in ("CPPstartDate", "CPPendDate") else "string"
            assert str(schema.field(name).type) == wanted, name


def test_one_file_mixes_spellings_of_yes_and_no(returns: Path) -> None:
    """A return of the smallest scale has few referrals without further action: each spelling of these is somewhere."""
    texts = [path.read_text() for path in (returns / "cin").rglob("*.xml")]
    assert any("<ReferralNFA>0<" in text and "<ReferralNFA>false<" in text for text in texts)
    for field in ("ReferralNFA", "ICPCnotRequired"):
        for flag in ("0", "1", "true", "false"):
            assert any(f"<{field}>{flag}</{field}>" in text for text in texts)


def test_placement_codes_are_those_of_the_year(returns: Path) -> None:
    codes: dict[str, set[str]] = {}
    for path in (returns / "ssda903").rglob("episodes.csv"):
        with path.open(newline="") as handle:
            codes.setdefault(path.parent.parent.name, set()).update(row["PLACE"] for row in csv.DictReader(handle))
    assert {code for year in ("2014", "2015") for code in codes[year] if code[0] in "QU"} == {"Q1", "Q2"}
    assert not {code for year in ("2016", "2017") for code in codes[year] if code[0] == "Q"}
    known = {span.code for span in code_set("ssda903", "episodes.PLACE")} | {"Q1", "Q2", "XX"}
    assert set().union(*codes.values()) <= known


def test_missing_returns_are_missing_and_named_in_the_truth(returns: Path) -> None:
    truth = json.loads((returns / "truth.json").read_text())
    missing = {(entry["la_code"], entry["census_year"], entry["collection"]) for entry in truth["missing_la_years"]}
    assert {("304", 2014, "cin"), ("304", 2014, "ssda903")} <= missing
    assert not (returns / "cin" / "2014" / "304.xml").exists()
    assert not (returns / "ssda903" / "2014" / "304").exists()


def test_the_truth_has_an_entry_for_each_outcome(returns: Path) -> None:
    truth = json.loads((returns / "truth.json").read_text())
    assert (truth["seed"], truth["scale"], truth["census_years"]) == (11, "tiny", list(YEARS))
    entries = {entry["outcome_id"]: entry for entry in truth["effects"]}
    assert entries["kinship_placement"]["effect_injected"] == pytest.approx(-0.06)
    assert entries["assessment_duration"]["effect_injected"] == pytest.approx(-2.0)
    assert entries["assessment_within_45"]["size"] == 0
    assert entries["assessment_within_45"]["effect_injected"] > 0
    for outcome_id in ("rereferral_nfa_6m", "rereferral_escalated", "icpc"):
        assert entries[outcome_id]["effect_injected"] == 0
        assert entries[outcome_id]["size"] == 0


def test_corrupt_rows_are_as_many_as_the_truth_says(tables: Path) -> None:
    counted = json.loads((tables / "truth.json").read_text())["corrupt_rows"]
    found: Counter[str] = Counter()
    for module, _, year, *values in rows_of_tables(tables):
        row = dict(value.split("=", 1) for value in values)
        if module in ("child_identifiers", "cin_details"):
            found[f"{module}.missing_key"] += "LAchildID" not in row
        if module == "cin_details":
            referred, closed = row["CINreferralDate"], row.get("CINclosureDate", "9999")
            found["cin_details.end_before_start"] += closed < referred
            found["cin_details.impossible_date"] += referred > f"{year}-03-31"
            found["cin_details.unknown_code"] += row["PrimaryNeedCode"] == "N99"
        if module == "lac_episodes":
            began, ended = ("".join(reversed(row.get(name, "31/12/9999").split("/"))) for name in ("DECOM", "DEC"))
            found["lac_episodes.missing_key"] += "CHILD" not in row
            found["lac_episodes.end_before_start"] += ended < began
            found["lac_episodes.impossible_date"] += row["DECOM"].startswith("31/02")
            found["lac_episodes.unknown_code"] += row["PLACE"] == "XX"
    assert {kind: count for kind, count in found.items() if count} == counted
    assert counted


def test_a_truncated_effect_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"kinship_placement: size -0\.06 cuts off"):
        run(tmp_path / "out", effects=effects(level=0.04))
    assert not list((tmp_path / "out").iterdir())


def test_an_earlier_simulation_is_replaced_and_other_data_is_not(tmp_path: Path) -> None:
    run(tmp_path, census_years=[2014])
    run(tmp_path, census_years=[2015])
    assert sorted(path.name for path in (tmp_path / "cin").iterdir()) == [MARK_FILE, "2015"]
    (tmp_path / "truth.json").unlink()
    with pytest.raises(StudyError, match="no simulation wrote"):
        run(tmp_path)
    assert sorted(path.name for path in (tmp_path / "cin").iterdir()) == [MARK_FILE, "2015"]


@pytest.mark.parametrize("years", [(), (2015, 2014), (2013, 2015), (1990,)])
def test_census_years_must_follow_each_other(tmp_path: Path, years: tuple[int, ...]) -> None:
    with pytest.raises(StudyError, match="census years"):
        run(tmp_path, census_years=years)
