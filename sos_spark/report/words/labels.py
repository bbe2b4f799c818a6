"""How outcomes and authorities are named, the same on every figure and in every sentence."""

from __future__ import annotations

from collections import Counter

from sos_spark.config.study import Study
from sos_spark.report.words.numbers import listed


def outcome_labels(study: Study) -> dict[str, str]:
    """Returns a name for each outcome id, in the study's order; outcomes that share one get their id behind it."""
    plain = {outcome.outcome_id: outcome.label for outcome in study.outcomes}
    shared = {name for name, count in Counter(plain.values()).items() if count > 1}
    return {key: f"{name} ({key})" if name in shared else name for key, name in plain.items()}


def comparators_in_words(study: Study) -> str:
    """Returns how the comparators are chosen."""
    chosen = study.comparators
    said = {
        "all": "every authority without a pilot",
        "listed": f"{len(chosen.la_codes)} authorities named in the study file",
        "neighbours": f"the {chosen.n} nearest statistical neighbours of each pilot, each once, without pilots",
        "matched": f"the {chosen.k} nearest to each pilot in the outcome's {listed(list(chosen.on))} before go-live",
    }[chosen.kind]
    return said + (f"; {len(chosen.exclude)} excluded by the study file" if chosen.exclude else "")
