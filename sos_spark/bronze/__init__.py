"""Readers of the returns as received: CIN XML, SSDA903 CSV, flat tables."""
