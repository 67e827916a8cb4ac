"""Metrics of rankings, one file per family."""
