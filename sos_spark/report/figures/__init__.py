"""What figures are drawn with: their style, what their axes share, and the rows of a forest plot."""
