"""Which units of a panel are treated, which compare and which are left out, as the study declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from sos_spark.config.areas import UnitNames, code_faults, names_of_panel, names_of_window, neighbours_of
from sos_spark.config.periods import add_periods
from sos_spark.config.study import TRANSITIONS, Design, Study
from sos_spark.errors import StudyError
from sos_spark.fit.cells.matching import UnitMeans, match
from sos_spark.fit.cells.reading import CheckedCells
from sos_spark.fit.errors import NotEstimableError

DRAWN_BACK = (
    "comparators are matched on what they were before go-live: those that were unusual by chance are drawn back towards"
    " their own mean after it (regression to the mean), which can look like an effect"
)
"""What is to be known of comparators that were matched on outcomes."""
NAMED = 12
"""How many codes a warning names before it counts the rest."""


@dataclass(frozen=True)
class Arms:
    """The arms of a panel. `gtime` holds each treated unit's first treated period, whether or not the panel reaches it.

    `absent_pilots` are codes of pilots that no unit of the panel stands for. `matched` names, for kind = "matched",
    each treated unit's comparators, nearest first.
    """

    gtime: dict[str, int]
    go_live: dict[str, date]
    comparators: tuple[str, ...]
    candidates: tuple[str, ...]
    absent_pilots: tuple[str, ...]
    matched: dict[str, tuple[str, ...]]
    warnings: tuple[str, ...]


def first_treated_period(starts: Mapping[int, date], go_live: date, design: Design) -> int:
    """Returns the number of the first period that starts on or after go-live, one that has no rows included."""
    numbers = sorted(starts)
    number, start = numbers[0], starts[numbers[0]]
    if start >= go_live:
        # Before the panel's first period: treated throughout, however long ago.
        return number
    while start < go_live:
        number += 1
        start = add_periods(starts[numbers[0]].replace(day=1), number - numbers[0], design.window.period)
        start = start.replace(day=starts[numbers[0]].day)
    return number


def find_arms(cells: CheckedCells, design: Design) -> Arms:
    """Returns the arms of a panel. The study's codes name its units as `config.areas` says.

    Raises:
        InputError: A code belongs to two units of the panel.
        StudyError: Codes name neither a unit of the panel nor one of the window, pilots of one unit have different
            go-lives, or a pilot's neighbours are not known.
        NotEstimableError: No unit of the panel is treated, or none compares.
    """
    units = sorted(set(cells.unit_id))
    names = names_of_panel(units)
    refuse_unknown_codes(design, [names])
    go_live: dict[str, date] = {}
    absent = []
    for pilot in design.pilots:
        treated = names.units_of(pilot.la_code)
        if not treated:
            absent.append(pilot.la_code)
        for unit in treated:
            if go_live.setdefault(unit, pilot.go_live) != pilot.go_live:
                raise StudyError(
                    "Pilots that are one unit have different go-lives",
                    found=f"{unit}: {go_live[unit]} and {pilot.go_live}",
                    remedy="Give them the same go_live",
                )
    if not go_live:
        raise NotEstimableError(
            "The panel has no treated unit",
            expected="one of " + ", ".join(pilot.la_code for pilot in design.pilots[:12]),
            found=f"{len(units)} units, none a pilot",
            remedy="Check unit_id in the panel (leading zeros count) and la_code in the study file",
        )
    gtime = {unit: first_treated_period(cells.starts, day, design) for unit, day in go_live.items()}
    excluded = names.units_of_all(design.comparators.exclude)
    candidates = tuple(unit for unit in units if unit not in go_live and unit not in excluded)
    warnings = [
        f"the period before {cells.starts[number]} contains the go-live of {unit} and is"
        f" {TRANSITIONS[design.window.transition]}"
        for unit, number in gtime.items()
        if number in cells.starts and min(cells.starts) < number and cells.starts[number] != go_live[unit]
    ]
    matched: dict[str, tuple[str, ...]] = {}
    kind = design.comparators.kind
    if kind == "all":
        chosen = candidates
    elif kind == "listed":
        chosen = _of_codes(design.comparators.la_codes, names, candidates, "listed comparators", warnings)
    elif kind == "neighbours":
        chosen = _of_codes(_neighbours(design, names), names, candidates, "statistical neighbours", warnings)
    else:
        matched = match(
            UnitMeans.of(cells), gtime=gtime, candidates=candidates, k=design.comparators.k, on=design.comparators.on
        )
        chosen = tuple(sorted({unit for nearest in matched.values() for unit in nearest}))
        warnings.append(DRAWN_BACK)
        unmatched = [unit for unit in gtime if not matched.get(unit)]
        if unmatched:
            warnings.append(
                f"no comparator could be matched to {', '.join(sorted(unmatched))}: too few periods before go-live"
            )
    if not chosen and len(set(gtime.values())) == 1:
        raise NotEstimableError(
            "No unit of the panel can compare",
            expected=f'comparators of kind "{kind}"',
            found=f"{len(candidates)} units without a pilot that are not excluded",
            remedy="Widen [comparators] in the study file",
        )
    return Arms(gtime, go_live, tuple(chosen), candidates, tuple(absent), matched, tuple(warnings))


def refuse_unknown_codes(study: Study | Design, panels: Sequence[UnitNames]) -> None:
    """Raises StudyError with every code that names neither a unit of the panels nor one of the study's window."""
    faults = code_faults(study, known=[names_of_window(study.window), *panels])
    if faults:
        raise StudyError(
            "The study names authorities that are not known",
            expected="DfE codes of local authorities, or units of the panel",
            faults=faults,
            remedy="Check la_code in the study file and unit_id in the panel (leading zeros count)",
        )


def _neighbours(design: Design, names: UnitNames) -> tuple[str, ...]:
    """Returns the union of the pilots' lists of neighbours, in order of first mention."""
    lists, n = design.neighbours, design.comparators.n
    near = (neighbours_of(pilot.la_code, lists, n=n, changes=names.changes) for pilot in design.pilots)
    return tuple(dict.fromkeys(code for codes in near for code in codes))


def _of_codes(
    codes: Sequence[str], names: UnitNames, candidates: Sequence[str], what: str, warnings: list[str]
) -> tuple[str, ...]:
    """Returns the candidates that the codes name, each once, sorted; warns of codes whose unit has no rows."""
    absent = [code for code in codes if not names.units_of(code)]
    if absent:
        said = ", ".join(absent[:NAMED]) + (f" and {len(absent) - NAMED} more" if len(absent) > NAMED else "")
        warnings.append(f"{len(absent)} of {len(codes)} {what} have no rows in the panel: {said}")
    wanted = names.units_of_all(codes)
    return tuple(unit for unit in candidates if unit in wanted)


def arm_of_units(arms: Arms, *, used: Iterable[str], all_units: Iterable[str]) -> dict[str, str]:
    """Returns pilot, comparator or unused for every unit of the panel; a pilot left out of the fit is unused."""
    fitted = set(used)
    return {
        unit: "unused" if unit not in fitted else "pilot" if unit in arms.gtime else "comparator"
        for unit in sorted(set(all_units))
    }


def arms_frame(outcome_id: str, arms: Mapping[str, str], gtime: Mapping[str, int]) -> pd.DataFrame:
    """Returns the columns of arms.csv: outcome_id, unit_id, arm, gtime (null: never)."""
    return pd.DataFrame(
        {
            "outcome_id": outcome_id,
            "unit_id": list(arms),
            "arm": list(arms.values()),
            "gtime": pd.array([gtime.get(unit) if arms[unit] == "pilot" else None for unit in arms], dtype="Int64"),
        }
    )
