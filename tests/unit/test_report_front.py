"""The first screen: the finding in words, the picture's places, and checks that lead to their evidence."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import pytest

from sos_spark.config.freeze import FrozenPlan
from sos_spark.report.contents import sections_of
from sos_spark.report.front import checks
from sos_spark.report.front.checks import checks_of
from sos_spark.report.front.finding import headline, lede
from sos_spark.report.front.picture import look_of, panels_of
from sos_spark.report.front.screen import front_of
from sos_spark.report.page import render_page
from sos_spark.report.results import LakeTables, PlantedEffect, Results
from tests.unit import report_example as example
from tests.unit import report_example_analyses as analyses

KINSHIP, RETURN, LENGTH = "kinship_placement", "rereferral_nfa_6m", "assessment_duration"
BARE = Results(
    study=example.a_study(), fingerprint="f", estimates=example.estimates(), arms=example.arms()
)  # fmt: skip
WHOLE = replace(
    BARE,
    leave_one_out=example.leave_one_out(),
    balance=example.balance(),
    lake=LakeTables(flow=example.flow(), expectations=example.expectations()),
    **analyses.frames(),
)


def with_main(results: Results, outcome_id: str, **changes: Any) -> Results:
    """The results with an outcome's main estimate changed."""
    frame = results.estimates.copy()
    own = (frame["outcome_id"] == outcome_id) & (frame["specification"] == "main")
    for name, value in changes.items():
        frame.loc[own, name] = value
    return replace(results, estimates=frame)


UNCLEAR = with_main(BARE, KINSHIP, p_wcr=0.3, p_cr2=0.3, p_ri=0.3)


class TestHeadline:
    def test_one_change_is_said_with_its_size(self) -> None:
        assert headline(BARE) == (
            "Entrants to care placed with family or friends fell by about 6.2 in 100 in nine pilot authorities,"
            " 2015 to 2018"
        )

    def test_the_size_of_the_one_change_is_uncertain(self) -> None:
        assert "The data are compatible with anything from 2.1 to 10 fewer in 100." in lede(BARE)

    def test_a_length_gets_shorter(self) -> None:
        results = with_main(UNCLEAR, LENGTH, att=-2.4, p_wcr=0.01, p_cr2=0.01, p_adjusted=0.02)

        assert headline(results).startswith("Assessments got shorter by about 2.4 working days in nine")
        uncertain = with_main(results, LENGTH, ci_low_wcr=-4.5, ci_high_wcr=-0.3)
        assert "anything from 0.3 to 4.5 working days shorter." in lede(uncertain)

    def test_several_changes_are_counted_and_named_below(self) -> None:
        results = with_main(BARE, RETURN, p_wcr=0.01, p_cr2=0.01, p_adjusted=0.02)

        assert headline(results).startswith("Two of four outcomes changed in nine pilot authorities")
        assert "Re-referral within 6 months of no further action fell by about 1.2 in 100." in lede(results)

    def test_no_change_is_not_clear_where_one_that_matters_is_not_ruled_out(self) -> None:
        assert headline(UNCLEAR).startswith("No clear change in what happened to children")

    def test_no_change_that_matters_is_said_only_where_all_are_ruled_out(self) -> None:
        ruled_out = replace(UNCLEAR, estimates=UNCLEAR.estimates.assign(p_equivalence=0.01))

        assert headline(ruled_out).startswith("No change of a size that matters in nine")

    def test_few_pilots_cannot_tell(self) -> None:
        arms = example.arms()
        pilots = sorted(set(arms.loc[arms["arm"] == "pilot", "unit_id"]))[3:]
        few = replace(UNCLEAR, arms=arms[~arms["unit_id"].isin(pilots)])

        assert headline(few).startswith("Too few pilots to tell whether anything changed in three pilot authorities")

    def test_without_estimates_nothing_is_claimed(self) -> None:
        blank = replace(BARE, estimates=BARE.estimates.assign(att=math.nan))

        assert headline(blank).startswith("Nothing could be estimated")

    def test_a_placebo_outcome_is_no_part_of_the_finding(self) -> None:
        sensitivity = BARE.study.sensitivity.model_copy(update={"placebo_outcomes": (KINSHIP,)})
        results = replace(BARE, study=BARE.study.model_copy(update={"sensitivity": sensitivity}))

        assert headline(results).startswith("No clear change")
        assert "None of the three outcomes" in lede(results)

    def test_what_could_not_be_seen_is_said_in_natural_units(self) -> None:
        said = lede(UNCLEAR)

        assert said.startswith("Compared with ")
        assert "None of the four outcomes moved by more than chance would explain." in said
        assert "smaller than 4.3 to 5.7 in 100 or 2.9 working days, good or bad, may have gone unseen." in said
        assert "For one of four outcomes no estimate could be made." in said

    def test_what_is_at_the_edge_of_chance_is_told_apart(self) -> None:
        results = with_main(BARE, KINSHIP, p_wcr=0.07, p_cr2=0.06)

        said = lede(results)

        assert "Closest to a change: entrants to care placed with family or friends, 6.2 fewer in 100" in said
        assert look_of(results, KINSHIP) == "edge"
        assert look_of(results, RETURN) == "unclear"


class TestPicture:
    def test_outcomes_of_a_unit_share_an_axis_and_the_larger_group_is_first(self) -> None:
        shares, lengths = panels_of(BARE)

        assert [row.anchor for row in shares.rows] == [f"answer-{key}" for key in (RETURN, KINSHIP, "icpc")]
        assert lengths.unit == "working days"
        assert [row.name for row in lengths.rows] == ["Length of assessments"]

    def test_places_are_in_order_and_within_the_axis(self) -> None:
        results = replace(BARE, truth=(PlantedEffect(KINSHIP, -0.05, 10),))
        row = panels_of(results)[0].rows[1]

        assert row.line is not None
        assert row.seen is not None
        assert row.planted is not None
        assert row.at is not None
        assert 0 < row.line.start < row.at < row.planted < row.line.end < panels_of(results)[0].zero < row.seen.end
        assert row.look == "changed"

    def test_one_axis_has_one_scale(self) -> None:
        panel = panels_of(BARE)[0]
        named = {tick.words: tick.at for tick in panel.ticks}

        assert named["no change"] == panel.zero
        left = [tick for tick in panel.ticks if tick.words.endswith("fewer")]
        assert left
        per_unit = {(panel.zero - tick.at) / float(tick.words.split()[0]) for tick in left}
        assert max(per_unit) == pytest.approx(min(per_unit), rel=0.01)
        right = [tick for tick in panel.ticks if tick.words.endswith("more")]
        assert all(tick.at > panel.zero for tick in right)

    def test_a_band_stands_where_the_study_names_what_would_matter(self) -> None:
        shares = panels_of(BARE)[0].rows

        assert [row.matters is not None for row in shares] == [True, False, False]

    def test_a_change_too_large_to_be_is_not_marked_as_one_that_could_be_seen(self) -> None:
        row = panels_of(with_main(BARE, KINSHIP, mde=0.9))[0].rows[1]

        assert row.seen is None

    def test_an_endless_interval_ends_with_the_outcome(self) -> None:
        row = panels_of(with_main(BARE, KINSHIP, ci_low_wcr=-math.inf, ci_high_wcr=math.inf))[0].rows[1]

        assert row.interval == "14 fewer to 86 more"
        assert row.line is not None
        assert 0 <= row.line.start < row.line.end <= 100

    def test_an_endless_interval_of_a_length_runs_to_the_edge(self) -> None:
        row = panels_of(with_main(BARE, LENGTH, ci_low_wcr=-math.inf, ci_high_wcr=math.inf))[1].rows[0]

        assert row.interval == "31 shorter to any number longer"
        assert row.line is not None
        assert row.line.end == 100

    def test_an_outcome_without_an_estimate_says_so_and_draws_nothing(self) -> None:
        row = panels_of(BARE)[0].rows[2]

        assert (row.change, row.interval, row.verdict, row.at, row.line) == ("", "", "no estimate", None, None)


def said_of(results: Results, make: Any) -> tuple[str, bool]:
    check = make(results)
    assert check is not None
    return check.words, check.holds


def test_a_check_without_its_files_is_left_out_and_not_passed() -> None:
    assert {check.anchor for check in checks_of(BARE)} == {"numbers", "placebo", "plan"}
    nothing = replace(BARE, estimates=BARE.estimates.assign(att=math.nan, p_wcr=math.nan, p_ri=math.nan))
    assert [check.anchor for check in checks_of(nothing) if check.holds] == []


class TestChecks:
    def test_tests_of_chance_that_disagree_are_named(self) -> None:
        assert said_of(WHOLE, checks.chance) == ("Same answer by three tests of chance", True)
        apart = with_main(WHOLE, KINSHIP, p_ri=0.2)
        words = "Tests of chance disagree on entrants to care placed with family or friends"
        assert said_of(apart, checks.chance) == (words, False)

    def test_no_drift_seen_is_not_the_same_as_one_ruled_out(self) -> None:
        assert said_of(WHOLE, checks.drift_before) == ("Drift before go-live: none seen, not ruled out", False)
        ruled_out = replace(WHOLE, pretrend=WHOLE.pretrend.assign(p_equivalence=0.01))
        assert said_of(ruled_out, checks.drift_before) == ("No drift before go-live that matters", True)
        drifting = replace(WHOLE, pretrend=WHOLE.pretrend.assign(p_joint=0.01))
        assert said_of(drifting, checks.drift_before) == (
            "Pilots were drifting before go-live: three of three outcomes", False
        )  # fmt: skip

    def test_a_pilot_that_turns_the_sign_is_counted(self) -> None:
        frame = WHOLE.leave_one_out
        steady = replace(WHOLE, leave_one_out=frame.assign(att=-1.0))
        assert said_of(steady, checks.one_pilot) == ("No single pilot decides a direction", True)
        turned = frame.assign(att=-1.0)
        first = turned.index[(turned["outcome_id"] == KINSHIP) & (turned["arm"] == "pilot")][0]
        turned.loc[first, "att"] = 1.0
        words, holds = said_of(replace(WHOLE, leave_one_out=turned), checks.one_pilot)
        assert words == "One pilot decides the direction of entrants to care placed with family or friends"
        assert not holds

    def test_pilots_by_lot_are_set_against_the_verdict(self) -> None:
        assert said_of(WHOLE, checks.pseudo_pilots) == ("Pilots drawn by lot give the same answer", True)
        unclear = with_main(WHOLE, KINSHIP, p_wcr=0.3, p_cr2=0.3)
        words = "Entrants to care placed with family or friends: 3 of 500 pilots by lot moved as far"
        assert said_of(unclear, checks.pseudo_pilots) == (words, False)

    def test_more_placebos_than_chance_would_find_call_for_caution(self) -> None:
        assert said_of(BARE, checks.placebos) == ("None of three placebo tests found an effect", True)
        frame = BARE.estimates.copy()
        frame.loc[frame["analysis"] == "placebo", ["p_wcr", "p_cr2"]] = 0.01
        assert said_of(replace(BARE, estimates=frame), checks.placebos) == (
            "Three of three placebo tests found an effect", False
        )  # fmt: skip

    def test_groups_that_differed_say_by_how_much(self) -> None:
        assert said_of(replace(WHOLE, balance=WHOLE.balance.assign(smd_after=0.05)), checks.alike)[1]
        words, holds = said_of(replace(WHOLE, balance=WHOLE.balance.assign(smd_after=-0.64)), checks.alike)
        assert words == "Pilots and comparators differed before, by up to 0.6 standard deviations"
        assert not holds

    def test_unknown_outcomes_are_a_caution_where_the_groups_differ(self) -> None:
        assert said_of(WHOLE, checks.unknowns) == ("Unknown outcomes: at most 6 in 100, alike in both groups", True)
        flow = example.flow()
        pilots = flow["unit_id"].isin(example.PILOTS) & (flow["reason"] == "not_fully_observed")
        flow.loc[pilots, "n_rows"] *= 10
        apart = replace(WHOLE, lake=replace(WHOLE.lake, flow=flow))
        words, holds = said_of(apart, checks.unknowns)
        assert words == "Unknown outcomes differ between the groups, by up to 33 in 100"
        assert not holds

    def test_returns_that_could_not_be_used_come_before_checks_that_held(self) -> None:
        passed = replace(WHOLE.lake, expectations=example.expectations().assign(passed=True))
        n = len(passed.expectations)
        held = replace(WHOLE, lake=passed)
        assert said_of(held, checks.data_quality) == (f"{n} of {n} checks of the data held", True)
        refused = replace(held, refused=("cin/2015/304.xml",))
        assert said_of(refused, checks.data_quality) == ("One return could not be used", False)

    @pytest.mark.parametrize(
        ("frozen", "expected"),
        [
            (None, ("Plan not frozen before the results", False)),
            (FrozenPlan("2024-01-01", "f", (), {}), ("Plan frozen before the results", True)),
            (FrozenPlan("2024-01-01", "g", ("seed",), {}), ("Plan frozen, and changed since", False)),
        ],
    )
    def test_a_plan(self, frozen: FrozenPlan | None, expected: tuple[str, bool]) -> None:
        assert said_of(replace(BARE, frozen=frozen), checks.planned) == expected


def test_the_answer_comes_before_the_contents_and_every_mark_leads_to_its_evidence() -> None:
    sections = sections_of(BARE)
    html = render_page(BARE, sections)

    assert html.index("<h1>Entrants to care") < html.index('aria-label="Contents"')
    ids = set(re.findall(r'id="([^"]+)"', html))
    front = html[html.index('<section class="front"') : html.index("<nav")]
    links = re.findall(r'href="#([^"]+)"', front)
    assert set(links) <= ids
    assert {"answer-kinship_placement", "numbers", "placebo", "plan"} <= set(links)


def test_a_check_whose_section_is_not_there_leads_nowhere() -> None:
    front = front_of(BARE, [section for section in sections_of(BARE) if section.anchor != "plan"])

    assert [check.words for check in front.checks if not check.anchor] == ["Plan not frozen before the results"]
    assert front.checks_in_words == "Two of three checks hold, one calls for caution"


def test_the_key_explains_only_what_is_shown() -> None:
    assert not front_of(BARE, ()).has_planted
    assert front_of(replace(BARE, truth=(PlantedEffect(KINSHIP, -0.06, 9),)), ()).has_planted
    assert "Effect planted" not in render_page(BARE, ())


def test_numbers_are_read_as_natural_units() -> None:
    from sos_spark.report.words.natural import change, counted, span
    from sos_spark.report.words.numbers import PER_10_000, POINTS, WORKING_DAYS

    assert change(POINTS, -0.1237) == "12 fewer in 100"
    assert change(POINTS, 0.026) == "2.6 more in 100"
    assert change(POINTS, 0.0004) == "no difference"
    assert change(WORKING_DAYS, -1.44) == "1.4 working days shorter"
    assert change(PER_10_000, 0.00051) == "5.1 more per 10,000 children"
    assert span(POINTS, -0.23, 0.013) == "23 fewer to 1.3 more"
    assert span(POINTS, -0.103, -0.021) == "2.1 to 10 fewer"
    assert span(POINTS, math.nan, 0.1) == ""
    assert [counted(n) for n in (0, 9, 62)] == ["no", "nine", "62"]


def test_a_row_of_the_picture_is_readable_without_it() -> None:
    html = render_page(BARE, ())
    row = html[html.index('href="#answer-kinship_placement"') :]
    words = " ".join(re.sub(r"<[^>]+>", " ", row[: row.index("</li>")]).split())

    assert "14 in 100 before" in words
    assert "6.2 fewer in 100 changed 2.1 to 10 fewer" in words
