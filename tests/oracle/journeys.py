"""Children's journeys made to be awkward: year ends, short months, weekends, mergers, missing returns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

from tests.builders import (
    a_link,
    a_plan,
    a_referral,
    a_section47,
    an_assessment,
    an_episode,
    an_icpc,
    census_year,
    quarantined,
    returns,
)
from tests.outcome_world import AUTHORITIES, World

EDGES = [
    date(year, month, number)
    for year in range(2012, 2021)
    for month, number in (
        (1, 1), (1, 31), (2, 28), (3, 30), (3, 31), (4, 1), (5, 25), (6, 30), (7, 1), (8, 29), (8, 30), (8, 31),
        (9, 30), (10, 1), (11, 30), (12, 24), (12, 25), (12, 31),
    )
] + [date(2016, 2, 29), date(2020, 2, 29), date(2015, 4, 3), date(2015, 4, 6)]  # fmt: skip
VALID = {"835": (2013, 2019), "836": (2013, 2019), "837": (2013, 2019), "838": (2020, 2020), "839": (2020, 2020)}
UNOBSERVED = {
    ("926", 2018, "cin"): ("section47", "section47_enquiries"),
    ("302", 2016, "ssda903"): ("lac_episodes", "lac_episodes"),
    ("301", 2020, "cin"): ("cin_details", "referrals"),
}
"""LA-years of which most of an entity's rows were quarantined: the module, and the entity it makes."""
MODULES = {
    "cin": ("child_identifiers", "cin_details", "assessments", "section47", "cp_plans"),
    "ssda903": ("lac_header", "lac_episodes"),
}
"""What every return of these worlds brought some rows of."""
PLACEMENTS = ["T0", "T0", "T3", "U1", "U2", "Q1", "Q2", "U4", "U6", "P1", "K2", "R1", None]


def some_day(random: Random, first: date = date(2012, 5, 1), last: date = date(2020, 3, 31)) -> date:
    """Half the time an edge."""
    if random.random() < 0.5:
        inside = [day for day in EDGES if first <= day <= last]
        if inside:
            return random.choice(inside)
    return first + timedelta(days=random.randrange(max(1, (last - first).days + 1)))


def a_world(seed: int, *, children: int) -> World:
    """So many children over some authorities, several of them with gaps in their returns."""
    random = Random(seed)
    world: dict[str, list[dict[str, Any]]] = {
        name: []
        for name in ("referrals", "assessments", "section47", "cp_plans", "icpcs", "lac_episodes", "child_links")
    }
    for number in range(children):
        la = random.choice(AUTHORITIES)
        first, last = (date(VALID[la][0] - 1, 4, 1), date(VALID[la][1], 3, 31)) if la in VALID else (
            date(2012, 4, 1), date(2020, 3, 31))  # fmt: skip
        _add_child(world, random, la, f"c{number:04d}", first, last)
    world["quarantined"] = list(_quarantined(random, world))
    gaps = {"301": (2016,), "302": (2013, 2018)}
    files = [
        *returns(2013, 2020, la="926"),
        *(file for la, (begin, end) in VALID.items() if la != "836" for file in returns(begin, end, la=la)),
        *returns(2013, 2019, la="836", missing=(2015,), collections=("cin",)),
        *returns(2014, 2019, la="836", collections=("ssda903",)),
        *returns(2013, 2020, la="301", missing=gaps["301"], collections=("cin",)),
        *returns(2014, 2019, la="301", missing=(2018,), collections=("ssda903",)),
        *returns(2013, 2020, la="302", missing=gaps["302"]),
    ]
    for file in files:
        file["rows_by_module"] = dict.fromkeys(MODULES[file["collection"]], 10_000)
        module = UNOBSERVED.get((file["la_code"], file["census_year"], file["collection"]))
        if module:
            file["rows_by_module"][module[0]] = 100
            world["quarantined"] += [
                quarantined(module[1], file["census_year"], child=None, la=file["la_code"]) for _ in range(60)
            ]
    return World(**world, files=files)


def _quarantined(random: Random, world: dict[str, list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """A quarantined row of some children, in the return of a year that holds a record of theirs, or the one after."""
    entities = {"referrals": "referrals", "assessments": "assessments", "section47": "section47_enquiries",
                "cp_plans": "cp_plans", "lac_episodes": "lac_episodes"}  # fmt: skip
    for name, entity in entities.items():
        for row in world[name]:
            if random.random() < 0.06:
                year = row["census_year"] if row["census_year"] <= 2020 else 2020
                yield quarantined(entity, year + random.choice((0, 0, 1)), child=row["child_id"], la=row["la_code"])


def _add_child(
    world: dict[str, list[dict[str, Any]]], random: Random, la: str, child: str, first: date, last: date
) -> None:
    age = random.choice([None, -1, 0, 1, 4, 5, 9, 10, 15, 16, 17, 18])
    referred = sorted({some_day(random, first, last) for _ in range(random.choice([1, 2, 3, 4]))})
    while random.random() < 0.6:
        near = random.choice(referred) + timedelta(days=random.randrange(1, 220))
        referred = sorted({*referred, min(near, last)})
    for day in referred:
        closed = None
        if random.random() < 0.7:
            closed = min(last, day + timedelta(days=random.choice([0, 1, 30, 60, 184, random.randrange(300)])))
            if random.random() < 0.3:
                closed = random.choice([*(d for d in EDGES if day <= d <= closed), closed])
        world["referrals"].append(
            a_referral(
                day,
                nfa=random.random() < 0.3,
                closed=closed,
                because=random.choice(["RC1", "RC8", "RC8", "RC9"]) if closed else None,
                child=child,
                la=la,
                age=age,
                age_at_closure=age,
                year=random.choice([None, 2023]) if closed else census_year(last),
            )
        )
        for start in sorted({day, min(last, day + timedelta(days=random.randrange(40)))}):
            length = random.choice([None, 0, 1, 2, 45, 62, 63, 64, 65, 66, random.randrange(200)])
            authorised = None if length is None else min(last, start + timedelta(days=length))
            world["assessments"].append(an_assessment(start, authorised, child=child, la=la, age=age, referred=day))
            if random.random() < 0.4:
                world["section47"].append(a_section47(start, child=child, la=la, age=age, referred=day))
        for add, rows in ((an_icpc, world["icpcs"]), (a_plan, world["cp_plans"])):
            if random.random() < 0.35:
                when = min(last, day + timedelta(days=random.choice([0, 1, 100, 183, 184, random.randrange(400)])))
                if all(row["la_code"] != la or row["child_id"] != child or when not in row.values() for row in rows):
                    rows.append(add(when, child=child, la=la))
    if random.random() < 0.6:
        _add_care(world, random, la, child, first, last, age)


def _add_care(
    world: dict[str, list[dict[str, Any]]],
    random: Random,
    la: str,
    child: str,
    first: date,
    last: date,
    age: int | None,
) -> None:
    same_id = random.random() < 0.6
    lac_child = child if same_id else f"lac-{child}"
    world["child_links"].append(a_link(lac_child, None if random.random() < 0.15 else child, la=la))
    start = some_day(random, first - timedelta(days=500), last)
    for number in range(random.choice([1, 2, 3, 5])):
        if start > last:
            return
        length = random.choice([1, 5, 40, 100, 365, 800])
        end: date | None = start + timedelta(days=length)
        if end is not None and (end > last or random.random() < 0.05):
            end = None
        ceased = None if end is None else random.choice(["X1", "X1", "X1", "E4A", "E11"])
        continues = number > 0 and random.random() < 0.7
        world["lac_episodes"].append(
            an_episode(
                start,
                random.choice(PLACEMENTS),
                end=end,
                rne=random.choice("LPTBU") if continues else "S",
                status=random.choice(["C2", "C1", "V2", "V3", "V4", None]) if not continues else "C2",
                rec=ceased,
                child=lac_child,
                la=la,
                age=age,
                born=random.choice([None, date(2005, 3, 1), date(2005, 4, 1)]),
                year=census_year(end or last),
            )
        )
        if end is None:
            if random.random() < 0.5:
                return
            end = start + timedelta(days=50)
        start = end if ceased == "X1" else end + timedelta(days=random.choice([0, 1, 30, 200]))
