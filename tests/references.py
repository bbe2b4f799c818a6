"""What an estimator is checked against outside this project, and how closely: declared where the tests compare with it.

A test file declares `NAME = Reference(...)` at its top and compares by `NAME.equals(expected)`, so that the tolerance
of the comparison is the one declared. `tools.reference.outside` reads these declarations from the test files and writes
the table of them; one that no test compares with is refused there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest

Kind = Literal["package", "published", "brute force", "second implementation"]


@dataclass(frozen=True)
class Reference:
    """One comparison: `subject` is the method, `quantity` its numbers, `against` who else computed them.

    `within` is relative, or in the number's own unit where `absolute`.
    """

    subject: str
    quantity: str
    against: str
    kind: Kind
    within: float
    absolute: bool = False

    def equals(self, expected: Any) -> Any:
        """Returns what equals a number, or numbers, that are as close as declared."""
        if self.absolute:
            return pytest.approx(expected, abs=self.within)
        return pytest.approx(expected, rel=self.within)
