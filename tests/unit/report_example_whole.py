"""The example with everything a run can leave: pilots that started apart, a lake counted by period, a frozen plan."""

from __future__ import annotations

from sos_spark.config.freeze import FrozenPlan
from sos_spark.report.results import LakeTables, Results
from tests.unit import report_example as example
from tests.unit import report_example_analyses as analyses


def results() -> Results:
    """Returns the results of such a run, with every frame but those the lake has by another name."""
    frozen = example.a_study().model_dump(mode="json", by_alias=True)
    frozen["outcomes"] = [outcome for outcome in frozen["outcomes"] if outcome["outcome_id"] != "kinship_placement"]
    lake = LakeTables(
        units=example.units(), flow=example.flow_by_period(), files=example.files(), ledger=example.ledger(),
        rule_counts=example.rule_counts(), expectations=example.expectations(), link_rates=example.link_rates(),
    )  # fmt: skip
    return Results(
        study=example.a_study(),
        fingerprint="f",
        estimates=example.estimates(),
        **analyses.frames(),
        event_study=example.event_study(),
        leave_one_out=example.leave_one_out(),
        balance=example.balance(),
        arms=example.staggered_arms(),
        cells=example.cells(),
        lake=lake,
        frozen=FrozenPlan("2021-01-01", "abc", ("outcomes: 3 -> 4",), frozen),
    )
