"""Strength of evidence: this project's own rule, with the inputs it read. It is nobody else's rule.

The rule named "default", in order:

- *not estimable*: there is no estimate, or no headline p-value.
- *no change of a size that matters*, *cannot tell*: the row's verdict, where the headline is not significant.
- *strong*, *moderate*, *weak*: the headline is significant and all four, three, or fewer of these hold:
  adjusted (p < 0.05 after correction for the family), agreement (every method of inference at hand has p < 0.05),
  pre-trend (its joint test has p >= 0.05), robust (leaving out any one pilot keeps the sign and p < 0.10).

An input that is not known counts as not held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sos_spark.fit.verdict import verdict_of

Strength = Literal["not estimable", "no change of a size that matters", "cannot tell", "weak", "moderate", "strong"]


@dataclass(frozen=True)
class EvidenceInputs:
    """What the rule reads; None: not known.

    `significant` is the headline rule's verdict; `p_values` holds each method's by name; `leave_one_out` the estimate
    and p-value with each pilot left out.
    """

    att: float | None
    significant: bool | None
    p_adjusted: float | None
    p_values: Mapping[str, float]
    p_pretrend: float | None
    leave_one_out: tuple[tuple[float, float], ...]
    p_equivalence: float | None


@dataclass(frozen=True)
class Evidence:
    """The verdict, and which of the four conditions held."""

    strength: Strength
    held: Mapping[str, bool]

    def __str__(self) -> str:
        """The verdict with its inputs, for a table cell."""
        if not self.held:
            return self.strength
        said = ", ".join(f"{name} {'yes' if ok else 'no'}" for name, ok in self.held.items())
        return f"{self.strength} ({said})"


def default_rule(inputs: EvidenceInputs, *, alpha: float = 0.05, alpha_left_out: float = 0.10) -> Evidence:
    """Returns the strength of evidence by the rule named 'default'."""
    if inputs.att is None or inputs.significant is None:
        return Evidence("not estimable", {})
    verdict = verdict_of(significant=inputs.significant, p_equivalence=inputs.p_equivalence)
    if verdict == "cannot tell" or verdict == "no change of a size that matters":
        return Evidence(verdict, {})
    positive = inputs.att > 0
    held = {
        "adjusted": inputs.p_adjusted is not None and inputs.p_adjusted < alpha,
        "agreement": bool(inputs.p_values) and all(p < alpha for p in inputs.p_values.values()),
        "pre-trend": inputs.p_pretrend is not None and inputs.p_pretrend >= alpha,
        "robust": bool(inputs.leave_one_out)
        and all((att > 0) == positive and p < alpha_left_out for att, p in inputs.leave_one_out),
    }
    by_count: dict[int, Strength] = {4: "strong", 3: "moderate"}
    return Evidence(by_count.get(sum(held.values()), "weak"), held)


RULES = {"default": default_rule}
"""By the name a study file gives."""
