"""All entities of a lake classified, in the order in which one looks at another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pyspark.sql import DataFrame

from sos_spark.silver.entities.assessments import classify_assessments
from sos_spark.silver.entities.cin_children import classify_cin_children, referred_years
from sos_spark.silver.entities.cp_plans import classify_cp_plans
from sos_spark.silver.entities.icpcs import find_conferences
from sos_spark.silver.entities.lac_children import classify_lac_children
from sos_spark.silver.entities.lac_episodes import classify_lac_episodes
from sos_spark.silver.entities.referrals import classify_referrals
from sos_spark.silver.entities.section47_enquiries import classify_section47
from sos_spark.silver.pseudonyms import with_pseudonyms
from sos_spark.silver.rule_data import RuleData

NEEDED_MODULES = (
    "child_identifiers",
    "cin_details",
    "cin_plan_dates",
    "assessments",
    "section47",
    "cp_plans",
    "lac_header",
    "lac_episodes",
)
"""The bronze modules silver is made from; the others are kept and feed nothing."""


@dataclass(frozen=True)
class Classified:
    """Every received row of each entity, classified, and the conferences of `find_conferences`."""

    by_entity: Mapping[str, DataFrame]
    conferences: DataFrame


def _as_is(rows: DataFrame, _name: str) -> DataFrame:
    return rows


def classify_all(
    bronze: Mapping[str, DataFrame],
    key: DataFrame,
    rule_data: RuleData,
    *,
    keep: Callable[[DataFrame, str], DataFrame] = _as_is,
) -> Classified:
    """Returns every received row with its findings and its fate.

    Grain: one row per row of the entity's bronze module, in and out. `key`: `key_frame`. `keep` is called on each frame
    and its name as soon as it is made, so that a caller can stage what several others read; two frames may be kept at
    once, since care needs nothing of referrals, nor assessments of enquiries.
    """
    named = {module: with_pseudonyms(bronze[module], key) for module in NEEDED_MODULES}
    years = with_pseudonyms(referred_years(bronze["cin_details"]), key)

    def care() -> tuple[DataFrame, DataFrame]:
        lac_children = keep(classify_lac_children(named["lac_header"], rule_data), "lac_children")
        return lac_children, keep(classify_lac_episodes(named["lac_episodes"], lac_children, rule_data), "lac_episodes")

    with ThreadPoolExecutor(max_workers=1) as beside:
        in_care = beside.submit(care)
        cin_children = keep(classify_cin_children(named["child_identifiers"], years, rule_data), "cin_children")
        referrals = keep(
            classify_referrals(named["cin_details"], named["cin_plan_dates"], cin_children, rule_data), "referrals"
        )
        assessments = beside.submit(
            lambda: keep(classify_assessments(named["assessments"], referrals, cin_children, rule_data), "assessments")
        )
        section47 = keep(
            classify_section47(named["section47"], referrals, cin_children, rule_data), "section47_enquiries"
        )
        conferences = keep(find_conferences(referrals, section47), "conferences")
        cp_plans = keep(
            classify_cp_plans(named["cp_plans"], referrals, cin_children, conferences, rule_data), "cp_plans"
        )
        lac_children, lac_episodes = in_care.result()
        by_entity = {
            "cin_children": cin_children,
            "referrals": referrals,
            "assessments": assessments.result(),
            "section47_enquiries": section47,
            "cp_plans": cp_plans,
            "lac_children": lac_children,
            "lac_episodes": lac_episodes,
        }
    return Classified(by_entity, conferences)
