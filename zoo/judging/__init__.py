"""Predictions, metrics with bootstrap intervals, and the choice of outputs."""
