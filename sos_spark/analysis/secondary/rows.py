"""Rows of secondary.csv: one coefficient with the inference that its number of treated LAs allows.

With 4 or fewer treated LAs on either side of what is compared, randomisation inference on t alone is the headline, and
the wild cluster bootstrap's columns stay blank; CR2 with its Satterthwaite df stays beside it. With a single one CR2 is
blank too: the regression fits that LA's change exactly, so no cluster-robust variance has its shocks in it, and p_ri of
its effect is by its own scatter (`fit.lone_pilot`); a difference that rests on it has none.

What compares treated LAs with one another, a difference between subgroups or a slope on a dose, has p_ri as its
headline however many they are: with nine, permuted labels reject a true null 4.7-5.7 % of the time, the bootstrap
6.3-6.8 % (2,000 simulated panels a design; see `monte_carlo_subgroups`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import pandas as pd

from sos_spark.config.study import Inference
from sos_spark.fit.inference.wild import wild_cluster_interval, wild_cluster_test
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import PreparedPanel, Weights
from sos_spark.fit.regression.final_fit import checked_estimate
from sos_spark.fit.regression.moments import ClusterMoments
from sos_spark.fit.thresholds import FEW_DF, FEW_TREATED
from sos_spark.tables.results import SECONDARY

Analysis = Literal["ofsted", "embeddedness", "practice_models"]
Source = Literal["study", "simulated"]

_NAN = float("nan")
_COUNTED: dict[Weights, str] = {"child": "each index row counts once", "la_equal": "each authority counts once"}


@dataclass(frozen=True)
class SecondaryRow:
    """One effect, difference or slope, in the outcome's own unit: the columns of secondary.csv. NaN: note says why.

    `n_rows` are the individual rows of the regression, `n_treated_clusters` the treated LAs the coefficient rests on
    (the smaller group's for a difference; comparators whose intensity changes for their slope). `headline` is the
    p-value to read first: p_wcr; p_ri with few treated LAs, and for what compares treated LAs with one another; p_cr2
    for a covariate's slope on few comparators; blank where there is none.
    """

    outcome_id: str
    analysis: Analysis
    term: str
    estimand: str
    n_rows: int
    n_treated_clusters: int
    att: float = _NAN
    se_cr2: float = _NAN
    df_satterthwaite: float = _NAN
    p_cr2: float = _NAN
    ci_low_cr2: float = _NAN
    ci_high_cr2: float = _NAN
    p_wcr: float = _NAN
    ci_low_wcr: float = _NAN
    ci_high_wcr: float = _NAN
    p_ri: float = _NAN
    headline: str = ""
    note: str = ""


@dataclass(frozen=True)
class Coefficient:
    """What a row is made of: a coefficient of a regression, and p of a randomisation test (NaN: there is none).

    `rests_on` counts the LAs that decide it; `of` says what they are, for the note. `between_treated`: it compares
    treated LAs with one another, and p_ri permutes their labels.
    """

    term: str
    estimand: str
    moments: ClusterMoments
    name: str
    rests_on: int
    p_ri: float
    notes: tuple[str, ...] = ()
    of: str = "treated"
    between_treated: bool = False


def row_of(
    coefficient: Coefficient,
    *,
    panel: PreparedPanel,
    analysis: Analysis,
    inference: Inference,
    notes: Sequence[str] = (),
) -> SecondaryRow:
    """Returns the row of a coefficient. `inference.draws` are of each bootstrap; `notes` come first in its note."""
    moments, name = coefficient.moments, coefficient.name
    sandwich = Sandwich(moments)
    own = sandwich.satterthwaite_of([name])
    few = coefficient.rests_on <= FEW_TREATED
    p_wcr, ends = _NAN, (_NAN, _NAN)
    said = [*notes, *coefficient.notes]
    if few:
        said.append(
            f"rests on {coefficient.rests_on} {coefficient.of} authorit{'y' if coefficient.rests_on == 1 else 'ies'}:"
            f" with {FEW_TREATED} or fewer the wild cluster bootstrap is left out"
            + ("" if math.isnan(coefficient.p_ri) else " and p_ri is the headline")
        )
    else:
        p_wcr = wild_cluster_test(moments, coefficient=name, draws=inference.draws, seed=inference.seed).p
        interval = wild_cluster_interval(moments, coefficient=name, draws=inference.draws, seed=inference.seed)
        ends = interval.low, interval.high
    alone = coefficient.rests_on == 1
    se, df, p_cr2, low, high = (_NAN if alone else float(part[0]) for part in (own.se, own.df, own.p, *own.interval()))
    if alone:
        said.append(
            "one authority's own shocks cannot be told from its effect: no CR2 standard error"
            + (" and no p_ri" if math.isnan(coefficient.p_ri) else "; p_ri is by its own scatter")
        )
    elif df < FEW_DF:
        said.append(f"{df:.1f} degrees of freedom: fewer than {FEW_DF:.0f}")
    return SecondaryRow(
        outcome_id=panel.outcome_id,
        analysis=analysis,
        term=coefficient.term,
        estimand=f"{coefficient.estimand}, {_COUNTED[inference.weights]}",
        n_rows=int(moments.n_rows.sum()),
        n_treated_clusters=coefficient.rests_on,
        att=checked_estimate(moments, sandwich, name),
        se_cr2=se,
        df_satterthwaite=df,
        p_cr2=p_cr2,
        ci_low_cr2=low,
        ci_high_cr2=high,
        p_wcr=p_wcr,
        ci_low_wcr=ends[0],
        ci_high_wcr=ends[1],
        p_ri=coefficient.p_ri,
        headline=_headline(coefficient, few=few),
        note="; ".join(said),
    )


def _headline(coefficient: Coefficient, *, few: bool) -> str:
    """Says which p-value to read first; nothing where there is none."""
    if not math.isnan(coefficient.p_ri) and (few or coefficient.between_treated):
        return "p_ri"
    if not few:
        return "p_wcr"
    return "p_cr2" if coefficient.rests_on > 1 else ""


def left_out(outcome_id: str, analysis: Analysis, *, because: str) -> SecondaryRow:
    """Returns the row of an analysis that cannot be done: blank numbers, and why."""
    return SecondaryRow(outcome_id, analysis, "", "", 0, 0, note=f"left out: {because}")


def frame_of(rows: Sequence[SecondaryRow]) -> pd.DataFrame:
    """Returns rows as data, the columns of secondary.csv."""
    return pd.DataFrame([asdict(row) for row in rows], columns=list(SECONDARY.column_names))
