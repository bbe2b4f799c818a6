"""Monte Carlo of the methods on made-up panels: size, coverage and power, with the conditions of each run."""
