"""What a fit returns: one frozen result, with its event study, as data, text and figure."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sos_spark.config.outcomes.base import ScaleName
from sos_spark.config.study import Inference
from sos_spark.config.units import unit_of
from sos_spark.errors import StudyError
from sos_spark.fit.estimators import LinearEstimate
from sos_spark.fit.event_study import EventStudy, event_study
from sos_spark.fit.inference.effect_distribution import EffectDistribution
from sos_spark.fit.inference.wild import Interval, WildTest, wild_cluster_interval, wild_cluster_test
from sos_spark.fit.lone_pilot import LonePilot
from sos_spark.fit.plot import event_study_figure
from sos_spark.fit.regression.covariance import Convention, Sandwich, StandardErrors
from sos_spark.fit.summary import summary_html, summary_text
from sos_spark.fit.verdict import Verdict, verdict_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOT_KNOWN = float("nan")
_BESIDE_ITS_ROW = frozenset(
    {"arms", "gtimes", "treated_weight_share", "warnings", "inference", "fitted", "permuted", "label", "scale"}
)
"""What a result holds and its row of estimates.csv does not."""


@dataclass(frozen=True)
class DidResult:
    """One outcome under one specification. NaN: not known or not shown, and `note` says why.

    Numbers in the outcome's own unit (days, or 0/1 as a share); p-values and shares between 0 and 1. `ci_low_cr2` and
    `ci_high_cr2` are the CR2 interval with its Satterthwaite df, `ci_*_wcr` the inverted bootstrap test's, `ci_*_ri`
    the inverted randomisation test's; with 4 or fewer treated LAs `mde` and `p_equivalence` are the latter's too. With
    one treated LA all that rests on `se_cr2` is NaN, and `p_ri` and what goes with it are by the LA's own scatter
    (`fit.lone_pilot`), NaN where too few periods or comparators show it. `headline` is the p-value to read first, p_wcr
    or, with 4 or fewer treated LAs, p_ri; `significant`: whether the headline rule holds: WCR and CR2 both below 0.05
    (p_ri where that is the headline); None where there is no p-value. `adjusted_for` names the covariates used.
    `arms` maps every unit of the panel to pilot, comparator or unused; `gtimes` treated units to their first treated
    period; `treated_weight_share` each treated unit's share of the weight of the rows from go-live on. `leverage_max`
    is the greatest share of one LA in the effect's partial leverage, and `effective_clusters` the number of equal LAs
    that would share it so (see `regression.leverage`). `fitted` is what was fitted and `permuted` what permuted
    go-lives or placebo pilots make of it, None where nothing could be. `label` and `scale` say how table and figure
    show the outcome.
    """

    study_id: str
    outcome_id: str
    specification: str
    estimand: str
    family: str
    estimator: str
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
    ci_low_ri: float = NOT_KNOWN
    ci_high_ri: float = NOT_KNOWN
    se_cr1: float = NOT_KNOWN
    se_cr3: float = NOT_KNOWN
    se_iid: float = NOT_KNOWN
    se_hc1: float = NOT_KNOWN
    mde: float = NOT_KNOWN
    p_adjusted: float = NOT_KNOWN
    p_holm: float = NOT_KNOWN
    leverage_max: float = NOT_KNOWN
    effective_clusters: float = NOT_KNOWN
    p_pretrend: float = NOT_KNOWN
    p_equivalence: float = NOT_KNOWN
    analysis: str = "main"
    headline: str = "p_wcr"
    significant: bool | None = None
    evidence: str = ""
    adjusted_for: tuple[str, ...] = ()
    arms: dict[str, str] = field(default_factory=dict)
    gtimes: dict[str, int] = field(default_factory=dict)
    treated_weight_share: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    note: str = ""
    inference: Inference = field(default_factory=Inference, repr=False)
    fitted: LinearEstimate | None = field(default=None, repr=False, compare=False)
    permuted: EffectDistribution | LonePilot | None = field(default=None, repr=False, compare=False)
    label: str = ""
    scale: ScaleName | None = None

    @property
    def treated_weight_max(self) -> float:
        """The largest treated unit's share of the weight of the rows from go-live on; NaN where nothing was fitted."""
        return max(self.treated_weight_share.values(), default=NOT_KNOWN)

    @property
    def ci(self) -> tuple[float, float]:
        """The CR2 interval with its Satterthwaite df."""
        return self.ci_low_cr2, self.ci_high_cr2

    @property
    def verdict(self) -> Verdict:
        """What the row answers: a change, no change of a size that matters, or cannot tell."""
        return verdict_of(
            significant=self.significant,
            p_equivalence=self.p_equivalence,
            p_adjusted=self.p_adjusted,
            estimated=bool(self.headline) and not np.isnan(self.att),
        )

    def to_frame(self) -> pd.DataFrame:
        """Returns one row: what estimates.csv says of a fit, in the order of this record."""
        row = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _BESIDE_ITS_ROW}
        row |= {"treated_weight_max": self.treated_weight_max, "verdict": self.verdict}
        return pd.DataFrame([row | {"adjusted_for": ", ".join(self.adjusted_for)}])

    def summary(self) -> str:
        """Returns the result as a few lines of text."""
        return summary_text(self)

    def _repr_html_(self) -> str:
        """Returns what a notebook shows of the result."""
        return summary_html(self)

    def event_study(self) -> pd.DataFrame:
        """Returns the effects by event time, the columns of event_study.csv and df; empty where nothing was fitted."""
        study = self.event_study_result
        if study is None:
            return EventStudy((), None, NOT_KNOWN, 0, np.zeros((0, 0))).to_frame(outcome_id=self.outcome_id)
        return study.to_frame(outcome_id=self.outcome_id, specification=self.specification)

    @cached_property
    def event_study_result(self) -> EventStudy | None:
        """The event study with its joint test and covariance, computed when first asked for."""
        if self.fitted is None:
            return None
        return event_study(self.fitted.panel, estimator=self.fitted.estimator, inference=self.inference)

    def plot_event_study(self) -> Figure:
        """Returns a figure of the effects by event time. Raises StudyError where nothing was fitted."""
        if self.event_study_result is None:
            raise StudyError("There is no event study to draw", found=self.note)
        return event_study_figure(
            self.event_study_result,
            title=f"{self.label or self.outcome_id} ({self.specification})",
            unit=unit_of(self.scale),
        )

    def wild_test(self, *, null: float = 0.0) -> WildTest:
        """Computes the restricted wild cluster bootstrap test, also where few treated LAs keep it from the results."""
        fitted = self._fitted()
        return wild_cluster_test(
            fitted.moments,
            coefficient=fitted.coefficient,
            null=null,
            draws=self.inference.draws,
            seed=self.inference.seed,
        )

    def wild_interval(self, *, level: float = 0.95) -> Interval:
        """Computes the inverted bootstrap test's interval, also where few treated LAs keep it from the results."""
        fitted = self._fitted()
        return wild_cluster_interval(
            fitted.moments,
            coefficient=fitted.coefficient,
            level=level,
            draws=self.inference.draws,
            seed=self.inference.seed,
        )

    def standard_errors(self, convention: Convention) -> StandardErrors:
        """Returns CR1 and CR3 standard errors as another package would print them."""
        fitted = self._fitted()
        return Sandwich(fitted.moments, convention=convention).standard_errors(fitted.coefficient)

    def _fitted(self) -> LinearEstimate:
        if self.fitted is None:
            raise StudyError("Nothing was fitted", found=self.note)
        return self.fitted
