"""Whatever the seed, a child's records make sense together, and no return knows the future."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sos_spark.simulate import Effects
from sos_spark.simulate.days import NEVER, add_months, last_day
from tests.simulated import LAST_YEAR, simulated_journeys, simulated_records

SEEDS = st.integers(0, 2**31 - 1)
few = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@few
@given(seed=SEEDS)
def test_events_lie_inside_their_case_and_cases_do_not_overlap(seed: int) -> None:
    ((_, journeys),) = simulated_journeys(scale=0.05, seed=seed, la_codes=["926"])
    cases, children = journeys.cases, journeys.children
    same_child = cases.child[1:] == cases.child[:-1]
    assert (cases.referred[1:] > cases.closed[:-1])[same_child].all()
    spans = (("assessed_from", "assessed_to"), ("plan_from", "plan_to"), ("care_from", "care_to"))
    for name in ("enquiry", "conference", *(end for span in spans for end in span)):
        day = getattr(cases, name)
        happened = day < NEVER
        assert (day >= cases.referred)[happened].all(), name
        assert (day <= cases.closed)[happened].all(), name
    for first, second in spans:
        start, end = getattr(cases, first), getattr(cases, second)
        assert ((start < NEVER) == (end < NEVER)).all()
        assert (start <= end).all()
    in_care = cases.care_from < NEVER
    assert (cases.care_from >= children.birth[cases.child])[in_care].all()
    soon = (cases.conference <= add_months(cases.referred, 6)) | (cases.conference == NEVER)
    assert soon.all()
    assert ((cases.plan_from == cases.conference) | (cases.plan_from == NEVER)).all()


@few
@given(seed=SEEDS)
def test_episodes_follow_each_other_without_a_gap(seed: int) -> None:
    ((_, journeys),) = simulated_journeys(scale=0.05, seed=seed, la_codes=["926"])
    episodes = journeys.episodes
    same_period = (episodes.child[1:] == episodes.child[:-1]) & (
        episodes.period_began[1:] == episodes.period_began[:-1]
    )
    assert (episodes.began[1:] == episodes.ended[:-1])[same_period].all()
    assert (episodes.began[1:] >= episodes.ended[:-1])[episodes.child[1:] == episodes.child[:-1]].all()
    assert (episodes.ended > episodes.began).all()
    assert ((episodes.reason_new == 0) == (episodes.began == episodes.period_began)).all()
    # A period goes on to its last episode, or past the last day that any return observes.
    assert (episodes.is_last[:-1] | same_period | (episodes.ended[:-1] > last_day(LAST_YEAR))).all()


def days(column: pa.ChunkedArray) -> list[int | None]:
    return column.cast(pa.int32()).to_pylist()


@few
@given(seed=SEEDS)
def test_no_return_knows_what_came_after_31_march(seed: int) -> None:
    tables, _ = simulated_records(Effects(), la_codes=["926"], scale=0.02, seed=seed)
    for module in ("cin_details", "assessments", "section47", "cp_plans", "child_identifiers"):
        table = tables[module]
        ends = [last_day(year) for year in table["census_year"].to_pylist()]
        for field in table.schema:
            if field.type != pa.date32() or field.name in ("ExpectedPersonBirthDate", "InitialCPCtarget"):
                continue
            late = sum(day is not None and day > end for day, end in zip(days(table[field.name]), ends, strict=True))
            # The corrupt rows with a day that cannot be are the only ones.
            assert late <= 8 if field.name == "CINreferralDate" else late == 0, (module, field.name)


@pytest.mark.parametrize("module", ["cin_details", "lac_episodes"])
def test_a_record_open_over_31_march_comes_back_and_ends_once(module: str) -> None:
    tables, _ = simulated_records(Effects(), la_codes=["926"], scale=0.05, seed=5)
    table = tables[module]
    child, began, ended = (
        ("LAchildID", "CINreferralDate", "CINclosureDate")
        if module == "cin_details"
        else (
            "CHILD",
            "DECOM",
            "DEC",
        )
    )
    rows: dict[tuple[object, object], list[tuple[int, bool]]] = {}
    for row in table.to_pylist():
        if module == "lac_episodes" or row["ReferralNFA"] in ("0", "false"):
            rows.setdefault((row[child], row[began]), []).append((row["census_year"], row[ended] is not None))
    returned_twice = 0
    for seen in rows.values():
        years, closed = zip(*seen, strict=True)
        assert list(years) == list(range(years[0], years[0] + len(years)))
        assert not any(closed[:-1])
        returned_twice += len(years) > 1
        if not closed[-1]:
            assert years[-1] == 2020 or len(seen) == 1
    assert returned_twice > 100
