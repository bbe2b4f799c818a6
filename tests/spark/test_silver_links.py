"""A looked-after child is found in the CIN census by its id, else by its person where that is one CIN child's."""

from __future__ import annotations

from chispa import assert_df_equality
from pyspark.sql import SparkSession

from sos_spark.silver.entities.child_links import count_links, link_children

CHILD = "la_code STRING, child_id STRING, person_key STRING"


def test_links_by_id_then_by_a_person_that_is_one_cin_child(spark: SparkSession) -> None:
    cin = spark.createDataFrame(
        [
            ("926", "same", "p1"),
            ("926", "moved", "p2"),
            ("926", "twin a", "p3"),
            ("926", "twin b", "p3"),
            ("926", "once", "p4"),
            ("201", "elsewhere", "p5"),
        ],
        CHILD,
    )
    lac = spark.createDataFrame(
        [
            ("926", "same", "p9"),
            ("926", "new id", "p2"),
            ("926", "of twins", "p3"),
            ("926", "shares a", "p4"),
            ("926", "shares b", "p4"),
            ("926", "other LA", "p5"),
            ("926", "nameless", None),
        ],
        CHILD,
    )

    links = link_children(lac, cin)

    assert {tuple(row)[1:] for row in links.collect()} == {
        ("same", "same", "child_id"),
        ("new id", "moved", "person"),
        ("of twins", None, "unlinked"),
        ("shares a", "once", "person"),
        ("shares b", "once", "person"),
        ("other LA", None, "unlinked"),
        ("nameless", None, "unlinked"),
    }
    expected = spark.createDataFrame(
        [("926", 7, 1, 3, 3)],
        "la_code STRING, n_lac_children BIGINT, n_linked_by_child_id BIGINT, n_linked_by_person BIGINT,"
        " n_unlinked BIGINT",
    )
    assert_df_equality(count_links(links), expected, ignore_nullable=True)
