"""The plugin system: what a plugin registers, what it must be, and how it is found.

This package imports nothing else of the project.
"""

from affinity_zoo.plugins.hookspecs import hookimpl

__all__ = ["hookimpl"]
