"""Dagster: what each step of a study makes, as an asset that depends on the step before; the same commands as by hand.

`dagster dev -f deploy/dagster/sos_spark_definitions.py`, where `sos-spark[spark,stores]` is installed. Places come from
the environment (SOS_SPARK_STUDY and so on). A step that is made again writes nothing unless what it depends on changed.
"""

from __future__ import annotations

import subprocess
from itertools import pairwise

from dagster import (
    AssetsDefinition,
    ConfigurableResource,
    Definitions,
    EnvVar,
    MaterializeResult,
    asset,
    define_asset_job,
)

STEPS = ("ingest", "validate", "cohort", "outcome", "panel", "fit", "report")
OPTIONS = ("--study", "--source", "--lake", "--out", "--key-file", "--master")
NOT_OF = {"fit": ("--key-file", "--master")}
"""Options that a step does not take: a fit needs no Spark."""


class Study(ConfigurableResource):  # type: ignore[type-arg]
    """The options of a study's commands."""

    study: str
    source: str
    lake: str
    out: str
    key_file: str
    master: str

    def command(self, step: str) -> list[str]:
        """Returns the command of a step."""
        taken = [option for option in OPTIONS if option not in NOT_OF.get(step, ())]
        values = {option: getattr(self, option.removeprefix("--").replace("-", "_")) for option in taken}
        return ["sos-spark", step, *(text for option, value in values.items() for text in (option, value))]


def asset_of(step: str, before: str | None) -> AssetsDefinition:
    """Returns the asset that a step makes."""

    @asset(name=step, deps=[before] if before else [], group_name="sos_spark", compute_kind="sos-spark")
    def made(sos_spark: Study) -> MaterializeResult:
        subprocess.run(sos_spark.command(step), check=True)
        return MaterializeResult()

    return made


assets = [asset_of(step, before) for before, step in pairwise((None, *STEPS))]
# One after the other: two steps on one lake would exclude each other.
study = define_asset_job("study", selection=assets, executor_def=None)
defs = Definitions(
    assets=assets,
    jobs=[study],
    resources={
        "sos_spark": Study(
            study=EnvVar("SOS_SPARK_STUDY"),
            source=EnvVar("SOS_SPARK_SOURCE"),
            lake=EnvVar("SOS_SPARK_LAKE"),
            out=EnvVar("SOS_SPARK_OUT"),
            key_file=EnvVar("SOS_SPARK_KEY_FILE"),
            master=EnvVar("SOS_SPARK_MASTER"),
        )
    },
)
