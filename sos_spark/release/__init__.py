"""Disclosure control: what of a run's results may leave, judged, attacked and packed. Knows no Spark and no lake."""
