"""A release put together: judged, attacked with all that was released before, cleared, or refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields

import pandas as pd

from sos_spark.config.disclosure import Profile
from sos_spark.errors import DisclosureError
from sos_spark.release.cleared import Cleared, ClearedTable, clear_table
from sos_spark.release.counts import OutcomeCounts, outcome_counts
from sos_spark.release.differencing import Exposed, attack_with
from sos_spark.release.drafts import COUNT_TABLES, ESTIMATE_TABLES, count_drafts, estimate_drafts
from sos_spark.release.judge import Judgement, judge, key_of
from sos_spark.release.ledger import Release, Released, of_entity
from sos_spark.release.public import public_report
from sos_spark.release.regressions import OutcomeFacts
from sos_spark.report.results import Results

_MOST_NAMED = 8
LEAVABLE: Mapping[str, str] = {
    **{str(name): title for name, title in COUNT_TABLES.items()},
    "samples": "Rows that the main estimates rest on",
}
"""What may be left out of a release, by name: the tables of counts, and how many rows were fitted."""
_NOT_JUDGED = {
    "secondary": "secondary analyses: the children in their groups are not among the results",
    "bounds": "bounds over unknown rows: they rest on small unknown counts",
    "group_time": "effects by group and time: each rests on one group's children in one period",
    "goodman_bacon": "the parts of the two-way estimate",
    "aggregates": "aggregates by group",
    "pilots": "the effect in each pilot",
    "inference": "other ways of judging chance",
    "synthetic": "who is in the synthetic control",
    "synthetic_checks": "other ways of making a synthetic control",
    "contamination": "effects with exposed comparators allowed for",
    "casemix": "casemix and rate: they rest on combinations of characteristics",
    "casemix_trend": "the outcomes that casemix leads one to expect",
    "casemix_levels": "characteristics by group and period",
    "pilots_pooled": "what the pilots have in common",
    "duration_effects": "effects on the distribution of lengths: each rests on counts of one day",
    "duration_days": "lengths day by day, by group",
    "calibration": "how often each method is right on this design, by simulation",
    "calibration_switches": "what each way of doing the sums would have found, by simulation",
}
"""What files are that no rule judges; one that is not named here is refused all the same."""


@dataclass(frozen=True)
class ClearedRun:
    """What was cleared.

    Attributes:
        items: Tables, figures and the page.
        counts: What the ledger keeps of it.
        withheld: What is not released, in words.
        notes: What the checker should know of how it was judged.
    """

    items: tuple[Cleared, ...]
    counts: tuple[Released, ...]
    withheld: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def tables(self) -> tuple[ClearedTable, ...]:
        """The tables among them."""
        return tuple(item for item in self.items if isinstance(item, ClearedTable))


def clear_run(
    results: Results,
    flow: pd.DataFrame,
    profile: Profile,
    earlier: Sequence[Release],
    *,
    left_out: Collection[str] = (),
) -> ClearedRun:
    """Returns what of a run may leave.

    Args:
        results: What the run left.
        flow: Its flow table.
        profile: By which it is judged.
        earlier: The ledger of what was released before.
        left_out: Tables of counts that are not to be released.

    Raises:
        DisclosureError: Something hidden could be worked out, from this release or with earlier ones. Nothing is hidden
            further to make up for an earlier release: what is left out is for the person who releases to choose.
    """
    judged = _judged(results, flow, profile, left_out)
    exposed = {
        one.counts.outcome_id: attack_with(
            one.counts, one.judgement, of_entity(earlier, one.counts.universe.entity), profile
        )
        for one in judged
    }
    _refuse_what_is_exposed({name: found for name, found in exposed.items() if found}, n_earlier=len(earlier))
    drafts = [*count_drafts(judged), *estimate_drafts(judged, _frames(results))]
    tables = [clear_table(draft, profile) for draft in drafts if draft.name not in left_out]
    withheld = _withheld(results, left_out)
    public = public_report(results, tables, profile, withheld)
    return ClearedRun(
        (public.page, *tables, *public.figures),
        tuple(released for one in judged for released in released_counts(one.counts, one.judgement)),
        tuple(withheld),
        tuple(_notes(judged, earlier)),
    )


def _judged(results: Results, flow: pd.DataFrame, profile: Profile, left_out: Collection[str]) -> list[OutcomeFacts]:
    """Judges the outcomes in the study's order: of two that count nearly the same, the later one gives way."""
    frames = {"cells": results.cells, "arms": results.arms, "flow": flow}
    done: list[OutcomeFacts] = []
    for outcome in results.study.outcomes:
        if not len(results.cells) or not (results.cells["outcome_id"] == outcome.outcome_id).any():
            continue
        counts = outcome_counts(results.study, outcome, frames, is_simulated=results.is_simulated)
        counts = counts.without(left_out)
        beside = [
            (one.counts, one.judgement)
            for one in done if one.counts.universe.entity == counts.universe.entity
        ]  # fmt: skip
        own = results.estimates[results.estimates["outcome_id"] == outcome.outcome_id]
        done.append(OutcomeFacts(results.study, counts, judge(counts, profile, beside=beside), own, profile))
    if not done:
        raise DisclosureError(
            "The run has no cells, so that nothing says what its numbers rest on",
            remedy="Release a run whose --out holds cells.csv: `fit` with --panel leaves it, and `run` does",
        )
    return done


def _refuse_what_is_exposed(exposed: Mapping[str, Sequence[Exposed]], *, n_earlier: int) -> None:
    if not exposed:
        return
    words = list(dict.fromkeys(f"{name}: {one.words}" for name, found in exposed.items() for one in found))
    tables = sorted({key.partition("|")[0] for found in exposed.values() for one in found for key in one.keys})
    more = [f"and {len(words) - _MOST_NAMED} more"] if len(words) > _MOST_NAMED else []
    raise DisclosureError(
        "With what was released before, this release would give hidden counts away",
        where=", ".join(exposed),
        expected=f"no count of few children that can be worked out from this release and {n_earlier} earlier ones",
        found=f"{len(words)} that can be",
        remedy="Leave out the tables that hold them: "
        + " ".join(f"--leave-out {table}" for table in tables or sorted(LEAVABLE))
        + "; or release the same authorities and years as before",
        faults=[*words[:_MOST_NAMED], *more],
    )


def _frames(results: Results) -> dict[str, pd.DataFrame]:
    return {name: getattr(results, name) for name in ESTIMATE_TABLES if hasattr(results, name)}


def _withheld(results: Results, left_out: Collection[str]) -> list[str]:
    frames = [field.name for field in fields(results) if isinstance(getattr(results, field.name), pd.DataFrame)]
    unjudged = [name for name in frames if name not in ESTIMATE_TABLES and name != "cells"]
    there = [_NOT_JUDGED.get(name, name) for name in unjudged if len(getattr(results, name))]
    return [*there, *(f"{LEAVABLE[name]}: left out by request" for name in left_out)]


def released_counts(counts: OutcomeCounts, judgement: Judgement) -> list[Released]:
    """Returns what the ledger keeps of an outcome: what was shown, and the sets that were hidden."""
    unique = {key_of(count): count for count in counts.counts()}
    universe = counts.universe
    released = []
    for key, count in unique.items():
        verdict = judgement.verdicts[key]
        window = (None, None) if verdict.shown is None else (int(verdict.low), int(verdict.high))
        name = f"{counts.outcome_id}|{count.key}"
        released.append(Released(name, universe.digest, universe.entity, universe.event, key, *window))
    return released


def _notes(judged: Sequence[OutcomeFacts], earlier: Sequence[Release]) -> list[str]:
    notes = []
    for one in judged:
        found = one.judgement
        hidden = sum(verdict.shown is None for verdict in found.verdicts.values())
        least = "no other choice loses less" if found.least else "a cheaper choice may exist"
        notes.append(
            f"{one.counts.outcome_id}: {len(found.verdicts)} counts, {hidden} hidden after {found.attacks} rounds of"
            f" attack; {least}."
        )
    if earlier:
        notes.append(f"Attacked together with {len(earlier)} earlier releases of the ledger.")
    else:
        notes.append("No ledger of earlier releases was given: differencing against them was not tested.")
    return notes
