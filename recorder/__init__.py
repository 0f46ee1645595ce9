"""Play and record."""
