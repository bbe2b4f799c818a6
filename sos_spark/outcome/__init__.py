"""Index rows to y, with follow-up: a module a kind of outcome in `kinds`, and what they share beside it."""
