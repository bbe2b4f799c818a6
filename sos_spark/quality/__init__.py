"""Table expectations: the only Great Expectations code. Suites in, verdicts out; a gate that stops a run."""

from sos_spark.quality.checks import Verdict, check_tables
from sos_spark.quality.gate import gate
from sos_spark.quality.suites import BrokenRuleError, Suite, load_suites

__all__ = ["BrokenRuleError", "Suite", "Verdict", "check_tables", "gate", "load_suites"]
