"""Every programme's estimates of every published measure, with what many tests together ask for."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from sos_spark.analysis.study import fit_study
from sos_spark.config.demo import shipped_cells
from sos_spark.config.study import Study
from sos_spark.fit.cells.reading import read_panel
from sos_spark.fit.inference.multiplicity import holm
from tools.programmes.declared import Programme, programmes

KEPT = ["outcome_id", "specification", "n_clusters", "n_treated_clusters", "baseline_mean", "att", "headline",
        "ci_low_wcr", "ci_high_wcr", "ci_low_ri", "ci_high_ri", "p_wcr", "p_cr2", "p_ri", "p_equivalence", "verdict",
        "mde"]  # fmt: skip


def estimates(chosen: Sequence[Programme] | None = None) -> pd.DataFrame:
    """Returns an estimate per programme, measure and first treated year: KEPT, and the programme's name.

    `p` is that of the row's headline test; `p_over_programmes` is Holm's over the main estimates of the measure that
    the programmes are compared on, `p_over_all` Holm's over all main estimates.
    """
    declared = programmes()
    frames = [_of(programme) for programme in (chosen or declared.programmes)]
    rows = pd.concat(frames, ignore_index=True)
    rows["p"] = [row[row["headline"]] if isinstance(row["headline"], str) and row["headline"] else float("nan")
                 for row in rows.to_dict(orient="records")]  # fmt: skip
    main = rows["specification"] == "main"
    compared = main & (rows["outcome_id"] == declared.measure)
    for name, family in (("p_over_programmes", compared), ("p_over_all", main)):
        rows.loc[family, name] = holm(rows.loc[family, "p"].to_numpy(dtype=float))
    return rows


def _of(programme: Programme) -> pd.DataFrame:
    study: Study = programme.loaded()
    fitted = fit_study(read_panel(shipped_cells()), study).estimates
    wanted = fitted["specification"].isin(["main", *(f"go_live={year}" for year in programme.neighbouring_years)])
    return fitted.loc[wanted, KEPT].assign(programme=programme.name)
