"""Re-referral after no further action that escalates: to a child protection plan, or to being looked after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from sos_spark.config.model import Words
from sos_spark.config.outcomes.base import Switch, months_in_words
from sos_spark.config.outcomes.nfa_decision import DECISION_SWITCHES, NfaDecision


class RereferralEscalated(NfaDecision):
    """Another referral within some months of such a decision, which reaches a child protection plan or care."""

    reads: ClassVar[tuple[str, ...]] = ("referrals", "cp_plans", "cin_children", "lac_episodes", "lac_children")
    events: ClassVar[Mapping[str, tuple[str, ...]]] = {"lac_episodes": ("reason_new_episode", "legal_status")}
    switches: ClassVar[Mapping[str, Switch]] = {
        **DECISION_SWITCHES,
        "escalate_within_months": Words("Escalated within {} months", "another time allowed for escalation"),
        "estimand": {
            "joint": Words("Of all cases closed", "re-referred and escalated, of all cases that were closed"),
            "conditional": Words("Of those re-referred", "escalation among the children who were referred again"),
        },
    }

    kind: Literal["rereferral_escalated"]
    escalate_within_months: int = Field(
        6, ge=1, le=60, description="The months from the re-referral to a child protection plan or to care."
    )
    estimand: Literal["joint", "conditional"] = Field(
        "joint", description="Of all decisions (joint), or of those followed by a re-referral (conditional)."
    )

    @property
    def label(self) -> str:
        """Says among whom."""
        among = " (among those re-referred)" if self.estimand == "conditional" else ""
        return f"Re-referral that leads to a protection plan or care{among}"

    @property
    def definition(self) -> str:
        """Says both lengths of time."""
        among = "Of those re-referred" if self.estimand == "conditional" else f"Of referrals with {self.decided}"
        return (
            f"{among}: re-referred within {months_in_words(self.within_months)}, and a re-referral reached a child"
            f" protection plan or care within {months_in_words(self.escalate_within_months)} of it."
        )
