"""One module an outcome kind: index rows to y, with follow-up."""
