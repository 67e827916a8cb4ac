"""Baselines shown beside every model, one file each."""
