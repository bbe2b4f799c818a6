"""Tests and intervals that are right with few treated clusters."""
