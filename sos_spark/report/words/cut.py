"""Intervals of many rows cut at what their outcomes can be: for figures, tables and the texts that stand in for them.

Files of results keep every number as computed, and so does whatever is decided by an interval: only what is shown is
cut. How far an outcome can go depends on where the pilots stood before go-live.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from sos_spark.report.blocks import Text
from sos_spark.report.results import Results
from sos_spark.report.words.possible import Possible, possible_of
from sos_spark.report.words.verdicts import known

Pair = tuple[str, str]
Standing = Literal["main", "own", "unknown"]
"""Where the pilots stood: as the outcome's main estimate says, as each row says, or not known of these rows."""


def cut(results: Results, rows: pd.DataFrame, *pairs: Pair, standing: Standing = "main") -> tuple[pd.DataFrame, str]:
    """Returns rows with their intervals cut, and a sentence for a caption that says so; blank where none was cut.

    Args:
        results: The run's results.
        rows: A row per estimate, with outcome_id, in the outcome's own unit; with baseline_mean for "own".
        pairs: The columns of each interval's lower and upper end. Ends that are NaN stay so.
        standing: Where the pilots stood. Where that is not known an interval is cut at the largest change there is.
    """
    kept, ids = rows.copy(), []
    shown = [key for key in results.labels if len(rows) and (rows["outcome_id"] == key).any()]
    for outcome_id in shown:
        possible, own = possible_of(results.study.outcome(outcome_id)), rows["outcome_id"] == outcome_id
        floor, ceiling = _limits(results, rows[own], outcome_id, possible, standing)
        for low, high in pairs:
            ends = rows.loc[own, [low, high]].to_numpy(dtype=float)
            inside = np.clip(ends, floor[:, None], ceiling[:, None])
            kept.loc[own, [low, high]] = inside
            if bool((inside != ends)[~np.isnan(ends)].any()):
                ids.append(outcome_id)
    return kept, _said(results, list(dict.fromkeys(ids)), n_shown=len(shown))


def note_on(said: str) -> Text | None:
    """Returns what was said of a cut as a paragraph below a table; None where none was made."""
    return Text(said.strip(), quiet=True) if said else None


def interval_of(results: Results, outcome_id: str, low: float, high: float) -> tuple[float, float]:
    """Returns one interval of changes of an outcome, cut by where its main estimate says that the pilots stood."""
    return possible_of(results.study.outcome(outcome_id)).change(low, high, baseline=_stood(results, outcome_id))


def _stood(results: Results, outcome_id: str) -> float | None:
    return known(results.main_row(outcome_id) or {}, "baseline_mean")


def _limits(
    results: Results, rows: pd.DataFrame, outcome_id: str, possible: Possible, standing: Standing
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The least and the greatest change of each row."""
    if standing == "own":
        baselines = [None if pd.isna(value) else float(value) for value in rows["baseline_mean"]]
    else:
        baselines = [_stood(results, outcome_id) if standing == "main" else None] * len(rows)
    limits = [possible.changes(baseline) for baseline in baselines]
    return np.array([low for low, _ in limits]), np.array([high for _, high in limits])


def _said(results: Results, ids: list[str], *, n_shown: int) -> str:
    if not ids:
        return ""
    if n_shown > 1:
        return " Intervals end where an outcome can go no further, as a share does at 0% and 100%."
    possible, scale = possible_of(results.study.outcome(ids[0])), results.scales[ids[0]]
    return f" Intervals end where the outcome can go no further: it lies {possible.in_words(scale)}."
