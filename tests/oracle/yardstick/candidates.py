"""Each kind of outcome as a query of its candidates: who, from which day, until when, y, and the kind's own reasons.

Every query gives la_code, child, index_date, age_years, sex, ethnicity, primary_need, the columns of `coverage` joined
for the kind as `v`, window_end, y, and a column for each reason of the kind's own.
"""

from __future__ import annotations

from typing import Any

from tests.oracle.yardstick.findings import is_unknown
from tests.oracle.yardstick.study import Variant

_KINSHIP = "('Q1', 'U1', 'U2', 'U3')"
_FOSTER = "('Q1', 'Q2', 'U1', 'U2', 'U3', 'U4', 'U5', 'U6')"
_TEMPORARY = "('T0', 'T1', 'T2', 'T3', 'T4')"
CENSUS_YEAR = "year({day} + INTERVAL 9 MONTH)"

SHARED = {
    "escalations": """
        SELECT child, cpp_start_date AS day FROM silver_cp_plans
        UNION
        SELECT k.cin_child, e.care_episode_start_date
        FROM silver_lac_episodes e JOIN child_links k ON k.lac_child = e.child
        WHERE k.cin_child IS NOT NULL AND e.reason_new_episode = 'S'
            AND coalesce(e.legal_status NOT IN ('V3', 'V4'), TRUE)
    """,
    "placements": f"""
        WITH runs AS (
            SELECT *, sum(begins) OVER in_order AS period_of_care FROM (
                SELECT *, coalesce(reason_new_episode = 'S' OR lag(reason_episode_ceased != 'X1') OVER in_order, FALSE)
                    ::INTEGER AS begins
                FROM silver_lac_episodes WINDOW in_order AS (PARTITION BY child ORDER BY care_episode_start_date))
            WINDOW in_order AS (PARTITION BY child ORDER BY care_episode_start_date)
        )
        SELECT * EXCLUDE (begins, lasting), first_value(lasting IGNORE NULLS) OVER ahead AS ahead,
            last_value(lasting IGNORE NULLS) OVER behind AS behind
        FROM (SELECT *, CASE WHEN coalesce(placement_code NOT IN {_TEMPORARY}, TRUE)
                        THEN {{'day': care_episode_start_date, 'code': placement_code}} END AS lasting FROM runs)
        WINDOW ahead AS (PARTITION BY child, period_of_care ORDER BY care_episode_start_date
                         ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING),
            behind AS (PARTITION BY child, period_of_care ORDER BY care_episode_start_date
                       ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    """,
}
"""Tables that several outcomes read, made once."""


def candidates(variant: Variant) -> tuple[str, dict[str, str]]:
    """Returns the query of a variant's candidates and its own reasons: a name and when it holds."""
    of_kind = {
        "rereferral_nfa": _rereferred,
        "rereferral_escalated": _escalated,
        "assessment_duration": _duration,
        "assessment_within": _within,
        "kinship_placement": _kinship,
        "icpc": _conference,
    }
    return of_kind[variant.kind](variant.switches)


def with_coverage(rows: str, kind: str) -> str:
    """Adds what was observed in the census year of a candidate's index date."""
    year = CENSUS_YEAR.format(day="r.index_date")
    return (
        f"SELECT r.*, v.* EXCLUDE (kind, la_code, census_year) FROM ({rows}) r LEFT JOIN coverage v"
        f" ON v.kind = '{kind}' AND v.la_code = r.la_code AND v.census_year = {year}"
    )


def _decisions(switches: dict[str, Any]) -> str:
    """Referrals that ended in no further action, or of which it cannot be told."""
    flag_unknown = is_unknown("is_nfa_at_referral")
    closed = (
        "NOT at_once AND coalesce(closure_reason = 'RC8' OR (closure_reason = 'RC9' AND census_year >= 2023), FALSE)"
    )
    later = f"({closed} AND closure_date IS NOT NULL AND NOT {flag_unknown})"
    undated = f"({closed} AND ({is_unknown('closure_date')} OR {flag_unknown}))"
    no_reason = f"(NOT at_once AND {is_unknown('closure_reason')})"
    wanted, unreadable = {
        "at_referral": ("at_once", flag_unknown),
        "after_assessment": (later, f"({undated} OR {no_reason})"),
        "either": (f"(at_once OR {later})", f"({flag_unknown} OR {undated} OR {no_reason})"),
    }[switches["nfa"]]
    begin = "index_date" if switches["from"] == "decision" else "referral_date"
    return f"""
        SELECT *, {begin} AS months_begin, ({begin} + INTERVAL {switches["within_months"]} MONTH)::DATE AS until,
            greatest(index_date, referral_date + 1) AS first_day
        FROM (
            SELECT *, CASE WHEN at_once OR is_unreadable THEN referral_date ELSE closure_date END AS index_date,
                CASE WHEN at_once OR is_unreadable THEN age_at_referral ELSE age_at_closure END AS age_years
            FROM (SELECT *, {unreadable} AS is_unreadable, {wanted} AS is_wanted
                  FROM (SELECT *, coalesce(is_nfa_at_referral, FALSE) AS at_once FROM silver_referrals))
            WHERE is_wanted OR is_unreadable)
    """


_COMMON = "d.la_code, d.child, d.index_date, d.age_years, d.sex, d.ethnicity, d.primary_need"


def _window_of_months(last_day: str) -> str:
    return f"CASE WHEN months_begin >= observed_from THEN greatest(index_date, {last_day}) END"


def _rereferred(switches: dict[str, Any]) -> tuple[str, dict[str, str]]:
    rows = f"""
        SELECT {_COMMON}, d.months_begin, d.until, d.is_unreadable, coalesce(n.referral_date <= d.until, FALSE) AS y
        FROM ({_decisions(switches)}) d
        ASOF LEFT JOIN silver_referrals n ON n.child = d.child AND n.referral_date >= d.first_day
    """
    seen = with_coverage(rows, "rereferral_nfa")
    query = f"SELECT *, {_window_of_months('until')} AS window_end FROM ({seen})"
    return query, {"field_unreadable": "is_unreadable"}


def _escalated(switches: dict[str, Any]) -> tuple[str, dict[str, str]]:
    months = switches["escalate_within_months"]
    rows = f"""
        WITH escalating AS (
            SELECT r.child, r.referral_date FROM silver_referrals r
            ASOF JOIN escalations e ON e.child = r.child AND e.day >= r.referral_date
            WHERE e.day <= r.referral_date + INTERVAL {months} MONTH
        )
        SELECT {_COMMON}, d.months_begin, (d.until + INTERVAL {months} MONTH)::DATE AS last_day, d.is_unreadable,
            coalesce(e.referral_date <= d.until, FALSE) AS y, coalesce(n.referral_date <= d.until, FALSE) AS again
        FROM ({_decisions(switches)}) d
        ASOF LEFT JOIN escalating e ON e.child = d.child AND e.referral_date >= d.first_day
        ASOF LEFT JOIN silver_referrals n ON n.child = d.child AND n.referral_date >= d.first_day
    """
    query = (
        f"SELECT *, {_window_of_months('last_day')} AS window_end FROM ({with_coverage(rows, 'rereferral_escalated')})"
    )
    reasons = {"field_unreadable": "is_unreadable"}
    if switches["estimand"] == "conditional":
        reasons["not_rereferred"] = "NOT again"
    return query, reasons


def _assessments(kind: str, days: int) -> str:
    """Assessments with their working days and the day on which so many had passed."""
    rows = """
        SELECT la_code, child, assessment_start_date AS index_date, assessment_authorised_date AS authorised,
            age_at_start AS age_years, sex, ethnicity, primary_need, unknown_fields
        FROM silver_assessments
    """
    end = "(SELECT day AS ends, working_day FROM calendar WHERE is_working)"
    return f"""
        SELECT a.*, {is_unknown("assessment_authorised_date")} AS is_unreadable,
            {"n.ends" if days else "a.index_date"} AS window_end, t.working_day - s.working_day AS working_days,
            coalesce(authorised <= last_day_observed, FALSE) AS is_done
        FROM ({with_coverage(rows, kind)}) a
        LEFT JOIN calendar s ON s.day = a.index_date LEFT JOIN calendar t ON t.day = a.authorised
        LEFT JOIN {end} n ON n.working_day = s.working_day + {days}
    """


_ASSESSMENT_REASONS = {
    "before_single_assessment": "index_date < DATE '2014-04-01'",
    "field_unreadable": "is_unreadable",
}


def _duration(switches: dict[str, Any]) -> tuple[str, dict[str, str]]:
    days = switches["follow_up_days"]
    length = "working_days" if switches["days"] == "working" else "authorised - index_date"
    reasons = dict(_ASSESSMENT_REASONS)
    if switches["mean"] == "restricted":
        length = f"CASE WHEN is_done THEN least({length}, {days}) ELSE {days} END"
    else:
        reasons["open_after_window"] = "NOT is_done"
    return f"SELECT *, {length} AS y FROM ({_assessments('assessment_duration', days)})", reasons


def _within(switches: dict[str, Any]) -> tuple[str, dict[str, str]]:
    days = switches["days"]
    in_time = f"coalesce(is_done AND working_days <= {days}, FALSE)"
    return f"SELECT *, {in_time} AS y FROM ({_assessments('assessment_within', days)})", dict(_ASSESSMENT_REASONS)


def _kinship(switches: dict[str, Any]) -> tuple[str, dict[str, str]]:
    rows = _STARTS if switches["unit"] == "starts" else _STOCK
    counts = "placement IN " + _FOSTER if switches["denominator"] == "foster" else "TRUE"
    if not switches["count_parents"]:
        counts += " AND placement != 'P1'"
    late = "coalesce(placed_on > last_day_observed, TRUE)"
    query = f"""
        SELECT *, placement IN {_KINSHIP} AS y, {late} AS is_late,
            CASE WHEN {late} THEN index_date ELSE placed_on END AS window_end
        FROM ({with_coverage(rows, "kinship_placement")})
    """
    return query, {
        "field_unreadable": "is_unreadable",
        "placement_unknown": "is_late OR placement IS NULL",
        "not_in_denominator": f"NOT ({counts})",
    }


_STARTS = """
    SELECT la_code, child, care_episode_start_date AS index_date, age_at_start AS age_years, sex, ethnicity,
        category_of_need AS primary_need, ahead.code AS placement, ahead.day AS placed_on, FALSE AS is_unreadable
    FROM placements WHERE reason_new_episode = 'S' AND coalesce(legal_status NOT IN ('V3', 'V4'), TRUE)
"""
_STOCK = f"""
    SELECT la_code, child, make_date(y, 3, 31) AS index_date,
        y - year(birth_month) - CASE WHEN month(birth_month) <= 3 THEN 0 ELSE 1 END AS age_years, sex, ethnicity,
        category_of_need AS primary_need, behind.code AS placement,
        CASE WHEN behind IS NOT NULL THEN make_date(y, 3, 31) END AS placed_on,
        {is_unknown("care_episode_end_date")} AS is_unreadable
    FROM placements, (SELECT unnest(generate_series(min(first_year), max(last_year)))::INTEGER AS y FROM units)
    WHERE coalesce(legal_status NOT IN ('V3', 'V4'), TRUE) AND make_date(y, 3, 31) >= care_episode_start_date
        AND CASE WHEN care_episode_end_date IS NOT NULL THEN care_episode_end_date > make_date(y, 3, 31)
            ELSE y <= census_year END
    QUALIFY row_number() OVER (PARTITION BY child, y ORDER BY care_episode_start_date DESC) = 1
"""


def _conference(switches: dict[str, Any]) -> tuple[str, dict[str, str]]:
    table, day, age = {
        "referral": ("silver_referrals", "referral_date", "age_at_referral"),
        "section47": ("silver_section47_enquiries", "section47_start_date", "age_at_start"),
    }[switches["index"]]
    rows = f"""
        SELECT r.la_code, r.child, r.{day} AS index_date, r.{age} AS age_years, r.sex, r.ethnicity, r.primary_need,
            (r.{day} + INTERVAL {switches["within_months"]} MONTH)::DATE AS window_end,
            coalesce(c.icpc_date <= r.{day} + INTERVAL {switches["within_months"]} MONTH, FALSE) AS y
        FROM {table} r ASOF LEFT JOIN silver_icpcs c ON c.child = r.child AND c.icpc_date >= r.{day}
    """
    return with_coverage(rows, "icpc"), {}
