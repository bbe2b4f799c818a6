"""The report in the forms in which others go on writing: Markdown and Word."""
