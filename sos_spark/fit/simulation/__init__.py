"""What the methods do on simulated panels: size, coverage, power."""
