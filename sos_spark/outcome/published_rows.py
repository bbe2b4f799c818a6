"""The rows that published outcomes add to a panel: cells, why a cell is unknown, and what it can have been."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sos_spark.bronze.read.published import PublishedValue
from sos_spark.cohort.units import Unit
from sos_spark.config.outcomes.published import DECLARED_MEASURES, Published
from sos_spark.config.periods import periods_between
from sos_spark.config.reference import Authority
from sos_spark.config.study import Study
from sos_spark.outcome.published import MEASURES, Component, PublishedCell, published_cells
from sos_spark.outcome.published_bounds import PublishedBound, published_bounds
from sos_spark.outcome.reasons import ANALYSED

Row = tuple[object, ...]


@dataclass(frozen=True)
class PublishedRows:
    """Rows in the order of their table's columns: `panel.cells`, `outcome.flow` and `panel.bounds`."""

    cells: list[Row] = field(default_factory=list)
    flow: list[Row] = field(default_factory=list)
    bounds: list[Row] = field(default_factory=list)


def published_outcomes(study: Study | None) -> tuple[Published, ...]:
    """Returns the study's outcomes that come from published tables."""
    return tuple(outcome for outcome in study.outcomes if isinstance(outcome, Published)) if study else ()


def published_rows(
    study: Study,
    values: Sequence[PublishedValue],
    *,
    units: Sequence[Unit],
    authorities: Mapping[str, Authority],
) -> PublishedRows:
    """Returns the rows of every published outcome of a study.

    Args:
        study: Its periods are years.
        values: What the published tables hold.
        units: The study's authorities and the harmonised units they make up.
        authorities: Each authority's region, for the bounds.
    """
    rows, parts = PublishedRows(), _components(units)
    treated = {unit.unit_id for unit in units if unit.is_pilot}
    for outcome in published_outcomes(study):
        made = published_cells(values, measure=MEASURES[outcome.measure], units=parts, window=study.window)
        is_share = DECLARED_MEASURES[outcome.measure].is_share
        rows.cells.extend(_row(study, outcome.outcome_id, cell, is_share=is_share) for cell in made if not cell.reason)
        rows.flow.extend(_flow_row(study, outcome.outcome_id, cell, is_pilot=cell.unit_id in treated) for cell in made)
        unknown = published_bounds(
            values, measure=outcome.measure, units=parts, window=study.window, authorities=authorities
        )
        rows.bounds.extend(_bound_row(study, outcome.outcome_id, bound) for bound in unknown)
    return rows


def _components(units: Iterable[Unit]) -> dict[str, list[Component]]:
    components: dict[str, list[Component]] = {}
    for unit in units:
        part = Component(unit.la_code, unit.first_census_year, unit.last_census_year)
        components.setdefault(unit.unit_id, []).append(part)
    return components


def _when(study: Study, census_year: int) -> tuple[int, date]:
    """The period's number and first day: the year that ends on 31 March starts the 1 April before."""
    start = date(census_year - 1, 4, 1)
    return periods_between(study.window.baseline[0], start, study.window.period), start


def _row(study: Study, outcome_id: str, cell: PublishedCell, *, is_share: bool) -> Row:
    """A row of panel.cells. Of a share each of the n is counted or not, so that y_sumsq is y_sum; a ratio has none."""
    y_sumsq = cell.y_sum if is_share else None
    place = (study.study_id, outcome_id, cell.unit_id, *_when(study, cell.census_year))
    return (*place, None, None, None, None, cell.n, cell.y_sum, y_sumsq)


def _flow_row(study: Study, outcome_id: str, cell: PublishedCell, *, is_pilot: bool) -> Row:
    """A row of outcome.flow: a unit's year counts once."""
    when = _when(study, cell.census_year)
    return (study.study_id, outcome_id, cell.unit_id, is_pilot, *when, cell.reason or ANALYSED, 1)


def _bound_row(study: Study, outcome_id: str, bound: PublishedBound) -> Row:
    """A row of panel.bounds."""
    when = _when(study, bound.census_year)
    return (study.study_id, outcome_id, bound.unit_id, *when, bound.n, bound.y_low, bound.y_high, bound.reason)
