"""From returned files to cells, in both forms of a return, against silver made by hand from what was returned.

The journeys know nothing of the package: they give what authorities would send each year, with open cases sent again,
late entries and returns that a later one replaces. The cells must be the oracle's, to the last count.
"""

from __future__ import annotations

import csv
from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from sos_spark.config.environment import Environment
from sos_spark.config.reference import bank_holidays
from sos_spark.steps.cohort import cohort
from sos_spark.steps.context import Run
from sos_spark.steps.ingest import ingest
from sos_spark.steps.outcome import outcome
from sos_spark.steps.panel import panel
from sos_spark.steps.validate import validate
from tests.builders import a_study, census_year
from tests.oracle.outcome_oracle import Setting, answers, months_later
from tests.sources import EPISODES_HEADER, HEADER_HEADER, a_header, put

Row = dict[str, Any]
Returns = dict[tuple[str, str, int], dict[str, list[Row]]]
"""(collection, LA code, census year) -> module -> rows as returned, dates as dates."""

SPANS = {"835": (2019, 2019), "836": (2019, 2019), "837": (2019, 2019), "838": (2020, 2023), "839": (2020, 2023),
         "926": (2019, 2023), "301": (2019, 2023)}  # fmt: skip
MERGED = ("835", "836", "837", "838", "839")
IN_TABLES = ("301", "836", "838")
"""The authorities whose returns come as flat tables; the others send XML and CSV."""
MISSING = {("cin", "301", 2021), ("ssda903", "926", 2022), ("cin", "839", 2023)}
WINDOW = {"baseline": ["2018-04-01", "2021-04-01"], "follow_up": ["2021-04-01", "2023-04-01"], "period": "quarter",
          "data_ends": "2023-03-31"}  # fmt: skip
OUTCOMES: list[dict[str, Any]] = [
    {"outcome_id": "nfa", "kind": "rereferral_nfa"},
    {"outcome_id": "nfa_from_referral", "kind": "rereferral_nfa", "nfa": "after_assessment", "from": "referral"},
    {"outcome_id": "escalated", "kind": "rereferral_escalated"},
    {"outcome_id": "duration_calendar", "kind": "assessment_duration", "days": "calendar", "follow_up_days": 30},
    {"outcome_id": "kinship", "kind": "kinship_placement"},
    {"outcome_id": "stock", "kind": "kinship_placement", "unit": "stock"},
    {"outcome_id": "icpc_section47", "kind": "icpc", "index": "section47"},
]
CIN_KEYS = {"child_identifiers": (), "cin_details": ("CINreferralDate",),
            "assessments": ("CINreferralDate", "AssessmentActualStartDate"),
            "section47": ("CINreferralDate", "S47ActualStartDate"),
            "cp_plans": ("CINreferralDate", "CPPstartDate")}  # fmt: skip
ENTITIES = {"cin": ("cin_children", "referrals", "assessments", "section47_enquiries", "cp_plans"),
            "ssda903": ("lac_children", "lac_episodes")}  # fmt: skip
ELEMENTS = {"assessments": "Assessments", "section47": "Section47", "cp_plans": "ChildProtectionPlans"}
ONE_DAY = timedelta(days=1)
NO_DATES = ("2021-02-30", "2020-05-01 or 2020-06-01", "not yet", "0000-01-01", "2050-01-01", "1990-01-01")
"""What stands for the day something ended: none of it is one (the last two, because of when it began and was sent)."""


def some_day(random: Random, first: date, last: date) -> date:
    """Half the time the end of a month."""
    day = first + timedelta(days=random.randrange((last - first).days + 1))
    return min(last, day.replace(day=monthrange(day.year, day.month)[1])) if random.random() < 0.5 else day


def about(random: Random, day: date, months: int) -> date:
    """Half the time on, or a day beside, the last day of so many months."""
    near = months_later(day, months) + random.choice((-1, 0, 0, 1)) * ONE_DAY
    return near if random.random() < 0.5 else day + timedelta(days=random.randrange(250))


def some_returns(seed: int, *, children: int) -> Returns:
    random = Random(seed)
    returns: Returns = {
        (collection, la, year): defaultdict(list)
        for la, (first, last) in SPANS.items()
        for year in range(first, last + 1)
        for collection in ("cin", "ssda903")
        if (collection, la, year) not in MISSING
    }
    for number in range(children):
        la = random.choice(list(SPANS))
        begins, ends = date(SPANS[la][0] - 1, 4, 1), date(SPANS[la][1], 3, 31)
        child = f"{random.choice(('00', '0', '', 'A', 'X '))}{number}"
        referrals = list(_referrals(random, some_day(random, begins - timedelta(days=90), ends), ends))
        pick = random.choice(referrals)["CINreferralDate"]
        born = random.choice(
            (None, pick - timedelta(days=900), months_later(pick, -216) + random.choice((0, 1)) * ONE_DAY)
        )
        if pick.year == 2022:
            born = date(2004, 2, 29)
        person = {"UPN": random.choice((None, f"A{number:012d}")), "sex": random.choice("120"), "born": born}
        care = list(_care(random, about(random, pick, 6), ends)) if random.random() < 0.6 else []
        ids = [child if random.random() < 0.6 else f"L{number}", f"M{number}"]
        for (collection, code, year), modules in returns.items():
            if code == la and collection == "cin":
                _return_cin(modules, random, year, child, person, referrals)
            elif code == la:
                _return_care(modules, year, ids, person, care)
    return returns


def _referrals(random: Random, day: date, ends: date) -> Iterator[Row]:
    """A child's referrals in the course of time, each with what stands under it."""
    for _ in range(random.choice((1, 2, 3, 4))):
        if day > ends:
            return
        kind = random.choice(("nfa", "RC8", "RC9", "RC1", "open"))
        closed = about(random, day, 2) if kind.startswith("RC") else None
        closed = max(closed, day) if closed else None
        because = "RC8" if kind == "RC9" and closed and census_year(closed) < 2023 else kind
        row: Row = {"CINreferralDate": day, "ReferralNFA": kind == "nfa", "CINclosureDate": closed,
                    "ReasonForClosure": because if closed else None, "late": random.random() < 0.1,
                    "assessments": [], "section47": [], "cp_plans": [], "DateOfInitialCPC": None}  # fmt: skip
        if kind != "nfa":
            until = closed or day + timedelta(days=400)
            start = day + random.choice((0, 1, 3)) * ONE_DAY
            end = random.choice((None, start, start + timedelta(days=random.randrange(50, 80)), until))
            if start <= until:
                row["assessments"] = [(start, min(end, until) if end and end >= start else None)]
            held = random.choice((None, max(day, about(random, day, 6))))
            row["section47"] = [(day, held), *([(day + ONE_DAY, None)] if random.random() < 0.3 else [])]
            row["DateOfInitialCPC"] = random.choice((None, held))
            plan = max(day, about(random, day, 6))
            row["cp_plans"] = [(plan, None)] if random.random() < 0.4 else []
        yield row
        day = max(about(random, closed or day, 6), day + random.choice((0, 1)) * ONE_DAY)


def _return_cin(
    modules: dict[str, list[Row]], random: Random, year: int, child: str, person: Row, referrals: list[Row]
) -> None:
    begin, end = date(year - 1, 4, 1), date(year, 3, 31)

    def seen(day: date | None) -> date | None:
        return day if day and day <= end else None

    def written(day: date | None) -> date | str | None:
        """Now and then an authority's system gives what is no date, or a day that cannot be."""
        return random.choice(NO_DATES) if day and random.random() < 0.05 else day

    n_before = len(modules["cin_details"])
    for row in referrals:
        day, closed = row["CINreferralDate"], row["CINclosureDate"]
        first_year = census_year(day) + row["late"]
        last_year = first_year if row["ReferralNFA"] else max(first_year, census_year(closed) if closed else 9999)
        if not first_year <= year <= last_year or day > end:
            continue
        who = {"LAchildID": child, "CINreferralDate": day}
        modules["cin_details"].append({
            **who, "CINclosureDate": written(seen(closed)),
            "ReasonForClosure": seen(closed) and row["ReasonForClosure"],
            "DateOfInitialCPC": seen(row["DateOfInitialCPC"]),
            "ReferralNFA": row["ReferralNFA"], "ReferralSource": "1A", "PrimaryNeedCode": "N1",
        })  # fmt: skip
        for name, start, finish in (
            ("assessments", "AssessmentActualStartDate", "AssessmentAuthorisationDate"),
            ("section47", "S47ActualStartDate", "DateOfInitialCPC"),
            ("cp_plans", "CPPstartDate", "CPPendDate"),
        ):
            # What ended in an earlier year is not always returned again.
            modules[name].extend(
                {**who, start: began, finish: written(seen(ended)) if name == "assessments" else seen(ended)}
                for began, ended in row[name]
                if began <= end and not (ended and ended < begin and random.random() < 0.7)
            )
    if len(modules["cin_details"]) > n_before:
        born = person["born"]
        modules["child_identifiers"].append({"LAchildID": child, "UPN": person["UPN"], "GenderCurrent": person["sex"],
                                             "PersonBirthDate": born if born and born <= end else None})  # fmt: skip


def _care(random: Random, day: date, ends: date) -> Iterator[list[Row]]:
    """Periods of care, each a list of episodes that follow on each other."""
    while day <= ends and random.random() < 0.7:
        status, period = random.choice(("C2", "C2", "V2", "V4")), []
        for number in range(random.choice((1, 2, 3))):
            end = day + timedelta(days=random.choice((1, 30, 200, 500)))
            place = random.choice(("T0", "T3", "T4", "U1", "U3", "U4", "P1", "K2"))
            period.append({"DECOM": day, "DEC": end, "RNE": "P" if number else "S", "LS": status, "PLACE": place,
                           "REC": "X1", "CIN": "N1"})  # fmt: skip
            day = end
        endings: tuple[dict[str, Any], ...] = ({"REC": "E11"}, {"REC": None, "DEC": None})
        period[-1] |= random.choice(endings)
        yield period
        day += timedelta(days=random.choice((2, 100))) if period[-1]["DEC"] else timedelta(days=9999)


def _return_care(modules: dict[str, list[Row]], year: int, ids: list[str], person: Row, care: list[list[Row]]) -> None:
    begin, end = date(year - 1, 4, 1), date(year, 3, 31)
    for number, period in enumerate(care):
        child = ids[min(number, 1)]
        for row in period:
            if row["DECOM"] <= end and not (row["DEC"] and row["DEC"] < begin):
                open_then = row["DEC"] is None or row["DEC"] > end
                so_far = {"DEC": None, "REC": None} if open_then else {}
                modules["lac_episodes"].append({"CHILD": child, **row, **so_far})
                header = {"CHILD": child, "SEX": person["sex"], "DOB": person["born"], "UPN": person["UPN"]}
                if header not in modules["lac_header"]:
                    modules["lac_header"].append(header)


# --- the two forms ---------------------------------------------------------------------------------------------


def write_files(returns: Returns, source: Path) -> None:
    """XML and CSV, and one earlier return that must leave no trace."""
    random = Random(1)
    for (collection, la, year), modules in returns.items():
        if collection == "cin":
            body = _children(modules, random)
            put(source / f"cin/{year}/{la}.xml", _census(la, year, body, "05"))
            if la == "926":
                others = body.replace("<LAchildID>", "<LAchildID>Z")
                put(source / f"cin/{year}/first.xml", _census(la, year, others, "04"))
            continue
        for module, header in (("lac_header", HEADER_HEADER), ("lac_episodes", EPISODES_HEADER)):
            names = header.split(",")
            lines = [
                ",".join(f"{v:%d/%m/%Y}" if isinstance(v := row.get(n), date) else v or "" for n in names)
                for row in modules[module]
            ]
            put(source / f"ssda903/{year}/{la}/{module.removeprefix('lac_')}.csv", "\n".join([header, *lines]) + "\n")


def _census(la: str, year: int, children: str, month: str) -> str:
    header = a_header(la=la, year=str(year), at=f"{year}-{month}-01T09:00:00")
    return f"<Message>{header}<Children>{children}</Children></Message>"


def _children(modules: dict[str, list[Row]], random: Random) -> str:
    def leaves(row: Row, *without: str) -> str:
        flags = {True: ("true", "1"), False: ("false", "0")}
        return "".join(
            f"<{name}>{random.choice(flags[value]) if isinstance(value, bool) else value}</{name}>"
            for name, value in row.items()
            if value is not None and name not in without
        )

    children = ""
    for child in modules["child_identifiers"]:
        details, written = "", set()
        for row in modules["cin_details"]:
            if row["LAchildID"] != child["LAchildID"]:
                continue
            day = row["CINreferralDate"]
            inside = "".join(
                f"<{element}>{leaves(one, 'LAchildID', 'CINreferralDate')}</{element}>"
                for module, element in ELEMENTS.items()
                for one in modules[module]
                if day not in written and (one["LAchildID"], one["CINreferralDate"]) == (row["LAchildID"], day)
            )
            written.add(day)
            details += f"<CINdetails>{leaves(row, 'LAchildID')}{inside}</CINdetails>\n"
        children += f"<Child><ChildIdentifiers>{leaves(child)}</ChildIdentifiers>{details}</Child>\n"
    return children


def write_tables(returns: Returns, source: Path) -> None:
    """Parquet with the types a database would give: dates, booleans; SSDA903 dates as text."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for (_, la, year), modules in returns.items():
        for module, own in modules.items():
            rows[module].extend({"la_code": la, "census_year": year, **row} for row in own)
    for module, own in rows.items():
        names = dict.fromkeys(name for row in own for name in row)
        in_slashes = module.startswith("lac_")
        as_text = {name for row in own for name, value in row.items() if value in NO_DATES}
        columns = {
            name: [
                f"{v:%d/%m/%Y}" if in_slashes and isinstance(v, date) else str(v) if v and name in as_text else v
                for v in (row.get(name) for row in own)
            ]
            for name in names
        }
        path = source / "tables" / module / "national.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.table(columns), path)


# --- silver by hand --------------------------------------------------------------------------------------------


def latest(returns: Returns, module: str, *key: str) -> dict[tuple[Any, ...], Row]:
    """The row of the latest return of each key; of a day's two referrals the one that is not NFA, then later closed.

    An end that is no date is not known: the row is there all the same, and of a day's two it comes last.
    """
    kept: dict[tuple[Any, ...], tuple[Any, Row]] = {}
    for (_, la, year), modules in returns.items():
        for row in modules.get(module, []):
            child = row["LAchildID"] if "LAchildID" in row else row["CHILD"]
            identity = (la, child, *(row[name] for name in key))
            closure = row.get("CINclosureDate") or date.max
            rank = (year, not row.get("ReferralNFA"), date.min if closure in NO_DATES else closure)
            if identity not in kept or rank > kept[identity][0]:
                usable = {name: None if value in NO_DATES else value for name, value in row.items()}
                kept[identity] = rank, {**usable, "la_code": la, "child_id": child, "census_year": year}
    return {identity: row for identity, (_, row) in kept.items()}


def age_on(born: date | None, day: date | None) -> int | None:
    if born is None or day is None:
        return None
    return max(0, day.year - born.year - ((day.month, day.day) < (born.month, born.day)))


def silver_by_hand(returns: Returns) -> dict[str, list[Row]]:
    cin = {module: latest(returns, module, *key) for module, key in CIN_KEYS.items()}
    headers, episodes = latest(returns, "lac_header"), latest(returns, "lac_episodes", "DECOM")
    born = {who: row["PersonBirthDate"] for who, row in cin["child_identifiers"].items()}
    people: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for (la, child), row in cin["child_identifiers"].items():
        people[la, row["UPN"], row["PersonBirthDate"], row["GenderCurrent"]].append(child)
    links = []
    for (la, child), row in headers.items():
        known = row["UPN"] and row["DOB"]
        same = people[la, row["UPN"], row["DOB"], row["SEX"]] if known else []
        found = child if (la, child) in cin["child_identifiers"] else same[0] if len(same) == 1 else None
        links.append({"la_code": la, "lac_child_id": child, "cin_child_id": found})

    def events(module: str, **names: str) -> list[Row]:
        return [{**row, **{ours: row.get(theirs) for ours, theirs in names.items()}} for row in cin[module].values()]

    referrals = events("cin_details", referral_date="CINreferralDate", closure_date="CINclosureDate",
                       closure_reason="ReasonForClosure", is_nfa_at_referral="ReferralNFA")  # fmt: skip
    for row in referrals:
        row["age_at_referral"] = age_on(born[row["la_code"], row["child_id"]], row["referral_date"])
        row["age_at_closure"] = age_on(born[row["la_code"], row["child_id"]], row["closure_date"])
    assessments = events("assessments", assessment_start_date="AssessmentActualStartDate",
                         assessment_authorised_date="AssessmentAuthorisationDate")  # fmt: skip
    enquiries = events("section47", section47_start_date="S47ActualStartDate")
    for row in [*assessments, *enquiries]:
        start = row.get("assessment_start_date") or row["section47_start_date"]
        row["age_at_start"] = age_on(born[row["la_code"], row["child_id"]], start)
    conferences = {
        (row["la_code"], row["child_id"], row["DateOfInitialCPC"])
        for module in ("cin_details", "section47")
        for row in cin[module].values()
        if row["DateOfInitialCPC"]
    }
    care = [
        {**row, "care_episode_start_date": row["DECOM"], "care_episode_end_date": row["DEC"],
         "reason_new_episode": row["RNE"], "legal_status": row["LS"], "placement_code": row["PLACE"],
         "reason_episode_ceased": row["REC"], "age_at_start": age_on(dob, row["DECOM"]),
         "birth_month": dob and dob.replace(day=1)}
        for (la, child, _), row in episodes.items()
        for dob in [headers[la, child]["DOB"]]
    ]  # fmt: skip
    return {
        "referrals": referrals, "assessments": assessments, "section47": enquiries, "lac_episodes": care,
        "cp_plans": events("cp_plans", cpp_start_date="CPPstartDate"), "child_links": links,
        "icpcs": [{"la_code": la, "child_id": child, "icpc_date": day} for la, child, day in conferences],
    }  # fmt: skip


def empty_after_others(returns: Returns) -> dict[tuple[str, str], set[int]]:
    """The years of an LA whose return is empty where an earlier one had rows, by entity: they observe nothing."""
    lost: dict[tuple[str, str], set[int]] = defaultdict(set)
    for (collection, la, year), modules in returns.items():
        core = "cin_details" if collection == "cin" else "lac_episodes"
        earlier = [own for (c, code, before), own in returns.items() if (c, code) == (collection, la) and before < year]
        if not modules[core] and any(own[core] for own in earlier):
            for entity in ENTITIES[collection]:
                lost[la, entity].add(year)
    return lost


def expected_cells(returns: Returns) -> dict[tuple[str, str, int], tuple[int, int, int]]:
    accepted: dict[tuple[str, str], set[int]] = defaultdict(set)
    for collection, la, year in returns:
        accepted[la, collection].add(year)
    spans = [tuple(map(date.fromisoformat, WINDOW[name])) for name in ("baseline", "follow_up")]
    units = {la: MERGED if la in MERGED else (la,) for la in SPANS}
    setting = Setting(
        baseline=spans[0], follow_up=spans[1], period="quarter", data_ends=date(2023, 3, 31), transition="keep",  # type: ignore[arg-type]
        age_min=0, age_max=17, units={la: ("+".join(codes), codes, *SPANS[la]) for la, codes in units.items()},
        go_live={}, accepted=accepted, holidays=set(bank_holidays()), unobserved=empty_after_others(returns),
    )  # fmt: skip
    silver, cells = silver_by_hand(returns), defaultdict(list)
    reasons: Counter[str | None] = Counter()
    for one in OUTCOMES:
        for answer in answers(setting, silver, one):
            reasons[answer.reason] += 1
            if answer.reason is None and answer.period is not None and answer.y is not None:
                cells[one["outcome_id"], answer.unit_id, answer.period].append(answer.y)
    assert {"unit_incomplete", "not_fully_observed", "age_out_of_range", "age_unknown"} <= set(reasons)
    return {key: (len(ys), sum(ys), sum(y * y for y in ys)) for key, ys in cells.items()}


@pytest.mark.slow
def test_cells_of_returned_files_are_the_oracles(spark: SparkSession, tmp_path: Path) -> None:
    everything = some_returns(5, children=200)
    # A year of which no table has a row was not returned; an empty file is a return.
    returns = {where: own for where, own in everything.items() if where[1] not in IN_TABLES or any(own.values())}
    write_files({where: own for where, own in returns.items() if where[1] not in IN_TABLES}, tmp_path / "source")
    write_tables({where: own for where, own in returns.items() if where[1] in IN_TABLES}, tmp_path / "source")
    key = tmp_path / "key"
    key.touch(mode=0o600)
    key.write_text("k" * 40)
    study = a_study(window=WINDOW, outcomes=OUTCOMES, pilots=[{"la_code": "926", "go_live": "2021-04-01"}])
    places = Environment(source=tmp_path / "source", lake=tmp_path / "lake", out=tmp_path, key_file=key)
    run = Run("run", places, study, lambda: spark)
    for step in (ingest, validate, cohort, outcome, panel):
        assert step(run).exit_code == 0
    with (tmp_path / "cells.csv").open() as handle:
        found = {
            (row["outcome_id"], row["unit_id"], int(row["period"])): (
                int(row["n"]),
                int(row["y_sum"]),
                int(row["y_sumsq"]),
            )
            for row in csv.DictReader(handle)
        }
    expected = expected_cells(returns)
    assert found == expected
    assert {name for name, _, _ in expected} == {one["outcome_id"] for one in OUTCOMES}
