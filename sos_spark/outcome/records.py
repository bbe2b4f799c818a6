"""Silver as the outcomes read it: its tables, and what several kinds of outcome share of them, worth caching."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import DataFrame

from sos_spark.outcome.care import add_placements_around
from sos_spark.outcome.escalations import escalation_dates
from sos_spark.outcome.referrals import dates_by_child, nfa_with_child_dates


@dataclass(frozen=True)
class Records:
    """The tables of silver by their short names, icpcs and child_links among them, and a working-day calendar.

    Nothing is computed before it is read. A frame that several outcomes share is one property, so that it is one frame
    to cache.
    """

    silver: Mapping[str, DataFrame]
    calendar: DataFrame

    @cached_property
    def nfa_referrals(self) -> DataFrame:
        """Referrals that may have ended in NFA, as `nfa_with_child_dates`. Grain: one row per referral."""
        return nfa_with_child_dates(self.silver["referrals"])

    @cached_property
    def escalations(self) -> DataFrame:
        """The days on which a plan or care began, as `escalation_dates`. Grain: one row per CIN child with any."""
        return escalation_dates(self.silver["cp_plans"], self.silver["lac_episodes"], self.silver["child_links"])

    @cached_property
    def conferences(self) -> DataFrame:
        """The days of initial child protection conferences, as `dates_by_child`. Grain: one row per child with any."""
        return dates_by_child(self.silver["icpcs"], "icpc_date")

    @cached_property
    def care(self) -> DataFrame:
        """Episodes with the placements around them, as `add_placements_around`. Grain: one row per episode."""
        return add_placements_around(self.silver["lac_episodes"])

    @property
    def shared(self) -> tuple[DataFrame, ...]:
        """What is worth caching while several outcomes are computed."""
        return self.nfa_referrals, self.escalations, self.conferences, self.care
