"""Monte Carlo runs with a seed, large enough to tell a rate of 5 % from one of 8 %, beside the tables that were saved.

The Monte Carlo error of 5 % is 0.56 points with 1,500 replications. A test whose true size is 8 % comes out above the
6.7 % allowed here 97 times in 100; one of 5 % does so once in 1,000, for a seed.
"""

from __future__ import annotations

import math

REPLICATIONS = 1_500
LEAST, MOST = 0.033, 0.067


def holds_its_level(rate: float) -> bool:
    """Whether a share of rejected true nulls is one that a test at 5 % gives."""
    return LEAST <= rate <= MOST


def agrees(rate: float, saved: float, *, replications: int, saved_replications: int) -> bool:
    """Whether two runs' shares differ by no more than 3.3 standard errors of their difference: once in 1,000."""
    spread = max(saved * (1 - saved), 0.002) * (1 / replications + 1 / saved_replications)
    return abs(rate - saved) <= 3.3 * math.sqrt(spread)
