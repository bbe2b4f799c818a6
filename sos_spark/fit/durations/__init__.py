"""Effects on the whole distribution of a length, from exact counts by unit, period, working day and fate."""
