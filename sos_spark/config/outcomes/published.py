"""A measure from DfE's published LA tables, and what is said of each measure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field

from sos_spark.config.model import Words
from sos_spark.config.outcomes.base import Outcome, ScaleName, Switch

MeasureName = Literal[
    "rereferral_12m",
    "nfa_share",
    "icpc_per_section47",
    "icpc_per_referral",
    "assessed_within_45",
    "looked_after_rate",
    "special_guardianship_share",
]


@dataclass(frozen=True)
class DeclaredMeasure:
    """A published measure for a reader. `is_share`: each of those in the denominator is counted or not."""

    label: str
    is_share: bool = True
    scale: ScaleName = "points"


DECLARED_MEASURES: Mapping[MeasureName, DeclaredMeasure] = {
    "rereferral_12m": DeclaredMeasure("Referrals within 12 months of an earlier one"),
    "nfa_share": DeclaredMeasure("Referrals that ended in no further action"),
    "icpc_per_section47": DeclaredMeasure("Child protection conferences per section 47 enquiry", is_share=False),
    "icpc_per_referral": DeclaredMeasure("Child protection conferences per referral"),
    "assessed_within_45": DeclaredMeasure("Assessments finished within 45 working days"),
    "looked_after_rate": DeclaredMeasure("Children looked after", scale="per_10_000"),
    "special_guardianship_share": DeclaredMeasure("Leavers from care to special guardianship"),
}


class Published(Outcome):
    """A measure from DfE's published LA tables."""

    is_binary: ClassVar[bool] = False
    reads: ClassVar[tuple[str, ...]] = ()
    events: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    switches: ClassVar[Mapping[str, Switch]] = {
        "measure": {name: Words(said.label, "another published measure") for name, said in DECLARED_MEASURES.items()}
    }

    kind: Literal["published"]
    measure: MeasureName = Field(description="Which measure of DfE's published tables.")

    @property
    def label(self) -> str:
        """The measure's."""
        return DECLARED_MEASURES[self.measure].label

    @property
    def definition(self) -> str:
        """Says where it comes from."""
        return f"{self.label}, from the published tables of local authorities."

    @property
    def entity(self) -> None:
        """None: no records are read."""
        return

    @property
    def scale(self) -> ScaleName:
        """The measure's."""
        return DECLARED_MEASURES[self.measure].scale

    @property
    def greatest(self) -> float:
        """A share is at most 1; a ratio of two counts can pass it."""
        return 1.0 if DECLARED_MEASURES[self.measure].is_share else math.inf
