"""The lake: the only code that imports delta. Sessions, reads at a version, idempotent writes, locks."""
