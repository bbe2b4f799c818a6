"""Difference-in-differences on collapsed cells, with inference that is right when few LAs are treated. No Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sos_spark.fit.did import fit_did
    from sos_spark.fit.regression.covariance import Convention
    from sos_spark.fit.result import DidResult

__all__ = ["Convention", "DidResult", "fit_did"]


def __getattr__(name: str) -> object:
    """Imports what is asked for: a report takes thresholds and words from here, and never the regressions."""
    if name == "fit_did":
        from sos_spark.fit.did import fit_did

        return fit_did
    if name == "Convention":
        from sos_spark.fit.regression.covariance import Convention

        return Convention
    if name == "DidResult":
        from sos_spark.fit.result import DidResult

        return DidResult
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
