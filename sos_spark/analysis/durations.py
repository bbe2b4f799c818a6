"""Effects on the whole distribution of a length: shares within each day, quantiles, the restricted mean, hazards.

All of them are judged by permuted go-lives, which hold their size for so many measures of so few pilots without a model
of each. With several go-lives the study's own estimator gives the effect on shares within a day and on the restricted
mean, judged by CR2, and nothing else. Covariates are not adjusted for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sos_spark.analysis.simulated_studies import without_covariates
from sos_spark.config.study import Inference
from sos_spark.fit.cells.subpanel import with_rows_only
from sos_spark.fit.durations.changes import changes_in_changes
from sos_spark.fit.durations.counts import DayCounts, days_to_limit
from sos_spark.fit.durations.hazards import bands, curve, daily_hazard
from sos_spark.fit.durations.permuted import JudgedEffects, two_way_effects
from sos_spark.fit.durations.quantiles import quantile_effects
from sos_spark.fit.estimators import main_estimate, shares_one_go_live
from sos_spark.fit.inference.assignments import Assignments
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import PreparedPanel
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.thresholds import FEW_TREATED, UNEVEN
from sos_spark.fit.unsteadiness import too_unsteady
from sos_spark.tables.results import DURATION_DAYS, DURATION_EFFECTS

MOST_PERMUTATIONS = 999
"""Of so many measures; each beyond this sharpens a p by less than the width of its own rounding."""
ONE_PILOT = "one pilot: no p and no interval"
ONE_DOMINATES = "one pilot has most of the pilots' rows: no p and no interval"
UNSTEADY_PILOTS = "pilots too unsteady for permuted go-lives: no p and no interval"
SEVERAL_GO_LIVES = "several go-lives: by the study's own estimator and CR2; no quantiles, which need one"
FEW_AND_SEVERAL = "several go-lives and 4 or fewer pilots: no p and no interval"
_EACH = 5  # days between the shares that are estimated one by one

Row = dict[str, object]
_NAN = float("nan")


@dataclass(frozen=True)
class Lengths:
    """An outcome's days, and how they are judged; `unjudged` says why they are not, and is blank where they are."""

    panel: PreparedPanel
    counts: DayCounts
    inference: Inference
    unjudged: str

    @property
    def weight(self) -> Array:
        """The weight of a row, (G, 1, 1)."""
        totals = self.counts.rows.sum(axis=1)
        equal = np.divide(1.0, totals, out=np.zeros_like(totals), where=totals > 0)
        chosen = equal if self.inference.weights == "la_equal" else np.ones_like(totals)
        return np.asarray(chosen[:, None, None])

    @property
    def plan(self) -> Assignments:
        """The permutations of pilots."""
        return Assignments.of(
            self.counts.pilot.astype(np.int64),
            strata=self.panel.strata(self.inference.strata),
            permutations=min(self.inference.permutations, MOST_PERMUTATIONS),
            seed=self.inference.seed,
        )


def lengths_of(panel: PreparedPanel, durations: pd.DataFrame, *, inference: Inference) -> Lengths | None:
    """Returns the days of a panel's outcome; None where `durations`, as durations.csv, has none."""
    own = durations[durations["outcome_id"] == panel.outcome_id] if len(durations) else durations
    counts = DayCounts.of(own, panel) if len(own) else None
    if counts is None:
        return None
    sizes = counts.rows[counts.pilot].sum(axis=1)
    dominated = inference.weights == "child" and sizes.max() >= UNEVEN * sizes.sum()
    unjudged = ONE_PILOT if len(sizes) == 1 else ONE_DOMINATES if dominated else ""
    unjudged = UNSTEADY_PILOTS if not unjudged and too_unsteady(panel) else unjudged
    return Lengths(panel, counts, inference, unjudged)


def duration_effects_frame(lengths: Lengths | None) -> pd.DataFrame:
    """Returns effects on the distribution: the columns of duration_effects.csv."""
    columns = list(DURATION_EFFECTS.column_names)
    if lengths is None:
        return pd.DataFrame(columns=columns)
    if shares_one_go_live(lengths.panel):
        rows = [*_distribution(lengths), *_changes(lengths), *_hazards(lengths)]
    else:
        rows = list(_by_own_estimator(lengths))
    named = [{"outcome_id": lengths.panel.outcome_id} | row for row in rows]
    return pd.DataFrame(named, columns=columns)


def duration_days_frame(lengths: Lengths | None) -> pd.DataFrame:
    """Returns what became of each arm's rows day by day, before and after: the columns of duration_days.csv."""
    if lengths is None:
        return pd.DataFrame(columns=list(DURATION_DAYS.column_names))
    frames = []
    for arm, side, group in lengths.counts.groups():
        seen = curve(lengths.counts, group)
        if seen.at_risk[0] > 0:
            frames.append(
                pd.DataFrame(
                    {
                        "outcome_id": lengths.panel.outcome_id,
                        "arm": arm,
                        "side": side,
                        "day": np.arange(len(seen.ended)),
                        "at_risk": seen.at_risk.astype(np.int64),
                        "ended": seen.ended.astype(np.int64),
                        "hazard": seen.hazard,
                        "within": seen.within,
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def _row(method: str, measure: str, **values: object) -> Row:
    blank = dict.fromkeys(DURATION_EFFECTS.column_names[3:-1], _NAN)
    return blank | {"method": method, "measure": measure, "note": ""} | values


def _distribution(lengths: Lengths) -> Iterator[Row]:
    counts, weight = lengths.counts, lengths.weight
    sums = np.concatenate([counts.within, days_to_limit(counts.followed)[:, :, None]], axis=2) * weight
    rows = counts.rows * weight[:, :, 0]
    effects = two_way_effects(rows, sums, counts.pilot, counts.after[0], lengths.plan)
    treated = counts.pilot[:, None] & counts.after
    observed = sums[treated].sum(axis=0) / rows[treated].sum()
    p_any = _NAN if lengths.unjudged else effects.p_any
    yield _row("distribution", "any", p=p_any, note=lengths.unjudged)
    yield from _measures("distribution", lengths, effects, observed)


def _by_own_estimator(lengths: Lengths) -> Iterator[Row]:
    counts, last = lengths.counts, lengths.counts.last_day
    mean = days_to_limit(counts.followed)
    wanted = [("share_within", day, counts.within[:, :, day]) for day in range(_EACH, last + 1, _EACH)]
    treated = counts.pilot[:, None] & counts.after
    for measure, day, sums in (*wanted, ("restricted_mean", last, mean)):
        panel = _with_lengths(lengths.panel, counts, sums)
        estimate = main_estimate(panel, weights=lengths.inference.weights, staggered=lengths.inference.staggered)
        test = Sandwich(estimate.moments).satterthwaite_of([estimate.coefficient])
        att, weight = float(test.estimate[0]), lengths.weight[:, :, 0]
        observed = float((sums * weight)[treated].sum() / (counts.rows * weight)[treated].sum())
        told: Row = {"at": float(day), "observed": observed, "without": observed - att, "att": att}
        note = lengths.unjudged or (FEW_AND_SEVERAL if panel.n_treated_units <= FEW_TREATED else "")
        if not note:
            low, high = (float(end[0]) for end in test.interval())
            told |= {"se": float(test.se[0]), "p": float(test.p[0]), "ci_low": low, "ci_high": high}
        yield _row("distribution", measure, note=note or SEVERAL_GO_LIVES, **told)


def _with_lengths(panel: PreparedPanel, counts: DayCounts, sums: Array) -> PreparedPanel:
    """Returns the panel without covariates, of rows followed to the last day and sums (G, T) over them."""
    plain = without_covariates(panel)
    periods = np.isin(counts.periods, plain.periods)
    units = np.isin(panel.unit_ids, plain.unit_ids)
    rows, total = (part[np.ix_(units, periods)] for part in (counts.rows, sums))
    return with_rows_only(replace(plain, rows=rows, y_sum=total))


def _changes(lengths: Lengths) -> Iterator[Row]:
    counts, after = lengths.counts, lengths.counts.after[0]
    followed = counts.followed * lengths.weight
    both = np.stack([followed[:, side].sum(axis=1) for side in (~after, after)], axis=1)
    there = both.sum(axis=2) > 0
    if not all(there[arm].any(axis=0).all() for arm in (counts.pilot, ~counts.pilot)):
        return
    found = changes_in_changes(both, counts.pilot, lengths.plan)
    observed = np.append(found.observed, (1 - found.observed[:-1]).sum())
    for row in _measures("changes_in_changes", lengths, found.effects, observed):
        place = {"share_within": row["at"], "restricted_mean": -1}.get(str(row["measure"]))
        if place is not None:
            row |= dict(zip(("bound_low", "bound_high"), found.bounds[int(str(place).removesuffix(".0"))], strict=True))
        yield row


def _measures(method: str, lengths: Lengths, effects: JudgedEffects, observed: Array) -> Iterator[Row]:
    """Yields shares within each day, quantiles, and the restricted mean, which stands last of the effects (D + 2,)."""
    (low, high), (band_low, band_high) = effects.interval(), effects.band()
    last = lengths.counts.last_day

    def of(place: int) -> Row:
        told: Row = {"observed": observed[place], "att": effects.att[place], "note": lengths.unjudged}
        told["without"] = observed[place] - effects.att[place]
        if lengths.unjudged:
            return told
        return told | {"se": effects.se[place], "p": effects.p[place], "ci_low": low[place], "ci_high": high[place]}

    for day in range(last + 1):
        band = {} if lengths.unjudged else {"band_low": band_low[day], "band_high": band_high[day]}
        yield _row(method, "share_within", at=float(day), **of(day), **band)
    for quantile in quantile_effects(observed[:-1], effects.att[:-1], low[:-1], high[:-1]):
        ends = {} if lengths.unjudged else {"ci_low": quantile.low, "ci_high": quantile.high}
        told = {"observed": quantile.observed, "without": quantile.without, "att": quantile.effect}
        yield _row(method, "quantile", at=quantile.level, note=lengths.unjudged, **told, **ends)
    yield _row(method, "restricted_mean", at=float(last), **of(last + 1))


def _hazards(lengths: Lengths) -> Iterator[Row]:
    counts, weight = lengths.counts, lengths.weight
    treated = counts.pilot[:, None] & counts.after
    for first, last in bands(counts.last_day):
        rows, ended = (part * weight[:, :, 0] for part in daily_hazard(counts, first, last))
        if not rows[treated].sum() > 0:
            continue
        effects = two_way_effects(rows, ended[:, :, None], counts.pilot, counts.after[0], lengths.plan)
        observed = ended[treated].sum() / rows[treated].sum()
        low, high = effects.interval()
        told: Row = {"observed": observed, "without": observed - effects.att[0], "att": effects.att[0]}
        if not lengths.unjudged:
            told |= {"se": effects.se[0], "p": effects.p[0], "ci_low": low[0], "ci_high": high[0]}
        yield _row("hazard", "daily_hazard", at=float(first), to=float(last), note=lengths.unjudged, **told)
