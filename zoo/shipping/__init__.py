"""Choosing a trained model, writing its card, and placing it for distribution."""
