"""Did a programme change what happened to children? From statutory returns to estimates."""
