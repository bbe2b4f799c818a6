"""Episodes of care: each period of care as the rows of an SSDA903 return, with the effect on kinship planted.

Whether the first placement that is not temporary is with kin is drawn with its probability as a number; later moves
keep the share near it, so that an effect on starts reaches the stock as well.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from sos_spark.simulate.calibration import age_factors
from sos_spark.simulate.cases import IN_NEED, Cases
from sos_spark.simulate.days import NEVER
from sos_spark.simulate.draws import Draws, Flags, Floats, Ints
from sos_spark.simulate.setting import Setting

KINSHIP, FOSTER = 0, 1
PLACEMENTS = ("kinship", "foster", "P1", "K2", "A5", "P2", "H5", "R1", "K1", "S1", "T0", "T1", "T2", "T3", "T4")
"""What a placement is; kinship and foster have other codes before and after 2015/16."""

FIRST_TEMPORARY = 10
_MOVES = 8
_MEAN_DAYS_PER_MOVE = 290.0
LEGAL_STATUSES = ("C1", "C2", "V2", "E1", "L1", "J1", "V4")
_SHORT_BREAK = 6
REASONS_NEW = ("S", "L", "P", "T", "B", "U")
_STARTED, _LEGAL, PLACED, _SAME_CARER, _BOTH, _BOTH_SAME_CARER = range(6)

# Placements that are not with kin, by age: under 10, 10-15, 16-17.
_OTHERS = (
    (0.0, 0.830, 0.090, 0.010, 0.035, 0.0, 0.0, 0.030, 0.005, 0.0),
    (0.0, 0.740, 0.060, 0.160, 0.000, 0.0, 0.0, 0.000, 0.020, 0.020),
    (0.0, 0.480, 0.050, 0.160, 0.000, 0.16, 0.13, 0.000, 0.010, 0.010),
)


@dataclass(frozen=True)
class Episodes:
    """One value an episode. `ended` is NEVER only for a period still open; `is_last` marks a period's last episode."""

    child: Ints
    began: Ints
    ended: Ints
    reason_new: Ints
    legal_status: Ints
    placement: Ints
    variant: Floats
    is_last: Flags
    is_short_break: Flags
    period_began: Ints

    def take(self, rows: Ints) -> Episodes:
        """Returns some of the episodes, in that order."""
        return Episodes(*(getattr(self, f.name)[rows] for f in fields(Episodes)))

    @staticmethod
    def joined(parts: list[Episodes]) -> Episodes:
        """Returns several lots of episodes as one."""
        return Episodes(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Episodes)))


def episodes_of(setting: Setting, cases: Cases) -> Episodes:
    """Returns every episode of an area's children that begins on or before the last day observed, in no order."""
    children, draws = setting.children, setting.draws
    in_care = cases.take((cases.care_from != NEVER) & (cases.care_from <= setting.last_day))
    child, began = in_care.child, in_care.care_from
    ended = np.maximum(in_care.care_to, began + 1)
    ages = children.age(child, began)
    level = setting.rates.kinship[setting.year_index(began)]
    untreated = np.clip(level * age_factors(ages)["kinship"], 0.0, 0.9)
    chance = setting.plant("kinship_placement", untreated, setting.rows(child, began, "ssda903"))
    # A child begins at most one period a day, so child and day name a period's draws.
    key = child * 100_000 + began
    starts_with_kin = draws.uniform("kinship", key) < chance
    periods = _moves(draws, key, child, began, ended, ages, chance, starts_with_kin, setting.last_day)
    return Episodes.joined([*periods, _short_breaks(setting, cases)])


def _moves(
    draws: Draws,
    key: Ints,
    child: Ints,
    began: Ints,
    ended: Ints,
    ages: Ints,
    chance: Floats,
    with_kin: Flags,
    last_day: int,
) -> list[Episodes]:
    """Returns a lot of episodes for each position in a period: its first, its second and so on."""
    temporary_first = draws.uniform("temporary_first", key) < 0.045
    legal = draws.choice("legal", key, (0.30, 0.06, 0.56, 0.01, 0.05, 0.02))
    placement = np.where(with_kin, KINSHIP, _other_placement(draws, "first", key, ages))
    settled = placement
    from_day = began
    at_start = np.flatnonzero(temporary_first)
    placement = placement.copy()
    placement[at_start] = FIRST_TEMPORARY + draws.choice("temporary", key, (1, 1, 1, 1, 1))[at_start]
    reason = np.full(len(key), _STARTED)
    variant = draws.uniform("variant", key)
    rows = np.arange(len(key))
    parts = []
    for move in range(_MOVES):
        gap = draws.exponential(f"move/{move}", key[rows], mean=_MEAN_DAYS_PER_MOVE)
        if move == 0:
            gap = np.where(temporary_first, 1 + 24 * draws.uniform("temporary_days", key), gap)
        next_day = from_day + 1 + gap.astype(np.int64)
        is_last = (next_day >= ended[rows]) | (move == _MOVES - 1)
        until = np.where(is_last, ended[rows], next_day)
        parts.append(
            Episodes(
                child=child[rows],
                began=from_day,
                ended=until,
                reason_new=reason,
                legal_status=legal,
                placement=placement,
                variant=variant,
                is_last=is_last,
                is_short_break=np.zeros(len(rows), dtype=bool),
                period_began=began[rows],
            )
        )
        goes_on = ~is_last & (next_day <= last_day)
        was_temporary = placement[goes_on] >= FIRST_TEMPORARY
        rows, from_day, settled, legal = rows[goes_on], next_day[goes_on], settled[goes_on], legal[goes_on]
        variant = variant[goes_on]
        kind = draws.choice(f"move_kind/{move}", key[rows], (0.27, 0.55, 0.03, 0.12, 0.03))
        # The same carer in another kind of placement: only families have other kinds.
        kind = np.where((settled > FOSTER) & (kind == _SAME_CARER - 1), PLACED - 1, kind)
        kind = np.where((settled > FOSTER) & (kind == _BOTH_SAME_CARER - 1), _BOTH - 1, kind)
        reason = np.where(was_temporary, PLACED, 1 + kind)
        has_new_status = np.isin(reason, (_LEGAL, _BOTH, _BOTH_SAME_CARER))
        legal = np.where(has_new_status, np.where(legal == 0, 1, 0), legal)
        moved = np.isin(reason, (PLACED, _BOTH)) & ~was_temporary
        variant = np.where(moved, draws.uniform(f"variant/{move}", key[rows]), variant)
        variant = np.where(np.isin(reason, (_SAME_CARER, _BOTH_SAME_CARER)), (variant + 1 / 3) % 1, variant)
        stay = draws.uniform(f"kin_again/{move}", key[rows])
        kin_share = np.clip(chance[rows], 0.02, 0.6)
        kin = np.where(settled == KINSHIP, stay < 0.75, stay < 0.25 * kin_share / (1 - kin_share))
        elsewhere = np.where(kin, KINSHIP, _other_placement(draws, f"move/{move}", key[rows], ages[rows]))
        settled = np.where(moved, elsewhere, settled)
        visit = ~was_temporary & (draws.uniform(f"visit/{move}", key[rows]) < 0.03) & moved
        placement = np.where(visit, FIRST_TEMPORARY + 3, settled)
    return parts


def _other_placement(draws: Draws, name: str, key: Ints, ages: Ints) -> Ints:
    band = np.digitize(ages, (10, 16))
    edges = np.cumsum(np.array(_OTHERS), axis=1)
    edges /= edges[:, -1:]
    u = draws.uniform(f"placement/{name}", key)
    picked: Ints = (u[:, None] >= edges[band]).sum(axis=1)
    return picked


def _short_breaks(setting: Setting, cases: Cases) -> Episodes:
    """Returns series of short breaks (V4) of disabled children in need, inside their open case: never looked after."""
    children, draws = setting.children, setting.draws
    eligible = (cases.kind == IN_NEED) & (children.disability[cases.child] != 0)
    key = cases.child * 100_000 + cases.referred
    began = cases.assessed_to + 7
    ended = began + 60 + (120 * draws.uniform("short_break/days", key)).astype(np.int64)
    eligible &= (draws.uniform("short_break", key) < 0.25) & (ended < cases.closed) & (began <= setting.last_day)
    eligible &= (children.birth[cases.child] < began) & (ended < children.birth[cases.child] + 6570)
    rows = np.flatnonzero(eligible)
    return Episodes(
        child=cases.child[rows],
        began=began[rows],
        ended=ended[rows],
        reason_new=np.full(len(rows), _STARTED),
        legal_status=np.full(len(rows), _SHORT_BREAK),
        placement=np.full(len(rows), FOSTER),
        variant=draws.uniform("short_break/variant", key[rows]),
        is_last=np.ones(len(rows), dtype=bool),
        is_short_break=np.ones(len(rows), dtype=bool),
        period_began=began[rows],
    )
