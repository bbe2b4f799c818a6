"""Collapsed tables of a lake as frames, for the steps that need no Spark.

What reads the lake is imported only here and only when asked for: a fit of a panel file runs without it.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sos_spark.places import Place
from sos_spark.tables import Table


def has_table(lake_root: Place, table: Table) -> bool:
    """Returns whether the lake's table has content."""
    from sos_spark.lake.versions import version_of

    return version_of(lake_root, table) is not None


def collapsed_frame(lake_root: Place, table: Table, where: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Returns a collapsed table's rows as a frame, in no order. `where`: equal values of partition columns."""
    from sos_spark.lake.arrow import read_arrow

    frame: pd.DataFrame = read_arrow(lake_root, table, where=where).to_pandas()
    return frame


def ordered_frame(lake_root: Place, table: Table, where: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Returns a collapsed table's rows in the order of its key; a frame without rows where the lake lacks it."""
    if not has_table(lake_root, table):
        return pd.DataFrame(columns=table.column_names)
    frame = collapsed_frame(lake_root, table, where=where)
    keys = list(table.key) or [name for name in table.column_names if frame[name].dtype != object]
    return frame.sort_values(keys, kind="stable", ignore_index=True)
