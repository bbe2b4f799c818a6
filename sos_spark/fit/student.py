"""Student's t: the functions that scipy.stats would call, without the half second that importing all of it takes."""

from __future__ import annotations

from typing import Any

from scipy.special import stdtr, stdtrit


def below(x: Any, df: Any) -> Any:
    """Returns the probability of at most x, by element; NaN where df is not positive."""
    return stdtr(df, x)


def above(x: Any, df: Any) -> Any:
    """Returns the probability of more than x, by element; NaN where df is not positive."""
    return stdtr(df, -x)


def quantile(p: Any, df: Any) -> Any:
    """Returns the value that t exceeds with probability 1 - p, by element; NaN where df is not positive."""
    return stdtrit(df, p)
