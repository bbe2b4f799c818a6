"""What figures and sections say: names of outcomes, how numbers are written, the sentences of each verdict."""
