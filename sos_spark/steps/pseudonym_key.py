"""The pseudonym key: read from a private file or the environment, and never from a configuration."""

from __future__ import annotations

import os

from sos_spark.config.environment import Environment
from sos_spark.errors import EnvironmentFaultError
from sos_spark.places import Place, mode_of, place_of

KEY_BYTES = 32
KEY_FILE_VARIABLE = "SOS_SPARK_KEY_FILE"
KEY_VARIABLE = "SOS_SPARK_KEY"
_MAKE_ONE = "Make one with: (umask 077; head -c 32 /dev/urandom | base64 > key)"


def read_key(environment: Environment) -> bytes:
    """Returns the pseudonym key: of the environment's key file, else of SOS_SPARK_KEY_FILE, else SOS_SPARK_KEY itself.

    A line end after the key in a file is no part of it.

    Raises:
        EnvironmentFaultError: There is none, others may read it, or it is shorter than 32 bytes.
    """
    named = environment.key_file or os.environ.get(KEY_FILE_VARIABLE)
    if named:
        path = place_of(named)
        return _long_enough(_private_content(path).rstrip(b"\r\n"), where=str(path))
    value = os.environ.get(KEY_VARIABLE)
    if value:
        return _long_enough(value.encode(), where=f"environment variable {KEY_VARIABLE}")
    raise EnvironmentFaultError(
        "There is no pseudonym key",
        expected=f"a key file (--key-file or {KEY_FILE_VARIABLE}) or {KEY_VARIABLE}",
        remedy=f"{_MAKE_ONE}, keep it apart from the lake, and set {KEY_FILE_VARIABLE} to it",
    )


def _private_content(path: Place) -> bytes:
    try:
        mode = mode_of(path)
        content = path.read_bytes()
    except OSError as error:
        raise EnvironmentFaultError(
            "The key file cannot be read", where=str(path), found=type(error).__name__, remedy="Name a readable file"
        ) from None
    if mode is not None and mode & 0o177:
        raise EnvironmentFaultError(
            "The key file is open to others",
            where=str(path),
            expected="mode 0600",
            found=f"mode {mode:04o}",
            remedy=f"Run: chmod 600 {path}",
        )
    return content


def _long_enough(key: bytes, *, where: str) -> bytes:
    if len(key) < KEY_BYTES:
        raise EnvironmentFaultError(
            "The pseudonym key is too short",
            where=where,
            expected=f"at least {KEY_BYTES} bytes",
            found=f"{len(key)}",
            remedy=_MAKE_ONE,
        )
    return key
