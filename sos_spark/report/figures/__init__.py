"""What figures are made of: their style, and the rows of a forest plot."""
