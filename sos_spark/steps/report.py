"""The report step: reads what the run left, draws its figures and writes its page. Needs no Spark."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields, replace
from functools import partial
from itertools import chain
from typing import Any

import pandas as pd

from sos_spark.config.simulated import TRUTH_FILE
from sos_spark.errors import InputError
from sos_spark.machine.side_by_side import Helpers, as_it_is, started
from sos_spark.places import Place
from sos_spark.report.blocks import Picture
from sos_spark.report.contents import pictures_of, sections_of
from sos_spark.report.export.document import pieces_of
from sos_spark.report.export.markdown import as_markdown
from sos_spark.report.export.word import as_word
from sos_spark.report.front.card import card, one_page
from sos_spark.report.front.screen import front_of
from sos_spark.report.page import render_page
from sos_spark.report.results import LakeTables, PlantedEffect, Results
from sos_spark.report.returns.tables import ReturnTables
from sos_spark.report.sections.flow import flow_table
from sos_spark.report.sections.quality import quality_table
from sos_spark.report.standing import mark_of, standing_of
from sos_spark.report.words.notes import in_plain_words
from sos_spark.steps.collapsed import ordered_frame
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.fitted_study import fitted_study, require_fitted, with_words_of
from sos_spark.steps.manifest import manifest
from sos_spark.steps.quality_page import keep_quality_page, latest_verdicts, quality_page, read_return_tables
from sos_spark.steps.result_tables import read_table, write_table
from sos_spark.steps.results import write_result
from sos_spark.steps.simulated import COLUMN, run_is_simulated, truth_file
from sos_spark.tables import (
    COHORT_UNITS,
    COHORT_UNOBSERVED,
    DQ_LEDGER,
    DQ_LINK_RATES,
    DQ_RESULTS,
    DQ_RULE_COUNTS,
    FILES,
    OUTCOME_FLOW,
)
from sos_spark.tables.results import CELLS, ESTIMATES, FLOW, QUALITY, RESULT_TABLES

MANY_OUTCOMES = 3
"""Below it figures are drawn sooner than another process starts: an outcome has some six."""
_OF_CELLS = ("outcome_id", "unit_id", "period", "period_start", "n", "y_sum")
"""What is read of the cells, whose file is long: one row per cell."""


def report(run: Run) -> StepReport:
    """Writes report.html, .md and .docx, the answer as a card and a page, flow.csv, quality.csv and figures/.

    With a lake also quality.html. All goes to the run's results.

    Reads the fit's files there, study.json among them, collapsed tables of the lake where one is given, and truth.json
    of simulated returns. The study is the one that was fitted.

    Raises:
        InputError: The run has no estimates, does not say of which study, or a file of results lacks a column.
        StudyError: A study is given, and another was fitted. Its [publication] may differ, and is shown.
    """
    results = in_plain_words(read_results(run))
    n_helpers = run.processes - 1 if len(results.main) >= MANY_OUTCOMES else 0
    # They start beside the words.
    with started(n_helpers, there=partial(as_it_is, _made)) as helpers:
        flow = flow_table(results)
        quality = quality_table(results)
        sections = sections_of(results)
        front, mark = front_of(results, sections), mark_of(results, standing_of(results))
        pieces = tuple(pieces_of(front, mark, sections))
        pictures = pictures_of(sections)
        others = [one for one in pieces if isinstance(one, Picture) and all(one is not other for other in pictures)]
        returns = _read_returns(run, is_simulated=results.is_simulated)
        written = ((FLOW, flow), (QUALITY, quality))
        rows = {table.file_name: write_table(run.out, table, frame) for table, frame in written}
        rows |= _shared_out(run, helpers, pictures, others, returns)
    write_result(run.out / "report.html", render_page(results, sections, front))
    write_result(run.out / "answer.png", card(front, mark))
    write_result(run.out / "answer.pdf", one_page(front, mark))
    write_result(run.out / "report.md", as_markdown(pieces))
    write_result(run.out / "report.docx", as_word(pieces, title=results.study.title, mark=mark))
    return StepReport(
        "report",
        rows=rows,
        facts={"figures": len(pictures), "is_simulated": results.is_simulated},
    )


def _shared_out(
    run: Run, helpers: Helpers, pictures: Sequence[Picture], others: Sequence[Picture], returns: ReturnTables | None
) -> dict[str, int]:
    """Draws pictures and writes their files, draws others, and writes the quality page, whose rows it returns."""
    jobs: list[Callable[[], Any]] = [one.draw for one in (*pictures, *others)]
    if returns is not None:
        jobs.append(partial(quality_page, returns))
    folder = run.out / "figures"
    with _unwatched(), closing(helpers.share(_made, jobs)) as made:
        for picture in run.counted(pictures):
            picture.keep(next(made))  # which takes most of the time
            write_result(folder / f"{picture.name}.svg", picture.drawn.svg)
            write_result(folder / f"{picture.name}.png", picture.drawn.png)
        for picture in others:
            picture.keep(next(made))
        return {} if returns is None else keep_quality_page(next(made), run.out)


def _made(job: Callable[[], Any]) -> Any:
    """What draws a picture or makes a page, called: all that a helper does."""
    return job()


@contextmanager
def _unwatched() -> Iterator[None]:
    """Keeps the collector to what is made from here on: figures make it run, and all before them outlives them."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def read_results(run: Run) -> Results:
    """Returns everything the report is made of; errors as `report`. The run becomes one of the fitted study."""
    fitted = fitted_study(run.out)
    if run.study is not None:
        require_fitted(run.study, fitted, where=run.out)
        fitted = replace(fitted, study=with_words_of(fitted.study, run.study))
    run.study, run.frozen, run.origins, run.overrides = fitted.study, fitted.frozen, fitted.origins, fitted.overrides
    study, out = fitted.study, run.out
    frames = _read_tables(out)
    earlier = _manifest_steps(out / "manifest.json")
    truth = _read_truth(run)
    said_by_estimates = frames["estimates"][COLUMN].eq("True").any()
    return Results(
        study=study,
        fingerprint=fitted.fingerprint,
        **frames,
        lake=_read_lake(run),
        truth=truth,
        is_simulated=truth is not None or fitted.is_simulated or bool(said_by_estimates) or run_is_simulated(run),
        frozen=fitted.frozen,
        overrides=fitted.overrides,
        manifest=manifest(run, {}),
        warnings=_said(run, earlier, "warnings"),
        refused=_said(run, earlier, "refused"),
    )


def _read_tables(out: Place) -> dict[str, pd.DataFrame]:
    """The frames of `Results` that are files of the run, by name."""
    if not (out / ESTIMATES.file_name).exists():
        where = str(out / ESTIMATES.file_name)
        raise InputError("The run has no estimates", where=where, remedy="Run the step fit into the same --out")
    tables = [RESULT_TABLES[field.name] for field in fields(Results) if field.name in RESULT_TABLES]
    return {table.name: read_table(out, table, only=_OF_CELLS if table is CELLS else ()) for table in tables}


def _read_lake(run: Run) -> LakeTables:
    if run.environment.lake is None:
        return LakeTables()
    of_study = {"study_id": run.the_study.study_id}
    return LakeTables(
        units=ordered_frame(run.lake_root, COHORT_UNITS, of_study),
        flow=ordered_frame(run.lake_root, OUTCOME_FLOW, of_study),
        files=ordered_frame(run.lake_root, FILES).drop(columns="rows_by_module"),
        ledger=ordered_frame(run.lake_root, DQ_LEDGER),
        rule_counts=ordered_frame(run.lake_root, DQ_RULE_COUNTS),
        expectations=latest_verdicts(ordered_frame(run.lake_root, DQ_RESULTS)),
        link_rates=ordered_frame(run.lake_root, DQ_LINK_RATES),
        unobserved=ordered_frame(run.lake_root, COHORT_UNOBSERVED, of_study),
    )


def _read_returns(run: Run, *, is_simulated: bool) -> ReturnTables | None:
    lake = None if run.environment.lake is None else run.lake_root
    return None if lake is None else read_return_tables(lake, is_simulated=is_simulated)


def _read_truth(run: Run) -> tuple[PlantedEffect, ...] | None:
    """The planted effects of a simulated source; None where the source is not known to be simulated.

    The truth is kept beside the results, so that a later report without --source or --lake still shows it.
    """
    kept, given = run.out / TRUTH_FILE, truth_file(run)
    if given is None:
        kept.unlink(missing_ok=True)
        return None
    if given != kept:
        write_result(kept, given.read_bytes())
    try:
        effects = json.loads(kept.read_text(encoding="utf-8"))["effects"]
        return tuple(
            PlantedEffect(str(e["outcome_id"]), float(e["effect_injected"]), int(e["n_treated_rows"]))
            for e in effects
            if e["effect_injected"] is not None
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            "The truth of the simulated data cannot be read",
            where=str(kept),
            expected="effects with outcome_id, effect_injected and n_treated_rows",
            remedy="Simulate the source again",
        ) from None


def _manifest_steps(path: Place) -> dict[str, Any]:
    """What steps of earlier commands into the same folder said."""
    try:
        steps = json.loads(path.read_text(encoding="utf-8"))["steps"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return steps if isinstance(steps, dict) else {}


def _said(run: Run, earlier: Mapping[str, Any], what: str) -> tuple[str, ...]:
    """The warnings, or refused files, of each step: of this run, else of an earlier one; each once, as steps began."""
    now = {step.step: getattr(step, what) for step in run.reports}
    # The manifest has them by name.
    as_begun = sorted(earlier.items(), key=lambda step: step[1].get("started", 0.0))
    before = {step: said.get(what, []) for step, said in as_begun if step != "report"}
    return tuple(dict.fromkeys(chain.from_iterable({**before, **now}.values())))
