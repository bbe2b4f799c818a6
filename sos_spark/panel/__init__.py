"""Collapses index rows to cells that lose nothing."""
