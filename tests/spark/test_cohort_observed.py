"""The days observed, and how far they reach without a gap."""

from __future__ import annotations

from datetime import date
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession

from sos_spark.cohort.observed import observed_days
from sos_spark.cohort.returned import ENTITIES, returned_entities, unobserved, unobserved_warnings
from sos_spark.outcome.coverage import coverage
from sos_spark.tables import COHORT_OBSERVED, COHORT_UNITS, FILES
from tests.builders import Rows, a_file, frame, quarantined, returns
from tests.outcome_world import quarantine_frame


def a_unit(la: str, *, unit: str | None = None, first: int = 2013, last: int = 2016) -> dict[str, Any]:
    return {
        "study_id": "s",
        "la_code": la,
        "unit_id": unit or la,
        "unit_name": la,
        "first_census_year": first,
        "last_census_year": last,
        "is_pilot": False,
    }


def returned(
    spark: SparkSession, files: Rows, units: Rows, *, ends: str = "2016-03-31", quarantine: Rows = ()
) -> DataFrame:
    return returned_entities(
        frame(spark, FILES, files),
        quarantine_frame(spark, quarantine),
        frame(spark, COHORT_UNITS, units),
        data_ends=date.fromisoformat(ends),
        max_quarantined=0.10,
    )


def unobserved_of(rows: DataFrame) -> dict[tuple[int, str], str]:
    return {(row.census_year, row.entity): row.reason for row in unobserved(rows, study_id="s").collect()}


def test_days_observed_by_entity(spark: SparkSession) -> None:
    files = [
        *returns(2012, 2016, la="926", missing=(2014,), collections=("cin",)),
        *returns(2013, 2015, la="926", collections=("ssda903",)),
        a_file(2014, la="926", status="refused"),
        a_file(2017, la="926"),  # begins after data_ends
        *returns(2015, 2016, la="301", collections=("cin",)),
        *returns(2015, 2016, la="302"),  # no LA of the study
    ]
    rows = returned(spark, files, [a_unit("926"), a_unit("301"), a_unit("303")], ends="2015-12-31")
    observed = observed_days(rows, study_id="s", data_ends=date(2015, 12, 31))
    assert observed.columns == COHORT_OBSERVED.column_names
    assert {(row.la_code, row.entity): tuple(row)[3:] for row in observed.collect()} == {
        **{("926", entity): (date(2011, 4, 1), date(2015, 12, 31), [2014]) for entity in ENTITIES["cin"]},
        **{("926", entity): (date(2012, 4, 1), date(2015, 3, 31), []) for entity in ENTITIES["ssda903"]},
        **{("301", entity): (date(2014, 4, 1), date(2015, 12, 31), []) for entity in ENTITIES["cin"]},
    }
    assert unobserved_of(rows) == {}


def test_coverage_ends_at_a_missing_year_and_asks_for_the_whole_unit(spark: SparkSession) -> None:
    units = [
        a_unit("926"),
        a_unit("836", unit="836+838+839", last=2014),
        a_unit("838", unit="836+838+839", first=2015),
        a_unit("839", unit="836+838+839", first=2015),
    ]
    files = [
        *returns(2013, 2016, la="926", missing=(2014,)),
        *returns(2013, 2014, la="836"),
        *returns(2015, 2016, la="838"),
        *returns(2015, 2016, la="839", missing=(2016,)),
    ]
    rows = covered(spark, returned(spark, files, units), units)

    def by_year(la: str) -> dict[int, tuple[date | None, bool]]:
        return {
            row.census_year: (row.observed_until, row.is_unit_observed)
            for row in rows
            if (row.la_code, row.kind) == (la, "rereferral_escalated")
        }

    gap, end = date(2013, 3, 31), date(2016, 3, 31)
    assert by_year("926") == {2013: (gap, True), 2014: (None, False), 2015: (end, True), 2016: (end, True)}
    own_end = date(2014, 3, 31)
    assert by_year("836") == {2013: (own_end, True), 2014: (own_end, True), 2015: (None, False), 2016: (None, False)}
    assert by_year("838") == {2013: (None, False), 2014: (None, False), 2015: (end, True), 2016: (end, False)}
    assert next(_days(row) for row in rows if row.la_code == "838") == (date(2014, 4, 1), end)


def test_an_outcome_that_reads_both_collections_has_the_days_of_both(spark: SparkSession) -> None:
    units = [a_unit("926"), a_unit("301")]
    files = [
        *returns(2013, 2016, la="926", missing=(2014,), collections=("cin",)),
        *returns(2013, 2015, la="926", collections=("ssda903",)),
        *returns(2013, 2016, la="301", collections=("cin",)),
    ]
    rows = covered(spark, returned(spark, files, units), units)
    seen = {
        (row.la_code, row.kind): {one.census_year for one in rows if one[:2] == row[:2] and one.is_unit_observed}
        for row in rows
    }
    both, cin = "rereferral_escalated", "rereferral_nfa"
    assert seen["926", both] == {2013, 2015}
    assert seen["926", cin] == {2013, 2015, 2016}
    assert seen["926", "kinship_placement"] == {2013, 2014, 2015}
    assert (seen["301", both], seen["301", cin]) == (set(), {2013, 2014, 2015, 2016})
    last = {(row.la_code, row.kind): row.last_day_observed for row in rows}
    assert (last["926", both], last["926", cin]) == (date(2015, 3, 31), date(2016, 3, 31))


def test_an_episodes_file_with_a_header_only_observes_no_care(spark: SparkSession) -> None:
    full, header_only = {"lac_episodes": 90, "lac_header": 60}, {"lac_episodes": 0, "lac_header": 60}
    files = [
        *(a_file(year, collection="ssda903", rows=full) for year in (2013, 2014, 2016)),
        a_file(2015, collection="ssda903", rows=header_only),
        *returns(2013, 2016, collections=("cin",)),
    ]
    rows = returned(spark, files, [a_unit("926")])
    assert unobserved_of(rows) == {(2015, entity): "empty_return" for entity in ENTITIES["ssda903"]}
    by_entity = {row.entity: row for row in observed_days(rows, study_id="s", data_ends=date(2016, 3, 31)).collect()}
    assert by_entity["lac_episodes"].missing_years == [2015]
    assert by_entity["referrals"].missing_years == []


def test_a_cin_file_without_a_child_moves_the_last_day_observed_back(spark: SparkSession) -> None:
    nothing = dict.fromkeys(("child_identifiers", "cin_details", "assessments", "section47", "cp_plans"), 0)
    files = [*(a_file(year, rows={**nothing, "cin_details": 9, "child_identifiers": 9}) for year in (2013, 2014)),
             *(a_file(year, rows=nothing) for year in (2015, 2016))]  # fmt: skip
    rows = returned(spark, files, [a_unit("926")])
    assert unobserved_of(rows) == {(y, entity): "empty_return" for y in (2015, 2016) for entity in ENTITIES["cin"]}
    days = observed_days(rows, study_id="s", data_ends=date(2016, 3, 31)).collect()
    assert {row.last_day_observed for row in days} == {date(2014, 3, 31)}


def test_an_empty_first_return_is_a_return(spark: SparkSession) -> None:
    rows = returned(spark, [a_file(2013, rows={"child_identifiers": 0, "cin_details": 0})], [a_unit("926")])
    assert unobserved_of(rows) == {}


def test_records_without_the_children_they_belong_to_observe_nothing(spark: SparkSession) -> None:
    """Flat tables: each module is a file of its own, and one of them may lack an LA-year."""
    files = [
        {**a_file(2015, rows={"cin_details": 50}), "file_id": 1},
        {**a_file(2015, rows={"assessments": 40}), "file_id": 2},
        {**a_file(2016, rows={"cin_details": 50}), "file_id": 1},
        {**a_file(2016, rows={"child_identifiers": 45}), "file_id": 3},
        a_file(2015, collection="ssda903", rows={"lac_episodes": 5}),
        a_file(2016, collection="ssda903", rows={"lac_episodes": 5, "lac_header": 3}),
    ]
    rows = returned(spark, files, [a_unit("926")])
    every = [*ENTITIES["cin"], *ENTITIES["ssda903"]]
    assert unobserved_of(rows) == {(2015, entity): "no_children" for entity in every}


def test_a_mostly_quarantined_entity_is_not_observed_and_said_by_authority_year_file_and_share(
    spark: SparkSession,
) -> None:
    rows_of = {"lac_episodes": 100, "lac_header": 60}
    files = [
        {**a_file(2015, collection="ssda903", rows=rows_of), "file_path": "ssda903/2015/926/episodes.csv"},
        a_file(2016, collection="ssda903", rows=rows_of),
        a_file(2015, rows={"cin_details": 9, "child_identifiers": 9}),
    ]
    quarantine = [
        *(quarantined("lac_episodes", 2015, child=None) for _ in range(66)),
        *(quarantined("lac_episodes", 2016) for _ in range(10)),  # a tenth, and not more
        *(quarantined("lac_episodes", 2015, la="301") for _ in range(66)),
    ]
    rows = returned(spark, files, [a_unit("926")], quarantine=quarantine)
    assert unobserved_of(rows) == {(2015, "lac_episodes"): "mostly_quarantined"}
    (line,) = unobserved_warnings(unobserved(rows, study_id="s").collect(), max_quarantined=0.10)
    assert "authority 926, census year 2015, ssda903/2015/926/episodes.csv: lac_episodes not observed" in line
    assert "66 of 100 rows (66.0%) are in quarantine, above window.max_quarantined = 0.1;" in line


def covered(spark: SparkSession, rows: DataFrame, units: Rows) -> list[Row]:
    observed = observed_days(rows, study_id="s", data_ends=date(2016, 3, 31))
    found = coverage(frame(spark, COHORT_UNITS, units), observed, years=range(2013, 2017))
    return found.collect()


def _days(row: Row) -> tuple[date, date]:
    return row.first_day_observed, row.last_day_observed
