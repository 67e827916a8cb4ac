"""The hooks of affinity-zoo. A plugin implements any of them with ``@hookimpl``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from affinity_zoo.plugins.contracts import Architecture, Baseline, Featurizer, Scorer

PROJECT_NAME = "affinity_zoo"  #: pluggy's project name and the entry-point group

hookspec = pluggy.HookspecMarker(PROJECT_NAME)
hookimpl = pluggy.HookimplMarker(PROJECT_NAME)


@hookspec
def register_featurizers() -> list[type[Featurizer]]:  # type: ignore[empty-body]
    """Return the featurizer classes that this plugin offers."""


@hookspec
def register_architectures() -> list[type[Architecture]]:  # type: ignore[empty-body]
    """Return the architecture classes that this plugin offers."""


@hookspec
def register_scorers() -> list[type[Scorer]]:  # type: ignore[empty-body]
    """Return the scorer classes that this plugin offers."""


@hookspec
def register_baselines() -> list[type[Baseline]]:  # type: ignore[empty-body]
    """Return the baseline classes that this plugin offers."""
