"""returns.csv: the returns and published tables that a run's numbers come from, by their hash."""

from __future__ import annotations

import pandas as pd

from sos_spark.places import Place
from sos_spark.steps.collapsed import collapsed_frame, has_table
from sos_spark.tables import FILES
from sos_spark.tables.results import RETURNS


def returns_of(lake_root: Place) -> pd.DataFrame:
    """Returns what the lake received: one row per file, collection, authority and year, in that order.

    The columns are those of returns.csv.
    """
    columns = list(RETURNS.column_names)
    if not has_table(lake_root, FILES):
        return pd.DataFrame(columns=columns)
    files = collapsed_frame(lake_root, FILES).rename(columns={"file_sha256": "sha256"})
    files["census_year"] = files["census_year"].astype("Int64")
    return files[columns].drop_duplicates().sort_values(columns, kind="stable", ignore_index=True)
