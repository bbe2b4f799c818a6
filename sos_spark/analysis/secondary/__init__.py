"""Effects by what authorities were, did, or were exposed to."""
