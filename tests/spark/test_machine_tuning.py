"""Settings that a step sets for its own plans."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sos_spark.machine.tuning import RECORDS_A_PARTITION, parted_for, tuned

PARTITIONS = "spark.sql.shuffle.partitions"


def test_a_large_step_has_as_many_partitions_as_its_records_need(spark: SparkSession) -> None:
    own = str(spark.conf.get(PARTITIONS))
    settings = {**parted_for(spark, 4 * RECORDS_A_PARTITION + 1), "spark.sql.adaptive.enabled": "false"}

    with tuned(spark, settings):
        assert spark.range(100).groupBy(F.col("id") % 7).count().rdd.getNumPartitions() == 5

    assert spark.conf.get(PARTITIONS) == own
    assert spark.conf.get("spark.sql.adaptive.enabled") == "true"


def test_what_was_set_is_put_back_after_a_fault(spark: SparkSession) -> None:
    own = str(spark.conf.get(PARTITIONS))

    with pytest.raises(ValueError, match="anything"), tuned(spark, {PARTITIONS: "77"}):
        raise ValueError("anything")

    assert spark.conf.get(PARTITIONS) == own


@pytest.mark.parametrize(("own", "n_records"), [("64", 64 * RECORDS_A_PARTITION), ("auto", 10**9), ("8", 0)])
def test_a_session_with_partitions_enough_keeps_its_own(own: str, n_records: int) -> None:
    session = SimpleNamespace(conf=SimpleNamespace(get=lambda _name: own))

    assert parted_for(cast("SparkSession", session), n_records) == {}
