"""The gate: a failed expectation of severity error stops the run, one of severity warning is told."""

from __future__ import annotations

from collections.abc import Sequence

from sos_spark.errors import QualityGateError
from sos_spark.quality.findings import Finding

_MEND_RETURNS = (
    "Have the returns of the authorities below mended, and ingest them anew. `sos-spark lake quarantine list` shows"
    " which rules their records break; `sos-spark quality` leaves quality.html, and in returns_to_mend.csv what to send"
    " back"
)
_MEND_STEPS = (
    "What was made of the returns does not add up; they are not at fault. Run `sos-spark run --from cohort` again; if"
    " it stays, tell the authors of sos_spark what stands below"
)


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
            remedy=_MEND_RETURNS if any(finding.is_of_returns for finding in errors) else _MEND_STEPS,
            lines=[line for finding in findings for line in finding.lines()],
            findings=[finding.as_json() for finding in findings],
        )
    return tuple("\n".join(["expectation not met:", *finding.lines()]) for finding in findings)
