"""What earlier runs left, in one SQLite file."""
