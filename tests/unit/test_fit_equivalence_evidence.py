"""Equivalence, detectable effects and the rule for the strength of evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from sos_spark.analysis.evidence import EvidenceInputs, default_rule, no_drift
from sos_spark.fit.inference.equivalence import equivalence_test, minimum_detectable_effect

FOUND = EvidenceInputs(
    att=-0.13,
    significant=True,
    p_adjusted=0.01,
    p_values={"wcr": 0.01, "cr2": 0.02, "ri": 0.01},
    no_drift=True,
    keeps_answer=(True, True),
    p_equivalence=0.99,
)


def test_equivalence_is_statsmodels_two_one_sided_tests() -> None:
    sample = np.random.default_rng(3).normal(0.1, 1, 40)
    p, _, _ = DescrStatsW(sample).ttost_mean(-0.5, 0.5)
    ours = equivalence_test(att=sample.mean(), se=stats.sem(sample), df=39, bound=0.5)
    assert ours.p == pytest.approx(p, rel=1e-12)


def test_the_interval_lies_within_the_bounds_exactly_where_p_is_small() -> None:
    for att in np.linspace(-1, 1, 41):
        ours = equivalence_test(att=att, se=0.2, df=8, bound=0.6)
        assert (ours.p < 0.05) == (ours.ci_low > -0.6 and ours.ci_high < 0.6)


def test_minimum_detectable_effect_has_the_power_it_says() -> None:
    assert minimum_detectable_effect(se=1.0, df=1e9) == pytest.approx(1.959964 + 0.841621, abs=1e-5)
    assert minimum_detectable_effect(se=2.0, df=8) == pytest.approx(2 * (2.306004 + 0.888890), abs=1e-5)


def test_strength_needs_each_condition() -> None:
    assert default_rule(FOUND).strength == "strong"
    one_missing = [
        replace(FOUND, p_adjusted=None),
        replace(FOUND, p_values={"wcr": 0.01, "ri": 0.2}),
        replace(FOUND, no_drift=None),
        replace(FOUND, keeps_answer=(True, False)),
    ]
    assert [default_rule(inputs).strength for inputs in one_missing] == ["moderate"] * 4
    assert default_rule(replace(FOUND, p_adjusted=None, no_drift=False)).strength == "weak"
    assert default_rule(replace(FOUND, p_adjusted=0.06)).strength == "cannot tell"


def test_without_significance_equivalence_decides() -> None:
    nothing = replace(FOUND, significant=False)
    assert default_rule(nothing).strength == "cannot tell"
    assert default_rule(replace(nothing, p_equivalence=0.01)).strength == "no change of a size that matters"
    assert default_rule(replace(nothing, att=None)).strength == "not estimable"


def test_the_inputs_are_printed_with_the_verdict() -> None:
    assert str(default_rule(FOUND)) == "strong (adjusted yes, agreement yes, pre-trend yes, robust yes)"


def test_a_test_that_could_not_have_seen_a_drift_is_not_informative_and_does_not_count() -> None:
    unseen = default_rule(replace(FOUND, no_drift=None))
    assert str(unseen) == "moderate (adjusted yes, agreement yes, pre-trend not informative, robust yes)"


@pytest.mark.parametrize(
    ("p_equivalence", "ci", "said"),
    [(0.01, (-0.1, 0.1), True), (0.01, (0.01, 0.1), True), (0.2, (0.01, 0.3), False), (0.2, (-0.3, 0.3), None)],
)
def test_a_drift_is_ruled_out_found_or_neither(
    p_equivalence: float, ci: tuple[float, float], said: bool | None
) -> None:
    assert no_drift(p_equivalence, ci) is said
