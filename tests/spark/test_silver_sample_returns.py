"""The made-up sample returns: nothing is lost, and impossible dates cost a record or one of its values."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pyspark.sql import SparkSession

from sos_spark.silver.classify import classify_all
from sos_spark.silver.entities.lac_children import classify_lac_children
from sos_spark.silver.entities.lac_episodes import classify_lac_episodes
from sos_spark.silver.pseudonyms import key_frame, with_pseudonyms
from sos_spark.steps.validate import load_rule_data
from sos_spark.tables import BRONZE_MODULES
from tests.silver_rows import Row, all_bronze, bronze

pytestmark = [pytest.mark.reference, pytest.mark.slow]
KEY = b"k" * 32
MODULES = {
    "ChildIdentifiers": "child_identifiers",
    "CINdetails": "cin_details",
    "Assessments": "assessments",
    "Section47": "section47",
    "ChildProtectionPlans": "cp_plans",
}


def cin_rows(path: Path, census_year: int) -> Iterator[tuple[str, Row]]:
    """The modules of a CIN census file, read plainly."""
    for position, child in enumerate(ElementTree.parse(path).iter("Child"), start=1):
        place = {"la_code": "201", "census_year": census_year, "file_id": 1, "record_position": position}
        place["LAchildID"] = child.findtext("ChildIdentifiers/LAchildID")
        for referral in child.iter("CINdetails"):
            of_referral = {"CINreferralDate": referral.findtext("CINreferralDate")}
            for element in (*child.iter("ChildIdentifiers"), referral, *referral):
                module = MODULES.get(element.tag)
                if module is not None:
                    names = set(BRONZE_MODULES[module].column_names)
                    values = {leaf.tag: leaf.text for leaf in element} | of_referral | place
                    yield module, {name: value for name, value in values.items() if name in names}


def test_the_903_sample(spark: SparkSession, reference_data: Path) -> None:
    def read(name: str) -> list[Row]:
        with (reference_data / "returns" / "ssda903_2018" / f"{name}.csv").open(newline="") as handle:
            rows = list(csv.DictReader(handle))
        names = set(BRONZE_MODULES[f"lac_{name}"].column_names)
        return [
            {key: value or None for key, value in row.items() if key in names}
            | {"la_code": "926", "census_year": 2018, "file_id": 1, "record_position": position}
            for position, row in enumerate(rows, start=2)
        ]

    key, reference = key_frame(spark, KEY), load_rule_data()
    header = with_pseudonyms(bronze(spark, "lac_header", *read("header")), key)
    episodes = with_pseudonyms(bronze(spark, "lac_episodes", *read("episodes")), key)
    children = classify_lac_children(header, reference).localCheckpoint()

    found = classify_lac_episodes(episodes, children, reference).groupBy("fate", "unknown_fields").count().collect()

    assert children.groupBy("fate").count().collect() == [("silver", 2675)]
    assert Counter({(row.fate, row.unknown_fields): row["count"] for row in found}) == {
        ("silver", None): 5038,
        # They end after the return.
        ("silver", "care_episode_end_date"): 12,
    }


def test_the_cin_samples(spark: SparkSession, reference_data: Path) -> None:
    folder = reference_data / "returns" / "cin"
    rows: dict[str, list[Row]] = {}
    for file, census_year in (("CIN_Census_2024.xml", 2024), ("cin-2022.xml", 2022)):
        for module, row in cin_rows(folder / file, census_year):
            rows.setdefault(module, []).append(row)

    result = classify_all(
        all_bronze(spark, rows), key_frame(spark, KEY), load_rule_data(), keep=lambda frame, _: frame.localCheckpoint()
    )

    def fates(entity: str) -> set[tuple[int, str | None]]:
        return {(row.census_year, row.errors) for row in result.by_entity[entity].collect()}

    # Of 2024: a referral after the return, and an assessment of 2028 authorised in 2020. Of 2022: a referral of 1970.
    assert fates("referrals") == {
        (2024, None),
        (2024, "referral_date_after_return"),
        (2022, None),
    }
    assert fates("assessments") == {
        (2024, "assessment_start_date_after_return"),
        (2024, "referral_date_after_return"),
        (2022, None),
    }
    [old] = [row for row in result.by_entity["referrals"].collect() if row.census_year == 2022]
    assert "referral_date_very_old" in old.warnings
