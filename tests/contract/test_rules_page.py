"""The page of rules, which needs Spark, is what the rules and expectations make."""

from __future__ import annotations

from pyspark.sql import SparkSession

from tools.reference.pages import WITH_SPARK, is_stale


def test_the_page_of_rules_is_what_its_declarations_make(spark: SparkSession) -> None:
    assert [path.name for path in WITH_SPARK if is_stale(path)] == [], "run: .venv/bin/python -m tools.reference"
