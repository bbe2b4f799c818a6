"""Bronze rows for the tests of silver: each names what it is about; the defaults for the rest break no rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from sos_spark.tables import BRONZE_MODULES, FILES

Row = dict[str, Any]
LA = "926"
FILE_ID = 1


def _row(defaults: Row, given: Row) -> Row:
    return {"la_code": LA, "census_year": 2016, "file_id": FILE_ID, "record_position": 1} | defaults | given


def a_child(child: str = "c1", **given: Any) -> Row:
    """A row of child_identifiers."""
    return _row(
        {
            "LAchildID": child,
            "UPN": "A123456789012",
            "PersonBirthDate": "2008-06-15",
            "GenderCurrent": "2",
            "Ethnicity": "WBRI",
        },
        given,
    )


def a_referral(child: str = "c1", day: str | None = "2015-05-01", **given: Any) -> Row:
    """A row of cin_details, open and not NFA."""
    return _row(
        {
            "LAchildID": child,
            "CINreferralDate": day,
            "ReferralSource": "1A",
            "PrimaryNeedCode": "N1",
            "ReferralNFA": "0",
        },
        given,
    )


def an_assessment(child: str = "c1", start: str | None = "2015-05-05", **given: Any) -> Row:
    """A row of assessments, authorised after four weeks."""
    return _row(
        {
            "LAchildID": child,
            "CINreferralDate": "2015-05-01",
            "AssessmentActualStartDate": start,
            "AssessmentAuthorisationDate": "2015-06-02",
            "AssessmentFactors": "2A;4B",
        },
        given,
    )


def an_enquiry(child: str = "c1", start: str | None = "2015-05-06", **given: Any) -> Row:
    """A row of section47, which led to a conference."""
    return _row(
        {
            "LAchildID": child,
            "CINreferralDate": "2015-05-01",
            "S47ActualStartDate": start,
            "DateOfInitialCPC": "2015-05-20",
            "ICPCnotRequired": "false",
        },
        given,
    )


def a_plan(child: str = "c1", start: str | None = "2015-05-20", **given: Any) -> Row:
    """A row of cp_plans, open."""
    return _row(
        {
            "LAchildID": child,
            "CINreferralDate": "2015-05-01",
            "CPPstartDate": start,
            "InitialCategoryOfAbuse": "NEG",
            "LatestCategoryOfAbuse": "NEG",
            "NumberOfPreviousCPP": "0",
        },
        given,
    )


def a_header_row(child: str = "c1", **given: Any) -> Row:
    """A row of lac_header."""
    return _row(
        {"CHILD": child, "SEX": "2", "DOB": "15/06/2008", "ETHNIC": "WBRI", "UPN": "A123456789012"},
        given,
    )


def an_episode(child: str = "c1", start: str | None = "01/09/2015", **given: Any) -> Row:
    """A row of lac_episodes: a start of care with a foster carer, open."""
    return _row(
        {
            "CHILD": child,
            "DECOM": start,
            "RNE": "S",
            "LS": "C2",
            "CIN": "N1",
            "PLACE": "U4",
            "PLACE_PROVIDER": "PR1",
        },
        given,
    )


def bronze(spark: SparkSession, module: str, *rows: Row) -> DataFrame:
    """The rows as the module's bronze table; what a row does not name is null."""
    table = BRONZE_MODULES[module]
    unknown = {name for row in rows for name in row} - set(table.column_names)
    assert not unknown, f"{module} has no {unknown}"
    return spark.createDataFrame([tuple(row.get(name) for name in table.column_names) for row in rows], table.schema())


def all_bronze(spark: SparkSession, rows: Mapping[str, list[Row]]) -> dict[str, DataFrame]:
    """Every module's table, empty where no rows are given."""
    return {module: bronze(spark, module, *rows.get(module, [])) for module in BRONZE_MODULES}


def files_of(spark: SparkSession, rows: Mapping[str, list[Row]]) -> DataFrame:
    """bronze.files as an ingest of just these rows would leave it."""
    received: dict[tuple[int, str, str, int], dict[str, int]] = {}
    for module, of_module in rows.items():
        collection = "ssda903" if module.startswith("lac_") else "cin"
        for row in of_module:
            counts = received.setdefault((row["file_id"], collection, row["la_code"], row["census_year"]), {})
            counts[module] = counts.get(module, 0) + 1
    return spark.createDataFrame(
        [
            (
                file_id,
                f"{file_id:064d}",
                f"file {file_id}",
                "table",
                collection,
                la_code,
                year,
                None,
                "accepted",
                None,
                1,
                n,
                False,
                "code",
            )
            for (file_id, collection, la_code, year), n in received.items()
        ],
        FILES.schema(),
    )
