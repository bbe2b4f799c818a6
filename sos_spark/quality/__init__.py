"""Table expectations, the only Great Expectations code: suites in, verdicts out, and a gate that stops a run.

Beside them, `authority_years` looks at an authority's year among its others, from counts.
"""

from sos_spark.quality.checks import Verdict, check_facts, import_ahead
from sos_spark.quality.counting import count_facts
from sos_spark.quality.findings import Finding, find_failures
from sos_spark.quality.gate import gate
from sos_spark.quality.suites import BrokenRuleError, Suite, load_suites

__all__ = [
    "BrokenRuleError",
    "Finding",
    "Suite",
    "Verdict",
    "check_facts",
    "count_facts",
    "find_failures",
    "gate",
    "import_ahead",
    "load_suites",
]
