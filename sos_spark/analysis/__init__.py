"""What a study declares of its analysis: specifications, placebos, bounds, drift, secondary questions, power."""
