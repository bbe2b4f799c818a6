"""Student's t beside scipy.stats': the same to the last digit, at the edges too."""

from __future__ import annotations

import numpy as np
from scipy.stats import t

from sos_spark.fit import student


def test_probabilities_and_quantiles_equal_scipys_to_the_last_digit() -> None:
    draws = np.random.default_rng(1)
    df = np.concatenate([draws.uniform(0.5, 80, 500), [np.inf, np.nan, 1e10, 0.0, -1.0]])
    x, p = draws.normal(0, 4, len(df)), draws.uniform(0, 1, len(df))

    np.testing.assert_array_equal(student.above(x, df), t.sf(x, df))
    np.testing.assert_array_equal(student.below(x, df), t.cdf(x, df))
    np.testing.assert_array_equal(student.quantile(p, df), t.ppf(p, df))
