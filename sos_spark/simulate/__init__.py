"""Synthetic returns in the real formats, with known truth.

Seed, authority and child decide every number; effects are planted in expectations, so that the truth is exact.
"""

from sos_spark.simulate.effects import Effects, load_effects
from sos_spark.simulate.run import BYTES, MOST_PARTS, SimulationReport, simulate

__all__ = ["BYTES", "MOST_PARTS", "Effects", "SimulationReport", "load_effects", "simulate"]
