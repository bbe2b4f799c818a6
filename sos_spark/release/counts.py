"""Which counts a run's public tables would hold, as sets of children: authorities, months and sides of the outcome.

Tables: each arm by year, each pilot before and after its go-live, and the flow of rows from received to analysed.
Periods shorter than a year are put together to years of 1 April to 31 March: what is thin is best made coarser first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import pandas as pd

from sos_spark.config.outcomes import Outcome
from sos_spark.config.study import Study
from sos_spark.release.linked import Box, Count

ARMS = ("pilot", "comparator")
EVENT, OTHER, ANY = "event", "other", "any"
TableName = Literal["arms_by_year", "pilots_before_after", "samples", "flow"]
_PERIOD_MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Row:
    """A row of a public table, not yet judged.

    Attributes:
        table: The table it is of.
        labels: What names it, by column.
        n: The count of children or index rows.
        events: The count of those with the event; None for an outcome that is an amount, and in the flow.
        amount: Sum and sum of squares of an amount; None otherwise.
    """

    table: TableName
    labels: Mapping[str, str]
    n: Count
    events: Count | None = None
    amount: tuple[float, float] | None = None


@dataclass(frozen=True)
class Universe:
    """The children that an outcome counts: by these words two studies, or two runs, are known to count the same.

    `entity`: what is counted, more widely: universes of one entity may differ by a few children. `event`: what counts
    as one, as widely; events of another kind that are nearly as many are so by chance.
    """

    digest: str
    entity: str
    event: str
    words: str


@dataclass(frozen=True)
class OutcomeCounts:
    """What a run would publish of an outcome.

    `known` are the cells of every unit in the study's windows, with arm, months and year; `fitted` those of its arms.
    """

    outcome_id: str
    universe: Universe
    rows: tuple[Row, ...]
    known: pd.DataFrame

    @property
    def fitted(self) -> pd.DataFrame:
        """The cells of pilots and comparators."""
        return self.known[self.known["arm"].isin(ARMS)]

    def without(self, tables: Collection[str]) -> OutcomeCounts:
        """Returns the same without the rows of some tables."""
        return replace(self, rows=tuple(row for row in self.rows if row.table not in tables))

    def counts(self) -> Iterator[Count]:
        """Gives every count, those of equal sets too."""
        for row in self.rows:
            yield row.n
            if row.events is not None:
                yield row.events


def universe_of(study: Study, outcome: Outcome, *, is_simulated: bool) -> Universe:
    """Returns the universe of an outcome: its definition, who is in, and what of the data is used."""
    said = outcome.model_dump(
        mode="json", by_alias=True, exclude={"outcome_id", "family", "smallest_effect_of_interest"}
    )
    content = {
        "outcome": said,
        "population": study.population.model_dump(mode="json", include={"age_min", "age_max"}),
        "missing": study.covariates.missing if study.covariates.categorical or study.covariates.continuous else "",
        "max_quarantined": study.window.max_quarantined,
        "is_simulated": is_simulated,
    }
    words = json.dumps(content, sort_keys=True)
    kinds = [kind.__name__ for kind in type(outcome).__mro__ if issubclass(kind, Outcome) and kind is not Outcome]
    return Universe(hashlib.sha256(words.encode()).hexdigest()[:16], outcome.entity or "published", kinds[-1], words)


def outcome_counts(
    study: Study, outcome: Outcome, frames: Mapping[str, pd.DataFrame], *, is_simulated: bool
) -> OutcomeCounts:
    """Returns the rows that the public tables would have of an outcome.

    Args:
        study: The study that was fitted.
        outcome: One of its outcomes.
        frames: cells, arms and flow, columns as in the files of those names.
        is_simulated: Whether the data are.
    """
    own = {name: frame[frame["outcome_id"] == outcome.outcome_id] for name, frame in frames.items() if len(frame)}
    known = _known_cells(study, own["cells"], own["arms"])
    cells = known[known["arm"].isin(ARMS)]
    amounts, universe = not outcome.is_binary, universe_of(study, outcome, is_simulated=is_simulated)
    rows = [*_by_year(cells, amounts), *_before_after(cells, amounts)]
    if len(cells):
        rows.append(_row("samples", {"sample": "main"}, cells, cells, amounts))
    if "flow" in own:
        rows += _flow(own["flow"], cells, universe.digest, amounts)
    return OutcomeCounts(outcome.outcome_id, universe, tuple(rows), known)


def _known_cells(study: Study, cells: pd.DataFrame, arms: pd.DataFrame) -> pd.DataFrame:
    """The cells in the study's windows, a row for a unit and a period, with arm, first treated period and months."""
    summed = cells.groupby(["unit_id", "period", "period_start"], as_index=False)[["n", "y_sum", "y_sumsq"]].sum(
        min_count=1
    )
    arm, gtime = (dict(zip(arms["unit_id"], arms[column], strict=True)) for column in ("arm", "gtime"))
    starts = summed["period_start"].map(lambda text: pd.Timestamp(text).date())
    window = study.window
    inside = starts.map(lambda day: any(a <= day < b for a, b in (window.baseline, window.follow_up)))
    months = {day: _months(day, _PERIOD_MONTHS[window.period]) for day in starts.unique()}
    out = summed.assign(
        arm=summed["unit_id"].map(arm),
        gtime=summed["unit_id"].map(gtime),
        months=starts.map(months),
        year=starts.map(_year),
    )
    return out[inside & (out["n"] > 0)].reset_index(drop=True)


def _months(start: date, length: int) -> frozenset[str]:
    first = start.year * 12 + start.month - 1
    return frozenset(f"{month // 12}-{month % 12 + 1:02d}" for month in range(first, first + length))


def _year(day: date) -> str:
    first = day.year if day.month >= 4 else day.year - 1
    return f"{first}-{(first + 1) % 100:02d}"


def _by_year(cells: pd.DataFrame, amounts: bool) -> Iterator[Row]:
    for arm in ARMS:
        own = cells[cells["arm"] == arm]
        for year, part in own.groupby("year", sort=True):
            yield _row("arms_by_year", {"arm": arm, "year": str(year)}, part, own, amounts)
        if len(own):
            yield _row("arms_by_year", {"arm": arm, "year": "all"}, own, own, amounts)


def _before_after(cells: pd.DataFrame, amounts: bool) -> Iterator[Row]:
    pilots = cells[cells["arm"] == "pilot"]
    after = pilots["period"] >= pilots["gtime"]
    for when, chosen in (("before", ~after), ("after", after)):
        part = pilots[chosen]
        for unit, own in part.groupby("unit_id", sort=True):
            yield _row("pilots_before_after", {"authority": str(unit), "when": when}, own, own, amounts)
        if len(part):
            yield _row("pilots_before_after", {"authority": "all", "when": when}, part, pilots, amounts)


def _row(table: TableName, labels: dict[str, str], part: pd.DataFrame, everyone: pd.DataFrame, amounts: bool) -> Row:
    key = "|".join([table, *labels.values()])
    boxes = boxes_of(part, everyone)
    n, y_sum = int(part["n"].sum()), float(part["y_sum"].sum())
    if amounts:
        square = float(part["y_sumsq"].sum()) if part["y_sumsq"].notna().all() else float("nan")
        return Row(table, labels, Count(f"{key}|n", _on(boxes, ANY), n), None, (y_sum, square))
    n_count = Count(f"{key}|n", _on(boxes, EVENT, OTHER), n)
    return Row(table, labels, n_count, Count(f"{key}|events", _on(boxes, EVENT), round(y_sum)))


def boxes_of(part: pd.DataFrame, everyone: pd.DataFrame) -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    """Returns the units and months of a row, a box for each first treated period.

    `everyone`: the cells of all whom the row could hold, so that a unit with no child in these months is in the box
    too: rows of the same units then have the same ones.
    """
    boxes = []
    for gtime, own in part.groupby("gtime", sort=True, dropna=False):
        alike = everyone["gtime"].isna() if pd.isna(gtime) else everyone["gtime"] == gtime
        units = frozenset(code for unit in everyone.loc[alike, "unit_id"].unique() for code in str(unit).split("+"))
        boxes.append((units, frozenset().union(*own["months"])))
    return tuple(boxes)


def _on(boxes: Sequence[tuple[frozenset[str], frozenset[str]]], *sides: str) -> tuple[Box, ...]:
    return tuple(Box(units, months, frozenset(sides)) for units, months in boxes)


def _flow(flow: pd.DataFrame, cells: pd.DataFrame, digest: str, amounts: bool) -> Iterator[Row]:
    """The flow of each arm. What leaves at a stage is a set of its own; what was analysed is the cells' children."""
    sides = (ANY,) if amounts else (EVENT, OTHER)
    for arm in ARMS:
        own = flow[flow["arm"] == arm]
        part = cells[cells["arm"] == arm]
        analysed = _on(boxes_of(part, part), *sides) if len(part) else ()
        members = json.dumps([arm, sorted(part["unit_id"].unique()), sorted(frozenset().union(*part["months"]))])
        here = frozenset({f"flow of {arm} {hashlib.sha256(members.encode()).hexdigest()[:12]}"})
        yield from _flow_of(own, arm, _Fates(here, digest), analysed, int(part["n"].sum()))


def _flow_of(flow: pd.DataFrame, arm: str, fates: _Fates, analysed: tuple[Box, ...], n_analysed: int) -> Iterator[Row]:
    stages = [
        (str(stage), str(entity), str(reason), int(n))
        for stage, entity, reason, n in zip(
            flow["stage"], flow["entity"], flow["reason"].fillna(""), flow["n_rows"], strict=True
        )
    ]

    def at(stage: str) -> list[tuple[Box, int]]:
        return [(fates.box(s, e, r), n) for s, e, r, n in stages if s == stage]

    kept = [(box, 0) for box in analysed]
    made: dict[str, list[tuple[Box, int]]] = {
        "received": [*at("lost_valid"), *at("valid")],
        "valid": at("valid"),
        "analysed": kept,
        "eligible": [*at("lost_analysed"), *kept],
        _INDEX_ROWS: [*at("lost_eligible"), *at("lost_analysed"), *kept],
    }
    for stage, entity, reason, n_rows in stages:
        parts = made.get(stage, []) if not reason else []
        inside = sum(n for _, n in parts) + (n_analysed if parts and kept and stage in _UP_TO_ANALYSED else 0)
        boxes = tuple(box for box, _ in parts) if parts and inside == n_rows else (fates.box(stage, entity, reason),)
        labels = {"arm": arm, "stage": stage, "rows_of": entity, "reason": reason}
        yield Row("flow", labels, Count("|".join(["flow", *labels.values(), "n"]), boxes, n_rows))


_INDEX_ROWS = "index_rows"
_UP_TO_ANALYSED = ("analysed", "eligible", _INDEX_ROWS)


@dataclass(frozen=True)
class _Fates:
    """The sets of rows that share a fate: of an arm, and from index rows on of one universe, whose rows they are."""

    arm: frozenset[str]
    universe: str

    def box(self, stage: str, entity: str, reason: str) -> Box:
        """Returns the set that leaves, or stands, at a stage."""
        whose = f"{entity} of {self.universe}" if entity == _INDEX_ROWS else entity
        return Box(self.arm, frozenset({"the window"}), frozenset({f"{stage}:{whose}:{reason}"}))


def total_of(cells: pd.DataFrame, boxes: Sequence[Box]) -> int | None:
    """Returns how many children of cells lie in boxes; None where a cell lies in one in part only."""
    total = 0.0
    for unit, months, n, y_sum in cells[["unit_id", "months", "n", "y_sum"]].itertuples(index=False):
        codes = frozenset(str(unit).split("+"))
        for box in boxes:
            if codes.isdisjoint(box.units) or months.isdisjoint(box.months):
                continue
            if not (codes <= box.units and months <= box.months):
                return None
            total += n if ANY in box.sides else y_sum * (EVENT in box.sides) + (n - y_sum) * (OTHER in box.sides)
    return round(total)
