"""An initial child protection conference within some months of a referral or of a section 47 enquiry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from sos_spark.config.model import Words
from sos_spark.config.outcomes.base import Outcome, ScaleName, Switch, months_in_words


class Icpc(Outcome):
    """An initial child protection conference within some months."""

    is_binary: ClassVar[bool] = True
    reads: ClassVar[tuple[str, ...]] = ("referrals", "section47_enquiries", "cin_children")
    events: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "referrals": ("icpc_date",),
        "section47_enquiries": ("icpc_date",),
    }
    switches: ClassVar[Mapping[str, Switch]] = {
        "index": {
            "referral": Words("Counted from a referral", "conferences that follow a referral"),
            "section47": Words(
                "Counted from a section 47 enquiry", "conferences that follow a child protection enquiry"
            ),
        },
        "within_months": Words("Within {} months", "another length of follow-up"),
    }

    kind: Literal["icpc"]
    index: Literal["referral", "section47"] = Field(
        "referral", description="Whether referrals or section 47 enquiries are counted."
    )
    within_months: int = Field(6, ge=1, le=60, description="The months in which a conference counts.")

    @property
    def label(self) -> str:
        """Says the months and what they are counted from."""
        index = "a referral" if self.index == "referral" else "a section 47 enquiry"
        return f"Child protection conference within {months_in_words(self.within_months)} of {index}"

    @property
    def definition(self) -> str:
        """Says the months and what they are counted from."""
        index = "referrals" if self.index == "referral" else "section 47 enquiries"
        return f"Of {index}: an initial child protection conference within {months_in_words(self.within_months)}."

    @property
    def entity(self) -> str:
        """Referrals or section 47 enquiries."""
        return "referrals" if self.index == "referral" else "section47_enquiries"

    @property
    def scale(self) -> ScaleName:
        """A share."""
        return "points"

    @property
    def greatest(self) -> float:
        """A share is at most 1."""
        return 1.0
