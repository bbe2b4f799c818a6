"""What the command line says of itself: help, completion, progress, warnings, and the plan of a run."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
import typer

from sos_spark.cli.guide import EXAMPLES, REQUIRED, guided, leaves
from sos_spark.cli.main import app, main
from sos_spark.cli.messages import grouped
from sos_spark.cli.progress import seconds_told, tasks_told
from sos_spark.config.shipped import conf_root
from sos_spark.steps.manifest import earlier_seconds

STUDY = str(conf_root() / "studies" / "published_referrals.toml")
COMMANDS = dict(leaves(guided(typer.main.get_command(app))))


def test_every_command_has_an_example_with_what_it_requires() -> None:
    assert set(EXAMPLES) == set(COMMANDS)
    for words, example in EXAMPLES.items():
        program, *given = shlex.split(example)
        options = {option for parameter in COMMANDS[words].params for option in parameter.opts} | {"--help"}
        used = {word for word in given if word.startswith("--")}
        required = {p.opts[0] for p in COMMANDS[words].params if p.required and p.opts[0].startswith("--")}
        assert program == "sos-spark"
        assert given[: len(words.split())] == words.split()
        assert used <= options, words
        assert required <= used or "--help" in used, words


def test_required_options_are_marked_where_the_command_asks_for_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cohort", "--help"]) == 0
    marked = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line.endswith("[required]")}
    assert marked == set(REQUIRED["cohort"]) == {"--lake", "--study"}
    assert main(["cohort"]) == 2
    assert "--lake, --study" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("sos-spark run --from co", ["cohort"]),
        ("sos-spark demo --study published_no", ["published_no_wrong_door"]),
        ("sos-spark release --profile dfe", ["dfe-cin"]),
    ],
)
def test_a_shell_is_offered_what_there_is(
    typed: str, offered: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_SOS_SPARK_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
    with pytest.raises(SystemExit):
        main([])
    assert capsys.readouterr().out.split() == offered


def test_a_plan_is_printed_for_a_program_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--from", "panel", "--study", STUDY, "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert [step["name"] for step in plan["steps"]] == ["panel", "fit", "report"]
    assert plan["missing_options"] == ["--lake", "--out"]


def test_a_plan_tells_which_files_are_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "returns" / "cin" / "2016").mkdir(parents=True)
    (tmp_path / "returns" / "cin" / "2016" / "926.xml").write_text("<Message/>")
    where = ["--source", str(tmp_path / "returns"), "--lake", str(tmp_path / "lake"), "--out", str(tmp_path / "out")]
    assert main(["run", *where, "--study", STUDY, "--to", "validate", "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ingest: 1 of 1 files are new to the lake: cin/2016/926.xml, then the quality gate of bronze",
        "validate, then the quality gate of silver",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["returns"]


def test_a_dry_run_of_a_panel_file_fits_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["fit", "--panel", "none.csv", "--study", STUDY, "--out", str(out), "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == ["fit", "report"]
    assert not out.exists()


def test_a_fault_of_set_is_blamed_on_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", STUDY, "--set", "inference.draws=1"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: What --set changes has 1 fault. Where: --set inference.draws=1.")
    assert "published_referrals.toml" not in told


def test_what_is_true_of_many_outcomes_is_said_once() -> None:
    warnings = ["a: few", "panel: odd", "b: few", "c: few", "b: alone", "a: two", "c: two", "a: few"]
    assert grouped(warnings, ["a", "b", "c"]) == ["every outcome: few", "panel: odd", "b: alone", "a, c: two"]


def test_progress_says_what_was_measured_and_no_more(tmp_path: Path) -> None:
    assert seconds_told(3.0, left=None, earlier=None, done=False) == "   3.0 s"
    assert seconds_told(3.0, left=None, earlier=41.6, done=False) == "   3.0 s, 42 s last time"
    assert seconds_told(3.0, left=6.2, earlier=41.6, done=False) == "   3.0 s, about 6 s left"
    assert seconds_told(40.0, left=0.0, earlier=41.6, done=True) == "  40.0 s"
    assert tasks_told([]) == ""
    assert tasks_told([(3, 200), (1, 4)]) == "4 of 204 tasks"
    (tmp_path / "manifest.json").write_text('{"steps": {"fit": {"seconds": 2.5}, "panel": {"rows": {}}}}')
    assert earlier_seconds(tmp_path) == {"fit": 2.5}
    assert earlier_seconds(tmp_path / "none") == {}
