"""What `tools/benchmark_study.py` measures with: a command's processes, Spark's event log, and the table of both."""
