"""Judging a model on labelled pairs."""
