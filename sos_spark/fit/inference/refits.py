"""A regression refitted under other go-lives, from cross-products: every assignment of a permutation at once.

Only the treatment's own cross-products change with an assignment. In terms of the within-LA period dummies the
treatment of an LA that goes live in period k is the sum of the dummies from k on, so its products with the controls, y
and itself are sums of entries of the LA's control block, found once for each LA and each date. With C the controls'
cross-products, w those with the treatment, pi = C^-1 w and gamma = C^-1 c_y (which no assignment changes):

    att = (d_y - w'gamma) / (d_d - w'pi)
    score_g = (d_y,g - w_g'gamma) - pi'(c_y,g - C_g gamma) - att (d_d,g - 2 pi'w_g + pi'C_g pi)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sos_spark.fit.inference.assignments import Ints
from sos_spark.fit.inference.effect_distribution import Scored
from sos_spark.fit.regression.design import NEVER, PreparedPanel
from sos_spark.fit.regression.moments import Array, ClusterMoments, place_of

_UNIDENTIFIED = 1e-10

Course = Callable[[Ints, int], Array]
"""Periods (T,) and a go-live -> the treatment's values in an LA that goes live then."""


def from_go_live_on(periods: Ints, gtime: int) -> Array:
    """Returns 1 from gtime on and 0 before."""
    return np.asarray(periods >= gtime, dtype=np.float64)


@dataclass(frozen=True)
class Blocks:
    """Cross-products by LA (sorted ids) and go-live date, weighted.

    Shapes: dates (m,), the distinct gtimes but NEVER; dd (G, m, m), the treatments of two dates with one another; dy
    (G, m); dw (G, m, K); cc (G, K, K); cy (G, K), with K the controls: every regressor but the treatment.
    """

    dates: Ints
    dd: Array
    dy: Array
    dw: Array
    cc: Array
    cy: Array


@dataclass(frozen=True)
class Refits:
    """Estimates of a batch of assignments, shapes (P,): t leaves out CR1's factor; undefined ones are NaN."""

    att: Array
    t: Array


def starts_of(panel: PreparedPanel) -> tuple[Ints, Course]:
    """Returns what a permutation deals out: a label for each LA (G,), and the treatment's course by label.

    Labels are the go-lives; where periods count in part, a number for each pair of go-live and share.
    """
    if panel.partial is None:
        return panel.gtime, from_go_live_on
    treated = panel.is_treated_unit
    pairs, code = np.unique(np.column_stack([panel.gtime, panel.partial])[treated], axis=0, return_inverse=True)
    labels = np.full(len(treated), NEVER, dtype=np.int64)
    labels[treated] = code.reshape(-1)
    return labels, lambda periods, label: with_share(periods, int(pairs[label, 0]), float(pairs[label, 1]))


def course_by_gtime(panel: PreparedPanel) -> Course:
    """Returns the treatment's course by first treated period, as `PreparedPanel.with_gtime` has it."""
    share = panel.share_by_gtime
    return lambda periods, gtime: with_share(periods, gtime, share.get(gtime, 0.0))


def with_share(periods: Ints, gtime: int, share: float) -> Array:
    """Returns 1 from gtime on, a share in the period before, and 0 earlier."""
    return np.asarray((periods >= gtime) + share * (periods == gtime - 1), dtype=np.float64)


def blocks_of(
    moments: ClusterMoments,
    order: Sequence[int],
    coefficient: str,
    dates: Ints,
    period_of: Mapping[str, int],
    omitted_period: int,
    course: Course = from_go_live_on,
) -> Blocks:
    """Returns the cross-products of a regression by LA, in the order given, and by each of the go-live dates."""
    controls = [k for k, name in enumerate(moments.names) if k != place_of(moments, coefficient)]
    cc = moments.weighted_xx[np.ix_(order, controls, controls)]
    cy = moments.weighted_xy[np.ix_(order, controls)]
    periods = np.array([period_of.get(moments.names[k], NEVER) for k in controls])
    # Within an LA the dummies of all periods add up to nothing, so the omitted one is minus the sum of the others.
    omitted = np.array([omitted_period])
    after = [course(periods, int(date)) - course(omitted, int(date)) for date in dates]
    sums = np.where((periods != NEVER)[:, None], np.array(after).T.reshape(len(controls), len(dates)), 0.0)
    dw = np.einsum("gkl,km->gml", cc, sums)
    # Controls in units of their own root sum of squares, so that a large covariate costs no digits.
    size = np.sqrt(np.einsum("gkk->k", cc))
    return Blocks(
        dates=dates,
        dd=dw @ sums,
        dy=cy @ sums,
        dw=dw / size,
        cc=cc / np.outer(size, size),
        cy=cy / size,
    )


def check_treatment(
    moments: ClusterMoments, order: Sequence[int], coefficient: str, blocks: Blocks, actual: Ints
) -> None:
    """The treatment must follow its course from gtime on, else permuting gtime would not permute the treatment."""
    place = place_of(moments, coefficient)
    own = np.stack([moments.weighted_xx[order, place, place], moments.weighted_xy[order, place]])
    made = np.zeros_like(own)
    for m, date in enumerate(blocks.dates):
        made += (actual == date) * np.stack([blocks.dd[:, m, m], blocks.dy[:, m]])
    scale = np.abs(own).max(axis=1, keepdims=True)
    if not np.all(np.abs(own - made) <= 1e-8 * scale):
        raise ValueError("the treatment's cross-products are not those of a dummy that is 1 from gtime on")


def refits_of(blocks: Blocks, gtimes: Ints) -> Refits:
    """Refits every assignment (P, G)."""
    scored = _scored(blocks, gtimes, blocks.dy[None], blocks.cy[None])
    att, score = scored.att[0], scored.scores[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        return Refits(att=att, t=att / np.sqrt(np.einsum("pg,pg->p", score, score)))


def effect_refits_of(blocks: Blocks, gtimes: Ints, actual: Ints) -> Scored:
    """Refits every assignment (P, G) to y and to the treatment of the actual one (G,)."""
    mine = [(actual == date).astype(float) for date in blocks.dates]
    d_actual = sum((own[:, None] * blocks.dd[:, :, m] for m, own in enumerate(mine)), np.zeros_like(blocks.dy))
    c_actual = sum((own[:, None] * blocks.dw[:, m] for m, own in enumerate(mine)), np.zeros_like(blocks.cy))
    return _scored(blocks, gtimes, np.stack([blocks.dy, d_actual]), np.stack([blocks.cy, c_actual]))


def _scored(blocks: Blocks, gtimes: Ints, dy: Array, cy: Array) -> Scored:
    """Refits every assignment (P, G) to several outcomes, by their products (O, G, m) and (O, G, K)."""
    inverse = np.linalg.inv(blocks.cc.sum(axis=0))
    gamma = cy.sum(axis=1) @ inverse
    residual = cy - np.einsum("gkl,ol->ogk", blocks.cc, gamma)
    own = dy - np.einsum("gmk,ok->ogm", blocks.dw, gamma)
    treated = [(gtimes == date).astype(float) for date in blocks.dates]
    w = sum((mine @ blocks.dw[:, m] for m, mine in enumerate(treated)), np.zeros((len(gtimes), len(inverse))))
    pi = w @ inverse
    # pi'C_g pi for all LAs at once: products of pairs of pi, each off-diagonal pair once, against C_g's entries.
    i, j = np.triu_indices(len(inverse))
    pairs = blocks.cc[:, i, j] * np.where(i == j, 1.0, 2.0)
    columns = np.ascontiguousarray(pi.T)
    slope = (pairs @ (columns[i] * columns[j])).T
    scores = np.stack([-pi @ each.T for each in residual])
    total = np.zeros(len(gtimes))
    for m, mine in enumerate(treated):
        total += mine @ blocks.dd[:, m, m]
        slope += mine * (blocks.dd[:, m, m] - 2 * pi @ blocks.dw[:, m].T)
        for outcome, score in enumerate(scores):
            score += mine * own[outcome, :, m]
    left = total - np.einsum("pk,pk->p", w, pi)
    left = np.where(left > _UNIDENTIFIED * total, left, np.nan)
    att = scores.sum(axis=2) / left
    return Scored(att, (scores - att[:, :, None] * slope) / left[None, :, None])
