"""Airflow: the steps of a study, one task each, in order, by the commands that one gives by hand.

Put this file where Airflow looks for DAGs, and `sos-spark[spark,stores]` where its tasks run. Places are parameters of
a run; the pseudonym key is a file that the tasks' user alone may read. A step that is given again writes nothing unless
what it depends on changed, so that a retry costs what was left to do.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Param

STEPS = ("ingest", "validate", "cohort", "outcome", "panel", "fit", "report")
OPTIONS = ("--study", "--source", "--lake", "--out", "--key-file", "--master")
NOT_OF = {"fit": ("--key-file", "--master")}
"""Options that a step does not take: a fit needs no Spark."""
DEFAULTS = {"--master": "local[*]"}


def name_of(option: str) -> str:
    """Returns the name of an option's parameter: key_file."""
    return option.removeprefix("--").replace("-", "_")


def command_of(step: str) -> str:
    """Returns a step's command. The values reach the shell as variables, never as text of a command."""
    taken = [option for option in OPTIONS if option not in NOT_OF.get(step, ())]
    return " ".join(["exec sos-spark", step, *(f'{option} "${name_of(option).upper()}"' for option in taken)])


VARIABLES = {name_of(option).upper(): f"{{{{ params.{name_of(option)} }}}}" for option in OPTIONS}

with DAG(
    dag_id="sos_spark",
    description="From statutory returns to the estimates of a study.",
    schedule=None,
    catchup=False,
    # Two runs on one lake exclude each other: the second would wait and then end with exit code 5.
    max_active_runs=1,
    default_args={"retries": 1, "retry_delay": timedelta(minutes=2)},
    params={name_of(option): Param(DEFAULTS.get(option, ""), type="string", minLength=1) for option in OPTIONS},
    tags=["sos_spark"],
) as dag:
    tasks = [
        BashOperator(task_id=step, bash_command=command_of(step), env=VARIABLES, append_env=True) for step in STEPS
    ]
    for before, after in pairwise(tasks):
        before >> after
