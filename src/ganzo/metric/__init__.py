"""Metrics: numbers about samples."""
