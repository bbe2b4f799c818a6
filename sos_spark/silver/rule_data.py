"""Public reference data as rules need it: which codes a field had in a year, and working days before a return's end.

Data in, Columns out: nothing is looked up here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F

from sos_spark.config.reference import CodeSpan


@dataclass(frozen=True)
class RuleData:
    """Code sets by field ('cin.PrimaryNeedCode', 'ssda903.episodes.PLACE'), LA codes, and bank holidays.

    `authorities` is a code set too: an LA code and the census years it was valid in.
    """

    code_sets: Mapping[str, tuple[CodeSpan, ...]]
    authorities: tuple[CodeSpan, ...]
    bank_holidays: frozenset[date]

    def unknown(self, field: str, column: str) -> Column:
        """Returns whether a present code is not one of its field's in the row's census year.

        Years before or after those the code sets cover are held to the nearest year covered.
        """
        return ~known(self.code_sets[field], F.col(column))

    def of_no_year(self, field: str, column: str) -> Column:
        """Returns whether a present code is none of its field's in any year that the code sets cover."""
        return ~F.col(column).isin(sorted({span.code for span in self.code_sets[field]}))

    def unknown_authority(self) -> Column:
        """Returns whether the row's LA code was not valid in its census year."""
        return ~known(self.authorities, F.col("la_code"))

    def working_days_before_end(self, days: int) -> Column:
        """Returns the latest day that lies `days` working days or more before the return's 31 March.

        Null for a census year that the bank holidays do not cover.
        """
        years = {day.year for day in self.bank_holidays}
        covered = range(min(years, default=0) + 1, max(years, default=0) + 1)
        return by_census_year({year: self._days_before(date(year, 3, 31), days) for year in covered})

    def last_working_day_before_year(self) -> Column:
        """Returns the last working day before the return's 1 April. Null as in `working_days_before_end`."""
        years = {day.year for day in self.bank_holidays}
        covered = range(min(years, default=0) + 1, max(years, default=0) + 1)
        return by_census_year({year: self._days_before(date(year - 1, 4, 1), 1) for year in covered})

    def _days_before(self, end: date, days: int) -> date:
        day = end
        while days:
            day -= timedelta(days=1)
            days -= day.weekday() < 5 and day not in self.bank_holidays
        return day


def known(spans: Sequence[CodeSpan], column: Column) -> Column:
    """Returns whether a code is one of the spans' in the row's census year; null for no code."""
    first = min(span.first_census_year for span in spans)
    last = max(span.last_census_year for span in spans)
    year = F.least(F.greatest(F.col("census_year"), F.lit(first)), F.lit(last))
    groups: dict[tuple[int, int], list[str]] = defaultdict(list)
    for span in spans:
        groups[span.first_census_year, span.last_census_year].append(span.code)
    found = F.lit(False)
    for (start, end), members in sorted(groups.items()):
        listed = column.isin(*sorted(members))
        found = found | (listed if (start, end) == (first, last) else listed & year.between(start, end))
    return found


def by_census_year(days: Mapping[int, date]) -> Column:
    """Returns the day that belongs to the row's census year; null where there is none."""
    if not days:
        return F.lit(None).cast("date")
    pairs = [part for year, day in sorted(days.items()) for part in (F.lit(year), F.lit(day))]
    return F.create_map(*pairs)[F.col("census_year")]
