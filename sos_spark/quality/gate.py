"""The gate: a failed expectation of severity error stops the run, one of severity warning is told."""

from __future__ import annotations

from collections.abc import Sequence

from sos_spark.errors import QualityGateError
from sos_spark.quality.checks import Verdict


def gate(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """Returns a sentence for each warning.

    Raises:
        QualityGateError: Expectations of severity error failed; names each with its table and column.
    """
    failed = [verdict for verdict in verdicts if not verdict.passed]
    errors = [_told(verdict) for verdict in failed if verdict.severity == "error"]
    if errors:
        raise QualityGateError(
            "Data quality stopped the run",
            where="; ".join(dict.fromkeys(verdict.suite for verdict in failed if verdict.severity == "error")),
            expected="; ".join(errors),
            found=f"{len(errors)} of {len(verdicts)} expectations of severity error or warning failed",
            remedy="Look at quarantine and dq.rule_counts, mend the source and ingest it anew; what an expectation is "
            "for stands beside it in expectations/",
        )
    return tuple(f"expectation not met: {_told(verdict)}" for verdict in failed)


def _told(verdict: Verdict) -> str:
    return f"{verdict.suite} {verdict.expectation}"
