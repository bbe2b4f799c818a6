"""What a fit returns: one frozen result, with its event study, as data, text and figure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOT_KNOWN = float("nan")

ESTIMATE_COLUMNS = (
    "study_id", "outcome_id", "specification", "estimand", "n_rows", "n_cells", "n_clusters", "n_treated_clusters",
    "baseline_mean", "att", "se_cr2", "df_satterthwaite", "p_cr2", "ci_low_wcr", "ci_high_wcr", "p_wcr", "p_ri",
    "se_cr1", "se_cr3", "se_iid", "se_hc1", "p_adjusted", "mde", "evidence", "note",
)  # fmt: skip
"""The columns of estimates.csv that every reader may rely on, in order; further ones follow them."""
MORE_ESTIMATE_COLUMNS = ("p_holm", "ci_low_cr2", "ci_high_cr2", "headline", "significant", "p_pretrend", "family")
EVENT_STUDY_COLUMNS = (
    "outcome_id", "specification", "event_time", "att", "se_cr2", "ci_low", "ci_high", "band_low", "band_high", "n_rows",
)  # fmt: skip


@dataclass(frozen=True)
class EventTime:
    """The effect at one event time, against the reference. An end point holds everything beyond it.

    att is 0 and the uncertainty blank (NaN) at the reference. `df` is the Satterthwaite df of se_cr2 and ci; the bands
    hold for all event times at once.
    """

    event_time: int
    att: float
    se_cr2: float
    df: float
    ci_low: float
    ci_high: float
    band_low: float
    band_high: float
    n_rows: int


@dataclass(frozen=True)
class EventStudy:
    """Effects by event time, with the joint test that those before go-live are all zero (WCR).

    `p_pretrend` is NaN with a note where it cannot be computed. `names` are the coefficients' and `covariance` (E, E)
    their CR2 covariance, in the order of the rows without the reference.
    """

    rows: tuple[EventTime, ...]
    reference: int
    p_pretrend: float
    n_pretrend: int
    covariance: tuple[tuple[float, ...], ...] = ()
    note: str = ""

    def to_frame(self, *, outcome_id: str, specification: str = "main") -> pd.DataFrame:
        """Returns one row an event time, the columns of event_study.csv."""
        records = [
            (outcome_id, specification, r.event_time, r.att, r.se_cr2, r.ci_low, r.ci_high, r.band_low, r.band_high, r.n_rows)
            for r in self.rows
        ]  # fmt: skip
        return pd.DataFrame(records, columns=list(EVENT_STUDY_COLUMNS))


@dataclass(frozen=True)
class DidResult:
    """One outcome under one specification. NaN: not known or not shown, and `note` says why.

    Numbers in the outcome's own unit (days, or 0/1 as a share); p-values and shares between 0 and 1. `ci_low_cr2` and
    `ci_high_cr2` are the CR2 interval with its Satterthwaite df, `ci_*_wcr` the inverted bootstrap test's. `headline`
    is the p-value to read first, 'p_wcr' or, with few treated LAs, 'p_ri'; `significant` that the headline rule holds:
    WCR and CR2 agree at 5 % (p_ri alone where the headline is p_ri). `arms` maps every unit of the panel to pilot,
    comparator or unused; `gtimes` treated units to their first treated period; `treated_weight_share` each treated
    unit's share of the weight of all treated rows.
    """

    study_id: str
    outcome_id: str
    specification: str
    estimand: str
    family: str
    estimator: str
    weights: str
    n_rows: int
    n_cells: int
    n_clusters: int
    n_treated_clusters: int
    baseline_mean: float = NOT_KNOWN
    att: float = NOT_KNOWN
    se_cr2: float = NOT_KNOWN
    df_satterthwaite: float = NOT_KNOWN
    p_cr2: float = NOT_KNOWN
    ci_low_cr2: float = NOT_KNOWN
    ci_high_cr2: float = NOT_KNOWN
    ci_low_wcr: float = NOT_KNOWN
    ci_high_wcr: float = NOT_KNOWN
    p_wcr: float = NOT_KNOWN
    p_ri: float = NOT_KNOWN
    se_cr1: float = NOT_KNOWN
    se_cr3: float = NOT_KNOWN
    se_iid: float = NOT_KNOWN
    se_hc1: float = NOT_KNOWN
    mde: float = NOT_KNOWN
    p_adjusted: float = NOT_KNOWN
    p_holm: float = NOT_KNOWN
    headline: str = "p_wcr"
    significant: bool | None = None
    evidence: str = ""
    arms: dict[str, str] = field(default_factory=dict)
    gtimes: dict[str, int] = field(default_factory=dict)
    treated_weight_share: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    note: str = ""
