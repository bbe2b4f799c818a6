"""Pages made from what is declared.

The README's diagram, data dictionary, data contract, the study file's keys, and what methods were checked against.
"""
