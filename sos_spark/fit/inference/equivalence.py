"""What an estimate rules out: the minimum detectable effect, and the test of equivalence to no effect."""

from __future__ import annotations

from dataclasses import dataclass

from sos_spark.fit import student


@dataclass(frozen=True)
class Equivalence:
    """Two one-sided tests (Schuirmann 1987) of an effect within +- `bound`, in the outcome's own unit.

    `p` is the larger of the two p-values; `ci_low` and `ci_high` the interval of level 1 - 2 alpha, which lies within
    the bounds exactly where p < alpha.
    """

    bound: float
    p: float
    ci_low: float
    ci_high: float


def equivalence_test(*, att: float, se: float, df: float, bound: float, alpha: float = 0.05) -> Equivalence:
    """Tests that an effect is smaller than `bound` either way, by the CR2 standard error and its df."""
    p_below = student.above((att + bound) / se, df)  # the null of an effect at or below -bound
    p_above = student.below((att - bound) / se, df)  # the null of an effect at or above +bound
    half = student.quantile(1 - alpha, df) * se
    return Equivalence(bound, float(max(p_below, p_above)), att - half, att + half)


def minimum_detectable_effect(*, se: float, df: float, power: float = 0.8, alpha: float = 0.05) -> float:
    """Returns the effect that a two-sided test would find with the power given: (t[1 - alpha/2] + t[power]) se.

    Source: Bloom (1995, Evaluation Review 19), with the t distribution of the Satterthwaite df.
    """
    return float((student.quantile(1 - alpha / 2, df) + student.quantile(power, df)) * se)
