"""study.json: the study that was fitted, beside its estimates. The report reads this and nothing else of the study.

So a report can describe no other study than the one that made its numbers, and what was given on the command line, or
changed since a plan was frozen, stays with them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sos_spark.config.freeze import FrozenPlan, changes_between
from sos_spark.config.load import fingerprint, study_from
from sos_spark.config.study import Study
from sos_spark.errors import InputError, StudyError
from sos_spark.places import Place, place_of
from sos_spark.steps.context import Run
from sos_spark.steps.manifest import made_by, table_versions
from sos_spark.steps.results import write_result

FILE = "study.json"
_AGAIN = "Run the step fit again into the same --out"


@dataclass(frozen=True)
class FittedStudy:
    """The study of a run's estimates.

    Attributes:
        study: As it was fitted.
        origins: For each key whether it is a default, the file's or the command line's.
        overrides: The values of --set, as given.
        fingerprint: Of the study as fitted.
        frozen: The plan that had been frozen when it was fitted, against the study that was; None: no plan had.
        is_simulated: Whether the data were simulated.
        made_by: Code, lock, packages and Python that fitted it.
        lake: The lake whose panel was fitted; None: a file of cells was.
        tables: The version of each table of that lake, by name.
        cells_sha256: Of cells.csv beside it, where there was one.
    """

    study: Study
    origins: Mapping[str, str]
    overrides: tuple[str, ...]
    fingerprint: str
    frozen: FrozenPlan | None
    is_simulated: bool
    made_by: Mapping[str, Any]
    lake: Place | None
    tables: Mapping[str, int]
    cells_sha256: str | None


def write_fitted_study(run: Run, *, is_simulated: bool) -> None:
    """Writes study.json to the run's results: what was fitted, from what, by what."""
    study, lake = run.the_study, run.environment.lake
    cells = run.out / "cells.csv"
    content = {
        "study": study.model_dump(mode="json", by_alias=True),
        "origins": dict(run.origins),
        "overrides": list(run.overrides),
        "fingerprint": fingerprint(study),
        "frozen_plan": None if run.frozen is None else asdict(run.frozen),
        "seed": study.inference.seed,
        "is_simulated": is_simulated,
        "lake": None if lake is None else str(lake.absolute()),
        "tables": table_versions(run),
        "cells_sha256": hashlib.sha256(cells.read_bytes()).hexdigest() if cells.exists() else None,
        **made_by(),
    }
    write_result(run.out / FILE, json.dumps(content, indent=2, default=str) + "\n")


def fitted_study(out: Place) -> FittedStudy:
    """Returns the study whose estimates lie in a folder of results.

    Raises:
        InputError: There is none, it cannot be read, or its fingerprint is not its study's.
    """
    path = out / FILE
    if not path.exists():
        raise InputError("The results do not say which study was fitted", where=str(path), remedy=_AGAIN)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = FittedStudy(
            study=study_from(content["study"], where=str(path)),
            origins=dict(content["origins"]),
            overrides=tuple(content["overrides"]),
            fingerprint=str(content["fingerprint"]),
            frozen=_frozen(content["frozen_plan"]),
            is_simulated=bool(content["is_simulated"]),
            made_by={name: content[name] for name in ("code", "lock_sha256", "packages", "python")},
            lake=None if content["lake"] is None else place_of(content["lake"]),
            tables=dict(content["tables"]),
            cells_sha256=content["cells_sha256"],
        )
    except (OSError, ValueError, KeyError, TypeError, StudyError):
        raise InputError("The study of the results cannot be read", where=str(path), remedy=_AGAIN) from None
    if fingerprint(found.study) != found.fingerprint:
        raise InputError(
            "The study of the results is not the one that was fitted",
            where=str(path),
            expected=f"a study of the fingerprint {found.fingerprint[:12]}",
            found=fingerprint(found.study)[:12],
            remedy=_AGAIN,
        )
    return found


def with_words_of(fitted: Study, given: Study) -> Study:
    """Returns the study as fitted with the authors' own words of the one given, where that has any."""
    if given.publication == type(given.publication)():
        return fitted
    return fitted.model_copy(update={"publication": given.publication})


def _frozen(kept: Mapping[str, Any] | None) -> FrozenPlan | None:
    if kept is None:
        return None
    return FrozenPlan(str(kept["frozen_at"]), str(kept["fingerprint"]), tuple(kept["changes"]), dict(kept["plan"]))


def require_fitted(given: Study, fitted: FittedStudy, *, where: Place) -> None:
    """Checks that a study is the one whose estimates are there.

    Raises:
        StudyError: It is another; each key that differs is a line.
    """
    if fingerprint(given) == fitted.fingerprint:
        return
    raise StudyError(
        "The results are another study's",
        where=str(where),
        expected=f"{fitted.study.study_id}, as it was fitted",
        faults=tuple(f"{change} (fitted -> given)" for change in changes_between(fitted.study, given)),
        remedy="Leave --study out to report what was fitted, or run the step fit with this study",
    )
