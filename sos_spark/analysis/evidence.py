"""Strength of evidence: this project's own rule, with the inputs it read. It is nobody else's rule.

The rule named "default", in order:

- *not estimable*: there is no estimate, or no headline p-value.
- *no change of a size that matters*, *cannot tell*: the row's verdict, where it claims no change. A change that does
  not stand after correction for its family is not claimed.
- *strong*, *moderate*, *weak*: the headline is significant and all four, three, or fewer of these hold:
  adjusted (p < 0.05 after correction for the family), agreement (every method of inference at hand has p < 0.05),
  pre-trend (a drift before go-live that, going on, would make the smallest effect of interest is ruled out: the slope's
  equivalence test has p < 0.05), robust (without any one pilot the answer is the same, and half of the effect or more
  is left).

An input that is not known counts as not held. A pre-trend test that neither rules such a drift out nor finds one is not
informative, and is printed so: it could not have seen the drift, and that it saw none says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sos_spark.fit.thresholds import ALPHA
from sos_spark.fit.verdict import verdict_of

Strength = Literal["not estimable", "no change of a size that matters", "cannot tell", "weak", "moderate", "strong"]


@dataclass(frozen=True)
class EvidenceInputs:
    """What the rule reads; None: not known.

    `significant` is the headline rule's verdict; `p_values` holds each method's by name. `no_drift`: whether a drift of
    interest before go-live is ruled out (True) or found (False). `keeps_answer`: whether the answer stays, with each
    pilot left out.
    """

    att: float | None
    significant: bool | None
    p_adjusted: float | None
    p_values: Mapping[str, float]
    no_drift: bool | None
    keeps_answer: tuple[bool | None, ...]
    p_equivalence: float | None


@dataclass(frozen=True)
class Evidence:
    """The verdict, and which of the four conditions held; None: what was read is not informative."""

    strength: Strength
    held: Mapping[str, bool | None]

    def __str__(self) -> str:
        """The verdict with its inputs, for a table cell."""
        if not self.held:
            return self.strength
        words = {True: "yes", False: "no", None: "not informative"}
        said = ", ".join(f"{name} {words[ok]}" for name, ok in self.held.items())
        return f"{self.strength} ({said})"


def default_rule(inputs: EvidenceInputs, *, alpha: float = 0.05) -> Evidence:
    """Returns the strength of evidence by the rule named 'default'."""
    if inputs.att is None or inputs.significant is None:
        return Evidence("not estimable", {})
    verdict = verdict_of(
        significant=inputs.significant, p_equivalence=inputs.p_equivalence, p_adjusted=inputs.p_adjusted
    )
    if verdict == "cannot tell" or verdict == "no change of a size that matters":
        return Evidence(verdict, {})
    held = {
        "adjusted": inputs.p_adjusted is not None and inputs.p_adjusted < alpha,
        "agreement": bool(inputs.p_values) and all(p < alpha for p in inputs.p_values.values()),
        "pre-trend": inputs.no_drift,
        "robust": bool(inputs.keeps_answer) and all(inputs.keeps_answer),
    }
    by_count: dict[int, Strength] = {4: "strong", 3: "moderate"}
    return Evidence(by_count.get(sum(ok is True for ok in held.values()), "weak"), held)


def no_drift(p_equivalence: float, interval: tuple[float, float]) -> bool | None:
    """Returns whether a drift of interest before go-live is ruled out (True) or found (False), by the slope's tests.

    Ruled out comes first: a slope may differ from 0 and be too small to matter. None where the tests tell neither.
    """
    if p_equivalence < ALPHA:
        return True
    return False if interval[0] > 0 or interval[1] < 0 else None


RULES = {"default": default_rule}
"""By the name a study file gives."""
