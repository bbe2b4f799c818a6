"""Which suites are counted by authority, and that their counts come back from dq.facts as they were."""

from __future__ import annotations

import pandas as pd
import pytest

from sos_spark.config.shipped import expectations_root
from sos_spark.quality import Suite, load_suites
from sos_spark.quality.facts import ChangeOnYearBefore, Fact, RowsRepeating, RowsWithout, Share
from sos_spark.quality.keeping import from_rows, is_by_authority, to_rows
from sos_spark.tables import DQ_FACTS


def a_suite(table: str, **facts: Fact) -> Suite:
    return Suite(table, "silver", (), facts)


def test_the_large_tables_are_counted_by_authority_and_those_of_files_whole() -> None:
    suites = [suite for layer in ("bronze", "silver") for suite in load_suites(expectations_root(), layer)]
    whole = {suite.table for suite in suites if not is_by_authority(suite)}
    assert whole == {"bronze.files", "dq.ledger"}
    assert not any(map(is_by_authority, load_suites(expectations_root(), "panel")))


@pytest.mark.parametrize(
    ("fact", "kept"),
    [
        (RowsRepeating(("la_code", "child_id")), True),
        (RowsRepeating(("child_id",)), False),
        (RowsWithout("silver.cin_children", {"la_code": "la_code", "child_id": "child_id"}), True),
        (RowsWithout("silver.cin_children", {"child_id": "child_id"}), False),
    ],
)
def test_a_fact_that_looks_at_rows_of_other_authorities_is_counted_whole(fact: Fact, kept: bool) -> None:
    assert is_by_authority(a_suite("silver.referrals", it=fact)) is kept


def test_counts_come_back_from_the_rows_that_are_kept_of_them() -> None:
    yearly = a_suite(
        "silver.lac_episodes",
        keys_repeated=RowsRepeating(("la_code", "child_id")),
        kin=Share("a", "b", 100),
        kin_change=ChangeOnYearBefore("kin"),
    )
    of_no_year = a_suite("silver.child_links", keys_repeated=RowsRepeating(("la_code", "lac_child_id")))
    counted = {
        "silver.lac_episodes": pd.DataFrame(
            {
                "la_code": ["925", "926"],
                "census_year": [2016, 2015],
                "n_rows": [7, 9],
                "keys_repeated": [0, 0],
                "kin.rows": [0, 4],
                "kin.among": [7, 8],
            }
        ),
        "silver.child_links": pd.DataFrame({"la_code": ["926"], "n_rows": [3], "keys_repeated": [2]}),
    }
    rows = to_rows(counted, [yearly, of_no_year])
    assert list(rows.columns) == DQ_FACTS.column_names
    assert rows.loc[rows["suite"] == "silver.child_links"].astype("object").where(
        rows.notna(), None
    ).values.tolist() == [
        ["silver.child_links", "926", None, "keys_repeated", 2],
        ["silver.child_links", "926", None, "n_rows", 3],
    ]
    assert (rows["n"] != 0).all()
    back = from_rows(rows, [yearly, of_no_year])
    assert back.keys() == counted.keys()
    for table, was in counted.items():
        pd.testing.assert_frame_equal(back[table], was)
    for table, of in from_rows(rows.head(0), [yearly, of_no_year]).items():
        assert of.empty
        assert list(of.columns) == list(counted[table].columns)
