"""Readers of structure files: one module a format."""
