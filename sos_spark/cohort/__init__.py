"""Harmonised authorities over a study's window, their roles, and the days they observe."""
