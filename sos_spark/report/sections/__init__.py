"""What a reader sees, one module for each section of the report: its data, its words and its figures."""
