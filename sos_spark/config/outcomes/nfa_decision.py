"""What outcomes of a decision to take no further action share: which decisions, and the months to a re-referral."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from sos_spark.config.model import Words
from sos_spark.config.outcomes.base import Outcome, ScaleName, Switch

DECISION_SWITCHES: Mapping[str, Switch] = {
    "nfa": {
        "either": Words("No further action: at any stage", "decided at referral or after an assessment"),
        "at_referral": Words("No further action: at referral", "only cases closed before any assessment count"),
        "after_assessment": Words("No further action: assessed", "only cases closed after an assessment count"),
    },
    "within_months": Words("Within {} months", "another length of follow-up"),
    "from": {
        "referral": Words("Months counted from the referral", "not from the decision to take no further action"),
        "decision": Words("Months counted from the decision", "not from the referral"),
    },
}
_NFA = {
    "either": "no further action",
    "at_referral": "no further action at referral",
    "after_assessment": "no further action after assessment",
}


class NfaDecision(Outcome, ABC):
    """The keys of the outcomes whose index rows are decisions to take no further action."""

    is_binary: ClassVar[bool] = True

    nfa: Literal["either", "at_referral", "after_assessment"] = Field(
        "either",
        description="Which decision of no further action counts: either, at referral (ReferralNFA),"
        " after assessment (RC8, RC9).",
    )
    within_months: int = Field(6, ge=1, le=60, description="The months in which another referral counts.")
    from_: Literal["decision", "referral"] = Field(
        "decision", alias="from", description="Where the months begin: the decision or the referral."
    )

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @property
    def decided(self) -> str:
        """Which decisions, in words."""
        return _NFA[self.nfa]

    @property
    def entity(self) -> str:
        """Referrals: each decision is one's."""
        return "referrals"

    @property
    def scale(self) -> ScaleName:
        """A share."""
        return "points"

    @property
    def greatest(self) -> float:
        """A share is at most 1."""
        return 1.0
