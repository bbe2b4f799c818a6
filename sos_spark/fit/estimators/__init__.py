"""The estimators of the main effect: one file each, registered by its name.

Main is two-way fixed effects where all treated LAs share one go-live period; else what the study's `staggered` names.
To add one: write its file, name it in `Staggered` of `config.study`, and import it here; what a table, a figure or a
check needs of it stands in that file.
"""

from sos_spark.config.model import Words
from sos_spark.fit.estimators.base import (
    ESTIMATORS,
    Estimator,
    LinearEstimate,
    register,
    shares_one_go_live,
    unit_panel,
)

from sos_spark.fit.estimators.twfe import twfe  # isort: skip
from sos_spark.fit.estimators.callaway_santanna import cs_not_yet, cs_simple  # isort: skip
from sos_spark.fit.estimators.imputation import imputation  # isort: skip
from sos_spark.fit.estimators.sun_abraham import sun_abraham  # isort: skip
from sos_spark.fit.estimators.etwfe import etwfe  # isort: skip
from sos_spark.fit.estimators.main import main_estimate, require_every_name

require_every_name()

__all__ = [
    "ESTIMATORS",
    "Estimator",
    "LinearEstimate",
    "Words",
    "cs_not_yet",
    "cs_simple",
    "etwfe",
    "imputation",
    "main_estimate",
    "register",
    "require_every_name",
    "shares_one_go_live",
    "sun_abraham",
    "twfe",
    "unit_panel",
]
