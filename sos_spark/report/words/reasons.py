"""Why a record or an index row was not used, in words."""

from __future__ import annotations

from sos_spark.outcome.reasons import meaning_of

_RECORD_REASONS = {
    "quarantined": "refused by an error rule",
    "superseded_by_later_return": "replaced by a later return of the same record",
    "same_day_duplicate": "another referral of the child on the same day was kept",
}


def reason_in_words(reason: str) -> str:
    """Returns what a reason means."""
    return meaning_of(reason) or _RECORD_REASONS.get(reason, reason.replace("_", " "))
