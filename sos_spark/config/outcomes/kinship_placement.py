"""Kinship placement among looked-after children: at the start of a period of care, or on each 31 March."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from sos_spark.config.model import Words
from sos_spark.config.outcomes.base import Outcome, ScaleName, Switch


class KinshipPlacement(Outcome):
    """Whether a looked-after child is placed with family or friends."""

    is_binary: ClassVar[bool] = True
    reads: ClassVar[tuple[str, ...]] = ("lac_episodes", "lac_children")
    events: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "lac_episodes": ("reason_new_episode", "legal_status", "reason_episode_ceased")
    }
    switches: ClassVar[Mapping[str, Switch]] = {
        "unit": {
            "starts": Words("Children entering care", "each start of a period of care counts"),
            "stock": Words("Children in care on 31 March", "all children looked after on that day, not new entrants"),
        },
        "denominator": {
            "all": Words("Of all placements", "every kind of placement is in the denominator"),
            "foster": Words("Of foster placements only", "other kinds of placement are left out"),
        },
        "count_parents": {
            "true": Words("Placed with parents counts", "a placement with own parents counts as family"),
            "false": Words("Placed with parents does not count", "own parents are not counted as family"),
        },
    }

    kind: Literal["kinship_placement"]
    unit: Literal["starts", "stock"] = Field(
        "starts", description="Starts of periods of care, or children in care on 31 March."
    )
    denominator: Literal["all", "foster"] = Field("all", description="All placements, or foster placements only.")
    count_parents: bool = Field(True, description="Whether placements with own parents stand in the denominator.")

    @property
    def label(self) -> str:
        """Says which children."""
        if self.denominator == "all" and self.unit == "starts":
            return "Entrants to care placed with family or friends"
        group = "foster children" if self.denominator == "foster" else "children"
        when = "at the start of care" if self.unit == "starts" else "in care on 31 March"
        return f"Children placed with family or friends ({group} {when})"

    @property
    def definition(self) -> str:
        """Says the unit and the denominator."""
        unit = "starts of a period of care" if self.unit == "starts" else "children looked after on 31 March"
        only = ", foster placements only" if self.denominator == "foster" else ""
        own = "" if self.count_parents else ", without placements with own parents"
        return f"Of {unit}{only}{own}: the first placement that is not temporary is with family or friends."

    @property
    def entity(self) -> str:
        """Episodes of care."""
        return "lac_episodes"

    @property
    def scale(self) -> ScaleName:
        """A share."""
        return "points"

    @property
    def greatest(self) -> float:
        """A share is at most 1."""
        return 1.0
