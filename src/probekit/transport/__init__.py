"""Connections and HTTP exchanges, bounded in size and time."""
