"""Bounds of the effect over everything that suppressed or missing values of the outcome can have been.

An unknown sum of y of a unit and period lies between two ends, with the rows it belongs to counted; what is unknown in
one place says nothing of another. The estimate is linear in the sums, att = sum w_gt y_gt, once rows, go-lives and
comparators are given, so over such a box it is least where every y_gt stands at its low end if w_gt > 0 and at its high
end if w_gt < 0, and greatest the other way round: exact, not searched for. No assumption is made of why a value is
unknown (Manski 1990, American Economic Review 80(2)).

The complete-case estimate gives unknown rows no weight; here they have theirs. So it need not lie between the bounds,
though it mostly does. The interval is the union of the two CR2 intervals at the bounds: at each end it covers the
effect of the data that would be observed there. It is not the union over every point between, where a standard error
can be larger, and it is wider than Imbens and Manski's (2004, Econometrica 72(6)).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sos_spark.config.outcomes import Outcome
from sos_spark.config.study import Comparators, Covariates, Design, Inference, Study
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.cells.reading import checked_cells
from sos_spark.fit.dominance import NEARLY_ONE, is_dominated
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.estimators import LinearEstimate, main_estimate
from sos_spark.fit.lone_pilot import distribution_of
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import PreparedPanel
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.result import NOT_KNOWN
from sos_spark.fit.thresholds import FEW_TREATED
from sos_spark.outcome.reasons import is_unknown
from sos_spark.tables import PANEL_BOUNDS
from sos_spark.tables.results import BOUNDS

UNKNOWN_COLUMNS = tuple(name for name in PANEL_BOUNDS.column_names if name != "study_id")
"""What a frame of unknown values needs to have: `panel.bounds` does, and what `unknown_of_flow` returns."""

Place = tuple[str, int]
"""A unit and a period's number."""


@dataclass(frozen=True)
class _Unknown:
    """What is not known, by place: how many rows and the ends of their sum of y, or that nothing bounds them."""

    bounded: Mapping[Place, tuple[float, float, float]]
    unbounded: frozenset[Place]


@dataclass(frozen=True)
class Box:
    """A panel whose sums of y lie between two ends. Shapes: low and high (G, T), equal where y is known."""

    panel: PreparedPanel
    low: Array
    high: Array

    @property
    def n_unknown(self) -> int:
        """Units' periods whose sum of y is not known."""
        return int(np.count_nonzero(self.high > self.low))


def extremes(box: Box, *, inference: Inference) -> tuple[LinearEstimate, LinearEstimate]:
    """Returns the estimates at the least and the greatest effect that the box allows."""
    w = _main(replace(box.panel, y_sum=box.low), inference).influence()
    ends = (np.where(w > 0, box.low, box.high), np.where(w > 0, box.high, box.low))
    least, greatest = (_main(replace(box.panel, y_sum=y), inference) for y in ends)
    return least, greatest


def bounds_frame(
    panel_cells: pd.DataFrame, bounds: pd.DataFrame, *, design: Design, inference: Inference, what: str = "suppressed"
) -> pd.DataFrame:
    """Returns the bounds of one outcome's effect: one row, the columns of bounds.csv.

    Args:
        panel_cells: The columns of `panel.cells`: what is known, unit and period by unit and period or finer.
        bounds: The columns of `UNKNOWN_COLUMNS`: rows that no cell counts, and the ends of their sum of y. They stand
            beside a known cell of the same unit and period, or alone. Several rows of one place (reasons) add up.
        design: The outcome and its arms. Covariates are left out, of the complete case too: unknown rows have none.
            With matched comparators, those that match in the complete case.
        inference: For its weights, and for permutations and seed where few LAs are treated.
        what: What the values are unknown for: suppressed, missing.

    Numbers are blank, and `note` says why, where the complete case cannot be estimated or nothing bounds the unknown
    values. `n_cells_unknown` counts units' periods, as does `n_cells`, among those fitted.
    """
    bare = design.model_copy(update={"covariates": Covariates()})
    row: dict[str, object] = dict.fromkeys(BOUNDS.column_names, NOT_KNOWN)
    row |= {"outcome_id": design.outcome_id, "what": what, "n_cells_unknown": 0, "n_cells": 0}
    notes = ["covariates left out"] if design.covariates != Covariates() else []
    try:
        complete = prepare(panel_cells, bare)
        known = _main(complete.panel, inference)
    except NotEstimableError as error:
        return pd.DataFrame([row | {"note": error.what}])
    row["att_complete_case"] = _att(known)
    unknown = _unknown(bounds, design.outcome_id, periods={int(number) for number in complete.panel.periods})
    if unknown.unbounded and not unknown.bounded:
        notes.append(f"{len(unknown.unbounded)} units' periods have unknown rows, and nothing says between what")
        return pd.DataFrame([row | {"note": "; ".join(notes)}])
    if design.comparators.kind == "matched":
        chosen = tuple(unit for unit, arm in complete.arms.items() if arm == "comparator")
        bare = bare.model_copy(update={"comparators": Comparators(kind="listed", la_codes=chosen)})
    box = _box(panel_cells, unknown.bounded, bare)
    least, greatest = extremes(box, inference=inference)
    intervals = np.array([_interval(end, inference) for end in (least, greatest)])
    if is_dominated(box.panel, inference.weights):
        notes.append(NEARLY_ONE)
    n_outside = sum(unit in box.panel.unit_ids for unit, _ in unknown.unbounded)
    if n_outside:
        notes.append(f"{n_outside} units' periods stay out: nothing says how many rows, or between what")
    if not box.n_unknown:
        notes.append("nothing is unknown of the units compared")
    elif not _att(least) <= _att(known) <= _att(greatest):
        notes.append("the complete case lies outside the bounds: rows that it leaves out have their weight here")
    row |= {
        "att_low": _att(least),
        "att_high": _att(greatest),
        "ci_low": float(intervals.min()),
        "ci_high": float(intervals.max()),
        "n_cells_unknown": box.n_unknown,
        "n_cells": int(np.count_nonzero(box.panel.rows)),
        "note": "; ".join(notes),
    }
    return pd.DataFrame([row])


def _main(panel: PreparedPanel, inference: Inference) -> LinearEstimate:
    return main_estimate(panel, weights=inference.weights, staggered=inference.staggered)


def _unknown(bounds: pd.DataFrame, outcome_id: str, *, periods: Collection[int]) -> _Unknown:
    """Reads what is not known of an outcome, in some periods: one in which no unit has a known row is none of ours."""
    own = bounds[bounds["outcome_id"].astype(str) == outcome_id]
    bounded: dict[Place, tuple[float, float, float]] = {}
    unbounded: set[Place] = set()
    numbers = [own[name].astype("Float64").to_numpy(float, na_value=np.nan) for name in ("n", "y_low", "y_high")]
    for unit, period, n, low, high in zip(own["unit_id"], own["period"], *numbers, strict=True):
        place = str(unit), int(period)
        if place[1] not in periods or n == 0:
            continue
        if np.isnan([n, low, high]).any():
            unbounded.add(place)
        else:
            before = bounded.get(place, (0.0, 0.0, 0.0))
            bounded[place] = before[0] + n, before[1] + low, before[2] + high
    return _Unknown({place: ends for place, ends in bounded.items() if place not in unbounded}, frozenset(unbounded))


def _box(panel_cells: pd.DataFrame, unknown: Mapping[Place, tuple[float, float, float]], design: Design) -> Box:
    """Returns the panel with the unknown rows beside the known ones, at both ends."""
    cells = checked_cells(panel_cells, outcome_id=design.outcome_id, period=design.window.period)
    totals: dict[Place, tuple[float, float, float]] = dict(unknown)
    for unit, period, n, y_sum in zip(cells.unit_id, cells.period, cells.n, cells.y_sum, strict=True):
        before = totals.get((str(unit), int(period)), (0.0, 0.0, 0.0))
        totals[str(unit), int(period)] = before[0] + n, before[1] + y_sum, before[2] + y_sum
    low, high = (
        prepare(
            pd.DataFrame(
                {
                    "outcome_id": design.outcome_id,
                    "unit_id": [unit for unit, _ in totals],
                    "period": [period for _, period in totals],
                    "period_start": [cells.starts[period] for _, period in totals],
                    "n": [total[0] for total in totals.values()],
                    "y_sum": [total[end] for total in totals.values()],
                }
            ),
            design,
        ).panel
        for end in (1, 2)
    )
    return Box(low, low.y_sum, high.y_sum)


def _interval(estimate: LinearEstimate, inference: Inference) -> tuple[float, float]:
    """Returns the CR2 interval, or with 4 or fewer treated LAs the inverted randomisation test's."""
    if estimate.panel.n_treated_units <= FEW_TREATED:
        given = {"permutations": inference.permutations, "seed": inference.seed}
        return distribution_of(estimate, **given, strata=inference.strata).interval()
    if is_dominated(estimate.panel, estimate.weights):
        return NOT_KNOWN, NOT_KNOWN
    low, high = Sandwich(estimate.moments).satterthwaite_of([estimate.coefficient]).interval()
    return float(low[0]), float(high[0])


def _att(estimate: LinearEstimate) -> float:
    return Sandwich(estimate.moments).estimate(estimate.coefficient)


def unknown_of_flow(flow: pd.DataFrame, *, outcome_id: str, is_binary: bool) -> pd.DataFrame:
    """Returns the rows of an outcome whose y is not known, by unit, period and reason: columns `UNKNOWN_COLUMNS`.

    Args:
        flow: The columns of `outcome.flow`.
        outcome_id: Which outcome.
        is_binary: Whether every y is 0 or 1, so that n rows add up to 0 to n. Otherwise nothing bounds them.
    """
    own = flow[(flow["outcome_id"] == outcome_id) & flow["reason"].map(is_unknown) & flow["period"].notna()]
    unknown = own.rename(columns={"n_rows": "n"}).reset_index(drop=True)
    unknown["y_low"] = pd.Series(0 if is_binary else pd.NA, index=unknown.index, dtype="Int64")
    unknown["y_high"] = (unknown["n"] if is_binary else unknown["y_low"]).astype("Int64")
    return unknown[list(UNKNOWN_COLUMNS)]


def study_bounds(
    cells: pd.DataFrame, study: Study, *, published: pd.DataFrame | None = None, flow: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Returns the bounds of every outcome of a study that the panel has: the columns and rows of bounds.csv.

    Published outcomes are bounded over suppressed counts (`panel.bounds`), the others over missing outcomes
    (`outcome.flow`): all of them, and as `missing_within_follow_up` without those that were merely not yet observed to
    the end of their window, in every authority alike.
    """
    present = set(cells["outcome_id"].astype(str))
    frames = []
    for outcome in study.outcomes:
        if outcome.outcome_id not in present:
            continue
        design = study.design(outcome.outcome_id)
        for what, unknown in _unknown_of(outcome, published, flow):
            frames.append(bounds_frame(cells, unknown, design=design, inference=study.inference, what=what))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(BOUNDS.column_names))


def _unknown_of(
    outcome: Outcome, published: pd.DataFrame | None, flow: pd.DataFrame | None
) -> list[tuple[str, pd.DataFrame]]:
    if not outcome.is_from_records:
        return [] if published is None else [("suppressed", published)]
    if flow is None or flow.empty:
        return []
    missing = unknown_of_flow(flow, outcome_id=outcome.outcome_id, is_binary=outcome.is_binary)
    within = missing[missing["reason"] != "not_fully_observed"]
    return [("missing", missing), ("missing_within_follow_up", within)]
