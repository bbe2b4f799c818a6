"""What the sections on the further analyses say: the words that a reader takes away, from numbers chosen for them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from sos_spark.config.freeze import FrozenPlan
from sos_spark.report.blocks import Banner, Bullets, DataTable, Section, Table, Text
from sos_spark.report.results import LakeTables, Results
from sos_spark.report.sections import drift, each_outcome, placebo, power, robustness, secondary, staggered, unknown
from sos_spark.report.sections.drift import pretrend_table, survival_in_words
from sos_spark.report.sections.placebo import pilots_in_words, placebo_tests, placebos_in_words
from sos_spark.report.sections.robustness import curve_in_words, not_estimated, other_estimates, specification_curve
from sos_spark.report.sections.staggered import twfe_in_words
from sos_spark.report.sections.unknown import bounds_in_words, shares_by_period, unknown_table
from sos_spark.tables.results import BOUNDS
from tests.unit import report_example as example
from tests.unit import report_example_analyses as analyses

KINSHIP = "Entrants to care placed with family or friends"
RESULTS = Results(
    study=example.a_study(),
    fingerprint="f",
    estimates=example.estimates(),
    arms=example.arms(),
    cells=example.cells(),
    **analyses.frames(),
)
BARE = Results(study=example.a_study(), fingerprint="f", estimates=example.estimates())


def words_of(section: Section | None) -> str:
    """All that a section says outside its figures."""
    assert section is not None
    said: list[str] = []
    for block in section.blocks:
        if isinstance(block, Text):
            said.append(str(block.words))
        elif isinstance(block, Bullets):
            said += map(str, block.items)
        elif isinstance(block, Banner):
            said += [block.title, block.words]
        elif isinstance(block, Table):
            said += [block.caption, *(cell for row in block.content.rows for cell in row)]
    return " ".join(said)


def changed(frame: pd.DataFrame, outcome_id: str, **changes: Any) -> pd.DataFrame:
    """A frame with one outcome's rows changed."""
    frame = frame.copy()
    for column, value in changes.items():
        frame.loc[frame["outcome_id"] == outcome_id, column] = value
    return frame


@pytest.mark.parametrize(
    "make", [drift.section, staggered.section, placebo.section, secondary.section, unknown.section]
)
def test_without_its_files_a_section_is_left_out(make: Any) -> None:
    bare = replace(BARE, estimates=example.estimates().query("specification == 'main'"))

    assert make(bare) is None


def test_main_estimates_alone_are_no_other_ways() -> None:
    only = example.estimates().query("specification == 'main' and outcome_id != 'icpc'")

    assert robustness.section(replace(BARE, estimates=only)) is None


class TestDrift:
    def test_the_table_gives_each_drift_its_verdict(self) -> None:
        rows = {row[0]: row for row in pretrend_table(RESULTS).rows}

        assert rows["Length of assessments, working days"][-1] == "yes (p = 0.02)"
        assert rows["Re-referral within 6 months of no further action, percentage points"][-1].startswith(
            "not ruled out"
        )
        assert rows[f"{KINSHIP}, percentage points"][-1] == "no size that matters was named"

    def test_the_numbers_are_on_the_outcomes_scale(self) -> None:
        row = next(row for row in pretrend_table(RESULTS).rows if row[0].startswith("Re-referral"))

        assert row[1:6] == ("0.34", "0.05", "-0.09 to 0.19", "0.31", "1.6")

    def test_a_finding_says_how_large_a_violation_it_survives(self) -> None:
        said = survival_in_words(RESULTS, "kinship_placement")

        assert "would survive a violation of up to 0.62 times the largest one seen before go-live" in said
        assert "a bend in the earlier drift of up to 0.80 points a year each year" in said

    def test_an_effect_that_turns_when_the_drift_goes_on_is_no_survivor(self) -> None:
        honest = RESULTS.honest.copy()
        turned = (honest["restriction"] == "smoothness") & (honest["outcome_id"] == "kinship_placement")
        honest.loc[turned, ["ci_low", "ci_high"]] = 0.01, 0.05
        results = replace(RESULTS, honest=honest)

        said = survival_in_words(results, "kinship_placement")
        pictures = [drift.honest_picture(results, key) for key in results.labels]

        assert "the effect would be the other way round, 1.0 to 5.0 percentage points" in said
        assert "bend" not in said
        assert ["Orange" in picture.caption for picture in pictures if picture] == [False, False, True]

    def test_an_effect_that_is_none_under_parallel_trends_says_so(self) -> None:
        said = survival_in_words(RESULTS, "assessment_duration")

        assert "Not distinguishable from no change even under exactly parallel trends" in said
        assert "survive" not in said

    def test_an_effect_that_nothing_breaks_says_so(self) -> None:
        results = replace(RESULTS, honest=changed(RESULTS.honest, "kinship_placement", breakdown=math.inf))

        assert "would survive a violation of any size" in survival_in_words(results, "kinship_placement")

    def test_reasons_why_there_are_no_bounds_and_descriptions_are_told(self) -> None:
        results = replace(RESULTS, honest=changed(RESULTS.honest, "kinship_placement", label="descriptive"))

        said = words_of(drift.section(results))

        assert "no bounds: 4 or <fewer> pilots" in said
        assert f"{KINSHIP}: these bounds describe" in said

    def test_an_endless_bound_can_be_drawn(self) -> None:
        honest = RESULTS.honest.copy()
        honest.loc[honest["m"] > 0, ["ci_low", "ci_high"]] = -math.inf, math.inf

        picture = drift.honest_picture(replace(RESULTS, honest=honest), "assessment_duration")

        assert picture is not None
        assert "to infinity" in picture.alt
        assert picture.drawn.svg


class TestRobustness:
    def test_the_curve_counts_directions_and_findings(self) -> None:
        assert curve_in_words(RESULTS, "kinship_placement") == (
            "8 of 8 other ways point the same way as the main one. By the headline rule 8 of the 8"
            " that it can judge are evidence of a change; the main one is. It needs two methods of inference, which 1"
            " of the 9 do not have."
        )
        assert "7 of 8 other ways" in curve_in_words(RESULTS, "rereferral_nfa_6m")

    def test_placebos_are_not_on_the_curve_and_the_main_one_is_marked(self) -> None:
        picture = specification_curve(RESULTS, "kinship_placement")

        assert picture is not None
        assert not any("Pretend" in row[0] for row in picture.table.rows)
        assert "The main one is number 4 in order of size." in picture.alt

    def test_an_interval_of_another_method_is_named(self) -> None:
        picture = specification_curve(RESULTS, "kinship_placement")

        assert picture is not None
        by = {row[0]: row[3] for row in picture.table.rows}
        assert (by["Synthetic comparators"], by["Main"]) == ("CR2", "bootstrap")

    def test_with_few_pilots_no_interval_stands_in_for_the_bootstrap(self) -> None:
        frame = example.estimates().assign(headline="p_ri", ci_low_wcr=math.nan, ci_high_wcr=math.nan)

        assert replace(RESULTS, estimates=frame).specifications("kinship_placement")["low"].isna().all()

    def test_a_reason_stands_once_with_its_outcomes(self) -> None:
        reasons = not_estimated(RESULTS)

        assert len(reasons) == 2
        assert reasons[1].startswith("Go-live 1 April 2013: no period lies <before> go-live (Length of assessments; ")

    def test_a_plan_marks_what_it_does_not_name(self) -> None:
        plan = FrozenPlan("2021-01-01", "f", (), example.a_study().model_dump(mode="json", by_alias=True))
        results = replace(RESULTS, frozen=plan)

        marks = {row[1]: row[2] for row in other_estimates(results).rows}
        picture = specification_curve(results, "kinship_placement")

        assert (marks["Every authority counts the same"], marks["Go-live 1 April 2014"]) == ("declared", "exploratory")
        assert picture is not None
        assert "* exploratory: not in the frozen plan." in picture.caption
        assert "Go-live 1 April 2017 *" in picture.alt

    def test_the_simplest_check_is_left_out_where_it_cannot_be_done(self) -> None:
        blank = analyses.welch().assign(att=math.nan, p=math.nan, note="needs one go-live date")

        assert "simplest check" not in words_of(robustness.section(replace(RESULTS, welch=blank)))

    def test_a_main_estimate_that_is_no_finding_is_not_counted_as_one(self) -> None:
        assert "none of the 8 that it can judge is evidence of a change; the main one is not" in curve_in_words(
            RESULTS, "rereferral_nfa_6m"
        )

    def test_the_simplest_check_is_there(self) -> None:
        assert "Authorities' changes, pilots less comparators" in words_of(robustness.section(RESULTS))


class TestPlacebo:
    def test_tests_that_find_nothing_are_as_they_should_be(self) -> None:
        assert placebos_in_words(placebo_tests(RESULTS)) == (
            "Of 3 placebo tests none found an effect by the headline rule, as it should be."
        )

    def test_tests_that_find_something_are_set_against_chance(self) -> None:
        frame = example.estimates()
        frame.loc[frame["analysis"] == "placebo", ["p_wcr", "p_cr2"]] = 0.01

        said = placebos_in_words(placebo_tests(replace(RESULTS, estimates=frame)))

        assert said.startswith("Of 3 placebo tests 3 found an effect")
        assert "by chance alone fewer than one would be expected" in said

    def test_the_main_estimate_of_an_unaffected_outcome_is_a_placebo(self) -> None:
        study = example.a_study()
        sensitivity = study.sensitivity.model_copy(update={"placebo_outcomes": ("kinship_placement",)})
        results = replace(RESULTS, study=study.model_copy(update={"sensitivity": sensitivity}))

        assert "Outcome the programme cannot move" in words_of(placebo.section(results))
        assert len(placebo_tests(results)) == 4

    def test_pseudo_pilots_are_counted(self) -> None:
        said = pilots_in_words(RESULTS, "kinship_placement")

        assert said.startswith(f"{KINSHIP}: 3 of 500 draws of pseudo-pilots gave an effect at least as large")
        assert "lie between -3.7 and 3.7" in said

    def test_the_histogram_counts_every_draw(self) -> None:
        section = placebo.section(RESULTS)

        assert section is not None
        rows = section.pictures[0].table.rows
        assert sum(int(row[2]) for row in rows if row[0] == KINSHIP) == 500


class TestSecondary:
    def test_made_up_characteristics_carry_one_banner(self) -> None:
        assert words_of(secondary.section(RESULTS)).count("made up by the simulator") == 1

    def test_the_note_of_the_fit_makes_up_for_a_missing_source(self) -> None:
        told = analyses.secondary().drop(columns="source")
        told["note"] = "simulated characteristics, from the simulator's truth"

        assert "made up by the simulator" in words_of(secondary.section(replace(RESULTS, secondary=told)))

    def test_declared_characteristics_carry_none(self) -> None:
        results = replace(RESULTS, secondary=analyses.secondary("study"))

        assert "simulator" not in words_of(secondary.section(results))

    def test_a_reason_for_leaving_an_analysis_out_stands_once(self) -> None:
        assert words_of(secondary.section(RESULTS)).count("Not done: no <practice> model of comparators is known") == 1

    def test_terms_are_words_and_few_pilots_have_no_interval(self) -> None:
        section = secondary.section(RESULTS)

        assert section is not None
        rows = {row[1]: row for row in section.pictures[0].table.rows if row[0] == KINSHIP}
        assert set(rows) == {
            "Rated requires improvement or inadequate", "Rated good or outstanding", "Difference between the two",
        }  # fmt: skip
        assert rows["Difference between the two"][3] == ""
        assert rows["Rated requires improvement or inadequate"][3] == "-12.4 to -2.5"


class TestStaggered:
    RESULTS = replace(RESULTS, arms=example.staggered_arms())

    def test_pilots_that_started_together_have_no_section(self) -> None:
        assert staggered.section(RESULTS) is None

    def test_the_simple_average_is_set_beside_the_main_one(self) -> None:
        frame = example.estimates()
        twfe = (frame["outcome_id"] == "kinship_placement") & (frame["specification"] == "twfe")
        frame.loc[twfe, ["att", "note"]] = 0.01, "12% of its weights are negative"

        said = twfe_in_words(replace(self.RESULTS, estimates=frame), "kinship_placement")

        assert (
            "the simple average gives 1.0, the main estimate -6.2 percentage points: they point opposite ways" in said
        )
        assert "16% of its weight compares late pilots with pilots that had started." in said
        assert said.endswith("12% of its weights are negative.")

    def test_averages_say_what_they_are_over_and_missing_ones_why(self) -> None:
        frame = analyses.aggregates()
        frame.loc[frame["estimator"] == "imputation", ["att", "note"]] = math.nan, "nobody is <untreated>"

        said = words_of(staggered.section(replace(self.RESULTS, aggregates=frame)))

        assert "Pilots that started 1 April 2015" in said
        assert "Groups of pilots, by their rows" in said
        assert said.count("Imputation could not be had: nobody is <untreated>") == 1

    def test_every_estimator_has_its_column_and_its_explanation(self) -> None:
        section = staggered.section(self.RESULTS)

        assert section is not None
        table = next(block.content for block in section.blocks if isinstance(block, Table) and not block.folded)
        assert table.header[1:] == (
            "Callaway-Sant'Anna, never-pilots", "Callaway-Sant'Anna, also not-yet-pilots", "Imputation", "Sun-Abraham",
        )  # fmt: skip
        assert "Imputation: each pilot's path without the programme is predicted" in words_of(section)
        assert "bacon_kinship_placement" in {picture.name for picture in section.pictures}
        of_outcome = {section.anchor: section.pictures for section in each_outcome.sections(self.RESULTS)}
        names = [picture.name for picture in of_outcome["answer-kinship_placement"]]
        assert "staggered_kinship_placement" in names


class TestUnknown:
    LAKE = LakeTables(units=example.units(), flow=example.flow_by_period())

    def test_every_kind_of_unknown_value_has_a_name_in_words(self) -> None:
        (what,) = (column.codes for column in BOUNDS.columns if column.name == "what")
        assert set(unknown.WHAT) == set(what)
        assert not any("_" in words for words in unknown.WHAT.values())

    def test_shares_are_those_of_each_period_and_arm(self) -> None:
        results = replace(RESULTS, lake=self.LAKE)
        shares = shares_by_period(results, unknown.unknown_by_period(results), "kinship_placement")

        # a pilot has 80 rows analysed in a period, 5 + period not observed; a comparator always 5
        assert shares.loc[10, "pilot"] == pytest.approx(15 / 95)
        assert shares.loc[10, "comparator"] == pytest.approx(5 / 85)

    def test_periods_have_names_and_the_whole_is_not_folded(self) -> None:
        results = replace(RESULTS, lake=self.LAKE)

        section = unknown.section(results)

        assert unknown_table(results).rows[0][1] == "2013 Q2"
        assert section is not None
        whole, by_period = (block for block in section.blocks if isinstance(block, Table))
        assert not whole.folded
        pilots = next(row for row in whole.content.rows if row[0] == KINSHIP and row[1] == "Pilots")
        assert pilots[3] == f"{9 * sum(5 + period for period in range(20)):,}"
        assert by_period.folded

    def test_without_periods_there_is_one_table_and_no_figure(self) -> None:
        section = unknown.section(replace(BARE, lake=LakeTables(units=example.units(), flow=example.flow())))

        assert section is not None
        assert (len(section.pictures), sum(isinstance(block, Table) for block in section.blocks)) == (0, 1)

    @pytest.mark.parametrize(
        ("att_low", "att_high", "ci_low", "said"),
        [
            (-0.07, -0.05, -0.09, "they cannot turn its direction."),
            (-0.07, 0.01, -0.09, "they could turn its direction."),
        ],
    )
    def test_bounds_say_whether_the_direction_hangs_on_them(
        self, att_low: float, att_high: float, ci_low: float, said: str
    ) -> None:
        frame = analyses.bounds().assign(att_low=att_low, att_high=att_high, ci_low=ci_low, ci_high=0.02, note="")
        row = next(frame.query("outcome_id == 'kinship_placement'").itertuples())

        assert bounds_in_words(RESULTS, row).endswith(said)

    def test_bounds_that_leave_zero_out_say_so(self) -> None:
        row = next(analyses.bounds().query("outcome_id == 'kinship_placement'").itertuples())

        said = bounds_in_words(RESULTS, row)

        assert "hidden counts in 31 of 480 cells (6.5%); the estimate lies between -7.8 and -4.6" in said
        assert "told from no change" in said

    def test_why_there_are_no_bounds_is_told(self) -> None:
        assert "No bounds for missing values: nothing was <fitted>" in words_of(unknown.section(RESULTS))


class TestPower:
    def test_the_curve_is_drawn_where_power_was_simulated(self) -> None:
        section = power.section(RESULTS)

        assert section is not None
        assert f"{KINSHIP}: a change of" in section.pictures[0].alt

    def test_without_simulations_the_formula_is_a_table(self) -> None:
        section = power.section(replace(RESULTS, power=analyses.power().query("source == 'analytic'")))

        assert section is not None
        assert section.pictures == ()
        assert "Chance of finding a change, by its size" in words_of(section)

    def test_the_section_is_there_without_any_power(self) -> None:
        assert "4.3 points" in words_of(power.section(BARE))

    def test_a_study_that_finds_nothing_says_so(self) -> None:
        weak = analyses.power().assign(power=0.2)

        section = power.section(replace(RESULTS, power=weak))

        assert section is not None
        assert "is found in 20.0% of simulated studies only" in section.pictures[0].alt


def test_a_last_column_of_words_that_says_nothing_is_dropped() -> None:
    table = DataTable(("a", "b", "note"), (("x", "1", ""), ("y", "2", "")), words=1)

    assert table.trimmed() == DataTable(("a", "b"), (("x", "1"), ("y", "2")), words=0)
    assert replace(table, rows=(("x", "1", "why"),)).trimmed().header[-1] == "note"
