"""What the page of data quality is made of: the lake's counts, columns as `sos_spark.tables` declares them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from sos_spark.config.reference import authorities, unit_name
from sos_spark.quality.authority_years import find_doubts
from sos_spark.report.results import rows_of

COLLECTIONS = {"cin": "CIN census", "ssda903": "SSDA903"}


@dataclass(frozen=True)
class ReturnTables:
    """The counts; a table that the lake lacks is a frame without rows."""

    files: pd.DataFrame
    ledger: pd.DataFrame
    rules: pd.DataFrame
    rule_counts: pd.DataFrame
    quarantined: pd.DataFrame
    measures: pd.DataFrame
    link_rates: pd.DataFrame
    expectations: pd.DataFrame
    published: pd.DataFrame
    is_simulated: bool = False

    @cached_property
    def doubts(self) -> pd.DataFrame:
        """What the checks of authority-years doubt; see `find_doubts`."""
        known = authorities().values()
        return find_doubts(
            files=self.files,
            rule_counts=self.rule_counts,
            measures=self.measures,
            link_rates=self.link_rates,
            published=self.published,
            existed={one.la_code: (one.first_census_year or 0, one.last_census_year or 9999) for one in known},
        )

    @cached_property
    def costly(self) -> pd.DataFrame:
        """dq.rule_counts of rules that cost a record or a value, where any row broke one."""
        counts = self.rule_counts
        return (
            counts if counts.empty else counts[counts["severity"].isin(("error", "field")) & (counts["n_failed"] > 0)]
        )

    @cached_property
    def paths(self) -> pd.Series[str]:
        """The paths of accepted files by collection, LA and year, joined where there are several."""
        keys = ["collection", "la_code", "census_year"]
        if self.files.empty:
            return pd.Series(dtype="str")
        kept = self.files[self.files["status"] == "accepted"].dropna(subset=keys)
        paths = kept.sort_values("file_path").groupby(keys)["file_path"].agg(lambda own: "; ".join(dict.fromkeys(own)))
        return paths.rename("file_paths")

    def meaning_of(self, entity: str, rule_code: str) -> str:
        """Returns a rule in words; its name where the lake does not know it."""
        return self._meanings.get((entity, rule_code), rule_code.replace("_", " "))

    @cached_property
    def _meanings(self) -> dict[tuple[str, str], str]:
        rules = self.rules
        return {} if rules.empty else {(r.entity, r.rule_code): r.meaning for r in rows_of(rules)}


def name_of(la_code: object) -> str:
    """Returns an authority's name, with its code where another bears the same; the code where it has none."""
    code = str(la_code)
    name = unit_name(code)
    return f"{name} ({code})" if sum(one.name == name for one in authorities().values()) > 1 else name


def collection_of(entity: str) -> str:
    """Returns the collection that an entity's rows come from."""
    return "ssda903" if entity.startswith(("lac_", "care_", "kinship_")) else "cin"
