"""The kinds of outcome that a study file can name: one file each, its keys and what is said of it.

To add one: write its file here, name it below, and write its index rows under `sos_spark/outcome/kinds`.
"""

from sos_spark.config.outcomes.assessment_duration import AssessmentDuration
from sos_spark.config.outcomes.assessment_within import AssessmentWithin
from sos_spark.config.outcomes.base import KINDS, AnyOutcome, Family, Outcome, declare, switch_in_words
from sos_spark.config.outcomes.icpc import Icpc
from sos_spark.config.outcomes.kinship_placement import KinshipPlacement
from sos_spark.config.outcomes.published import Published
from sos_spark.config.outcomes.rereferral_escalated import RereferralEscalated
from sos_spark.config.outcomes.rereferral_nfa import RereferralNfa

for _kind in (
    RereferralNfa,
    RereferralEscalated,
    AssessmentDuration,
    AssessmentWithin,
    KinshipPlacement,
    Icpc,
    Published,
):
    declare(_kind)

__all__ = [
    "KINDS",
    "AnyOutcome",
    "AssessmentDuration",
    "AssessmentWithin",
    "Family",
    "Icpc",
    "KinshipPlacement",
    "Outcome",
    "Published",
    "RereferralEscalated",
    "RereferralNfa",
    "declare",
    "switch_in_words",
]
