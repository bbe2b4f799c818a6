"""The modules of the SSDA903 return: text as in its CSV files, dates dd/mm/yyyy."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sos_spark.simulate.care_periods import (
    FIRST_TEMPORARY,
    FOSTER,
    KINSHIP,
    LEGAL_STATUSES,
    PLACED,
    PLACEMENTS,
    REASONS_NEW,
    Episodes,
)
from sos_spark.simulate.children import ETHNICITIES
from sos_spark.simulate.cin_records import UPN_FROM_DAYS, UPN_REASONS, year_ends
from sos_spark.simulate.days import NEVER, census_year_of
from sos_spark.simulate.draws import Flags, Ints
from sos_spark.simulate.records import Appearances, Frame, uk_dates, words

_LAST_YEAR_OF_Q_CODES = 2015
_FIRST_YEAR_OF_SGO_DETAIL = 2019
_FIRST_YEAR_OF_SEX_LETTERS = 2025
_LAST_YEAR_OF_OLD_SETTINGS = 2024
_GROWN_UP_DAYS = 6574

# Placement codes by kind of placement; a draw picks one of three, where there are three.
_BEFORE = {KINSHIP: ("Q1", "Q1", "Q1"), FOSTER: ("Q2", "Q2", "Q2")}
_AFTER = {KINSHIP: ("U1", "U2", "U3"), FOSTER: ("U4", "U5", "U6")}

_ENDS = ("E4A", "E12", "E41", "E45", "E46", "E47", "E48", "E5", "E7", "E8", "E9", "E43", "E44", "X1")
_HOME, _ADOPTED, _ORDER, _SGO_FOSTER_KIN, _SGO_FOSTER, _SGO_KIN, _SGO_OTHER, _ALONE, _ADULT, _OTHER = range(10)
_SGO_EARLY_FOSTER, _SGO_EARLY_OTHER, _CONTINUES = 11, 12, 13
_CHANGES = ("CARPL", "PLACE", "CHILD", "STAND", "OTHER", "CREQB")


def lac_tables(frame: Frame, episodes: Episodes) -> dict[str, pa.Table]:
    """Returns the tables of the SSDA903 modules. `episodes` in order of child and day."""
    seen = frame.appearances(episodes.child, episodes.began, episodes.ended, "ssda903")
    who = frame.once_a_year(episodes.child, seen)
    renamed = _renamed(frame, episodes)
    return {
        "lac_header": _header(frame, renamed, who),
        "lac_episodes": _episodes(frame, episodes, renamed, seen),
        "lac_previous_permanence": frame.table(
            "lac_previous_permanence",
            who,
            {
                "CHILD": _care_ids(frame, renamed, who.row),
                "DOB": uk_dates(frame.children.birth[who.row]),
                "PREV_PERM": words(("Z1", "P1", "P2"), frame.draws.choice("permanence", who.row, (0.95, 0.02, 0.03))),
            },
        ),
    }


def _renamed(frame: Frame, episodes: Episodes) -> Flags:
    """Says of each child whether its id here is another than in the CIN census.

    Only the pupil number, birth date and sex then tell that it is the same child, so only children old enough to have
    a number are renamed.
    """
    children = frame.children
    first_care = np.full(len(children), NEVER)
    np.minimum.at(first_care, episodes.child, episodes.began)
    return children.has_own_care_id & children.has_upn & (first_care - children.birth > UPN_FROM_DAYS + 366)


def _care_ids(frame: Frame, renamed: Flags, child: Ints) -> pa.Array:
    ids = frame.ids.take(pa.array(child))
    return pc.if_else(pa.array(renamed[child]), pc.binary_join_element_wise("L", ids, ""), ids)


def _header(frame: Frame, renamed: Flags, at: Appearances) -> pa.Table:
    """Grain: a looked-after child in a return."""
    children, child = frame.children, at.row
    birth = children.birth[child]
    at_school = year_ends(at.year) - birth >= UPN_FROM_DAYS
    has_upn = children.has_upn[child] & at_school
    letters = at.year >= _FIRST_YEAR_OF_SEX_LETTERS
    unknown = words(UPN_REASONS, at_school.astype(np.int64))
    return frame.table(
        "lac_header",
        at,
        {
            "CHILD": _care_ids(frame, renamed, child),
            "SEX": words(("1", "2", "M", "F"), children.is_girl[child] + 2 * letters),
            "DOB": uk_dates(birth),
            "ETHNIC": words(ETHNICITIES, children.ethnicity[child]),
            "UPN": pc.if_else(pa.array(has_upn), frame.upns.take(pa.array(child)), unknown),
        },
    )


def _episodes(frame: Frame, episodes: Episodes, renamed: Flags, at: Appearances) -> pa.Table:
    """Grain: an episode in a return."""
    draws, row = frame.draws, at.row
    key = episodes.child * 100_000 + episodes.began
    period = episodes.child * 100_000 + episodes.period_began
    has_ended = episodes.ended[row] <= year_ends(at.year)
    same_period = np.concatenate([period[1:] == period[:-1], [False]])[: len(key)]
    next_reason = np.concatenate([episodes.reason_new[1:], [0]])[: len(key)]
    moves_on = same_period & (next_reason >= PLACED)
    needs = draws.choice("care_need", period, (62, 4, 3, 8, 14, 2, 1, 6))
    temporary = episodes.placement >= FIRST_TEMPORARY
    provider = np.where(temporary | (episodes.placement > FOSTER), 2, np.where(7 * episodes.variant % 1 < 0.33, 1, 0))
    return frame.table(
        "lac_episodes",
        at,
        {
            "CHILD": _care_ids(frame, renamed, episodes.child[row]),
            "DECOM": uk_dates(episodes.began[row]),
            "RNE": words(REASONS_NEW, episodes.reason_new[row]),
            "LS": words(LEGAL_STATUSES, episodes.legal_status[row]),
            "CIN": words([f"N{number}" for number in range(1, 9)], needs[row]),
            "PLACE": _place_codes(episodes, at),
            "PLACE_PROVIDER": words(("PR1", "PR4", None), provider[row]),
            "DEC": uk_dates(episodes.ended[row], has_ended),
            "REC": words(_ENDS, _reasons_ended(frame, episodes, key)[row], has_ended),
            "REASON_PLACE_CHANGE": words(
                _CHANGES, draws.choice("change", key, (40, 20, 10, 10, 15, 5))[row], has_ended & moves_on[row]
            ),
            # ZZ99 stands for no place: these columns are there because real returns have them, and must not be kept.
            "HOME_POST": words(["ZZ99 3VZ"], np.zeros(len(row), dtype=np.int64)),
            "PL_POST": words(["ZZ99 3WZ"], np.zeros(len(row), dtype=np.int64)),
        },
    )


def _place_codes(episodes: Episodes, at: Appearances) -> pa.Array:
    """Returns placement codes as the return's year has them: an episode that goes on gets the new code in time."""
    kinds = (KINSHIP, FOSTER)
    codes = [code for by_kind in (_BEFORE, _AFTER) for kind in kinds for code in by_kind[kind]]
    late = {"P2": "P3", "H5": "K2"}
    plain = list(PLACEMENTS[len(kinds) :])
    codes += plain + [late.get(code, code) for code in plain]
    kind = episodes.placement[at.row]
    family = 6 * (at.year > _LAST_YEAR_OF_Q_CODES) + 3 * kind + (3 * episodes.variant[at.row]).astype(np.int64)
    other = 12 + kind - len(kinds) + len(plain) * (at.year > _LAST_YEAR_OF_OLD_SETTINGS)
    return words(codes, np.where(kind < len(kinds), family, other))


def _reasons_ended(frame: Frame, episodes: Episodes, key: Ints) -> Ints:
    """Returns why each episode ceased: X1 where the period goes on; special guardianship in detail from 2018/19."""
    draws = frame.draws
    age = episodes.ended - frame.children.birth[episodes.child]
    grown_up = age >= _GROWN_UP_DAYS
    with_kin = episodes.placement == KINSHIP
    u = draws.uniform("ceased", key)
    kin = np.select([u < 0.30, u < 0.36, u < 0.48], [_SGO_FOSTER_KIN, _SGO_KIN, _ORDER], default=_HOME)
    others = np.select(
        [u < 0.05, u < 0.08, u < 0.10, u < 0.10 + 0.20 * (age < 1826), u < 0.34],
        [_SGO_FOSTER, _SGO_KIN, _SGO_OTHER, _ADOPTED, _ORDER],
        default=_HOME,
    )
    reason = np.where(with_kin, kin, np.where(u > 0.93, _OTHER, others))
    early = census_year_of(episodes.ended) < _FIRST_YEAR_OF_SGO_DETAIL
    former = np.isin(reason, (_SGO_FOSTER_KIN, _SGO_FOSTER))
    is_sgo = former | np.isin(reason, (_SGO_KIN, _SGO_OTHER))
    reason = np.where(early & is_sgo, np.where(former, _SGO_EARLY_FOSTER, _SGO_EARLY_OTHER), reason)
    reason = np.where(grown_up, np.where(u < 0.85, _ALONE, _ADULT), reason)
    reason = np.where(episodes.is_short_break, _OTHER, reason)
    return np.where(episodes.is_last, reason, _CONTINUES)
