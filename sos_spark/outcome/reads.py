"""Which entities each kind of outcome reads: where one of them is not observed, or in doubt, its rows are unknown."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from sos_spark.config.outcomes import KINDS


def reads() -> dict[str, tuple[str, ...]]:
    """Returns the entities that each kind of outcome from records reads, by the kind's name."""
    return {name: kind.reads for name, kind in KINDS.items() if kind.reads}


def has_unknown(fields: tuple[str, ...]) -> Column:
    """Returns whether one of these columns of a silver row is unknown because what was received could not be used."""
    named = F.split(F.coalesce("unknown_fields", F.lit("")), " ")
    return F.arrays_overlap(named, F.array(*map(F.lit, fields)))


def kinds_that_read(entity: Column) -> Column:
    """Returns the kinds that read an entity, as an array; null where none does."""
    entities = dict.fromkeys(name for names in reads().values() for name in names)
    return F.coalesce(
        *(
            F.when(entity == name, F.array(*(F.lit(kind) for kind, names in reads().items() if name in names)))
            for name in entities
        )
    )


def n_entities(kind: Column) -> Column:
    """Returns how many entities a kind reads."""
    return F.coalesce(*(F.when(kind == name, F.lit(len(entities))) for name, entities in reads().items()))
