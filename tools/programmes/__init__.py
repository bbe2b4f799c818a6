"""Programmes on the open tables, together in one table."""
