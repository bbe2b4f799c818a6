"""Effects by event time: dummies of the treated LAs' periods since go-live, or averages of group-time effects.

The reference is event time -1, or the last one observed before go-live where -1 has no rows. End points hold everything
beyond them. Intervals are CR2 with each coefficient's own Satterthwaite df, or, with 4 or fewer treated LAs, those of
the inverted randomisation test; bands hold for all event times at once, by sign vectors applied to the unrestricted
fit; the joint test that all effects before go-live are zero is a restricted wild cluster bootstrap of the Wald
statistic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from sos_spark.config.study import Inference
from sos_spark.errors import StudyError
from sos_spark.fit.cells.subpanel import settled
from sos_spark.fit.dominance import NEARLY_ONE, is_dominated
from sos_spark.fit.estimators import ESTIMATORS, shares_one_go_live, unit_panel
from sos_spark.fit.inference.event_permutation import event_distributions
from sos_spark.fit.inference.wild import simultaneous_bands, wild_joint_test
from sos_spark.fit.regression.covariance import Sandwich, Satterthwaite
from sos_spark.fit.regression.design import Ints, PreparedPanel, regression
from sos_spark.fit.regression.moments import Array, ClusterMoments
from sos_spark.fit.staggered.group_time import group_time_effects, saturated_moments
from sos_spark.fit.staggered.residual_model import has_a_small_group
from sos_spark.fit.staggered.residuals import average_moments
from sos_spark.fit.thresholds import FEW_TREATED
from sos_spark.fit.unsteadiness import too_unsteady

_NAN = float("nan")


@dataclass(frozen=True)
class EventTime:
    """The effect at one event time, against the reference. An end point holds everything beyond it.

    att is 0 and the uncertainty blank (NaN) at the reference. `df` is the Satterthwaite df of se_cr2, and of ci unless
    few LAs are treated; both are blank with one. The bands hold for all event times at once. n_rows counts the treated
    rows at that event time.
    """

    event_time: int
    att: float
    se_cr2: float
    df: float
    ci_low: float
    ci_high: float
    band_low: float
    band_high: float
    n_rows: int


@dataclass(frozen=True)
class EventStudy:
    """Effects by event time, with the joint test that those before go-live are all zero (WCR).

    `p_pretrend` is NaN, and `note` says why, where it cannot be computed. `covariance` (E, E) is the CR2 covariance of
    the estimated rows, in their order: those of `estimated`.
    """

    rows: tuple[EventTime, ...]
    reference: int | None
    p_pretrend: float
    n_pretrend: int
    covariance: Array
    note: str = ""

    @property
    def estimated(self) -> tuple[EventTime, ...]:
        """The rows that were estimated: all but the reference and those the panel cannot tell from others."""
        return tuple(row for row in self.rows if not np.isnan(row.att) and row.event_time != self.reference)

    def to_frame(self, *, outcome_id: str, specification: str = "main") -> pd.DataFrame:
        """Returns one row per event time: outcome_id, specification and the fields of EventTime."""
        frame = pd.DataFrame([vars(row) for row in self.rows], columns=[f.name for f in fields(EventTime)])
        frame.insert(0, "outcome_id", outcome_id)
        frame.insert(1, "specification", specification)
        return frame


def event_study(panel: PreparedPanel, *, estimator: str, inference: Inference, bands: bool = True) -> EventStudy:
    """Estimates the effect at every event time.

    Args:
        panel: The prepared panel.
        estimator: The name of one: by dummies in its regression where it has them and pilots share one go-live, else
            by averages of ATT(g, t).
        inference: Bins, base period, weights, draws and seed.
        bands: Whether to draw bands and the joint test; they are blank with 4 or fewer treated LAs in any case.
    """
    panel = settled(panel)
    binned = _binned(panel, inference)
    times = [int(k) for k in np.unique(binned[panel.is_treated_unit][panel.rows[panel.is_treated_unit] > 0])]
    before = [k for k in times if k < 0]
    notes = []
    alone: Mapping[str, ClusterMoments] = {}
    if ESTIMATORS[estimator].by_dummies and shares_one_go_live(panel):
        reference: int | None = -1 if -1 in times else max(before, default=None)
        moments = _dummies(panel, binned, [k for k in times if k != reference], inference)
    else:
        moments, alone, times, reference = _averages(panel, inference)
        notes += ["averages of ATT(g, t), not adjusted for covariates"] if panel.covariates else []
    if reference is not None and reference != -1:
        notes.append(f"event time -1 has no rows: effects are against {reference}")
    names = [name for k in times if (name := _name(k)) in moments.names]
    lost = [k for k in times if k != reference and _name(k) not in moments.names]
    if lost:
        notes.append(f"not told from other effects: event time {', '.join(map(str, lost))}")
    pre = [_name(k) for k in times if k < 0 and _name(k) in names]
    few = panel.n_treated_units <= FEW_TREATED
    if few:
        notes.append(_few_note(panel))
    elif alone:
        notes.append(
            "few authorities go live together: no bands, no joint test; margins by residuals that groups share"
        )
    dominated = is_dominated(panel, inference.weights)
    if dominated:
        notes.append(NEARLY_ONE)
    p_pretrend, band = _NAN, {}
    if bands and not few and not alone and not dominated and names:
        p_pretrend, note = _joint_test(moments, pre, inference)
        notes += [note] if note else []
        drawn = simultaneous_bands(moments, coefficients=names, draws=inference.draws, seed=inference.seed)
        band = {name: (float(a), float(b)) for name, a, b in zip(names, drawn.low, drawn.high, strict=True)}
    sandwich = Sandwich(moments)
    own = _satterthwaite(sandwich, alone, names) if names else None
    ends = np.stack(own.interval(), axis=1) if own is not None else np.empty((0, 2))
    if dominated:
        ends = np.full_like(ends, _NAN)
    elif few and own is not None:
        if panel.n_treated_units == 1:
            blank = np.full(len(names), _NAN)
            own, ends = replace(own, se=blank, df=blank, p=blank), np.full((len(names), 2), _NAN)
        elif too_unsteady(panel):
            notes.append("pilots too unsteady for permuted go-lives: no intervals")
            ends = np.full((len(names), 2), _NAN)
        else:
            ends = _permuted_intervals(panel, moments, binned, names, inference)
    rows = []
    treated_rows = panel.rows * panel.is_treated_unit[:, None]
    for k in times:
        n_rows, name = int(treated_rows[binned == k].sum()), _name(k)
        if k == reference:
            rows.append(EventTime(k, 0.0, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, n_rows))
        elif own is None or name not in names:
            rows.append(EventTime(k, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, n_rows))
        else:
            place = names.index(name)
            low, high = (float(end) for end in ends[place])
            rows.append(
                EventTime(k, float(own.estimate[place]), float(own.se[place]), float(own.df[place]), low, high,
                          *band.get(name, (_NAN, _NAN)), n_rows)
            )  # fmt: skip
    known = [moments.names.index(name) for place, name in enumerate(names) if own and not np.isnan(own.df[place])]
    return EventStudy(
        rows=tuple(rows),
        reference=reference,
        p_pretrend=p_pretrend,
        n_pretrend=len(pre),
        covariance=sandwich.cr2[np.ix_(known, known)],
        note="; ".join(notes),
    )


def _few_note(panel: PreparedPanel) -> str:
    """Says what is left out with few treated LAs, and why."""
    alone = panel.n_treated_units == 1
    said = f"{FEW_TREATED} or fewer treated authorities: no bands, no joint test"
    if alone:
        return (
            f"{said}; se_cr2, df and intervals left out, because with one treated authority they are of the"
            " comparators' shocks alone"
        )
    if shares_one_go_live(panel):
        return f"{said}; intervals by inverting the randomisation test of each event time"
    return f"{said}, and no intervals of single event times, which rest on one or two authorities each"


def _permuted_intervals(
    panel: PreparedPanel, moments: ClusterMoments, binned: Ints, names: list[str], inference: Inference
) -> Array:
    """Returns the ends (E, 2) of the inverted randomisation tests, NaN under several go-lives."""
    ends = np.full((len(names), 2), _NAN)
    if not shares_one_go_live(panel):
        return ends
    of_treated = binned[int(np.flatnonzero(panel.is_treated_unit)[0])]
    held = {name: (of_treated == int(name.removeprefix("event_"))).astype(np.int64) for name in names}
    found = event_distributions(
        panel,
        moments,
        held,
        weights=inference.weights,
        permutations=inference.permutations,
        seed=inference.seed,
        strata=panel.strata(inference.strata),
    )
    for place, name in enumerate(names):
        if name in found:
            ends[place] = found[name].interval()
    return ends


def _satterthwaite(sandwich: Sandwich, alone: Mapping[str, ClusterMoments], names: list[str]) -> Satterthwaite:
    """Returns CR2 inference on the effects: each from its own regression where there is one."""
    if not alone:
        return sandwich.satterthwaite_of(names)
    each = [Sandwich(alone[name]).satterthwaite_of([name]) for name in names]
    return Satterthwaite(*(np.concatenate([getattr(one, f.name) for one in each]) for f in fields(Satterthwaite)))


def _name(event_time: int) -> str:
    return f"event_{event_time}"


def _binned(panel: PreparedPanel, inference: Inference) -> Ints:
    """Returns event time (G, T) with everything beyond an end point held in it; meaningless where never treated."""
    if inference.event_study_bins is None:
        return panel.event_time
    return np.clip(panel.event_time, *inference.event_study_bins)


def _dummies(panel: PreparedPanel, binned: Ints, times: list[int], inference: Inference) -> ClusterMoments:
    treated = panel.is_treated_unit[:, None]
    effects = {_name(k): ((binned == k) & treated).astype(np.float64) for k in times}
    return regression(panel, effects, weights=inference.weights).moments


def _averages(
    panel: PreparedPanel, inference: Inference
) -> tuple[ClusterMoments, Mapping[str, ClusterMoments], list[int], int | None]:
    """Returns the saturated regression with averages of ATT(g, t) by event time, the event times and the reference.

    Where a group of few LAs goes live together the saturated regression leaves them no residual: second comes then a
    regression for each average by itself, with residuals that groups share (see `staggered.residuals`), else nothing.
    """
    units = unit_panel(panel).weighing(inference.weights)
    effects = group_time_effects(units, base=inference.base)
    group, period = effects.effects.T
    # Event time counts calendar periods, also where some have no rows; groups by the period their LAs really start in.
    starts = {int(place): int(g) for place, g in zip(units.gtime, panel.gtime, strict=True)}
    event_time = panel.periods[period] - np.array([starts[int(g)] for g in group])
    if inference.event_study_bins is not None:
        event_time = np.clip(event_time, *inference.event_study_bins)
    times = [int(k) for k in np.unique(event_time)]
    maps = {}
    for k in times:
        weight = effects.share * (event_time == k)
        maps[_name(k)] = weight @ effects.maps / weight.sum()
    reference = -1 if -1 not in times else None
    moments = saturated_moments(units, effects, maps)
    small = has_a_small_group(units.gtime, units.rows.shape[1] - 1)
    alone = {name: average_moments(units, effects, {name: linear_map}) for name, linear_map in maps.items() if small}
    return moments, alone, sorted({*times, -1}), reference


def _joint_test(moments: ClusterMoments, names: list[str], inference: Inference) -> tuple[float, str]:
    if not names:
        return _NAN, "no effect before go-live to test"
    try:
        test = wild_joint_test(moments, coefficients=names, draws=inference.draws, seed=inference.seed)
    except StudyError:
        return (
            _NAN,
            f"joint test of {len(names)} effects before go-live left out: no fewer than the authorities; bin them",
        )
    return test.p, ""
