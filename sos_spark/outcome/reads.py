"""Which entities each kind of outcome reads: where one of them is not observed, or in doubt, its rows are unknown."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

READS: dict[str, tuple[str, ...]] = {
    "assessment_duration": ("assessments", "cin_children"),
    "assessment_within": ("assessments", "cin_children"),
    "rereferral_nfa": ("referrals", "cin_children"),
    "rereferral_escalated": ("referrals", "cp_plans", "cin_children", "lac_episodes", "lac_children"),
    "kinship_placement": ("lac_episodes", "lac_children"),
    "icpc": ("referrals", "section47_enquiries", "cin_children"),
}
"""By kind. The children come with the records: ages, and which CIN child a looked-after child is, are read of them."""


FIELDS_OF_EVENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "rereferral_escalated": {"lac_episodes": ("reason_new_episode", "legal_status")},
    "kinship_placement": {"lac_episodes": ("reason_new_episode", "legal_status", "reason_episode_ceased")},
    "icpc": {"referrals": ("icpc_date",), "section47_enquiries": ("icpc_date",)},
}
"""By kind, the fields of other rows of the child that say whether and when something happened to it: where one could
not be used, whatever it said could lie anywhere in the year in whose return the row stood."""


def has_unknown(fields: tuple[str, ...]) -> Column:
    """Returns whether one of these columns of a silver row is unknown because what was received could not be used."""
    named = F.split(F.coalesce("unknown_fields", F.lit("")), " ")
    return F.arrays_overlap(named, F.array(*map(F.lit, fields)))


def kinds_that_read(entity: Column) -> Column:
    """Returns the kinds that read an entity, as an array; null where none does."""
    entities = dict.fromkeys(name for names in READS.values() for name in names)
    return F.coalesce(
        *(
            F.when(entity == name, F.array(*(F.lit(kind) for kind, names in READS.items() if name in names)))
            for name in entities
        )
    )


def n_entities(kind: Column) -> Column:
    """Returns how many entities a kind reads."""
    return F.coalesce(*(F.when(kind == name, F.lit(len(entities))) for name, entities in READS.items()))
