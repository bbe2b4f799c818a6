"""From silver to the index rows of any outcome kind."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame

from sos_spark.config.outcomes import (
    AssessmentDuration,
    AssessmentWithin,
    Icpc,
    KinshipPlacement,
    Outcome,
    RereferralEscalated,
    RereferralNfa,
)
from sos_spark.outcome import assessments, icpc, kinship_placement, rereferral_escalated, rereferral_nfa
from sos_spark.outcome.referrals import dates_by_child, with_child_dates
from sos_spark.outcome.rows import Scope


@dataclass(frozen=True)
class Records:
    """Silver as the outcomes read it.

    `referrals` carries each child's dates and is worth caching, as are escalations and conferences, which were
    collapsed to one row a child with `event_dates`. `calendar` counts working days.
    """

    referrals: DataFrame
    assessments: DataFrame
    section47: DataFrame
    lac_episodes: DataFrame
    escalations: DataFrame
    conferences: DataFrame
    calendar: DataFrame


def records_from(
    *,
    referrals: DataFrame,
    assessments: DataFrame,
    section47: DataFrame,
    cp_plans: DataFrame,
    icpcs: DataFrame,
    lac_episodes: DataFrame,
    child_links: DataFrame,
    calendar: DataFrame,
) -> Records:
    """Returns what outcomes need of the silver tables, which it takes as they are. Nothing is computed yet."""
    return Records(
        referrals=with_child_dates(referrals),
        assessments=assessments,
        section47=section47,
        lac_episodes=lac_episodes,
        escalations=rereferral_escalated.escalation_dates(cp_plans, lac_episodes, child_links),
        conferences=dates_by_child(icpcs, "icpc_date"),
        calendar=calendar,
    )


def index_rows(outcome: Outcome, records: Records, scope: Scope, *, outcome_id: str) -> DataFrame:
    """Returns the index rows of an outcome, under an outcome_id of the caller's choice.

    Grain: as the kind's module says; columns of outcome.index_rows. reason is null exactly where y is known.

    Raises:
        ValueError: The kind 'published', which is not computed from records.
    """
    match outcome:
        case RereferralEscalated():
            return rereferral_escalated.index_rows(
                records.referrals, records.escalations, scope, outcome, outcome_id=outcome_id
            )
        case RereferralNfa():
            return rereferral_nfa.index_rows(records.referrals, scope, outcome, outcome_id=outcome_id)
        case AssessmentDuration():
            return assessments.duration_index_rows(
                records.assessments, records.calendar, scope, outcome, outcome_id=outcome_id
            )
        case AssessmentWithin():
            return assessments.within_index_rows(
                records.assessments, records.calendar, scope, outcome, outcome_id=outcome_id
            )
        case KinshipPlacement():
            return kinship_placement.index_rows(records.lac_episodes, scope, outcome, outcome_id=outcome_id)
        case Icpc(index="referral"):
            return icpc.index_rows(
                icpc.from_referrals(records.referrals), records.conferences, scope, outcome, outcome_id=outcome_id
            )
        case Icpc():
            return icpc.index_rows(
                icpc.from_section47(records.section47), records.conferences, scope, outcome, outcome_id=outcome_id
            )
    raise ValueError(f"the kind {outcome.kind} is not computed from records")
