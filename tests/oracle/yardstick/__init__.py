"""The yardstick: the same study from the same flat tables, in DuckDB SQL and pyfixest, as an analyst would write it.

A second implementation to measure and check the package against, so it imports nothing of it: it reads the study's TOML
file and the reference tables of conf/reference, as the package does, and its rules are written from the design anew.
Its duties are the package's own: every row rule that quarantines a row or makes a field unknown, with its record; the
latest return; typed tables under pseudonyms, and index rows, in Parquet; the last day observed; every kind of outcome
with its switches; cells; a fit of each specification that pyfixest can do on rows. What it leaves out: rules of
severity warning, XML, the copy in bronze, suites, Delta, text that only looks blank, timestamps, continuous covariates.
"""
