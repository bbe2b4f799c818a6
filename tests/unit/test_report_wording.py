"""Numbers and names as a reader sees them."""

import math

import pytest

from sos_spark.config.load import parse_study
from sos_spark.config.outcomes import KinshipPlacement, Published, RereferralNfa
from sos_spark.config.reference import unit_name
from sos_spark.report.words.labels import outcome_labels
from sos_spark.report.words.numbers import (
    PER_10_000,
    POINTS,
    SCALES,
    WORKING_DAYS,
    listed,
    number,
    p_phrase,
    p_value,
    percent,
)
from tests.unit.report_example import STUDY_TEXT, a_study


def test_shares_change_in_points_with_one_decimal() -> None:
    assert POINTS.change(-0.0123) == "-1.2"
    assert POINTS.level(0.213) == "21.3%"
    assert POINTS.interval(-0.031, 0.0149) == "-3.1 to 1.5"


def test_days_change_with_two_decimals() -> None:
    assert WORKING_DAYS.change(-0.846) == "-0.85"
    assert WORKING_DAYS.level(31.44) == "31.4 working days"


def test_rates_are_per_10_000_children() -> None:
    outcome = Published(outcome_id="x", kind="published", measure="looked_after_rate")

    assert SCALES[outcome.scale] == PER_10_000
    assert PER_10_000.change(0.00123) == "12.3"


def test_no_interval_where_an_end_is_not_known() -> None:
    assert POINTS.interval(math.nan, 0.1) == ""


def test_an_interval_without_an_end_says_so() -> None:
    assert POINTS.interval(-math.inf, 0.1) == "-infinity to 10.0"


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0004, "<0.001"), (0.0042, "0.004"), (0.031, "0.03"), (0.0496, "0.050"), (0.42, "0.42"), (math.nan, "")],
)
def test_p_values(value: float, said: str) -> None:
    assert p_value(value) == said


def test_a_p_value_in_a_sentence() -> None:
    assert (p_phrase(0.03), p_phrase(0.0001)) == ("p = 0.03", "p < 0.001")


def test_there_is_no_negative_zero() -> None:
    assert number(-0.004, 1) == "0.0"


def test_thousands_are_separated() -> None:
    assert number(1234567.0, 0) == "1,234,567"


def test_a_share_of_nothing_is_blank() -> None:
    assert percent(0, 0) == ""


def test_lists_end_in_and() -> None:
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_labels_follow_the_switches() -> None:
    after = RereferralNfa(outcome_id="x", kind="rereferral_nfa", nfa="after_assessment", within_months=1)
    stock = KinshipPlacement(outcome_id="x", kind="kinship_placement", unit="stock", denominator="foster")

    assert after.label == "Re-referral within 1 month of no further action after assessment"
    assert stock.label == "Children placed with family or friends (foster children in care on 31 March)"


def test_outcomes_that_share_a_name_get_their_id_behind_it() -> None:
    twin = parse_study(STUDY_TEXT + '[[outcomes]]\noutcome_id = "icpc_again"\nkind = "icpc"\n')

    labels = outcome_labels(twin)

    assert labels["icpc_again"].endswith("(icpc_again)")
    assert labels["kinship_placement"] == outcome_labels(a_study())["kinship_placement"]


def test_a_merged_unit_has_all_its_names() -> None:
    assert unit_name("837+836") == "Bournemouth + Poole"


def test_an_unknown_unit_keeps_its_id() -> None:
    assert unit_name("X9") == "X9"
