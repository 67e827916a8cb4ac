"""The commands, one module per family; each has ``register(app)`` and imports heavy modules inside functions."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

#: in the order of the help page
MODULES: tuple[str, ...] = (
    "demo",
    "doctor",
    "data",
    "poses",
    "training",
    "evaluation",
    "search",
    "predict",
    "see",
    "models",
    "board",
    "benchmarks",
    "catalog",
    "speed",
)


def load(module: str) -> ModuleType:
    """Import one family of commands."""
    return import_module(f"affinity_zoo.zoo.commands.{module}")
