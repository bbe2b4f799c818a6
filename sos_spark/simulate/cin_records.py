"""The modules of the CIN census."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sos_spark.simulate.cases import (
    IN_NEED,
    NO_FURTHER_ACTION,
    NOT_IN_NEED,
    Cases,
)
from sos_spark.simulate.children import DISABILITIES, ETHNICITIES
from sos_spark.simulate.days import NEVER, add_working_days, census_year_of, last_day
from sos_spark.simulate.draws import Flags, Ints
from sos_spark.simulate.records import Appearances, Frame, chosen, dates, words

SOURCES = (
    "1A",
    "1B",
    "1C",
    "1D",
    "2A",
    "2B",
    "3A",
    "3B",
    "3C",
    "3D",
    "3E",
    "3F",
    "4",
    "5A",
    "5B",
    "5C",
    "6",
    "7",
    "8",
    "9",
    "10",
)
_SOURCE_WEIGHTS = (4, 1.5, 2, 3, 17, 2, 1, 4, 2, 3, 3, 1, 1, 3, 6, 5, 28, 5, 3, 1, 3)
NEEDS = ("N1", "N2", "N3", "N4", "N5", "N6", "N7", "N8", "N9", "N0")
_NEED_WEIGHTS = (54, 9, 3, 9, 15, 2, 0.7, 0.3, 4, 3)
_FACTORS = ("2B", "3B;4B", "1B;2A;3B", "2B;4B;16A", "4A", "8E;9A", "10A", "20", "3B", "16A;17A", "21")
_FACTOR_WEIGHTS = (20, 12, 8, 10, 6, 8, 6, 6, 10, 6)
_ABUSE = ("NEG", "EMO", "PHY", "SAB", "MUL")
_ABUSE_WEIGHTS = (45, 36, 9, 5, 5)
UPN_REASONS = ("UN1", "UN3")
_FIRST_YEAR_OF_SEX = 2025
_FIRST_YEAR_OF_RC9 = 2023
_FIRST_YEAR_OF_PLANS = 2022
UPN_FROM_DAYS = 1826
_SAME_DAY_SHARE = 0.001
_REASONS = ("RC1", "RC2", "RC3", "RC4", "RC5", "RC6", "RC7", "RC8", "RC9")
_REASON_WEIGHTS = (1.2, 0.1, 2.0, 1.5, 6.0, 2.2, 87.0)


def year_ends(years: Ints) -> Ints:
    """Returns 31 March of each census year."""
    low, high = int(years.min(initial=2000)), int(years.max(initial=2000))
    return np.array([last_day(year) for year in range(low, high + 1)])[years - low]


def identifiers(frame: Frame, child: Ints, seen: Appearances) -> pa.Table:
    """Grain: a child in a return. A child not yet born has an expected birth date only."""
    at = frame.once_a_year(child, seen)
    children, who = frame.children, at.row
    end = year_ends(at.year)
    birth = children.birth[who]
    is_born = birth <= end
    at_school = is_born & (end - birth >= UPN_FROM_DAYS)
    has_upn = children.has_upn[who] & at_school
    sex = np.where(is_born, 1 + children.is_girl[who], 0)
    new_coding = at.year >= _FIRST_YEAR_OF_SEX
    due = birth + 14 - (28 * frame.draws.uniform("due", who)).astype(np.int64)
    return frame.table(
        "child_identifiers",
        at,
        {
            "LAchildID": frame.ids.take(pa.array(who)),
            "UPN": frame.upns.take(pa.array(who, mask=~has_upn)),
            "UPNunknown": words(UPN_REASONS, at_school.astype(np.int64), ~has_upn),
            "PersonBirthDate": dates(birth, is_born),
            "ExpectedPersonBirthDate": dates(np.maximum(due, end + 1), ~is_born),
            "GenderCurrent": words(("0", "1", "2"), sex, ~new_coding),
            "Sex": words(("U", "M", "F"), sex, new_coding),
            "Ethnicity": words(ETHNICITIES, children.ethnicity[who]),
            "Disabilities": words(DISABILITIES, children.disability[who]),
        },
    )


def cin_tables(frame: Frame, cases: Cases) -> dict[str, pa.Table]:
    """Returns the tables of the CIN modules. `cases` in order of child and referral."""
    key = cases.child * 100_000 + cases.referred
    seen = frame.appearances(cases.child, cases.referred, cases.closed, "cin")
    return {
        "child_identifiers": identifiers(frame, cases.child, seen),
        "cin_details": _details(frame, cases, key, seen),
        "assessments": _assessments(frame, cases, key),
        "cin_plan_dates": _plan_dates(frame, cases),
        "section47": _enquiries(frame, cases, key),
        "cp_plans": _protection_plans(frame, cases, key),
    }


def _levels(frame: Frame, cases: Cases, key: Ints) -> tuple[Flags, Flags]:
    """Returns whether a conference stands with the enquiry, and whether with the referral; a few stand with both."""
    has_conference = cases.conference != NEVER
    with_enquiry = has_conference & (cases.enquiry != NEVER)
    with_both = with_enquiry & frame.draws.below("both_levels", key, 0.05)
    return with_enquiry, (has_conference & ~with_enquiry) | with_both


def _details(frame: Frame, cases: Cases, key: Ints, seen: Appearances) -> pa.Table:
    """Grain: a referral in a return; a few are doubled by another of the same day without further action."""
    draws = frame.draws
    doubled = (cases.kind[seen.row] != NO_FURTHER_ACTION) & (census_year_of(cases.referred[seen.row]) == seen.year)
    doubled &= draws.below("same_day", key, _SAME_DAY_SHARE)[seen.row]
    # Doubles follow the referral they double.
    order = np.argsort(np.concatenate([np.arange(len(seen.row)), np.flatnonzero(doubled)]), kind="stable")
    is_double = order >= len(seen.row)
    position = np.concatenate([np.arange(len(seen.row)), np.flatnonzero(doubled)])[order]
    at = Appearances(seen.row[position], seen.year[position], seen.code_position[position])
    row, end = at.row, year_ends(at.year)
    is_none = (cases.kind[row] == NO_FURTHER_ACTION) | is_double
    is_closed = ~is_none & (cases.closed[row] <= end)
    closing_year = census_year_of(cases.closed[row])
    early_help = (closing_year >= _FIRST_YEAR_OF_RC9) & draws.below("early_help", key, 0.3)[row]
    reason = draws.choice("reason", key, _REASON_WEIGHTS)[row]
    # Whoever is referred again has not died, and the draw does not know: transfers take the place of deaths.
    reason = np.where(reason == 1, 4, reason)
    reason = np.where(cases.kind[row] == NOT_IN_NEED, np.where(early_help, 8, 7), reason)
    _, with_referral = _levels(frame, cases, key)
    need = draws.choice("need", key, _NEED_WEIGHTS)[row]
    return frame.table(
        "cin_details",
        at,
        {
            "LAchildID": frame.ids.take(pa.array(cases.child[row])),
            "CINreferralDate": dates(cases.referred[row]),
            "ReferralSource": words(SOURCES, draws.choice("source", key, _SOURCE_WEIGHTS)[row]),
            "PrimaryNeedCode": words(NEEDS, np.where(is_double, 9, need)),
            "CINclosureDate": dates(cases.closed[row], is_closed),
            "ReasonForClosure": words(_REASONS, reason, is_closed),
            "DateOfInitialCPC": dates(
                cases.conference[row], with_referral[row] & (cases.conference[row] <= end) & ~is_none
            ),
            "ReferralNFA": chosen(is_none, ("1", "true"), ("0", "false"), draws.uniform("nfa_spelling", key)[row]),
        },
    )


def _assessments(frame: Frame, cases: Cases, key: Ints) -> pa.Table:
    rows = np.flatnonzero(cases.kind != NO_FURTHER_ACTION)
    child, started, ended = cases.child[rows], cases.assessed_from[rows], cases.assessed_to[rows]
    at = frame.appearances(child, started, ended, "cin")
    done = ended[at.row] <= year_ends(at.year)
    factors = frame.draws.choice("factors", key[rows], _FACTOR_WEIGHTS)
    none_found = (cases.kind[rows] == NOT_IN_NEED) & frame.draws.below("no_factor", key[rows], 0.35)
    review = add_working_days(started, np.full(len(rows), 10))
    review_shown = (review < ended)[at.row] & (review[at.row] <= year_ends(at.year))
    return frame.table(
        "assessments",
        at,
        {
            "LAchildID": frame.ids.take(pa.array(child[at.row])),
            "CINreferralDate": dates(cases.referred[rows][at.row]),
            "AssessmentActualStartDate": dates(started[at.row]),
            "AssessmentInternalReviewDate": dates(review[at.row], review_shown),
            "AssessmentAuthorisationDate": dates(ended[at.row], done),
            "AssessmentFactors": words(_FACTORS, np.where(none_found, len(_FACTORS) - 1, factors)[at.row], done),
        },
    )


def _plan_dates(frame: Frame, cases: Cases) -> pa.Table:
    """CIN plans are collected from 2022 on."""
    rows = np.flatnonzero((cases.kind == IN_NEED) & (cases.closed > cases.assessed_to + 1))
    child, started, ended = cases.child[rows], cases.assessed_to[rows] + 1, cases.closed[rows]
    at = frame.appearances(child, started, ended, "cin")
    at = at.where(at.year >= _FIRST_YEAR_OF_PLANS)
    return frame.table(
        "cin_plan_dates",
        at,
        {
            "LAchildID": frame.ids.take(pa.array(child[at.row])),
            "CINreferralDate": dates(cases.referred[rows][at.row]),
            "CINPlanStartDate": dates(started[at.row]),
            "CINPlanEndDate": dates(ended[at.row], ended[at.row] <= year_ends(at.year)),
        },
    )


def _enquiries(frame: Frame, cases: Cases, key: Ints) -> pa.Table:
    rows = np.flatnonzero(cases.enquiry != NEVER)
    child, started = cases.child[rows], cases.enquiry[rows]
    conference = cases.conference[rows]
    ended = np.where(conference != NEVER, conference, started + 15)
    at = frame.appearances(child, started, ended, "cin")
    end = year_ends(at.year)
    not_required = (conference[at.row] == NEVER) & (ended[at.row] <= end)
    spelling = frame.draws.uniform("icpc_spelling", key[rows])[at.row]
    return frame.table(
        "section47",
        at,
        {
            "LAchildID": frame.ids.take(pa.array(child[at.row])),
            "CINreferralDate": dates(cases.referred[rows][at.row]),
            "S47ActualStartDate": dates(started[at.row]),
            "InitialCPCtarget": dates(add_working_days(started, np.full(len(rows), 15))[at.row], ~not_required),
            "DateOfInitialCPC": dates(conference[at.row], conference[at.row] <= end),
            "ICPCnotRequired": chosen(not_required, ("1", "true"), ("0", "false"), spelling),
        },
    )


def _protection_plans(frame: Frame, cases: Cases, key: Ints) -> pa.Table:
    rows = np.flatnonzero(cases.plan_from != NEVER)
    child, started, ended = cases.child[rows], cases.plan_from[rows], cases.plan_to[rows]
    at = frame.appearances(child, started, ended, "cin")
    end = year_ends(at.year)
    is_same_child = np.concatenate([[False], child[1:] == child[:-1]])
    first_of_child = np.maximum.accumulate(np.where(is_same_child, 0, np.arange(len(rows))))
    previous = np.arange(len(rows)) - first_of_child
    first = frame.draws.choice("abuse", key[rows], _ABUSE_WEIGHTS)
    latest = np.where(frame.draws.below("abuse_changes", key[rows], 0.12), (first + 1) % len(_ABUSE), first)
    settled = end - started[at.row] > 120
    return frame.table(
        "cp_plans",
        at,
        {
            "LAchildID": frame.ids.take(pa.array(child[at.row])),
            "CINreferralDate": dates(cases.referred[rows][at.row]),
            "CPPstartDate": dates(started[at.row]),
            "CPPendDate": dates(ended[at.row], ended[at.row] <= end),
            "InitialCategoryOfAbuse": words(_ABUSE, first[at.row]),
            "LatestCategoryOfAbuse": words(_ABUSE, np.where(settled, latest[at.row], first[at.row])),
            "NumberOfPreviousCPP": words([str(n) for n in range(40)], np.minimum(previous, 39)[at.row]),
            "CPPreviewDates": _reviews(started[at.row], ended[at.row], end),
        },
    )


def _reviews(started: Ints, ended: Ints, end: Ints) -> pa.Array:
    """Returns each plan's reviews in the return's year, joined by semicolons: after 80 days, then every 170."""
    earliest = end - 365
    held: list[list[str]] = [[] for _ in started]
    for number in range(40):
        day = started + 80 + 170 * number
        shown = (day <= end) & (day < ended) & (day > earliest)
        for row, text in zip(
            np.flatnonzero(shown).tolist(), day[shown].astype("datetime64[D]").astype(str).tolist(), strict=True
        ):
            held[row].append(text)
    return pa.array([";".join(texts) or None for texts in held], type=pa.string())
