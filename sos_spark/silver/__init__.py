"""Typed, de-duplicated entities; the row rules that split good rows from quarantine."""
