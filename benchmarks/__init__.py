"""Measurements of Ganzo that a reader can repeat; their results lie in `records/`."""
