"""What a fit can refuse beside the errors of every command."""

from __future__ import annotations

from sos_spark.errors import InputError


class NotEstimableError(InputError):
    """The panel is sound, but this outcome has nothing to compare: no period before go-live, say."""
