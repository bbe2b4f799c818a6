"""Dominance: whether one or two children may make up so much of a sum that it tells of them.

The results hold no single amount, only n, their sum and their sum of squares. But those bound what the largest can be:
the m largest of n sum to at most m mean + sd sqrt(m (n - m)) (Mallows and Richter, 1969, Annals of Mathematical
Statistics 40; Samuelson, 1968, for m = 1). A sum that passes with these bounds passes with the amounts themselves.
"""

from __future__ import annotations

import math

from sos_spark.config.disclosure import Magnitudes


def largest_at_most(n: int, total: float, squares: float, m: int) -> float:
    """Returns what the m largest of n amounts, none negative, can at most sum to."""
    if n <= m:
        return total
    mean = total / n
    sd = math.sqrt(max(squares / n - mean * mean, 0.0))
    return min(total, m * mean + sd * math.sqrt(m * (n - m)))


def is_dominated(n: int, total: float, squares: float, *, rule: Magnitudes) -> bool:
    """Returns whether a sum may fail the rules of dominance; without a sum of squares it may."""
    if total == 0 or n == 0:
        return False
    if math.isnan(squares):
        return True
    one, two = (largest_at_most(n, total, squares, m) for m in (1, 2))
    return two > rule.largest_two_share * total or total - two < rule.p_percent / 100 * one
