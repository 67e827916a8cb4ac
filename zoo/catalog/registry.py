"""The catalog: the process-wide registry of built-ins and installed plugins.

Built-ins are listed in a table by name, so that choosing one imports only its module.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from affinity_zoo import __version__
from affinity_zoo.plugins import settings as environment
from affinity_zoo.plugins.registry import Origin, Registry
from affinity_zoo.plugins.settings import Settings

#: kind to name to the module that registers it
BUILTINS: dict[str, dict[str, str]] = {
    "featurizer": {
        "element-tag": "affinity_zoo.featurizers.element_tag",
        "atom-types": "affinity_zoo.featurizers.atom_types",
    },
    "architecture": {
        "cnn4": "affinity_zoo.zoo.architectures.cnn4",
        "resnet3d": "affinity_zoo.zoo.architectures.resnet3d",
        "densenet3d": "affinity_zoo.zoo.architectures.densenet3d",
        "pafnucy": "affinity_zoo.zoo.architectures.pafnucy",
        "gnina-default2017": "affinity_zoo.zoo.architectures.gnina",
        "gnina-default2018": "affinity_zoo.zoo.architectures.gnina",
        "gnina-dense": "affinity_zoo.zoo.architectures.gnina",
    },
    "scorer": {
        "r-precision": "affinity_zoo.zoo.scorers.r_precision",
        "roc-auc": "affinity_zoo.zoo.scorers.roc_auc",
        "roc-auc-per-complex": "affinity_zoo.zoo.scorers.roc_auc",
        "confusion": "affinity_zoo.zoo.scorers.confusion",
        "average-precision": "affinity_zoo.zoo.scorers.average_precision",
        "enrichment": "affinity_zoo.zoo.scorers.enrichment",
        "bedroc": "affinity_zoo.zoo.scorers.enrichment",
        "top-1": "affinity_zoo.zoo.scorers.poses",
        "docking-success": "affinity_zoo.zoo.scorers.poses",
        "docking-success-valid": "affinity_zoo.zoo.scorers.poses",
        "first-rmsd": "affinity_zoo.zoo.scorers.rmsd",
        "rmsd-order": "affinity_zoo.zoo.scorers.rmsd",
        "rmsd-error": "affinity_zoo.zoo.scorers.rmsd",
        "map-at-k": "affinity_zoo.zoo.scorers.map_at_k",
        "brier": "affinity_zoo.zoo.scorers.brier",
        "pearson": "affinity_zoo.zoo.scorers.affinity",
        "spearman": "affinity_zoo.zoo.scorers.affinity",
        "kendall": "affinity_zoo.zoo.scorers.affinity",
        "rmse": "affinity_zoo.zoo.scorers.affinity",
        "mae": "affinity_zoo.zoo.scorers.affinity",
        "kendall-per-series": "affinity_zoo.zoo.scorers.series",
        "spearman-per-series": "affinity_zoo.zoo.scorers.series",
        "centred-rmse-per-series": "affinity_zoo.zoo.scorers.series",
    },
    "baseline": {
        "random": "affinity_zoo.zoo.baselines.random_order",
        "best-possible": "affinity_zoo.zoo.baselines.best_possible",
        "ligand-size": "affinity_zoo.zoo.baselines.ligand_size",
        "contacts": "affinity_zoo.zoo.baselines.contacts",
        "shortest-distance": "affinity_zoo.zoo.baselines.shortest_distance",
        "burial": "affinity_zoo.zoo.baselines.burial",
        "docking-score": "affinity_zoo.zoo.baselines.docking_score",
        "nearest-training-ligand": "affinity_zoo.zoo.baselines.nearest_ligand",
        "ligand-only": "affinity_zoo.zoo.baselines.half_complex",
        "receptor-only": "affinity_zoo.zoo.baselines.half_complex",
        "receptor-only-site": "affinity_zoo.zoo.baselines.half_complex",
    },
}

_lock = threading.Lock()
_registry: Registry | None = None


def catalog() -> Registry:
    """Return the registry of this process. It is created on first use and imports no plugin by itself."""
    global _registry
    with _lock:
        if _registry is None:
            _registry = Registry(BUILTINS, host(), Settings.from_environment())
        return _registry


def blame(error: BaseException) -> str:
    """Return a sentence that names the plugin whose code raised an unexpected error; empty: no plugin did.

    Args:
        error: The unexpected error.
    """
    plugin = _registry.blame(error) if _registry is not None else None
    if plugin is None:
        return ""
    return (
        f"{type(error).__name__} in the plugin {plugin.name!r} of {plugin.origin}: {error}; tell its author, "
        "or continue without plugins (`no_plugins=True`)"
    )


def host() -> Origin:
    """Return the distribution and version of the built-ins."""
    return Origin("affinity-zoo", __version__)


def use(registry: Registry) -> Registry:
    """Set the registry of this process, until :func:`reset` (for tests).

    Args:
        registry: Registry to use.
    """
    global _registry
    with _lock:
        _registry = registry
    return registry


def reset() -> None:
    """Forget the registry, so that the next :func:`catalog` reads the environment again."""
    global _registry
    with _lock:
        _registry = None


def configure(
    no_plugins: bool = False, strict: bool = False, files: Sequence[Path] = ()
) -> dict[str, str | None]:
    """Store the command line's choice of plugins in the environment, for worker processes too.

    Args:
        no_plugins: built-ins only.
        strict: a plugin that is not fully usable is an error.
        files: additional single-file plugins.

    Returns:
        Previous values of the changed variables (None: not set), for :func:`restore`.
    """
    changed: dict[str, str] = {}
    if no_plugins:
        changed[environment.DISABLED] = "1"
    if strict:
        changed[environment.STRICT] = "1"
    if files:
        changed[environment.FILES] = os.pathsep.join(str(path.resolve()) for path in files)
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    reset()
    return before


def restore(before: dict[str, str | None]) -> None:
    """Restore the environment of before :func:`configure`.

    Args:
        before: Result of :func:`configure`.
    """
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    reset()
