"""Difference-in-differences on collapsed cells, with inference that is right when few LAs are treated. No Spark."""
