"""The first screen: what was found in words, every outcome in one picture, and how sure one can be."""
