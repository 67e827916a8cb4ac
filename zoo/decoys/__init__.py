"""Poses made for training: displaced, docked or sampled."""
