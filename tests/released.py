"""Cells of a made-up study and what disclosure control makes of them: counts are given, all else has defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sos_spark.config.disclosure import Profile, load_profile
from sos_spark.config.load import parse_study
from sos_spark.config.study import Study
from sos_spark.release.counts import OutcomeCounts, outcome_counts
from sos_spark.release.judge import Judgement, judge
from sos_spark.release.ledger import Release, Released
from sos_spark.release.release import released_counts

STUDY = """
schema_version = 1
study_id = "s"
title = "t"
[window]
baseline = ["2013-04-01", "2014-04-01"]
follow_up = ["2014-04-01", "2016-04-01"]
period = "year"
data_ends = "2016-03-31"
{pilots}
[[outcomes]]
outcome_id = "y"
kind = "{kind}"
"""
YEARS = ("2013-04-01", "2014-04-01", "2015-04-01")
GO_LIVE = 1
"""The first treated period: the second year."""


def a_study(pilots: Sequence[str] = ("201", "202"), *, kind: str = "icpc", more: str = "") -> Study:
    listed = "\n".join(f'[[pilots]]\nla_code = "{code}"\ngo_live = 2014-04-01' for code in pilots)
    return parse_study(STUDY.format(pilots=listed, kind=kind) + more)


def some_cells(
    events: Mapping[str, Sequence[int]], *, n: int | Mapping[str, int] = 100, **changed: Any
) -> pd.DataFrame:
    """A cell for each unit and year: `events` by unit, of `n` children each."""
    rows = [
        {
            "outcome_id": "y", "unit_id": unit, "period": period, "period_start": YEARS[period],
            "n": n if isinstance(n, int) else n.get(unit, 100), "y_sum": float(count), "y_sumsq": float(count),
        }
        for unit, counts in events.items() for period, count in enumerate(counts)
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(**changed)


def some_arms(cells: pd.DataFrame, study: Study) -> pd.DataFrame:
    pilots = {pilot.la_code for pilot in study.pilots}
    units = cells[["outcome_id", "unit_id"]].drop_duplicates()
    is_pilot = units["unit_id"].isin(pilots)
    return units.assign(arm=is_pilot.map({True: "pilot", False: "comparator"}), gtime=is_pilot.map({True: GO_LIVE}))


def counted(cells: pd.DataFrame, study: Study | None = None, *, unused: Sequence[str] = ()) -> OutcomeCounts:
    """The counts of outcome y. `unused`: units that are neither pilots nor comparators."""
    study = study or a_study()
    arms = some_arms(cells, study)
    arms.loc[arms["unit_id"].isin(unused), "arm"] = "unused"
    frames = {"cells": cells, "arms": arms, "flow": pd.DataFrame()}
    return outcome_counts(study, study.outcomes[0], frames, is_simulated=True)


def judged(counts: OutcomeCounts, profile: str | Profile = "dfe-cin") -> Judgement:
    return judge(counts, load_profile(profile) if isinstance(profile, str) else profile)


def told(counts: OutcomeCounts, judgement: Judgement) -> dict[str, tuple[int | None, int | None]]:
    """What is shown of n and of events, by a row's labels."""
    return {
        " ".join(row.labels.values()): (
            judgement.of(row.n).shown, None if row.events is None else judgement.of(row.events).shown
        )
        for row in counts.rows
    }  # fmt: skip


def as_released(counts: OutcomeCounts, judgement: Judgement) -> tuple[Released, ...]:
    """What the ledger keeps of it."""
    return tuple(released_counts(counts, judgement))


def a_release(*counts: Released) -> Release:
    return Release("r1", "s", "f", "dfe-cin", "2026-01-01T00:00:00Z", counts)
