"""A kind of outcome is one file to declare it and one to compute it: here both are this file, and all else finds it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

import pandas as pd
import pytest
from pydantic import Field
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sos_spark.analysis.bounds import study_bounds
from sos_spark.analysis.declared import specifications
from sos_spark.cli.commands_study import template
from sos_spark.cli.main import main
from sos_spark.config.load import parse_study
from sos_spark.config.model import Words
from sos_spark.config.outcomes import KINDS, Outcome, declare
from sos_spark.config.outcomes.base import ScaleName, Switch, months_in_words
from sos_spark.config.study import Covariates, Study
from sos_spark.outcome.kinds import COMPUTED, judges, require_every_kind
from sos_spark.outcome.records import Records
from sos_spark.outcome.referrals import dates_by_child
from sos_spark.outcome.rows import COMMON, Scope, Verdict, observe
from sos_spark.outcome.sums import sum_index_rows
from sos_spark.panel.collapse import cells_of
from sos_spark.report.results import LakeTables, Results
from sos_spark.report.sections.flow import flow_table
from sos_spark.report.sections.method import definitions
from sos_spark.report.words.specifications import meaning, spoken
from tests.builders import a_plan, a_referral, quarantined
from tests.builders import a_study as a_small_study
from tests.outcome_world import World, all_index_rows, assert_index_rows
from tests.unit import report_example as example


class PlanAfterReferral(Outcome):
    """A child protection plan within some months of a referral."""

    is_binary: ClassVar[bool] = True
    reads: ClassVar[tuple[str, ...]] = ("referrals", "cp_plans", "cin_children")
    events: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    switches: ClassVar[Mapping[str, Switch]] = {
        "plan_within_months": Words("Plan within {} months", "another time allowed for a plan")
    }

    kind: Literal["plan_after_referral"]
    plan_within_months: int = Field(6, ge=1, le=60, description="The months in which a plan counts.")

    @property
    def label(self) -> str:
        return f"Protection plan within {months_in_words(self.plan_within_months)}"

    @property
    def definition(self) -> str:
        return f"Of referrals: a plan within {months_in_words(self.plan_within_months)}."

    @property
    def entity(self) -> str:
        return "referrals"

    @property
    def scale(self) -> ScaleName:
        return "points"

    @property
    def greatest(self) -> float:
        return 1.0


def referrals(outcomes: Sequence[PlanAfterReferral], records: Records, scope: Scope) -> DataFrame:
    plans = dates_by_child(records.silver["cp_plans"], "cpp_start_date")
    rows = (
        records.silver["referrals"]
        .withColumn("index_date", F.col("referral_date"))
        .withColumn("age_years", F.col("age_at_referral"))
        .select(*COMMON)
        .join(F.broadcast(plans), ["la_code", "child_id"], "left")
    )
    return observe(rows, scope, kind=outcomes[0].kind)


def plan_verdict(outcome: PlanAfterReferral) -> Verdict:
    until = F.add_months("index_date", outcome.plan_within_months)
    started = F.exists("event_dates", lambda day: day.between(F.col("index_date"), until))
    return Verdict(F.coalesce(started, F.lit(False)), {}, until)


@pytest.fixture(autouse=True)
def _toy() -> Iterator[None]:
    known, computed = dict(KINDS), dict(COMPUTED)
    declare(PlanAfterReferral)
    judges(PlanAfterReferral, rows=referrals)(plan_verdict)
    Study.model_rebuild(force=True)
    yield
    for registry, before in ((KINDS, known), (COMPUTED, computed)):
        registry.clear()
        registry.update(before)  # type: ignore[arg-type]
    Study.model_rebuild(force=True)


PLAN = """
[[outcomes]]
outcome_id = "plan"
kind = "plan_after_referral"
plan_within_months = 3
"""


def a_study() -> Study:
    longer = '[sensitivity]\noutcome_switches = [{ outcome_id = "plan", plan_within_months = 12 }]\n'
    return parse_study(example.STUDY_TEXT + PLAN + longer)


def as_plan(frame: pd.DataFrame) -> pd.DataFrame:
    """What the example has of another share, as the toy's own."""
    return frame[frame["outcome_id"] == "rereferral_nfa_6m"].assign(outcome_id="plan")


def results() -> Results:
    lake = LakeTables(
        units=example.units(), flow=as_plan(example.flow()), files=example.files(), ledger=example.ledger()
    )
    return Results(
        study=a_study(),
        fingerprint="f",
        estimates=as_plan(example.estimates()),
        arms=as_plan(example.arms()),
        cells=as_plan(example.cells()),
        lake=lake,
    )


def test_study_check_takes_it_and_tells_the_faults_of_its_keys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound, faulty = tmp_path / "sound.toml", tmp_path / "faulty.toml"
    first, rest = template().split("[covariates]", 1)
    sound.write_text(f"{first}{PLAN}\n[covariates]{rest}", encoding="utf-8")
    faulty.write_text(sound.read_text(encoding="utf-8").replace("plan_within_months", "plan_within_month"), "utf-8")

    before = len(tomllib.loads(template())["outcomes"])
    assert main(["study", "check", str(sound)]) == 0
    assert f"{before + 1} outcomes" in capsys.readouterr().out
    assert main(["study", "check", str(faulty)]) == 2
    told = f"outcomes[{before + 1}].plan_within_month: unknown key; did you mean plan_within_months?"
    assert told in capsys.readouterr().err


def test_it_has_index_rows_that_are_unknown_where_what_it_reads_is(spark: SparkSession) -> None:
    world = World(
        referrals=[a_referral("2015-05-01", child=child) for child in "abc"],
        cp_plans=[a_plan("2015-08-01", child="a"), a_plan("2015-08-02", child="b")],
        quarantined=[quarantined("cp_plans", 2016, child="c")],
    )
    assert_index_rows(
        spark,
        world,
        [("a", "2015-05-01", 1, None), ("b", "2015-05-01", 0, None), ("c", "2015-05-01", None, "quarantined_record")],
        outcome={"kind": "plan_after_referral", "plan_within_months": 3},
        window__max_quarantined=1.0,
    )


def test_its_index_rows_become_cells(spark: SparkSession) -> None:
    study = a_small_study(outcomes=[{"outcome_id": "plan", "kind": "plan_after_referral"}])
    world = World(
        referrals=[a_referral("2015-05-01", child=child) for child in "abc"], cp_plans=[a_plan("2015-05-02", child="a")]
    )
    rows = all_index_rows(spark, world, study)
    (cell,) = cells_of(sum_index_rows(rows, Covariates())).collect()
    assert (cell.outcome_id, cell.n, cell.y_sum, cell.y_sumsq) == ("plan", 3, 1, 1)


def test_the_flow_counts_the_records_it_is_made_of() -> None:
    flow = flow_table(results())
    own = flow[(flow["outcome_id"] == "plan") & (flow["arm"] == "pilot") & (flow["reason"] == "")]
    stages = dict(zip(own["stage"], own["n_rows"], strict=True))
    assert (stages["received"], stages["analysed"]) == (9 * 5 * 100, 9 * 80)


def test_its_unknown_rows_bound_its_effect() -> None:
    bounds = study_bounds(as_plan(example.cells()), a_study(), flow=as_plan(example.flow_by_period()))
    assert list(bounds["what"]) == ["missing", "missing_within_follow_up"]
    assert (bounds["att_low"] < bounds["att_high"]).tolist() == [True, False]


def test_it_is_fitted_on_the_scale_of_odds_and_under_its_switches() -> None:
    names = [one.name for one in specifications(a_study(), "plan")]
    assert {"logit", "plan_within_months=12"} <= set(names)


def test_the_report_has_its_words() -> None:
    report = results()
    assert report.labels["plan"] == "Protection plan within 3 months"
    assert report.scales["plan"].axis == "Change in percentage points"
    assert ("Protection plan within 3 months", "Of referrals: a plan within 3 months.", "primary") in definitions(
        report.study
    )
    assert spoken("plan_within_months=12") == "Plan within 12 months"
    assert meaning("plan_within_months=12") == "another time allowed for a plan"


def test_a_kind_without_index_rows_or_that_reads_what_is_not_there_is_refused() -> None:
    del COMPUTED[PlanAfterReferral]
    with pytest.raises(TypeError, match="kinds of outcome without index rows: plan_after_referral"):
        require_every_kind()

    class Elsewhere(PlanAfterReferral):
        reads: ClassVar[tuple[str, ...]] = ("cp_plan",)

    class Misspelt(PlanAfterReferral):
        events: ClassVar[Mapping[str, tuple[str, ...]]] = {"referrals": ("icpc_dat",)}

    with pytest.raises(TypeError, match="it reads cp_plan, which is no entity of silver"):
        judges(Elsewhere, rows=referrals)(plan_verdict)
    with pytest.raises(TypeError, match="referrals has no field icpc_dat"):
        judges(Misspelt, rows=referrals)(plan_verdict)
    with pytest.raises(TypeError, match="it has no key month"):
        judges(PlanAfterReferral, rows=referrals, by=("month",))(plan_verdict)
