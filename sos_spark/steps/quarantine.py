"""What is in quarantine, why, and what a change of rules lets out: from the lake's counts, never a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from sos_spark.errors import InputError, StudyError
from sos_spark.places import Place
from sos_spark.steps.collapsed import has_table, ordered_frame
from sos_spark.tables import DQ_LEDGER, DQ_QUARANTINED, DQ_RULES, FILES

REASON = ["entity", "rule_code"]


@dataclass(frozen=True)
class Explained:
    """A rule of severity error, in words, and where its rows are.

    years: the earliest and latest census year whose specification is known to hold DfE's rule; blank where it is not
    DfE's. places: file, authority, year and rows, the most rows first.
    """

    entity: str
    rule_code: str
    dfe_code: str
    meaning: str
    years: str
    places: tuple[tuple[str, str, int, int], ...]

    @property
    def n_rows(self) -> int:
        """How many rows it keeps in quarantine, alone or with other reasons."""
        return sum(place[3] for place in self.places)


@dataclass(frozen=True)
class Released:
    """What classifying again made of an entity's quarantine: rows in it before and after, as the ledger counts them.

    reasons: rule, rows before and rows after, for those that changed.
    """

    entity: str
    before: int
    after: int
    reasons: tuple[tuple[str, int, int], ...]


def quarantined(lake_root: Place, *, la_code: str = "") -> pd.DataFrame:
    """Returns file_path, la_code, census_year, entity, rule_code, meaning and n_rows, the most rows first.

    Grain: a file's authority, year and reason. `la_code`: of one authority only.

    Raises:
        InputError: The lake has not been validated by this version.
    """
    rows = _counts(lake_root)
    if la_code:
        rows = rows[rows["la_code"] == la_code]
    files = ordered_frame(lake_root, FILES).drop_duplicates("file_id").set_index("file_id")["file_path"]
    rules = ordered_frame(lake_root, DQ_RULES)[[*REASON, "meaning"]]
    named = rows.assign(file_path=rows["file_id"].map(files)).merge(rules, on=REASON, how="left")
    ordered = named.sort_values(
        ["n_rows", "file_path", *REASON], ascending=[False, True, True, True], ignore_index=True
    )
    return ordered[["file_path", "la_code", "census_year", *REASON, "meaning", "n_rows"]]


def explain(lake_root: Place, rule_code: str) -> tuple[Explained, ...]:
    """Returns the rule in words and its places, once for each entity that has it.

    Raises:
        InputError: The lake has not been validated by this version.
        StudyError: No rule of severity error has the name; says which have.
    """
    places = quarantined(lake_root)
    rules = ordered_frame(lake_root, DQ_RULES)
    errors = rules[rules["severity"] == "error"]
    wanted = errors[errors["rule_code"] == rule_code].fillna({"dfe_code": ""})
    if wanted.empty:
        raise StudyError(
            "No rule that sends records to quarantine has this name",
            expected=", ".join(sorted(set(errors["rule_code"]))),
            remedy="`sos-spark lake quarantine list` names those that did",
        )
    return tuple(
        Explained(
            str(rule["entity"]),
            rule_code,
            str(rule["dfe_code"]),
            str(rule["meaning"]),
            f"{int(rule['first_specification'])} to {int(rule['last_specification'])}" if rule["dfe_code"] else "",
            tuple(
                (str(place["file_path"]), str(place["la_code"]), int(place["census_year"]), int(place["n_rows"]))
                for place in places[(places["entity"] == rule["entity"]) & (places["rule_code"] == rule_code)].to_dict(
                    "records"
                )
            ),
        )
        for rule in wanted.to_dict("records")
    )


def counts_of(lake_root: Place) -> tuple[pd.Series[int], pd.Series[int]]:
    """Returns rows in quarantine by entity, and by entity and reason, for `released`; errors as `quarantined`."""
    by_reason = _counts(lake_root).groupby(REASON)["n_rows"].sum()
    return ordered_frame(lake_root, DQ_LEDGER).groupby("entity")["n_quarantined"].sum(), by_reason


def released(
    before: tuple[pd.Series[int], pd.Series[int]], after: tuple[pd.Series[int], pd.Series[int]]
) -> Sequence[Released]:
    """Returns what became of each entity's quarantine between two of `counts_of`."""
    reasons = sorted({*before[1].index, *after[1].index})
    changed = [(at, int(before[1].get(at, 0)), int(after[1].get(at, 0))) for at in reasons]
    return [
        Released(
            str(entity),
            int(before[0].get(entity, 0)),
            int(after[0].get(entity, 0)),
            tuple((at[1], was, now) for at, was, now in changed if at[0] == entity and was != now),
        )
        for entity in sorted({*before[0].index, *after[0].index})
    ]


def _counts(lake_root: Place) -> pd.DataFrame:
    if not has_table(lake_root, DQ_QUARANTINED):
        raise InputError(
            "The lake does not say what is in quarantine",
            where=str(lake_root),
            expected=DQ_QUARANTINED.name,
            remedy="Run sos-spark validate on it",
        )
    return ordered_frame(lake_root, DQ_QUARANTINED)
