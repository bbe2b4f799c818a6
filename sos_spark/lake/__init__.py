"""The lake: the only code that imports delta. Reads at a version, idempotent writes, locks."""
