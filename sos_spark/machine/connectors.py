"""What Spark needs beside itself to read and write shared file systems that it does not know: jars, and where they are.

Hadoop's own (hdfs) is in Spark. Connectors for object stores are the reader's choice: SOS_SPARK_MORE_JARS names the
folders that hold them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from sos_spark.errors import EnvironmentFaultError
from sos_spark.places import here, place_of

# As PATH is parted, but for the colon of a URI.
_BETWEEN = re.compile(rf"{os.pathsep}(?!//)")

MORE_JARS = "SOS_SPARK_MORE_JARS"


def more_jars(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Returns the jars in the folders (paths or URIs) that SOS_SPARK_MORE_JARS names; none where it is not set.

    Raises:
        EnvironmentFaultError: A folder holds none.
    """
    found: list[Path] = []
    for name in filter(None, _BETWEEN.split(environment.get(MORE_JARS, ""))):
        jars = sorted(here(place_of(name)).absolute().glob("*.jar"))
        if not jars:
            raise EnvironmentFaultError(
                f"A folder that {MORE_JARS} names holds no jars",
                where=name,
                expected="the jars of a connector, as of Hadoop's for S3",
                remedy=f"Correct {MORE_JARS}, or unset it",
            )
        found += jars
    return tuple(found)


def s3_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns what Hadoop's connector is told of S3: what the environment tells every program of AWS, but no secret.

    Credentials it finds itself, in the environment or by the provider's chain.
    """
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    settings = {"spark.hadoop.fs.s3a.endpoint.region": region} if region else {}
    if endpoint:
        # A server of one's own has one name for all buckets.
        settings |= {"spark.hadoop.fs.s3a.endpoint": endpoint, "spark.hadoop.fs.s3a.path.style.access": "true"}
    return settings
