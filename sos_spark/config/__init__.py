"""Configuration as typed data: a Study says what, an Environment says where."""

from sos_spark.config.demo import shipped_cells, shipped_studies
from sos_spark.config.load import fingerprint, load_study
from sos_spark.config.study import Design, Inference, Study

__all__ = ["Design", "Inference", "Study", "fingerprint", "load_study", "shipped_cells", "shipped_studies"]
