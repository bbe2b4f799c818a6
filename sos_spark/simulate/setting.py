"""What every step of an area's simulation shares: its children, its rates, its draws and the effects planted in it."""

from __future__ import annotations

from dataclasses import dataclass

from sos_spark.simulate.areas import Absences, Area
from sos_spark.simulate.calibration import Rates
from sos_spark.simulate.children import Children
from sos_spark.simulate.days import census_year_of
from sos_spark.simulate.draws import Draws, Flags, Floats, Ints
from sos_spark.simulate.planting import OLDEST, Planting


@dataclass(frozen=True)
class Rows:
    """Where rows stand for an effect: authority (a position in the area's codes), day, and whether they count."""

    code_positions: Ints
    days: Ints
    counts: Flags


@dataclass(frozen=True)
class Setting:
    """One area. Days observed are those of its census years, first and last included."""

    area: Area
    children: Children
    rates: Rates
    draws: Draws
    planting: Planting
    absences: Absences
    first_day: int
    last_day: int

    def year_index(self, days: Ints) -> Ints:
        """Returns the positions of days in the arrays of the rates."""
        return self.rates.year_index(census_year_of(days))

    def rows(self, child: Ints, days: Ints, collection: str) -> Rows:
        """Returns where index rows stand.

        Those count that lie on days observed, in a return that was made, of children of at most 17 completed years.
        """
        years = census_year_of(days)
        positions = self.area.code_at(self.children.place_draw[child], years)
        counts = self.absences.present(self.area.codes, positions, years, collection)
        counts &= (days >= self.first_day) & (days <= self.last_day) & (self.children.age(child, days) <= OLDEST)
        return Rows(positions, days, counts)

    def plant(self, outcome_id: str, untreated: Floats, rows: Rows, highest: Floats | float = 1.0) -> Floats:
        """Returns the treated expectation of a 0/1 outcome, and tallies it."""
        return self.planting.probability(
            outcome_id,
            untreated,
            code_positions=rows.code_positions,
            days=rows.days,
            counts=rows.counts,
            highest=highest,
        )
