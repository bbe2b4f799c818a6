"""A panel whose LAs are split in two groups by what they were before go-live."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sos_spark.analysis.secondary.traits import BETTER, OTHER, UNKNOWN, rating_groups
from sos_spark.config.study import Study
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.regression.design import PreparedPanel
from sos_spark.fit.thresholds import FEW_TREATED


@dataclass(frozen=True)
class Split:
    """A panel with its LAs in two groups, named; LAs of no group are not in it.

    `second` (G,) marks the second group. Comparators are split where `crossed`, else their mark means nothing and is
    False. `notes` say who was left out.
    """

    panel: PreparedPanel
    second: npt.NDArray[np.bool_]
    names: tuple[str, str]
    crossed: bool
    notes: tuple[str, ...] = ()

    def part(self, *, second: bool) -> PreparedPanel:
        """Returns the panel of one group: its treated LAs, and its comparators (all, where they are not split)."""
        treated = self.panel.is_treated_unit
        others = (self.second != second) & (treated | self.crossed)
        return self.panel.without({unit for unit, out in zip(self.panel.unit_ids, others, strict=True) if out})


def split_by_rating(panel: PreparedPanel, study: Study) -> Split:
    """Splits a panel by the Ofsted rating before go-live; LAs without one are left out.

    Comparators are split where each group has more than 4 of them; else none is, and all stay.

    Raises:
        NotEstimableError: No treated LA has a rating, or all are in one group.
    """
    groups = rating_groups(panel, study)
    treated = panel.is_treated_unit
    counts = {g: int(np.count_nonzero(treated & (groups.group == g))) for g in (BETTER, OTHER, UNKNOWN)}
    if not counts[BETTER] and not counts[OTHER]:
        raise NotEstimableError(
            "no pilot's rating before go-live (ofsted_before) is known",
            remedy="Declare ofsted_before in [[pilots]]",
        )
    if not counts[BETTER] or not counts[OTHER]:
        only = groups.names[BETTER if counts[BETTER] else OTHER]
        raise NotEstimableError(
            f"every pilot whose rating is known was {only} before go-live: there is no other group to compare",
            remedy="Code the ratings otherwise: secondary.ofsted_better",
        )
    notes = []
    if counts[UNKNOWN]:
        notes.append(f"{counts[UNKNOWN]} pilots without a rating, or of authorities rated apart, are not in it")
    compared = {g: int(np.count_nonzero(~treated & (groups.group == g))) for g in (BETTER, OTHER, UNKNOWN)}
    crossed = min(compared[BETTER], compared[OTHER]) > FEW_TREATED
    out = groups.group == UNKNOWN
    if crossed and compared[UNKNOWN]:
        notes.append(f"{compared[UNKNOWN]} comparators without a rating are not in it")
    if not crossed:
        out &= treated
        if compared[BETTER] or compared[OTHER]:
            notes.append(
                f"comparators' ratings are not used: {compared[BETTER]} and {compared[OTHER]} of the two groups, and"
                f" each needs more than {FEW_TREATED}"
            )
    second = (groups.group == OTHER) & (treated | crossed)
    return Split(
        panel=panel.without({unit for unit, gone in zip(panel.unit_ids, out, strict=True) if gone}),
        second=second[~out],
        names=groups.names,
        crossed=crossed,
        notes=tuple(notes),
    )
