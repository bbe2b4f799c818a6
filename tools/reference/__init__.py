"""Pages made from what is declared: the README's diagram, data dictionary, data contract, the study file's keys."""
