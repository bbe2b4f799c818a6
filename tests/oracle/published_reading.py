"""DfE's and ONS's LA tables read a second time, with pandas and nothing of the project.

Written from the description of the tables alone. Grain out: one row per harmonised unit and census year with n and y,
NaN where a count of one of the unit's authorities is no number.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd

YEARS = range(2013, 2021)
MERGED = dict.fromkeys(("835", "836", "837", "838", "839"), "835+836+837+838+839")
"""Within 2013-2020, Bournemouth, Poole and Dorset alone changed their codes."""
LATER = {"940": "928", "941": "928", "942": "909", "943": "909"}
"""After 2020, Northamptonshire and Cumbria were split; the lists of neighbours of 2021 name North Northamptonshire."""
PILOTS = ("304", "801", "855", "925", "926", "935", "384", "938", "872")
EXCLUDED = ("211", "303")
FIRST_TREATED = 2016
EARLY = ["Same_day", "1-10_days", "11-20_days", "21-30_days", "31-40_days", "41-45_days"]
LATE = ["46-50_days", "51-60_days", "61+_days"]


def read(folder: Path, pattern: str) -> pd.DataFrame:
    """A file as text, whatever its encoding, headers without stray spaces."""
    (path,) = folder.glob(pattern)
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    return frame.rename(columns=str.strip)


def number(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column.str.replace(",", ""), errors="coerce")


def wide(folder: Path, pattern: str, columns: list[str]) -> pd.DataFrame:
    """A row an LA and year: la, year and the columns as numbers."""
    rows = read(folder, pattern)
    rows = rows[rows["geographic_level"] == "Local authority"]
    numbers = {name: number(rows[name]) for name in columns}
    return pd.DataFrame({"la": rows["old_la_code"], "year": rows["time_period"].astype(int), **numbers})


def referrals(folder: Path) -> pd.DataFrame:
    return wide(folder, "c1_*.csv", ["Referrals", "Re_referrals", "No_Further_Action"])


def conferences(folder: Path) -> pd.DataFrame:
    return wide(folder, "c4_*.csv", ["Section47", "ICPC"])


def looked_after(folder: Path) -> pd.DataFrame:
    """Children looked after on 31 March: a file a year to 2017, then three tables that overlap."""
    pieces = []
    for name in ("SFR36_CLA2013", "SFR36_CLA2014", "SFR34_CLA2015", "SFR41_CLA2016", "SFR50_CLA2017"):
        rows = read(folder, f"{name}.csv")
        rows = rows[rows["geog_l"] == "LA"]
        count = number(rows[f"CLA_Mar{name[-4:]}"])
        pieces.append(pd.DataFrame({"la": rows["geog_c"], "year": int(name[-4:]), "y": count}))
    stability = read(folder, "la_cla_at_31_march_*.csv")
    stability = stability[
        (stability["cla_group"] == "Children looked after at 31 March")
        & (stability["characteristic"] == "Total children")
        & (stability["time_period"] == "2018")
    ]
    later = read(folder, "cla_number_and_rate_per_10k_children_2019_2023.csv")
    later = later[later["population_count"].str.contains("looked after at 31 March") & (later["time_period"] < "2021")]
    for rows in (stability, later):
        rows = rows[rows["geographic_level"] == "Local authority"]
        la = {"la": rows["old_la_code"], "year": rows["time_period"].astype(int), "y": number(rows["number"])}
        pieces.append(pd.DataFrame(la))
    return pd.concat(pieces)


def population(folder: Path) -> pd.DataFrame:
    """Mid-year estimates, each of the census year that ends the March after."""
    rows = wide(folder, "ons_*.csv", ["population_estimate"])
    return rows.assign(year=rows["year"] + 1)


def leaving_care(folder: Path) -> pd.DataFrame:
    """Children who left care, and those of them to special guardianship: two counts until 2017, one since."""
    pieces = []
    for name, total, first, second in (
        ("SFR36_CEA2013", "CLA_cease", "CLA_ceaSpecG", "CLA_ceaSpecG2"),
        ("SFR36_CEA2014", "CLA_cease", "CLA_ceaSpecG", "CLA_ceaSpecG2"),
        ("SFR34_CEA2015", "CLA_cease", "CLA_ceaSpecG", "CLA_ceaSpecG2"),
        ("SFR41_CEA2016", "CLA_cease", "CLA_ceaSpecG1", "CLA_ceaSpecG2"),
        ("SFR50_CEA2017", "CLA_cease2017", "CEA_SGO1", "CEA_SGO2"),
    ):
        rows = read(folder, f"{name}.csv")
        rows = rows[rows["geog_l"] == "LA"]
        guardianship = number(rows[first]) + number(rows[second])
        pieces.append(
            pd.DataFrame({"la": rows["geog_c"], "year": int(name[-4:]), "n": number(rows[total]), "y": guardianship})
        )
    rows = read(folder, "la_children_who_ceased_*.csv")
    rows = rows[(rows["geographic_level"] == "Local authority") & (rows["cla_group"] == "Reason episode ceased")]
    counts = rows.assign(number=number(rows["number"])).pivot(
        index=["old_la_code", "time_period"], columns="characteristic", values="number"
    )
    since = counts[["Total", "Special guardianship orders"]].set_axis(["n", "y"], axis=1).reset_index()
    since = since.rename(columns={"old_la_code": "la", "time_period": "year"}).astype({"year": int})
    return pd.concat([*pieces, since])


def assessments(folder: Path) -> pd.DataFrame:
    """From 2015: completed less the late bands where all are numbers, else the early ones."""
    rows = wide(folder, "c2_*.csv", ["Assessments_completed", *EARLY, *LATE])
    early, late = rows[EARLY].sum(axis=1, skipna=False), rows[LATE].sum(axis=1, skipna=False)
    completed = rows["Assessments_completed"]
    return rows.assign(n=completed, y=(completed - late).fillna(early))[["la", "year", "n", "y"]].query("year >= 2015")


def by_la(folder: Path, measure: str) -> pd.DataFrame:
    """n and y of a measure by la and year."""
    c1 = referrals(folder)
    c4 = conferences(folder)
    both = c1.merge(c4, on=["la", "year"], how="left")
    columns = {
        "rereferral_12m": (c1, "Referrals", "Re_referrals"),
        "nfa_share": (c1, "Referrals", "No_Further_Action"),
        "icpc_per_section47": (c4, "Section47", "ICPC"),
        "icpc_per_referral": (both, "Referrals", "ICPC"),
    }
    if measure in columns:
        rows, n, y = columns[measure]
        return rows.rename(columns={n: "n", y: "y"})[["la", "year", "n", "y"]]
    if measure == "looked_after_rate":
        rows = population(folder).rename(columns={"population_estimate": "n"})
        return rows.merge(looked_after(folder), on=["la", "year"], how="left")
    return assessments(folder) if measure == "assessed_within_45" else leaving_care(folder)


def _sum_of_known(parts: pd.Series[Any]) -> Any:
    """NaN where one part is."""
    return parts.sum(skipna=False)


def by_unit(folder: Path, measure: str) -> pd.DataFrame:
    """n and y by unit and year: NaN where one of the LAs that existed that year has no number, or there is nobody."""
    existed = pd.read_csv(folder.parent / "la_reference" / "la_by_year_2013_2024_from_c1.csv", dtype=str)
    existed = existed.rename(columns={"old_la_code": "la", "census_year": "year"}).astype({"year": int})
    rows = existed[existed["year"].isin(YEARS)][["la", "year"]].merge(by_la(folder, measure), how="left")
    rows["unit"] = rows["la"].map(MERGED).fillna(rows["la"])
    both = rows[["n", "y"]].isna().any(axis=1)
    rows.loc[both, ["n", "y"]] = float("nan")
    totals = rows.groupby(["unit", "year"])[["n", "y"]].agg(_sum_of_known).reset_index()
    totals.loc[totals["n"] == 0, ["n", "y"]] = float("nan")
    return totals


def comparators(folder: Path) -> set[str]:
    """The union of the pilots' ten neighbours, without pilots and authorities that ran the programme in one wave."""
    path = folder.parent / "la_reference" / "New_Statistical_Neighbour_Groupings_April_2021.csv"
    rows = pd.read_csv(path, dtype=str, encoding="utf-8-sig").set_index("LA number")
    named = {str(rows.loc[pilot, f"SN{rank}"]).strip() for pilot in PILOTS for rank in range(1, 11)}
    assert "940" in named
    successors = MERGED | LATER
    return {successors.get(code, code) for code in named} - {*PILOTS, *EXCLUDED}


def study_panel(folder: Path, measure: str) -> pd.DataFrame:
    """Known cells of pilots and comparators; a pilot without one before or after 1 April 2015 is left out."""
    cells = by_unit(folder, measure).dropna()
    cells = cells[cells["unit"].isin({*PILOTS, *comparators(folder)})].copy()
    late = cells["year"] >= FIRST_TREATED
    seen = set(cells.loc[late, "unit"]) & set(cells.loc[~late, "unit"])
    cells["is_pilot"] = cells["unit"].isin(PILOTS)
    cells = cells[~cells["is_pilot"] | cells["unit"].isin(seen)].copy()
    cells["treated"] = (cells["is_pilot"] & (cells["year"] >= FIRST_TREATED)).astype(int)
    return cells.assign(share=cells["y"] / cells["n"])
