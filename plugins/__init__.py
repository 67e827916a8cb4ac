"""The plugin system: contracts, registration and discovery of plugins.

This package imports nothing else of the project.
"""

from affinity_zoo.plugins.hookspecs import hookimpl

__all__ = ["hookimpl"]
