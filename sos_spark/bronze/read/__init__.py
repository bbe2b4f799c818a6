"""The rows of what was accepted: CIN XML, SSDA903 CSV, flat tables; and the values of published tables."""
