"""Placebos: go-live on a day when nothing happened, and pseudo-pilots among the LAs that had no pilot.

Both ask what the estimator finds where there is nothing to find. A placebo date uses only periods that ended by the
first real go-live. Placebo pilots leave the real ones out and show the spread of the estimate under no effect, hence
how small an effect the data could have told; t is att over its standard error without small-sample factor (two-way
fixed effects: CR1), as in randomisation inference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np
import pandas as pd

from sos_spark.config.periods import Period, add_periods
from sos_spark.config.study import Comparators, Design, Inference
from sos_spark.fit.assigned import refits_of_assignments
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.cells.subpanel import settled
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.estimators import shares_one_go_live
from sos_spark.fit.inference.assignments import Assignments, Ints
from sos_spark.fit.inference.effect_distribution import TIE
from sos_spark.fit.regression.design import NEVER
from sos_spark.fit.regression.moments import Array
from sos_spark.tables.results import PLACEBO_PILOTS, PLACEBO_SUMMARY

_BATCH = 500


def placebo_date(panel_frame: pd.DataFrame, design: Design, day: date) -> tuple[pd.DataFrame, Design]:
    """Returns the cells before the first real go-live, and the design with every pilot's go-live on another day.

    A period that contains the first go-live is left out, so no row after it is among them, of pilots or comparators.
    A day that leaves no period before it, or none from it on, is for the fit to refuse.
    """
    cells = cells_ending_by(panel_frame, min(pilot.go_live for pilot in design.pilots), period=design.window.period)
    return cells, with_go_live(design, day)


def with_go_live(design: Design, day: date) -> Design:
    """Returns the design with every pilot's go-live on a day; its window stays, for it says which rows there are."""
    pilots = tuple(pilot.model_copy(update={"go_live": day}) for pilot in design.pilots)
    return design.model_copy(update={"pilots": pilots})


def with_comparators(design: Design, kind: str) -> Design:
    """Returns the design with comparators of another kind: the same n, k and exclusions."""
    given = design.comparators.model_dump() | {"kind": kind, "la_codes": ()}
    return design.model_copy(update={"comparators": Comparators.model_validate(given)})


def cells_ending_by(panel_frame: pd.DataFrame, day: date, *, period: Period) -> pd.DataFrame:
    """Returns a panel's cells of the periods of which no day is on or after a day.

    A period_start that is no date stays, for the reader of the panel to refuse.
    """
    codes, values = pd.factorize(panel_frame["period_start"], use_na_sentinel=False)
    starts = pd.to_datetime(pd.Series(values, dtype=object).astype(str), errors="coerce", format="ISO8601")
    early = [pd.isna(start) or add_periods(start.date(), 1, period) <= day for start in starts]
    return panel_frame[np.array(early, dtype=bool)[codes]]


@dataclass(frozen=True)
class PlaceboPilots:
    """Estimates for pseudo-pilots, and the real one against the same comparators: every candidate LA.

    Shapes (n,): att in the outcome's own unit and t, NaN where a draw's effect cannot be estimated. `n_pilots` real
    pilots and as many pseudo-pilots a draw, from `n_candidates` LAs. `enumerated`: every distinct draw stands there
    once, because there are no more of them than were asked for.
    """

    outcome_id: str
    n_pilots: int
    n_candidates: int
    enumerated: bool
    real_att: float
    real_t: float
    att: Array
    t: Array

    @property
    def n_undefined(self) -> int:
        """Draws whose effect cannot be estimated: left out of sd and percentiles, and counted as beyond."""
        return int(np.count_nonzero(np.isnan(self.t)))

    @property
    def sd(self) -> float:
        """Standard deviation (divisor n - 1) of the placebo estimates; NaN where fewer than two are defined."""
        defined = self.att[~np.isnan(self.t)]
        return float(defined.std(ddof=1)) if len(defined) > 1 else float("nan")

    @property
    def share_beyond(self) -> float:
        """The share of draws with |t| >= the real |t|, ties at relative 1e-10 and undefined draws counted.

        NaN with one pilot: its own shocks are in no t, so that the share says nothing where they are larger.
        """
        if self.n_pilots == 1 or np.isnan(self.real_t) or not len(self.t):
            return float("nan")
        beyond = np.isnan(self.t) | (np.abs(self.t) >= abs(self.real_t) * (1 - TIE))
        return float(beyond.mean())

    def percentile(self, q: float) -> float:
        """Returns a percentile of the placebo estimates, by linear interpolation."""
        defined = self.att[~np.isnan(self.t)]
        return float(np.percentile(defined, q)) if len(defined) else float("nan")


def placebo_pilots(panel_frame: pd.DataFrame, design: Design, *, inference: Inference, draws: int) -> PlaceboPilots:
    """Estimates the effect of as many pseudo-pilots as there are pilots, over and over, by main's estimator.

    Pseudo-pilots are drawn without replacement from the LAs without a pilot that are not excluded and have rows before
    the first go-live and from the last one on; the real go-lives, where they differ, are permuted over them. The real
    pilots are left out; every other LA compares, whatever comparators the study names.

    Args:
        panel_frame: Collapsed cells, as `prepare`.
        design: The outcome's design.
        inference: Weights and seed; draws are tied to the sorted unit ids.
        draws: How many; all distinct ones once where there are no more.

    Raises:
        InputError: As `prepare`; NotEstimableError too where there are not more candidates than pilots.
    """
    panel = settled(prepare(panel_frame, with_comparators(design, "all")).panel)
    staggered = None if shares_one_go_live(panel) else inference.staggered
    dates = np.sort(panel.gtime[panel.gtime != NEVER])
    rest = panel.without({unit for unit, g in zip(panel.unit_ids, panel.gtime, strict=True) if g != NEVER})
    seen = rest.rows > 0
    before, after = rest.periods < dates[0], rest.periods >= dates[-1]
    eligible: Ints = np.asarray(seen[:, before].any(axis=1) & seen[:, after].any(axis=1), dtype=np.int64)
    n_candidates = int(np.count_nonzero(eligible))
    if n_candidates <= len(dates):
        raise NotEstimableError(
            "There are too few authorities to draw pseudo-pilots from",
            expected=f"more than the {len(dates)} pilots, seen before and after go-live",
            found=str(n_candidates),
            remedy="Exclude fewer comparators",
        )
    gtime = np.full(len(rest.unit_ids), NEVER)
    gtime[np.flatnonzero(eligible)[: len(dates)]] = dates
    plan = Assignments.of(gtime, strata=eligible, permutations=draws, seed=inference.seed)
    refits = partial(refits_of_assignments, weights=inference.weights, staggered=staggered)
    observed = next(refits(panel, [panel.gtime[None]]))
    drawn = [*refits(rest.with_gtime(gtime), plan.batches(size=_BATCH))]
    return PlaceboPilots(
        outcome_id=design.outcome_id,
        n_pilots=len(dates),
        n_candidates=n_candidates,
        enumerated=plan.enumerated,
        real_att=float(observed.att[0]),
        real_t=float(observed.t[0]),
        att=np.concatenate([np.empty(0), *(batch.att for batch in drawn)]),
        t=np.concatenate([np.empty(0), *(batch.t for batch in drawn)]),
    )


def placebo_frame(placebos: Sequence[PlaceboPilots]) -> pd.DataFrame:
    """Returns one row per outcome and draw, numbered from 1: the columns of placebo_pilots.csv."""
    frames = [
        pd.DataFrame({"outcome_id": p.outcome_id, "draw": np.arange(1, len(p.att) + 1), "att": p.att, "t": p.t})
        for p in placebos
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(PLACEBO_PILOTS.column_names))


def placebo_summary(placebos: Sequence[PlaceboPilots]) -> pd.DataFrame:
    """Returns a row per outcome: the columns of placebo_summary.csv, att and t being real, against every candidate."""
    rows = [
        (
            p.outcome_id, len(p.att), p.n_undefined, p.n_pilots, p.n_candidates, p.real_att, p.real_t, p.sd,
            p.percentile(2.5), p.percentile(97.5), p.share_beyond,
        )
        for p in placebos
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(PLACEBO_SUMMARY.column_names))
