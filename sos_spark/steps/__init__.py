"""The edge: each step reads its tables, calls one package, and writes."""
