"""Synthetic returns in the real formats, with known truth."""
