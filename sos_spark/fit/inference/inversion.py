"""Where a bootstrap p-value stays above a level: exact, from the quadratics of each draw, by branch and bound.

With x = (r - beta) / se, draw b counts at r when |t*_b(r)| >= |t(r)| = |x|, that is when the quartic
f_b(x) = tie x^2 (q0 - 2 x q1 + x^2 q2) - (p - x h)^2 is not positive. p(r) is the share of draws that count, and need
not fall steadily, so a bisection can miss its last crossing. Here the half-line is mapped to s = x / (1 + x) in [0, 1]
and each quartic written in the Bernstein basis, whose coefficients bound it: cells are halved from the outside in,
draws whose sign a cell settles leave it, and the first cell that keeps enough draws down to rounding is the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sos_spark.fit.regression.moments import Array

_BINOMIALS = np.array([1.0, 4.0, 6.0, 4.0, 1.0])
_LEFT = np.array([[16, 0, 0, 0, 0], [8, 8, 0, 0, 0], [4, 8, 4, 0, 0], [2, 6, 6, 2, 0], [1, 4, 6, 4, 1]]) / 16
"""De Casteljau's subdivision: a cell's Bernstein coefficients to those of its left half. All exact in binary."""
_RIGHT = _LEFT[::-1, ::-1].copy()
_NARROW = 1e-15


@dataclass(frozen=True)
class Quadratics:
    """Each draw's t* as a function of x: (p - x h)^2 / (q0 - 2 x q1 + x^2 q2) is its square.

    In units of the observed standard error, so that t = -x. Shapes (rows,). `always` marks the draws that count at
    every x because they multiply all clusters alike.
    """

    p: Array
    h: Array
    q0: Array
    q1: Array
    q2: Array
    always: npt.NDArray[np.bool_]

    def with_one_that_counts(self) -> Quadratics:
        """Returns the draws and one more that counts at every x: of drawn ones p is (1 + count) / (1 + draws)."""
        p, h, q0, q1, q2 = (np.append(part, 0.0) for part in (self.p, self.h, self.q0, self.q1, self.q2))
        return Quadratics(p=p, h=h, q0=q0, q1=q1, q2=q2, always=np.append(self.always, True))

    def counts(self, x: float, *, tie: float) -> int:
        """Returns how many draws have |t*| >= |t| (1 - tie) at x."""
        left = (x * (1 - tie)) ** 2 * (self.q0 - 2 * x * self.q1 + x * x * self.q2)
        return int(np.count_nonzero(self.always | (left <= (self.p - x * self.h) ** 2)))


def hull_where_p_exceeds(draws: Quadratics, alpha: float, *, tie: float) -> tuple[float, float]:
    """Returns the least and the greatest x whose share of counting draws is above alpha: (<= 0, >= 0), or infinite.

    Exact to 1e-15 in x / (1 + x). The share at x = 0, the estimate, is 1.
    """
    rows = len(draws.p)
    needed = int(np.floor(alpha * rows + 1e-9)) + 1
    settled = int(np.count_nonzero(draws.always))
    free = ~draws.always
    p, h, q0, q1, q2 = (part[free] for part in (draws.p, draws.h, draws.q0, draws.q1, draws.q2))
    near = (1 - tie) ** 2
    quartic = np.stack([-p * p, 2 * p * h, near * q0 - h * h, -2 * near * q1, near * q2])
    mirrored = quartic * np.array([1.0, -1.0, 1.0, -1.0, 1.0])[:, None]
    return -_outermost(mirrored, needed - settled), _outermost(quartic, needed - settled)


def _outermost(quartic: Array, needed: int) -> float:
    """Returns the greatest x >= 0 at which at least `needed` quartics are not positive. Shape of quartic (5, rows)."""
    if needed <= 0:
        return float("inf")
    # s^k (1 - s)^(4 - k) is a Bernstein polynomial over its binomial, so this is all of the half-line at once.
    cells = [(0.0, 1.0, 0, quartic / _BINOMIALS[:, None], np.eye(5))]
    while cells:
        low, high, settled, parent, half = cells.pop()
        bernstein = half @ parent
        greatest, least = bernstein.max(axis=0), bernstein.min(axis=0)
        settled += int(np.count_nonzero(greatest <= 0))
        open_draws = np.flatnonzero((greatest > 0) & (least <= 0))
        if settled + len(open_draws) < needed:
            continue
        if settled >= needed or high - low <= _NARROW:
            return high / (1 - high) if high < 1 else float("inf")
        middle, bernstein = (low + high) / 2, bernstein.take(open_draws, axis=1)
        cells += [(low, middle, settled, bernstein, _LEFT), (middle, high, settled, bernstein, _RIGHT)]
    return 0.0
