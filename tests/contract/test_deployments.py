"""What ships for other schedulers: of the form that they ask for, by commands and options that there are, in order."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer
from databricks.bundles.jobs import Job
from kubeflow_spark_api.models import SparkV1beta2SparkApplication

from sos_spark.cli.main import app
from sos_spark.steps.pipeline import STEPS

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SETTINGS = DEPLOY.parent / "conf" / "spark"
OF_THE_PLATFORM = ("spark.sql.extensions", "spark.sql.catalog", "spark.jars", "spark.master")


def content_of(name: str) -> dict[str, Any]:
    yaml = pytest.importorskip("yaml")
    return dict(yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8")))


def command_line(words: Sequence[str]) -> dict[str, Any]:
    """The options of a command line as our own parser reads them."""
    group: Any = typer.main.get_command(app)
    return dict(group.commands[words[0]].make_context(words[0], list(words[1:])).params)


@pytest.fixture
def application() -> dict[str, Any]:
    return content_of("kubernetes/sparkapplication.yaml")


@pytest.fixture
def job() -> Any:
    return content_of("databricks/databricks.yml")["resources"]["jobs"]["study"]


def without_unknown(given: Mapping[str, Any]) -> dict[str, Any]:
    """The application as the operator's models, made from its schema, keep it: without what they do not know."""
    kept = SparkV1beta2SparkApplication.from_dict(dict(given))
    assert kept is not None
    return dict(kept.to_dict())


def test_the_application_is_of_the_operator_s_schema(application: dict[str, Any]) -> None:
    assert without_unknown(application) == application


def test_a_misspelt_key_of_the_application_would_be_found(application: dict[str, Any]) -> None:
    application["spec"]["driver"]["servicAccount"] = "x"
    assert without_unknown(application) != application


def test_the_application_runs_all_steps_by_a_job_that_is_there(application: dict[str, Any]) -> None:
    job = Path(application["spec"]["mainApplicationFile"]).name
    assert f'main(["{Path(job).stem}", *sys.argv[1:]])' in (DEPLOY.parent / "jobs" / job).read_text(encoding="utf-8")
    read = command_line([Path(job).stem, *application["spec"]["arguments"]])
    assert {read["first"], read["last"]} == {None}, "all steps"


def test_the_bundle_s_job_is_of_databricks_schema(job: Any) -> None:
    assert Job.from_dict(job).as_dict() == job


def test_a_misspelt_key_of_the_bundle_would_be_found(job: Any) -> None:
    job["tasks"][0]["python_wheel_task"]["entrypoint"] = "x"
    with pytest.raises(Exception, match="entrypoint"):
        Job.from_dict(job)


def test_the_bundle_runs_the_steps_in_order(job: dict[str, Any]) -> None:
    tasks = job["tasks"]
    assert [task["task_key"] for task in tasks] == list(STEPS)
    for before, after in pairwise(tasks):
        assert after["depends_on"] == [{"task_key": before["task_key"]}]
    for task in tasks:
        words = task["python_wheel_task"]["parameters"]
        assert words[0] == task["task_key"]
        command_line(words)


def test_the_bundle_calls_an_entry_point_of_the_wheel(job: dict[str, Any]) -> None:
    scripts = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert {task["python_wheel_task"]["entry_point"] for task in job["tasks"]} <= scripts.keys()


def test_databricks_keeps_its_own_delta_and_session(job: dict[str, Any]) -> None:
    set_there = job["job_clusters"][0]["new_cluster"]["spark_conf"]
    assert not [name for name in set_there if name.startswith(OF_THE_PLATFORM)]
    assert set_there == settings_of("databricks.conf")


def test_the_application_s_settings_are_those_of_conf(application: dict[str, Any]) -> None:
    known = settings_of("kubernetes.conf") | settings_of("secure.conf")
    assert application["spec"]["sparkConf"].items() <= known.items()


def settings_of(name: str) -> dict[str, str]:
    """The settings of a file of conf/spark, as spark-submit reads it."""
    lines = [line.split(None, 1) for line in (SETTINGS / name).read_text(encoding="utf-8").splitlines()]
    return {words[0]: words[1].strip() for words in lines if len(words) == 2 and not words[0].startswith("#")}


@pytest.mark.parametrize("name", ["airflow/sos_spark_dag.py", "dagster/sos_spark_definitions.py"])
def test_other_schedulers_call_commands_and_options_that_there_are(name: str) -> None:
    declared = constants_of(DEPLOY / name)
    assert declared["STEPS"] == STEPS
    for step in STEPS:
        taken = [option for option in declared["OPTIONS"] if option not in declared["NOT_OF"].get(step, ())]
        command_line([step, *(text for option in taken for text in (option, "x"))])


def test_an_option_that_there_is_not_would_be_found() -> None:
    with pytest.raises(Exception, match="No such option: --returns"):
        command_line(["ingest", "--returns", "x"])


def constants_of(path: Path) -> dict[str, Any]:
    """The constants of a module by their names, without importing it: its scheduler is in an environment of its own."""
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    return found
