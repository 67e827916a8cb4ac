"""Refinement of poses along the gradient of a model's score, without new clashes."""
