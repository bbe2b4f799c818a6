"""The three answers that a row of estimates can give; everything that states one takes it from here.

Interval and verdict follow one rule: the interval is of one outcome by itself, the headline test inverted (the
bootstrap's, or the randomisation test's with few pilots), and a change is claimed only where that test, CR2 beside it
where the bootstrap is the headline, and the test adjusted for the family of outcomes all have p < 0.05. So a claimed
change has an interval without 0, and an interval without 0 is not yet a claim. What that costs: with nine pilots of 60
the second test takes the size from 4.8 to 4.6 % and about 5 points of power (`tools.monte_carlo.main_design`); the
adjustment keeps the chance of any false claim in a family of five at 5 %, where it would be 19.5 %.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from sos_spark.fit.thresholds import ALPHA

Verdict = Literal["a change", "no change of a size that matters", "cannot tell", ""]
CHANGE: Verdict = "a change"
NO_CHANGE_THAT_MATTERS: Verdict = "no change of a size that matters"
CANNOT_TELL: Verdict = "cannot tell"
NO_ESTIMATE: Verdict = ""


def verdict_of(
    *,
    significant: bool | None,
    p_equivalence: float | None,
    p_adjusted: float | None = None,
    estimated: bool = False,
) -> Verdict:
    """Returns the answer of a row.

    Args:
        significant: Whether the row's own headline rule holds; None where there is nothing to judge.
        p_equivalence: p of 'the effect is as large as the smallest of interest, either way'; None or NaN where the
            study names no such size, or the row has no inference.
        p_adjusted: p adjusted for the family of outcomes; None or NaN where the row belongs to none.
        estimated: Whether there is an estimate that a headline was to judge, though no method for it holds.

    A change, where the headline finds one that stands in its family; no change of a size that matters, where it finds
    none and the equivalence test rules that size out; else cannot tell. Blank where there is no estimate.
    """
    if significant is None:
        return CANNOT_TELL if estimated else NO_ESTIMATE
    if significant:
        falls = p_adjusted is not None and not np.isnan(p_adjusted) and p_adjusted >= ALPHA
        return CANNOT_TELL if falls else CHANGE
    return NO_CHANGE_THAT_MATTERS if p_equivalence is not None and p_equivalence < ALPHA else CANNOT_TELL
