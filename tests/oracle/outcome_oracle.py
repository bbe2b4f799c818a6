"""Every outcome in plain Python, day by day, written from the conventions alone. Shares no code with the package.

Nothing is fast here: whether a window was observed is asked of each of its days.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

Row = Mapping[str, Any]
ONE_DAY = timedelta(days=1)
KINSHIP = {"Q1", "U1", "U2", "U3"}
FOSTER = {"Q1", "Q2", "U1", "U2", "U3", "U4", "U5", "U6"}

READS = {
    "rereferral_nfa": ("referrals", "cin_children"),
    "rereferral_escalated": ("referrals", "cin_children", "cp_plans", "lac_episodes", "lac_children"),
    "assessment_duration": ("assessments", "cin_children"),
    "assessment_within": ("assessments", "cin_children"),
    "icpc": ("referrals", "section47_enquiries", "cin_children"),
    "kinship_placement": ("lac_episodes", "lac_children"),
}

PRECEDENCE = [
    "outside_window",
    "between_windows",
    "before_single_assessment",
    "transition_dropped",
    "age_unknown",
    "age_out_of_range",
    "before_first_return",
    "unit_incomplete",
    "not_fully_observed",
    "quarantined_record",
    "placement_unknown",
    "not_in_denominator",
    "not_rereferred",
    "open_after_window",
]


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day where it is too short."""
    year, month = day.year, day.month
    for _ in range(months):
        month += 1
        if month == 13:
            year, month = year + 1, 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def returned_in(day: date) -> int:
    """The year on whose 31 March the return of a day ends."""
    return day.year if day <= date(day.year, 3, 31) else day.year + 1


def start_of_period(day: date, period: str) -> date:
    while not (day.day == 1 and (period == "month" or day.month in ((1, 4, 7, 10) if period == "quarter" else (4,)))):
        day -= ONE_DAY
    return day


def next_period(start: date, period: str) -> date:
    return months_later(start, {"month": 1, "quarter": 3, "year": 12}[period])


@dataclass(frozen=True)
class Setting:
    """The study, the units and the returns, as plain values.

    units: LA code -> (unit_id, codes of the unit, first and last census year of the code in the window).
    accepted: (LA code, collection) -> census years. unobserved: (LA code, entity) -> those of them in which the return
    was empty or the entity mostly quarantined.
    """

    baseline: tuple[date, date]
    follow_up: tuple[date, date]
    period: str
    data_ends: date
    transition: str
    age_min: int
    age_max: int
    units: Mapping[str, tuple[str, tuple[str, ...], int, int]]
    go_live: Mapping[str, date]
    accepted: Mapping[tuple[str, str], Collection[int]]
    holidays: Collection[date]
    unobserved: Mapping[tuple[str, str], Collection[int]] = field(default_factory=dict)

    def years_of(self, la: str, kind: str) -> set[int]:
        """The census years that begin by data_ends in which all that a kind reads was observed."""
        return set.intersection(*(self.years_of_entity(la, entity) for entity in READS[kind]))

    def years_of_entity(self, la: str, entity: str) -> set[int]:
        years = self.accepted.get((la, "ssda903" if entity.startswith("lac_") else "cin"), ())
        lost = self.unobserved.get((la, entity), ())
        return {year for year in years if date(year - 1, 4, 1) <= self.data_ends and year not in lost}

    def first_day(self, la: str, kind: str) -> date | None:
        years = [self.years_of_entity(la, entity) for entity in READS[kind]]
        return date(max(min(own) for own in years) - 1, 4, 1) if all(years) and self._overlap(years) else None

    def last_day(self, la: str, kind: str) -> date | None:
        years = [self.years_of_entity(la, entity) for entity in READS[kind]]
        if not all(years) or not self._overlap(years):
            return None
        return min(date(min(max(own) for own in years), 3, 31), self.data_ends)

    @staticmethod
    def _overlap(years: list[set[int]]) -> bool:
        return max(min(own) for own in years) <= min(max(own) for own in years)

    def sees(self, la: str, kind: str, day: date) -> bool:
        last = self.last_day(la, kind)
        return last is not None and day <= last and returned_in(day) in self.years_of(la, kind)

    def sees_all(self, la: str, kind: str, first: date, last: date) -> bool:
        seen = self.days_seen[la, kind]
        return all(first + n * ONE_DAY in seen for n in range((last - first).days + 1))

    @cached_property
    def days_seen(self) -> dict[tuple[str, str], set[date]]:
        every_day = [date(2010, 1, 1) + n * ONE_DAY for n in range((self.data_ends - date(2010, 1, 1)).days + 1)]
        return {
            (la, kind): {day for day in every_day if self.sees(la, kind, day)} for la in self.units for kind in READS
        }

    def is_working(self, day: date) -> bool:
        return day.weekday() < 5 and day not in self.holidays

    def working_days(self, after: date, until: date) -> int:
        count, day = 0, after
        while day < until:
            day += ONE_DAY
            count += self.is_working(day)
        return count

    def working_day_after(self, start: date, count: int) -> date:
        day = start
        while count:
            day += ONE_DAY
            count -= self.is_working(day)
        return day


@dataclass(frozen=True)
class Answer:
    """An index row: who, when, what. y None where reason says why."""

    outcome_id: str
    la_code: str
    child_id: str
    unit_id: str
    index_date: date
    period: int | None
    y: int | None
    reason: str | None
    age_years: int | None


@dataclass(frozen=True)
class Candidate:
    la: str
    child: str
    day: date
    age: int | None
    window_end: date | None
    y: int | None
    own_reasons: tuple[str, ...] = ()
    window_begin: date | None = None


def answers(setting: Setting, silver: Mapping[str, Iterable[Row]], outcome: Mapping[str, Any]) -> list[Answer]:
    """The index rows of one outcome, given as the study file gives it."""
    candidates: Callable[[Setting, Mapping[str, list[Row]], Mapping[str, Any]], Iterator[Candidate]]
    candidates = {
        "rereferral_nfa": rereferral,
        "rereferral_escalated": escalated,
        "assessment_duration": duration,
        "assessment_within": within,
        "icpc": icpc,
        "kinship_placement": stock if outcome.get("unit") == "stock" else starts,
    }[outcome["kind"]]
    rows = {name: list(items) for name, items in silver.items()}
    doubted = _doubted(rows, outcome["kind"])
    return [
        _answer(setting, outcome, candidate, doubted[candidate.la, candidate.child])
        for candidate in candidates(setting, rows, outcome)
        if candidate.la in setting.units
    ]


def _doubted(silver: Mapping[str, list[Row]], kind: str) -> dict[tuple[str, str], set[date]]:
    """The days of each child on which a quarantined row of what the kind reads could lie."""
    links = {(r["la_code"], r["lac_child_id"]): r["cin_child_id"] for r in silver.get("child_links", ())}
    days: dict[tuple[str, str], set[date]] = defaultdict(set)
    for row in silver.get("quarantined", ()):
        if row["entity"] not in READS[kind] or row["child_id"] is None:
            continue
        children = {row["child_id"]}
        if row["entity"].startswith("lac_") and kind == "rereferral_escalated":
            children.add(links.get((row["la_code"], row["child_id"])))
        day = date(row["census_year"] - 1, 4, 1)
        while day <= date(row["census_year"], 3, 31):
            for child in children - {None}:
                days[row["la_code"], child].add(day)
            day += ONE_DAY
    return days


def _answer(setting: Setting, outcome: Mapping[str, Any], row: Candidate, doubted: Collection[date]) -> Answer:
    outcome_id, kind = outcome["outcome_id"], outcome["kind"]
    unit_id, codes, _, _ = setting.units[row.la]
    start = start_of_period(row.day, setting.period)
    inside = any(span[0] <= row.day < span[1] for span in (setting.baseline, setting.follow_up))
    holds = set(row.own_reasons)
    if row.day < setting.baseline[0] or row.day >= setting.follow_up[1]:
        holds.add("outside_window")
    elif not inside:
        holds.add("between_windows")
    go_live = setting.go_live.get(unit_id)
    if setting.transition == "drop" and go_live and start < go_live < next_period(start, setting.period):
        holds.add("transition_dropped")
    age = None if row.age is None else max(row.age, 0)
    if age is None:
        holds.add("age_unknown")
    elif not setting.age_min <= age <= setting.age_max:
        holds.add("age_out_of_range")
    first = setting.first_day(row.la, kind)
    if first is not None and row.day < first:
        holds.add("before_first_return")
    year = returned_in(row.day)
    valid = [code for code in codes if setting.units[code][2] <= year <= setting.units[code][3]]
    if row.la not in valid or any(not _returned(setting, code, kind, year) for code in valid):
        holds.add("unit_incomplete")
    begin = row.window_begin or row.day
    if row.window_end is None or not setting.sees_all(row.la, kind, begin, row.window_end):
        holds.add("not_fully_observed")
    if row.window_end is not None and any(row.day <= day <= row.window_end for day in doubted):
        holds.add("quarantined_record")
    reason = next((name for name in PRECEDENCE if name in holds), None)
    assert holds <= set(PRECEDENCE)
    period, begin = 0, setting.baseline[0]
    while begin < start:
        period, begin = period + 1, next_period(begin, setting.period)
    return Answer(
        outcome_id, row.la, row.child, unit_id, row.day, period if inside else None,
        None if reason else row.y, reason, age,
    )  # fmt: skip


def _returned(setting: Setting, la: str, kind: str, year: int) -> bool:
    return year in setting.years_of(la, kind) and setting.sees(la, kind, date(year - 1, 4, 1))


def _by_child(rows: Iterable[Row], name: str) -> dict[tuple[str, str], set[date]]:
    dates: dict[tuple[str, str], set[date]] = defaultdict(set)
    for row in rows:
        dates[row["la_code"], row["child_id"]].add(row[name])
    return dates


@dataclass(frozen=True)
class Decision:
    row: Row
    day: date
    age: int | None
    begin: date
    until: date
    rereferrals: tuple[date, ...]


def _decisions(rows: list[Row], outcome: Mapping[str, Any]) -> Iterator[Decision]:
    referred = _by_child(rows, "referral_date")
    for row in rows:
        if row["is_nfa_at_referral"]:
            day, age, nfa = row["referral_date"], row["age_at_referral"], "at_referral"
        elif row["closure_date"] and (
            row["closure_reason"] == "RC8" or (row["closure_reason"] == "RC9" and row["census_year"] >= 2023)
        ):
            day, age, nfa = row["closure_date"], row["age_at_closure"], "after_assessment"
        else:
            continue
        if outcome.get("nfa", "either") not in ("either", nfa):
            continue
        begin = day if outcome.get("from", "decision") == "decision" else row["referral_date"]
        until = months_later(begin, outcome.get("within_months", 6))
        later = sorted(
            other
            for other in referred[row["la_code"], row["child_id"]]
            if other > row["referral_date"] and day <= other <= until
        )
        yield Decision(row, day, age, begin, until, tuple(later))


def rereferral(setting: Setting, silver: Mapping[str, list[Row]], outcome: Mapping[str, Any]) -> Iterator[Candidate]:
    for decision in _decisions(silver["referrals"], outcome):
        row = decision.row
        yield Candidate(
            row["la_code"], row["child_id"], decision.day, decision.age,
            max(decision.day, decision.until), int(bool(decision.rereferrals)), (), decision.begin,
        )  # fmt: skip


def escalated(setting: Setting, silver: Mapping[str, list[Row]], outcome: Mapping[str, Any]) -> Iterator[Candidate]:
    months = outcome.get("escalate_within_months", 6)
    events = _by_child(silver["cp_plans"], "cpp_start_date")
    cin_child = {(r["la_code"], r["lac_child_id"]): r["cin_child_id"] for r in silver["child_links"]}
    for episode in silver["lac_episodes"]:
        if episode["reason_new_episode"] == "S" and episode["legal_status"] not in ("V3", "V4"):
            child = cin_child.get((episode["la_code"], episode["child_id"]))
            if child is not None:
                events[episode["la_code"], child].add(episode["care_episode_start_date"])
    for decision in _decisions(silver["referrals"], outcome):
        row = decision.row
        own = events.get((row["la_code"], row["child_id"]), set())
        reached = any(day <= event <= months_later(day, months) for day in decision.rereferrals for event in own)
        conditional = outcome.get("estimand", "joint") == "conditional" and not decision.rereferrals
        yield Candidate(
            row["la_code"], row["child_id"], decision.day, decision.age,
            max(decision.day, months_later(decision.until, months)), int(reached),
            ("not_rereferred",) if conditional else (), decision.begin,
        )  # fmt: skip


def _too_early(day: date) -> tuple[str, ...]:
    return ("before_single_assessment",) if day < date(2014, 4, 1) else ()


def duration(setting: Setting, silver: Mapping[str, list[Row]], outcome: Mapping[str, Any]) -> Iterator[Candidate]:
    follow_up, in_working_days = outcome.get("follow_up_days", 90), outcome.get("days", "working") == "working"
    for row in silver["assessments"]:
        start, end = row["assessment_start_date"], row["assessment_authorised_date"]
        last = setting.last_day(row["la_code"], outcome["kind"])
        is_completed = end is not None and last is not None and end <= last
        length = None
        if is_completed:
            length = setting.working_days(start, end) if in_working_days else (end - start).days
        window_end = setting.working_day_after(start, follow_up)
        own = _too_early(start)
        if outcome.get("mean", "completed") == "restricted":
            length = follow_up if length is None or length > follow_up else length
        elif not is_completed:
            own += ("open_after_window",)
        yield Candidate(row["la_code"], row["child_id"], start, row["age_at_start"], window_end, length, own)


def within(setting: Setting, silver: Mapping[str, list[Row]], outcome: Mapping[str, Any]) -> Iterator[Candidate]:
    days = outcome.get("days", 45)
    for row in silver["assessments"]:
        start, end = row["assessment_start_date"], row["assessment_authorised_date"]
        last = setting.last_day(row["la_code"], outcome["kind"])
        is_completed = end is not None and last is not None and end <= last
        y = int(is_completed and setting.working_days(start, end) <= days)
        yield Candidate(
            row["la_code"], row["child_id"], start, row["age_at_start"],
            setting.working_day_after(start, days), y, _too_early(start),
        )  # fmt: skip


def icpc(setting: Setting, silver: Mapping[str, list[Row]], outcome: Mapping[str, Any]) -> Iterator[Candidate]:
    conferences = _by_child(silver["icpcs"], "icpc_date")
    if outcome.get("index", "referral") == "referral":
        rows, index, age = silver["referrals"], "referral_date", "age_at_referral"
    else:
        rows, index, age = silver["section47"], "section47_start_date", "age_at_start"
    for row in rows:
        until = months_later(row[index], outcome.get("within_months", 6))
        seen = conferences.get((row["la_code"], row["child_id"]), set())
        y = int(any(row[index] <= day <= until for day in seen))
        yield Candidate(row["la_code"], row["child_id"], row[index], row[age], until, y)


def _periods_of_care(episodes: list[Row]) -> Iterator[list[Row]]:
    by_child: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for episode in episodes:
        by_child[episode["la_code"], episode["child_id"]].append(episode)
    for own in by_child.values():
        run: list[Row] = []
        for episode in sorted(own, key=lambda row: row["care_episode_start_date"]):
            ended = bool(run) and run[-1]["reason_episode_ceased"] not in (None, "X1")
            if run and (ended or episode["reason_new_episode"] == "S"):
                yield run
                run = []
            run.append(episode)
        yield run


def _is_temporary(code: str | None) -> bool:
    return code is not None and code in {"T0", "T1", "T2", "T3", "T4"}


def _denominator(code: str | None, outcome: Mapping[str, Any]) -> tuple[str, ...]:
    if code is None:
        return ("placement_unknown",)
    out = outcome.get("denominator", "all") == "foster" and code not in FOSTER
    out = out or (not outcome.get("count_parents", True) and code == "P1")
    return ("not_in_denominator",) if out else ()


def starts(setting: Setting, silver: Mapping[str, list[Row]], outcome: Mapping[str, Any]) -> Iterator[Candidate]:
    for run in _periods_of_care(silver["lac_episodes"]):
        first = run[0]
        if first["reason_new_episode"] != "S" or first["legal_status"] in ("V3", "V4"):
            continue
        day, last = first["care_episode_start_date"], setting.last_day(first["la_code"], outcome["kind"])
        lasting = [e for e in run if not _is_temporary(e["placement_code"])]
        found = bool(lasting) and last is not None and lasting[0]["care_episode_start_date"] <= last
        code = lasting[0]["placement_code"] if found else None
        yield Candidate(
            first["la_code"], first["child_id"], day, first["age_at_start"],
            lasting[0]["care_episode_start_date"] if found else day,
            int(code in KINSHIP), _denominator(code, outcome),
        )  # fmt: skip


def stock(setting: Setting, silver: Mapping[str, list[Row]], outcome: Mapping[str, Any]) -> Iterator[Candidate]:
    years = [year for unit in setting.units.values() for year in unit[2:4]]
    for year in range(min(years), max(years) + 1):
        day = date(year, 3, 31)
        that_day: dict[tuple[str, str], tuple[Row, str | None]] = {}
        for run in _periods_of_care(silver["lac_episodes"]):
            for position, episode in enumerate(run):
                begin, end = episode["care_episode_start_date"], episode["care_episode_end_date"]
                is_open = begin <= day and (day < end if end else year <= episode["census_year"])
                if not is_open or episode["legal_status"] in ("V3", "V4"):
                    continue
                so_far = [e["placement_code"] for e in run[: position + 1] if not _is_temporary(e["placement_code"])]
                who = episode["la_code"], episode["child_id"]
                if who not in that_day or that_day[who][0]["care_episode_start_date"] < begin:
                    that_day[who] = episode, so_far[-1] if so_far else None
        for (la, child), (episode, code) in that_day.items():
            born = episode["birth_month"]
            age = None if born is None else year - born.year - (0 if born.month <= 3 else 1)
            yield Candidate(la, child, day, age, day, int(code in KINSHIP), _denominator(code, outcome))
