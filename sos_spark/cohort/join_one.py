"""A join that keeps the grain of its left side, or stops.

Most joins need no check: their right side was grouped by its key a line before, was made in Python from a mapping, or
stands in silver, whose ledger accounts for each received row and would not balance. What is left are the tables of a
study that are read from the lake, where a second row for a key would count every record under it twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.errors import join_fault

_N = "n_of_key"
_ROW = "row_of_key"


def join_one(
    rows: DataFrame, right: DataFrame, *, on: Sequence[str], what: str, how: Literal["left", "inner"] = "left"
) -> DataFrame:
    """Returns rows with the columns of the one row of `right` that shares their key.

    Grain: one row per row, in and out.

    `right` is small, and broadcast; `what` names it in an error. With `how` inner, rows without one are left out. The
    check is part of the plan: it costs a shuffle of `right`, and no job of its own.

    Raises:
        InputError: When the rows are made, `right` having several rows for a key.
    """
    beside = [name for name in right.columns if name not in on]
    of_key = right.groupBy(*on).agg(F.count(F.lit(1)).alias(_N), F.min(F.struct(*beside)).alias(_ROW))
    # In the key itself: a column that nothing reads would be pruned, and the check with it.
    checked = F.when(F.col(_N) == 1, F.col(on[0])).otherwise(F.raise_error(F.lit(join_fault(what, on))))
    one = of_key.select(checked.alias(on[0]), *on[1:], *(F.col(f"{_ROW}.{name}").alias(name) for name in beside))
    return rows.join(F.broadcast(one), list(on), how)
