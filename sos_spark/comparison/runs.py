"""A run as its folder of results tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sos_spark.config.study import Study


@dataclass(frozen=True)
class RunFiles:
    """What is compared of a run.

    Attributes:
        name: How the run is named to the reader: its folder.
        study: The study that was fitted.
        is_simulated: Whether its data were simulated.
        made_by: Code, lock, packages and Python, as study.json has them.
        tables: Versions of the lake's tables by name.
        returns: Columns la_code, census_year, collection, status, sha256: one row per return and published table.
        estimates, cells, flow, quality: The files of these names; without columns where the run has none.
    """

    name: str
    study: Study
    is_simulated: bool = False
    made_by: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, int] = field(default_factory=dict)
    returns: pd.DataFrame = field(default_factory=pd.DataFrame)
    estimates: pd.DataFrame = field(default_factory=pd.DataFrame)
    cells: pd.DataFrame = field(default_factory=pd.DataFrame)
    flow: pd.DataFrame = field(default_factory=pd.DataFrame)
    quality: pd.DataFrame = field(default_factory=pd.DataFrame)
