"""The gate: a failed expectation of severity error stops the run, one of severity warning is told."""

from __future__ import annotations

from collections.abc import Sequence

from sos_spark.errors import QualityGateError
from sos_spark.quality.findings import Finding


def gate(findings: Sequence[Finding], *, n_checked: int) -> tuple[str, ...]:
    """Returns each warning, in lines.

    Raises:
        QualityGateError: Expectations of severity error failed; tells of each failed one, its bound, what was observed
            and where.
    """
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise QualityGateError(
            f"Data quality stopped the run: {len(errors)} of {n_checked} expectations failed that are errors",
            where="; ".join(dict.fromkeys(finding.suite for finding in errors)),
            remedy="Mend the returns named below and ingest them anew; dq.rule_counts says which rules rows break",
            lines=[line for finding in findings for line in finding.lines()],
            findings=[finding.as_json() for finding in findings],
        )
    return tuple("\n".join(["expectation not met:", *finding.lines()]) for finding in findings)
