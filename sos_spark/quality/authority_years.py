"""An authority's year against its own history, DfE's published totals and other authorities: counts in, doubts out.

Row rules judge a record, suites a table; these look at what neither can see. Nothing here stops a run: a doubt is a
question to the authority. Frames are collapsed counts as `sos_spark.tables` declares them; no row of a child.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

PLACE = ["la_code", "census_year"]


class Doubt(NamedTuple):
    """What a check doubts in an authority's year; no year where it is about all of them.

    found and expected are counts or shares, n the rows behind what was found, distance how far it is beyond what is
    ordinary: a robust z where there is a history, otherwise a ratio or share; not a number where neither says anything.
    """

    check: str
    la_code: str
    census_year: int | None
    subject: str
    found: float = math.nan
    expected: float = math.nan
    n: float = math.nan
    distance: float = math.nan


YEARS_LOOKED_BACK = 3
FAR = 5.0
"""Robust standard deviations from an authority's own history that are far."""
VOLUME_TIMES = 1.4
VOLUME_NOISE = 0.08
"""What a volume varies from year to year in any authority, as a share: no smaller spread is believed."""
VOLUME_AT_LEAST = 30
SHARE_POINTS = 0.10
SHARE_NOISE = 0.02
SHARE_AT_LEAST = 50
PUBLISHED_WITHIN = 0.10
PUBLISHED_AT_LEAST = 20
PEOPLE_SHARE = 0.05
PEOPLE_AT_LEAST = 10
LINKED_AT_LEAST = 0.8
LINKS_AT_LEAST = 50

COLLECTION_OF = {"care_starts": "ssda903"}
"""The collection that the measures of a share are read from, where it is not the CIN census."""
SHARES = {
    "nfa": ("referrals", "referrals that ended in no further action at once"),
    "no_primary_need": ("referrals", "referrals whose primary need is missing or not stated"),
    "kinship_starts": ("care_starts", "starts of care with relatives or friends"),
}
"""Recording practice: a measure, what it is a share of, and what it is."""
PUBLISHED = ("referrals", "nfa", "assessments", "section47", "icpc")
"""Measures that DfE publishes by authority under the same name."""
PEOPLE = ("cin_children", "lac_children")


@dataclass(frozen=True)
class Check:
    """A check of authority-years. `asks`: what to ask an authority where it is in doubt."""

    code: str
    title: str
    bound: str
    asks: str


CHECKS = {
    check.code: check
    for check in (
        Check(
            "return_missing",
            "No accepted return",
            "the authority existed that year and returned in another",
            "Send the return, or say why there is none",
        ),
        Check(
            "volume",
            "Volume far from the authority's own history",
            f"at least {FAR:g} robust standard deviations and {VOLUME_TIMES:g} times from the median of the"
            f" {YEARS_LOOKED_BACK} years before",
            "Is the return whole, and are no records in it twice?",
        ),
        Check(
            "recording",
            "Jump in how something is recorded",
            f"at least {FAR:g} robust standard deviations and {100 * SHARE_POINTS:g} points from the median of the"
            f" {YEARS_LOOKED_BACK} years before",
            "Did the way of recording change, and from which day?",
        ),
        Check(
            "published",
            "Not what DfE published",
            f"more than {100 * PUBLISHED_WITHIN:g} % and {PUBLISHED_AT_LEAST} from the published total",
            "Was another version of the return sent to DfE?",
        ),
        Check(
            "ids_changed",
            "Ids that changed between years",
            f"at least {100 * PEOPLE_SHARE:g} % of children, and {PEOPLE_AT_LEAST}, known under another id before",
            "Did a new system give new ids? Send the old ones beside them",
        ),
        Check(
            "in_several",
            "Children whom another authority returned the same year",
            f"at least {100 * PEOPLE_SHARE:g} % of children, and {PEOPLE_AT_LEAST}",
            "Are these moves, or is a return another authority's?",
        ),
        Check(
            "links",
            "Few looked-after children found in the CIN census",
            f"fewer than {100 * LINKED_AT_LEAST:g} % of {LINKS_AT_LEAST} or more",
            "Do both returns use one id for a child, or hold UPNs?",
        ),
    )
}


def find_doubts(
    *,
    files: pd.DataFrame,
    rule_counts: pd.DataFrame,
    measures: pd.DataFrame,
    link_rates: pd.DataFrame,
    published: pd.DataFrame,
    existed: Mapping[str, tuple[int, int]],
) -> pd.DataFrame:
    """Returns what is in doubt, in the order of CHECKS, the most distant first.

    Args:
        files: bronze.files.
        rule_counts: dq.rule_counts.
        measures: dq.measures.
        link_rates: dq.link_rates.
        published: bronze.published_values; empty where the user gave none of DfE's tables.
        existed: The first and last census year of each authority's code.

    Returns:
        A frame with a doubt's fields as columns, a row per doubt.
    """
    returned = accepted_years(files)
    wide = _by_measure(measures)
    found = [
        *missing_years(returned, existed),
        *volume_shifts(received(rule_counts)),
        *recording_jumps(wide, returned),
        *off_published(wide, returned, published),
        *_people(wide, "ids_changed", "renamed"),
        *_people(wide, "in_several", "elsewhere"),
        *weak_links(link_rates),
    ]
    order = {code: i for i, code in enumerate(CHECKS)}
    found.sort(
        key=lambda one: (
            order[one.check],
            -abs(np.nan_to_num(one.distance)),
            one.la_code,
            one.census_year or 0,
            one.subject,
        )
    )
    return pd.DataFrame(found, columns=list(Doubt._fields)).astype(_TYPES)


_TYPES = {
    "check": "str",
    "la_code": "str",
    "census_year": "Int64",
    "subject": "str",
    "found": "float64",
    "expected": "float64",
    "n": "Int64",
    "distance": "float64",
}


def accepted_years(files: pd.DataFrame) -> pd.DataFrame:
    """Returns collection, la_code and census_year of each accepted return, each once."""
    keys = ["collection", *PLACE]
    if files.empty:
        return pd.DataFrame({"collection": [], "la_code": [], "census_year": []})
    kept = files[(files["status"] == "accepted") & files["collection"].isin(("cin", "ssda903"))]
    return kept[keys].dropna().drop_duplicates().sort_values(keys, ignore_index=True)


def received(rule_counts: pd.DataFrame) -> pd.DataFrame:
    """Returns entity, la_code, census_year and n: rows received, which every rule of an entity was tried on."""
    keys = ["entity", *PLACE]
    if rule_counts.empty:
        return pd.DataFrame({"entity": [], "la_code": [], "census_year": [], "n": []})
    return rule_counts.groupby(keys)["n_rows"].max().rename("n").reset_index()


def failure_rates(rule_counts: pd.DataFrame) -> pd.DataFrame:
    """Returns the failures of the rules that cost a record or a value (severity error or field) per 1,000 records.

    Grain: a row per LA code, a column per census year; NaN where no records were received. A record that breaks two
    rules counts twice. Empty without counts.
    """
    if rule_counts.empty:
        return pd.DataFrame()
    rows = received(rule_counts).groupby(PLACE)["n"].sum()
    failed = rule_counts[rule_counts["severity"].isin(("error", "field"))].groupby(PLACE)["n_failed"].sum()
    rate = 1000 * failed.reindex(rows.index, fill_value=0) / rows.where(rows > 0)
    return rate.unstack("census_year").sort_index(axis=1)


def missing_years(returned: pd.DataFrame, existed: Mapping[str, tuple[int, int]]) -> list[Doubt]:
    """Returns the authority-years without an accepted return, of authorities that returned in another year.

    Between the first and the last year of a collection, as far as the authority's code existed.
    """
    doubts = []
    for collection, of_collection in returned.groupby("collection"):
        years = of_collection["census_year"].astype(int)
        for la_code, own in of_collection.groupby("la_code"):
            first, last = existed.get(str(la_code), (0, 9999))
            there = set(own["census_year"].astype(int))
            due = range(max(first, int(years.min())), min(last, int(years.max())) + 1)
            doubts += [
                Doubt("return_missing", str(la_code), year, str(collection)) for year in due if year not in there
            ]
    return doubts


def volume_shifts(rows: pd.DataFrame) -> list[Doubt]:
    """Returns the entities' rows received that are far from the authority's own years before. Takes `received`."""
    doubts = []
    for entity, own in rows.groupby("entity"):
        n = own.pivot_table(index="la_code", columns="census_year", values="n").pipe(_every_year)
        expected = before(n)
        enough = (n >= VOLUME_AT_LEAST) | (expected >= VOLUME_AT_LEAST)
        noise = (VOLUME_NOISE**2 + 1 / n.clip(lower=1) + 1 / expected.clip(lower=1)) ** 0.5
        z = distance(n.clip(lower=0.5).apply(np.log), noise)
        times = n.clip(lower=0.5) / expected
        far = enough & (z.abs() >= FAR) & ((times >= VOLUME_TIMES) | (times <= 1 / VOLUME_TIMES))
        doubts += _doubts("volume", str(entity), far, found=n, expected=expected, n=n, distance=z)
    return doubts


def recording_jumps(wide: Mapping[str, pd.DataFrame], returned: pd.DataFrame) -> list[Doubt]:
    """Returns the shares of SHARES that are far from the authority's own years before, among years returned."""
    doubts = []
    for part, (whole, _) in SHARES.items():
        if part not in wide:
            continue
        among = _only_returned(wide[whole], returned, COLLECTION_OF.get(whole, "cin"))
        among = among.where(among >= SHARE_AT_LEAST).pipe(_every_year)
        share = (wide[part] / among).reindex_like(among)
        expected, inner = before(share), share.clip(0.01, 0.99)
        z = distance(share, (SHARE_NOISE**2 + inner * (1 - inner) / among) ** 0.5)
        far = (z.abs() >= FAR) & ((share - expected).abs() >= SHARE_POINTS)
        doubts += _doubts("recording", part, far, found=share, expected=expected, n=among, distance=z)
    return doubts


def off_published(wide: Mapping[str, pd.DataFrame], returned: pd.DataFrame, published: pd.DataFrame) -> list[Doubt]:
    """Returns the measures that are not what DfE published of the same authority and year, among years returned."""
    known = published[published["status"] == "known"]
    doubts = []
    for measure in PUBLISHED:
        own = known[known["quantity"] == measure]
        if measure not in wide or own.empty:
            continue
        ours = _only_returned(wide[measure], returned, "cin")
        theirs = own.astype({"value": "float64"}).pivot_table(index="la_code", columns="census_year", values="value")
        theirs = theirs.reindex(index=ours.index, columns=ours.columns)
        off = (ours - theirs).abs()
        far = (off > PUBLISHED_WITHIN * theirs) & (off >= PUBLISHED_AT_LEAST)
        ratio = ours / theirs
        doubts += _doubts("published", measure, far, found=ours, expected=theirs, n=ours, distance=ratio)
    return doubts


def weak_links(link_rates: pd.DataFrame) -> list[Doubt]:
    """Returns the authorities of which few looked-after children were found in the CIN census; of no year."""
    n = link_rates["n_lac_children"]
    linked = (link_rates["n_linked_by_child_id"] + link_rates["n_linked_by_person"]) / n.where(n >= LINKS_AT_LEAST)
    return [
        Doubt("links", str(la_code), None, "lac_children", share, LINKED_AT_LEAST, of, share)
        for la_code, of, share in zip(link_rates["la_code"], n, linked, strict=True)
        if share < LINKED_AT_LEAST
    ]


def before(wide: pd.DataFrame) -> pd.DataFrame:
    """Returns the median of the years before, of as many as there are among the last few; NaN without any."""
    return wide.T.shift(1).rolling(YEARS_LOOKED_BACK, min_periods=1).median().T


def distance(wide: pd.DataFrame, noise: pd.DataFrame) -> pd.DataFrame:
    """Returns how far each year is from those before, in robust standard deviations of the authority's other years.

    A row per authority, a column per year, without gaps. The spread is 1.4826 times the median absolute distance of its
    other years, and never below `noise`, which stands alone where there are fewer than two.
    """
    residual = wide - before(wide)
    spread = pd.DataFrame(0.0, index=wide.index, columns=wide.columns)
    for year in wide.columns:
        others = residual.drop(columns=year).abs()
        spread[year] = (1.4826 * others.median(axis=1)).where(others.notna().sum(axis=1) >= 2, 0.0)
    return residual / (spread**2 + noise**2) ** 0.5


def _people(wide: Mapping[str, pd.DataFrame], check: str, kind: str) -> list[Doubt]:
    doubts = []
    for people in PEOPLE:
        if people not in wide:
            continue
        whole, part = wide[people], wide[f"{people}_{kind}"]
        share = part / whole.where(whole > 0)
        bound = pd.DataFrame(PEOPLE_SHARE, index=whole.index, columns=whole.columns)
        far = (share >= PEOPLE_SHARE) & (part >= PEOPLE_AT_LEAST)
        doubts += _doubts(check, people, far, found=share, expected=bound, n=part, distance=share)
    return doubts


def _by_measure(measures: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Each measure with a row per authority and a column per year."""
    return {
        str(name): own.pivot_table(index="la_code", columns="census_year", values="n").sort_index(axis=1)
        for name, own in (measures.groupby("measure") if len(measures) else ())
    }


def _only_returned(wide: pd.DataFrame, returned: pd.DataFrame, collection: str) -> pd.DataFrame:
    """Keeps the authority-years that were returned: records of others are carried over, and few."""
    own = returned[returned["collection"] == collection]
    there = set(zip(own["la_code"], own["census_year"].astype(int), strict=True))
    mask = [[(code, int(year)) in there for year in wide.columns] for code in wide.index]
    return wide.where(pd.DataFrame(mask, index=wide.index, columns=wide.columns))


def _every_year(wide: pd.DataFrame) -> pd.DataFrame:
    """Gives every year from the first to the last a column, so that neighbours are years apart."""
    years = range(int(min(wide.columns)), int(max(wide.columns)) + 1) if len(wide.columns) else ()
    return wide.reindex(columns=pd.Index(list(years), name="census_year")).astype("float64")


def _doubts(check: str, subject: str, far: pd.DataFrame, **cells: pd.DataFrame) -> list[Doubt]:
    """A doubt for each cell that is far; the frames are alike in shape, a row per authority, a column per year."""
    return [
        Doubt(
            check,
            str(far.index[row]),
            int(far.columns[column]),
            subject,
            **{name: float(frame.to_numpy()[row, column]) for name, frame in cells.items()},
        )
        for row, column in zip(*np.nonzero(far.to_numpy(dtype=bool)), strict=True)
    ]
