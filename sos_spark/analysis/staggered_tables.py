"""The tables of staggered adoption: every group-time effect, and every estimator's averages, with CR2 inference.

Standard errors are CR2 with each number's own Satterthwaite df; they bear few treated LAs. Where some groups are small,
averages have residuals about effects that groups share (see `residual_model`); the estimates do not change. A single
ATT(g, t) has those of its own four means, few df in a small group, and none of either in a group of one LA. All of it
holds under one go-live too, where there is one group. Event times are counted in periods and not binned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from sos_spark.config.study import Inference
from sos_spark.errors import InputError
from sos_spark.fit.cells.subpanel import settled
from sos_spark.fit.estimators import unit_panel
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import TREATED, Ints, PreparedPanel
from sos_spark.fit.regression.moments import Array, ClusterMoments
from sos_spark.fit.staggered.doubly_robust import doubly_robust_effects
from sos_spark.fit.staggered.etwfe import Etwfe
from sos_spark.fit.staggered.group_time import Control, GroupTime, UnitPanel, aggregate, group_time_effects
from sos_spark.fit.staggered.imputation import Imputation
from sos_spark.fit.staggered.residual_model import has_a_small_group
from sos_spark.fit.staggered.residuals import average_moments
from sos_spark.fit.staggered.saturated import saturated_satterthwaite
from sos_spark.fit.staggered.sun_abraham import SunAbraham
from sos_spark.tables.results import AGGREGATES, GROUP_TIME

AVERAGES = ("simple", "group", "calendar", "event")
SHARED_NOTE = "residuals are about effects shared by event time, because some groups have few authorities"

Named = Iterator[tuple[str, str, ClusterMoments]]
"""Averages by kind and level, each as the coefficient `treated` of a regression."""


def group_time_frame(panel: PreparedPanel, *, inference: Inference) -> pd.DataFrame:
    """Returns ATT(g, t) by differences of cell means, before go-live too, against both kinds of comparators.

    Returns:
        Grain: one row per control (never, not_yet), group and period; the columns of group_time.csv. `group_start` is
        the first day of the group's first treated period; n_rows counts the group's rows in the period. A control that
        nobody is has no rows. Uncertainty is blank where the group has rows of one LA only: it has no other to vary
        about.
    """
    units = unit_panel(panel).weighing(inference.weights)
    controls: tuple[Control, ...] = ("never", "not_yet")
    records = []
    for control in controls:
        try:
            effects = group_time_effects(units, base=inference.base, control=control)
        except InputError:
            continue
        event_time = _by_number(panel, units, effects).event_time
        test = saturated_satterthwaite(units, effects, effects.maps)
        ends = test.interval()
        for k, (group, period) in enumerate(effects.effects):
            rows = panel.rows[units.gtime == group, period]
            starts = (panel.period_starts[place].isoformat() for place in (group, period))
            alone = np.count_nonzero(rows) < 2
            own = (float("nan") if alone else float(part[k]) for part in (test.se, test.df, *ends))
            known = (int(event_time[k]), float(test.estimate[k]), *own)
            records.append((panel.outcome_id, control, *starts, *known, int(rows.sum())))
    return pd.DataFrame(records, columns=list(GROUP_TIME.column_names))


def aggregates_frame(panel: PreparedPanel, *, inference: Inference) -> pd.DataFrame:
    """Returns every estimator's averages of its effects.

    cs_never, cs_not_yet and sun_abraham weigh groups by their rows over the window (LA-equal weights: by their LAs) as
    `staggered.aggregate` says; imputation and etwfe average treated rows, and have no event times before go-live.
    cs_dr, where there are categorical covariates, has the simple average alone, without a standard error: a check of
    the estimate. `overall` of a group, calendar or event average is over its levels: groups by rows, periods and event
    times from 0 on equally.

    Returns:
        Grain: one row per estimator, average (simple, group, calendar, event) and level (overall, or the ISO start of
        the group or period, or the event time); the columns of aggregates.csv. An estimator that cannot be had has one
        row of blanks, and `note` says why.
    """
    estimators: dict[str, Callable[[PreparedPanel, Inference], tuple[str, Named]]] = {
        "cs_never": lambda *given: _differences(*given, control="never"),
        "cs_not_yet": lambda *given: _differences(*given, control="not_yet"),
        "imputation": _imputed,
        "sun_abraham": _sun_abraham,
        "etwfe": _etwfe,
    }
    records = []
    for estimator, averages in estimators.items():
        try:
            note, named = averages(panel, inference)
            own = [(kind, level, *_inference(moments), note) for kind, level, moments in named]
        except InputError as error:
            own = [("simple", "overall", *(float("nan"),) * 6, error.what)]
        records += [(panel.outcome_id, estimator, *row) for row in own]
    if panel.references:
        att, note = _doubly_robust(panel, inference)
        records.append((panel.outcome_id, "cs_dr", "simple", "overall", att, *(float("nan"),) * 5, note))
    return pd.DataFrame(records, columns=list(AGGREGATES.column_names))


def _doubly_robust(panel: PreparedPanel, inference: Inference) -> tuple[float, str]:
    """Returns the doubly robust average and its note."""
    try:
        found = doubly_robust_effects(settled(panel), weights=inference.weights)
    except InputError as error:
        return float("nan"), error.what
    return found.simple, "adjusted for categorical covariates, doubly robust: the estimate alone"


def _inference(moments: ClusterMoments) -> tuple[float, float, float, float, float, float]:
    """Returns att, se_cr2, df, p, ci_low, ci_high."""
    test = Sandwich(moments).satterthwaite_of([TREATED])
    low, high = test.interval()
    att, se, df, p, start, end = (float(part[0]) for part in (test.estimate, test.se, test.df, test.p, low, high))
    return att, se, df, p, start, end


def _by_number(panel: PreparedPanel, units: UnitPanel, effects: GroupTime) -> GroupTime:
    """Returns group-time effects with groups and periods by number in place of by place among the panel's periods."""
    numbers = {int(place): int(number) for place, number in zip(units.gtime, panel.gtime, strict=True)}
    group, period = effects.effects.T
    renamed = np.column_stack([[numbers[int(place)] for place in group], panel.periods[period]])
    return replace(effects, effects=renamed.astype(np.int64))


def _level(panel: PreparedPanel, kind: str, name: str) -> str:
    """Returns the text of a level: the start of a group's first treated period or of a period, or an event time."""
    if name == "overall" or kind == "event":
        return name
    return panel.period_starts[int(np.searchsorted(panel.periods, int(name)))].isoformat()


def _averages(panel: PreparedPanel, effects: GroupTime, moments: Callable[[Array], ClusterMoments]) -> Named:
    for kind in AVERAGES:
        for name, linear_map in aggregate(effects, kind).items():  # type: ignore[arg-type]
            yield kind, _level(panel, kind, name), moments(linear_map)


def _notes(gtime: Ints, periods: Ints, *others: str) -> str:
    shared = SHARED_NOTE if has_a_small_group(gtime, periods[-1]) else ""
    return "; ".join(note for note in (*others, shared) if note)


def _left_out(n: int, why: str) -> str:
    return f"{n} rows left out: {why}" if n else ""


def _differences(panel: PreparedPanel, inference: Inference, *, control: Control) -> tuple[str, Named]:
    units = unit_panel(panel).weighing(inference.weights)
    effects = group_time_effects(units, base=inference.base, control=control)
    _check_after(effects)
    note = _notes(panel.gtime, panel.periods, "not adjusted for covariates" if panel.covariates else "")
    named = _averages(
        panel, _by_number(panel, units, effects), lambda row: average_moments(units, effects, {TREATED: row})
    )
    return note, named


def _sun_abraham(panel: PreparedPanel, inference: Inference) -> tuple[str, Named]:
    fitted = SunAbraham.of(panel, weights=inference.weights)
    _check_after(fitted.effects)
    left = _left_out(fitted.n_left_out, "periods without comparators, or groups seen only from go-live on")
    return _notes(fitted.cohorts, fitted.panel.periods, left), _averages(panel, fitted.effects, fitted.moments)


def _etwfe(panel: PreparedPanel, inference: Inference) -> tuple[str, Named]:
    fitted = Etwfe.of(panel, weights=inference.weights)
    left = _left_out(fitted.n_left_out, "treated, of authorities or periods without untreated rows")
    return _notes(fitted.cohorts, fitted.panel.periods, left), (
        (kind, _level(fitted.panel, kind, name), fitted.moments(linear_map))
        for kind, name, linear_map in fitted.averages()
    )


def _check_after(effects: GroupTime) -> None:
    if not (effects.event_time >= 0).any():
        raise InputError("No effect can be measured after go-live")


def _imputed(panel: PreparedPanel, inference: Inference) -> tuple[str, Named]:
    parts = Imputation.of(panel, weights=inference.weights)
    kept = parts.panel
    left = _left_out(parts.n_left_out, "treated, of authorities or periods without untreated rows")
    return _notes(kept.gtime, kept.periods, left), (
        (kind, _level(panel, kind, name), parts.moments(target)) for kind, name, target in _targets(parts)
    )


def _targets(parts: Imputation) -> Iterator[tuple[str, str, Array]]:
    """Yields the imputation's averages by kind and name, each a target (G, T)."""
    panel = parts.panel
    yield "simple", "overall", parts.simple
    every = np.ones(panel.rows.shape, dtype=np.int64)
    by = {"group": panel.gtime[:, None] * every, "calendar": panel.periods * every, "event": panel.event_time}
    weighed = panel.row_weight(parts.weights)[:, None] * panel.rows
    treated = (panel.treated > 0) & (panel.rows > 0)
    for kind, value in by.items():
        levels = np.unique(value[treated])
        targets = [parts.average_over((value == level).astype(np.float64)) for level in levels]
        for level, target in zip(levels, targets, strict=True):
            yield kind, str(level), target
        shares = [float(weighed[value == level].sum()) for level in levels]
        yield kind, "overall", np.average(targets, axis=0, weights=shares if kind == "group" else None)
