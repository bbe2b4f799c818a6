"""The CR2 adjustment's action on a combination, by series and by eigenvalues."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from sos_spark.fit.regression import adjustment
from sos_spark.fit.regression.adjustment import adjusted_combinations
from sos_spark.fit.regression.covariance import Sandwich
from tests.cluster_panels import moments_of, some_rows


def clusters(shares: list[float], *, n: int = 4, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A and Q of clusters that decide at most the given share of the fit in some direction."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(len(shares), 9, n))
    a = x.transpose(0, 2, 1) @ x
    root = random.normal(size=(len(shares), n, n))
    q = root @ root.transpose(0, 2, 1)
    greatest = np.array([np.linalg.eigvals(one @ other).real.max() for one, other in zip(q, a, strict=True)])
    return a, q * (np.array(shares) / greatest)[:, None, None]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.6, 0.95, -0.5, -3.0, -1e9])
def test_it_is_the_inverse_root(share: float) -> None:
    a, q = clusters([share, 0.3])
    combinations = np.random.default_rng(2).normal(size=(4, 3))
    found = adjusted_combinations(a, q, combinations)
    for g in range(2):
        expected = np.linalg.inv(sqrtm(np.eye(4) - q[g] @ a[g])) @ combinations
        assert found[g] == pytest.approx(expected.real, rel=1e-10)


def test_series_and_eigenvalues_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    a, q = clusters([0.5] * 6)
    by_series = adjusted_combinations(a, q, np.eye(4))
    monkeypatch.setattr(adjustment, "_TERMS", 1)
    assert by_series == pytest.approx(adjusted_combinations(a, q, np.eye(4)), rel=1e-12, abs=1e-14)


def test_a_direction_that_a_cluster_alone_decides_is_left_out() -> None:
    # One regressor of its own (share 1), and one of which it decides a half.
    a, q = np.diag([4.0, 1.0])[None], np.diag([0.25, 0.5])[None]
    found = adjusted_combinations(a, q, np.eye(2))
    assert found[0] == pytest.approx(np.diag([0.0, np.sqrt(2)]))


def test_a_cluster_without_variation_is_left_as_it_is() -> None:
    a, q = np.zeros((1, 2, 2)), np.eye(2)[None]
    assert (adjusted_combinations(a, q, np.eye(2)) == np.eye(2)).all()


def test_another_outcome_on_the_same_regressors_keeps_what_they_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (moments_of(some_rows(n_units=9, seed=4, effect=effect)) for effect in (0.0, 0.5))
    solved = Sandwich(one)
    solved.satterthwaite_of(["treated"])
    monkeypatch.setattr("sos_spark.fit.regression.covariance.adjusted_combinations", None)
    kept = solved.for_outcome(other.xy)
    test = kept.satterthwaite_of(["treated"])
    monkeypatch.undo()
    assert (one.xx == other.xx).all()
    fresh = Sandwich(other).satterthwaite_of(["treated"])
    assert (test.estimate, test.se, test.df) == (fresh.estimate, fresh.se, fresh.df)
    assert test.estimate != solved.estimate("treated")
