"""Great Expectations suites run as checkpoints, their verdicts, and the gate."""
