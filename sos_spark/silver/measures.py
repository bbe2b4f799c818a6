"""Counts of silver by authority and year that no study asks for: what tells how returns compare."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.silver.readings import KINSHIP, SHORT_BREAKS, census_year_of
from sos_spark.tables import DQ_MEASURES
from sos_spark.tables.dq import MEASURES

_CHILDREN = ("cin_children", "lac_children")

NEEDED = ("referrals", "assessments", "section47_enquiries", "icpcs", "cp_plans", "lac_episodes", *_CHILDREN)
"""The silver tables that are counted, each read once."""

EVENTS = tuple(name for name in MEASURES if not name.startswith(_CHILDREN))
"""The measures that count events; the others count children."""

_NOT_STATED = "N0"


def count_events(silver: Mapping[str, DataFrame]) -> DataFrame:
    """Returns the rows of dq.measures that count events, out of silver's tables by short name.

    Grain: one row per measure of `EVENTS`, LA and year with any rows of the table that the measure is counted of. An
    authority's depend on its own rows alone.
    """
    at_once = F.col("is_nfa_at_referral")
    stated = F.col("primary_need").isNotNull() & (F.col("primary_need") != _NOT_STATED)
    # Narrower than outcomes' start of care: one whose legal status is not known may be a short break.
    starts = (F.col("reason_new_episode") == "S") & ~F.col("legal_status").isin(*SHORT_BREAKS)
    every = F.lit(True)
    parts = [
        _by_day(
            silver["referrals"],
            "referral_date",
            {"referrals": every, "nfa": at_once, "no_primary_need": ~at_once & ~stated},
        ),
        _by_day(
            silver["assessments"].where(F.col("assessment_authorised_date").isNotNull()),
            "assessment_authorised_date",
            {"assessments": every},
        ),
        _by_day(silver["section47_enquiries"], "section47_start_date", {"section47": every}),
        _by_day(silver["icpcs"], "icpc_date", {"icpc": every}),
        _by_day(silver["cp_plans"], "cpp_start_date", {"cp_plans": every}),
        _by_day(
            silver["lac_episodes"].where(starts),
            "care_episode_start_date",
            {"care_starts": every, "kinship_starts": F.col("placement_code").isin(*KINSHIP)},
        ),
    ]
    return reduce(DataFrame.unionByName, parts).select(DQ_MEASURES.column_names)


def count_people(silver: Mapping[str, DataFrame]) -> DataFrame:
    """Returns the rows of dq.measures that count children, out of silver's tables by short name.

    Grain: one row per measure of children, LA and year with any whose person is known. Whether a child is another
    authority's in the same year depends on the rows of both.
    """
    parts = (_people(silver[children], children) for children in _CHILDREN)
    return reduce(DataFrame.unionByName, parts).select(DQ_MEASURES.column_names)


def _by_day(rows: DataFrame, day: str, measures: Mapping[str, Column]) -> DataFrame:
    """Counts rows by LA and the year to 31 March that a day lies in."""
    year = census_year_of(F.col(day))
    return _counted(rows.select("la_code", year.alias("census_year"), *_flags(measures)), measures)


def _people(children: DataFrame, entity: str) -> DataFrame:
    """Counts children by whether their person is another child too.

    A person's earlier id in the authority is a change of ids; the same year's in another authority may be a move. Most
    persons are one child: rows are put beside each other only where hashes of persons repeat, of which there are few.
    """
    known = children.where(F.col("person_key").isNotNull()).select("person_key", "la_code", "census_year")
    measures = (entity, f"{entity}_renamed", f"{entity}_elsewhere")
    every = known.select(
        "la_code", "census_year", *_flags(dict(zip(measures, map(F.lit, (True, False, False)), strict=True)))
    )
    flagged = every.unionByName(_met_again(_repeated(known), measures))
    return _counted(flagged, measures)


def _repeated(known: DataFrame) -> DataFrame:
    """The rows whose person's hash is another row's too: all whose person is, and hardly any others."""
    hashed = known.withColumn("_hash", F.xxhash64("person_key"))
    repeated = hashed.groupBy("_hash").agg(F.count(F.lit(1)).alias("_n")).where(F.col("_n") > 1)
    return hashed.join(repeated, "_hash", "left_semi").drop("_hash")


def _met_again(known: DataFrame, measures: Sequence[str]) -> DataFrame:
    """Flags children whose person is another child too. Grain: one row per row of `known`."""
    place = F.struct("la_code", "census_year")
    people = known.groupBy("person_key").agg(F.collect_list(place).alias("places"))
    each = people.select("places", F.explode("places").alias("own"))
    others = F.col("places")
    renamed = F.exists(
        others,
        lambda it: (it["la_code"] == F.col("own.la_code")) & (it["census_year"] < F.col("own.census_year")),
    )
    elsewhere = F.exists(
        others,
        lambda it: (it["la_code"] != F.col("own.la_code")) & (it["census_year"] == F.col("own.census_year")),
    )
    flags = dict(zip(measures, (F.lit(False), renamed, elsewhere), strict=True))
    return each.select("own.la_code", "own.census_year", *_flags(flags))


def _flags(measures: Mapping[str, Column]) -> list[Column]:
    return [F.coalesce(holds, F.lit(False)).alias(f"_{name}") for name, holds in measures.items()]


def _counted(flagged: DataFrame, measures: Collection[str]) -> DataFrame:
    counted = flagged.groupBy("la_code", "census_year").agg(*(F.count_if(f"_{name}").alias(name) for name in measures))
    return counted.unpivot(["la_code", "census_year"], list(measures), "measure", "n")
