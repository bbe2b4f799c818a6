"""What people read: figures, the report, tables."""
