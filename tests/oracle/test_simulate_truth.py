"""The truth file against outcomes counted by DuckDB from the records, by the conventions of the study's outcomes.

Two worlds of one seed: one without effects, one with an effect on every outcome. What the records differ by is what the
truth says was planted, and nothing differs where nothing was planted.
"""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from sos_spark.config.reference import bank_holidays
from tests.simulated import simulated_records, some_effects

LAS = ("926", "938", "801", "825")
TREATED = ("926", "938", "801")
SIZES = {
    "kinship_placement": -0.10,
    "rereferral_nfa_6m": 0.05,
    "rereferral_escalated": 0.02,
    "icpc": 0.03,
    "assessment_duration": -3.0,
    "assessment_within_45": 0.04,
}

EVENTS = """
create table referrals as
select * from (
    select la_code as la, LAchildID as child, CINreferralDate as day, ReferralNFA in ('1', 'true') as nfa,
        CINclosureDate as closed, ReasonForClosure as reason,
        row_number() over (partition by la_code, LAchildID, CINreferralDate
                           order by ReferralNFA in ('1', 'true'), census_year desc) as place
    from cin_details where LAchildID is not null and CINreferralDate <= date '2020-03-31')
where place = 1;

create table same_person as
select distinct h.la_code as la, h.CHILD as care_id, i.LAchildID as child
from lac_header h join child_identifiers i on h.la_code = i.la_code and h.UPN = i.UPN and h.CHILD <> i.LAchildID
where length(h.UPN) = 13;

create table episodes as
select distinct on (la, care_id, day) *
from (select la_code as la, CHILD as care_id, try_strptime(DECOM, '%d/%m/%Y')::date as day, RNE, LS, PLACE, census_year
      from lac_episodes where CHILD is not null)
where day is not null order by la, care_id, day, census_year desc;

create table reached as
select la_code as la, LAchildID as child, CPPstartDate as day from cp_plans
union
select e.la, coalesce(p.child, e.care_id), e.day from episodes e left join same_person p using (la, care_id)
where e.RNE = 'S' and e.LS not in ('V3', 'V4');

create table conferences as
select la_code as la, LAchildID as child, DateOfInitialCPC as day from section47 where DateOfInitialCPC is not null
union
select la_code, LAchildID, DateOfInitialCPC from cin_details where DateOfInitialCPC is not null;

create table decisions as
select la, child, day as referred, case when nfa then day else closed end as day from referrals
where nfa or reason in ('RC8', 'RC9');

create table again as
select d.la, d.child, d.referred, r.day from decisions d join referrals r using (la, child)
where r.day > d.referred and r.day >= d.day and r.day <= d.day + interval 6 month;

create table escalated as
select distinct a.la, a.child, a.referred from again a join reached e using (la, child)
where e.day >= a.day and e.day <= a.day + interval 6 month;
"""

OUTCOMES = {
    "rereferral_nfa_6m": """
        select la, day, (exists (select 1 from again a where a.la = d.la and a.child = d.child
                                 and a.referred = d.referred))::int as y
        from decisions d where day <= date '2019-03-31'""",
    "rereferral_escalated": """
        select la, day, (exists (select 1 from escalated e where e.la = d.la and e.child = d.child
                                 and e.referred = d.referred))::int as y
        from decisions d where day <= date '2019-03-31'""",
    "icpc": """
        select la, day, (exists (select 1 from conferences c where c.la = r.la and c.child = r.child
                                 and c.day >= r.day and c.day <= r.day + interval 6 month))::int as y
        from referrals r where day <= date '2019-09-30'""",
    "kinship_placement": """
        select la, min(day) as day, (min_by(PLACE, day) filter (where PLACE not like 'T%')
                                     in ('Q1', 'U1', 'U2', 'U3'))::int as y
        from (select *, sum((RNE = 'S')::int) over (partition by la, care_id order by day) as period
              from episodes where LS not in ('V3', 'V4'))
        where period > 0 group by la, care_id, period
        having min_by(PLACE, day) filter (where PLACE not like 'T%') is not null""",
}


Rows = dict[str, np.ndarray]
Worlds = tuple[dict[str, Rows], dict[str, Rows], dict[str, dict[str, Any]]]


def outcomes(tables: dict[str, pa.Table]) -> dict[str, dict[str, np.ndarray]]:
    """Returns la, day and y of every index row whose window was observed, by outcome."""
    connection = duckdb.connect()
    for module, table in tables.items():
        connection.register(module, table)
    connection.execute(EVENTS)
    found: dict[str, Any] = {outcome_id: connection.execute(sql).fetchnumpy() for outcome_id, sql in OUTCOMES.items()}
    assessments = connection.execute(
        """select distinct on (la_code, LAchildID, CINreferralDate, AssessmentActualStartDate) la_code as la,
                  AssessmentActualStartDate as day, AssessmentAuthorisationDate as done
           from assessments where AssessmentActualStartDate < date '2019-08-01'
           order by la_code, LAchildID, CINreferralDate, AssessmentActualStartDate, census_year desc"""
    ).fetchnumpy()
    assert not np.ma.getmaskarray(np.ma.asarray(assessments["done"])).any()
    start = np.asarray(assessments["day"]).astype("datetime64[D]")
    end = np.ma.getdata(assessments["done"]).astype("datetime64[D]")
    length = np.busday_count(start + 1, end + 1, holidays=np.array(bank_holidays(), dtype="datetime64[D]"))
    found["assessment_duration"] = {"la": assessments["la"], "day": start, "y": length}
    found["assessment_within_45"] = {"la": assessments["la"], "day": start, "y": (length <= 45).astype(int)}
    return found


def mean_and_error(rows: dict[str, np.ndarray], *, treated: bool, after: bool) -> tuple[float, float, int]:
    """Returns the mean of y, its standard error, and the number of rows."""
    day = rows["day"].astype("datetime64[D]")
    chosen = np.isin(rows["la"].astype(str), TREATED) == treated
    chosen &= (day >= np.datetime64("2015-04-01")) == after
    chosen &= day >= np.datetime64("2012-04-01")
    # DuckDB gives rows in any order, and a floating-point sum depends on it.
    y = np.sort(np.asarray(rows["y"], dtype=float)[chosen])
    return float(y.mean()), float(y.std() / np.sqrt(len(y))), len(y)


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    baselines = {"kinship_placement": 0.30}
    plain = some_effects(la_codes=TREATED, baselines=baselines)
    planted = some_effects(*SIZES.items(), la_codes=TREATED, baselines=baselines)
    without, _ = simulated_records(plain, la_codes=LAS, scale=1.0, seed=7)
    with_effects, truth = simulated_records(planted, la_codes=LAS, scale=1.0, seed=7)
    return outcomes(without), outcomes(with_effects), {str(entry["outcome_id"]): entry for entry in truth}


@pytest.mark.slow
@pytest.mark.parametrize("outcome_id", sorted(SIZES))
def test_the_records_differ_by_what_the_truth_says(outcome_id: str, worlds: Worlds) -> None:
    without, with_effects, truth = worlds
    before, error_before, n_before = mean_and_error(without[outcome_id], treated=True, after=True)
    after, error_after, n_after = mean_and_error(with_effects[outcome_id], treated=True, after=True)
    injected = truth[outcome_id]["effect_injected"]
    assert min(n_before, n_after) > 3000
    assert after - before == pytest.approx(injected, abs=3 * np.hypot(error_before, error_after))
    # Large enough to be told from nothing, so that the comparison says something.
    assert abs(injected) > 4 * np.hypot(error_before, error_after)


@pytest.mark.slow
@pytest.mark.parametrize("outcome_id", sorted(set(SIZES) - {"assessment_duration", "assessment_within_45"}))
def test_the_effect_injected_is_the_size_asked(outcome_id: str, worlds: Worlds) -> None:
    assert worlds[2][outcome_id]["effect_injected"] == pytest.approx(SIZES[outcome_id], rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("outcome_id", sorted(SIZES))
def test_nothing_differs_where_nothing_was_planted(outcome_id: str, worlds: Worlds) -> None:
    without, with_effects, _ = worlds
    same = {"treated": False, "after": True}
    assert mean_and_error(without[outcome_id], **same) == mean_and_error(with_effects[outcome_id], **same)
    early = [mean_and_error(world[outcome_id], treated=True, after=False)[0] for world in (without, with_effects)]
    # An early row's window may reach into the treated time, so a few early rows have other neighbours.
    assert early[1] == pytest.approx(early[0], rel=0.02)


@pytest.mark.slow
def test_a_baseline_replaces_the_level_of_its_authorities_alone(worlds: Worlds) -> None:
    named, _, _ = mean_and_error(worlds[0]["kinship_placement"], treated=True, after=False)
    elsewhere, _, _ = mean_and_error(worlds[0]["kinship_placement"], treated=False, after=False)
    assert named == pytest.approx(0.30, abs=0.04)
    assert elsewhere < 0.24
