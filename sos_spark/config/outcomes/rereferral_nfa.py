"""Re-referral within some months of a decision to take no further action."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from sos_spark.config.outcomes.base import Switch, months_in_words
from sos_spark.config.outcomes.nfa_decision import DECISION_SWITCHES, NfaDecision


class RereferralNfa(NfaDecision):
    """Another referral within some months of a decision to take no further action."""

    reads: ClassVar[tuple[str, ...]] = ("referrals", "cin_children")
    events: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    switches: ClassVar[Mapping[str, Switch]] = DECISION_SWITCHES

    kind: Literal["rereferral_nfa"]

    @property
    def label(self) -> str:
        """Says the months and which decisions."""
        return f"Re-referral within {months_in_words(self.within_months)} of {self.decided}"

    @property
    def definition(self) -> str:
        """Says what the months are counted from."""
        return (
            f"Of referrals with {self.decided}: another referral of the same child within"
            f" {months_in_words(self.within_months)} of the {self.from_}."
        )
