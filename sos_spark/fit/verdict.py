"""The three answers that a row of estimates can give; everything that states one takes it from here."""

from __future__ import annotations

from typing import Literal

from sos_spark.fit.thresholds import ALPHA

Verdict = Literal["a change", "no change of a size that matters", "cannot tell", ""]
CHANGE: Verdict = "a change"
NO_CHANGE_THAT_MATTERS: Verdict = "no change of a size that matters"
CANNOT_TELL: Verdict = "cannot tell"
NO_ESTIMATE: Verdict = ""


def verdict_of(*, significant: bool | None, p_equivalence: float | None) -> Verdict:
    """Returns the answer of a row.

    Args:
        significant: Whether the row's own headline rule holds; None where there is nothing to judge.
        p_equivalence: p of 'the effect is as large as the smallest of interest, either way'; None or NaN where the
            study names no such size, or the row has no inference.

    A change; no change of a size that matters, where the headline finds none and the equivalence test rules that size
    out; else cannot tell. Blank where there is no estimate.
    """
    if significant is None:
        return NO_ESTIMATE
    if significant:
        return CHANGE
    return NO_CHANGE_THAT_MATTERS if p_equivalence is not None and p_equivalence < ALPHA else CANNOT_TELL
