"""Two runs side by side: what their results have in common, where they part, and what could have parted them."""
