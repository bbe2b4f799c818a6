"""Difference-in-differences on collapsed cells, with inference that is right when few LAs are treated. No Spark."""

from sos_spark.fit.did import fit_did
from sos_spark.fit.regression.covariance import Convention
from sos_spark.fit.result import DidResult

__all__ = ["Convention", "DidResult", "fit_did"]
