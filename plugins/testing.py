"""For plugin authors: conformance checks, synthetic structures, and a pytest fixture.

Example:
    A package's whole test file::

        from affinity_zoo.plugins.testing import check_featurizer
        from my_package import MyFeaturizer

        def test_conformance():
            check_featurizer(MyFeaturizer)

The checks are those that the built-ins pass and that ``affinity-zoo plugins check`` runs. They call
Keras, NumPy and the voxelizers of affinity-zoo, so they take some seconds.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from affinity_zoo.plugins.checks import CheckResult, ConformanceError, Report, finish, instance_of, run
from affinity_zoo.plugins.contracts import Architecture, Baseline, Featurizer, Scorer
from affinity_zoo.plugins.discovery import installed_plugins, object_plugin
from affinity_zoo.plugins.names import canonical
from affinity_zoo.plugins.registry import Registry
from affinity_zoo.plugins.samples import sample_atoms, sample_predictions

__all__ = [
    "ConformanceError",
    "Report",
    "CheckResult",
    "check",
    "check_architecture",
    "check_baseline",
    "check_featurizer",
    "check_scorer",
    "sample_atoms",
    "sample_predictions",
]


def check_featurizer(featurizer: type[Featurizer] | Featurizer, **options: object) -> Report:
    """Check a featurizer: encodings, image, padding, rotation, shift, saving, compiled and mixed precision.

    Args:
        featurizer: the class, made with ``options``, or an instance.

    Returns:
        The result of each check.

    Raises:
        ConformanceError: some check failed; the message lists them.
    """
    return finish(check("featurizer", featurizer, **options))


def check_architecture(architecture: type[Architecture] | Architecture, **options: object) -> Report:
    """Check an architecture: shapes, logits, determinism, training, saving, compiled and mixed precision.

    Arguments, result and errors as for :func:`check_featurizer`.

    Args:
        architecture: Class, made with ``options``, or instance.
        options: Options of the class, by name.
    """
    return finish(check("architecture", architecture, **options))


def check_scorer(scorer: type[Scorer] | Scorer, **options: object) -> Report:
    """Check a scorer: direction, ties, order of rows, weights, undefined values.

    Arguments, result and errors as for :func:`check_featurizer`.

    Args:
        scorer: Class, made with ``options``, or instance.
        options: Options of the class, by name.
    """
    return finish(check("scorer", scorer, **options))


def check_baseline(baseline: type[Baseline] | Baseline, **options: object) -> Report:
    """Check a baseline: one number, independent of the position of the complex.

    Arguments, result and errors as for :func:`check_featurizer`.

    Args:
        baseline: Class, made with ``options``, or instance.
        options: Options of the class, by name.
    """
    return finish(check("baseline", baseline, **options))


def check(kind: str, subject: Any, **options: object) -> Report:
    """Run all checks of a kind and return the report, also if checks fail.

    Args:
        kind: ``featurizer``, ``architecture``, ``scorer`` or ``baseline``.
        subject: Class, made with ``options``, or instance.
        options: Options of the class, by name.
    """
    instance = instance_of(kind, subject, options)
    if kind == "featurizer":
        from affinity_zoo.plugins import checks_featurizer as module
        from affinity_zoo.plugins.imaging import FeaturizerUnderTest

        return run(kind, instance.name, module.CHECKS, FeaturizerUnderTest(instance))
    if kind == "architecture":
        from affinity_zoo.plugins import checks_architecture

        return run(
            kind,
            instance.name,
            checks_architecture.CHECKS,
            checks_architecture.ArchitectureUnderTest(instance),
        )
    from affinity_zoo.plugins import checks_scorer

    if kind == "scorer":
        return run(kind, instance.name, checks_scorer.SCORER_CHECKS, checks_scorer.ScorerUnderTest(instance))
    return run(kind, instance.name, checks_scorer.BASELINE_CHECKS, checks_scorer.BaselineUnderTest(instance))


def _only(*plugins: str | ModuleType | object) -> Registry:
    names = {canonical(plugin) for plugin in plugins if isinstance(plugin, str)}
    objects = [plugin for plugin in plugins if not isinstance(plugin, str)]
    catalog = importlib.import_module(
        "affinity_zoo.zoo.catalog.registry"
    )  # the table of the built-ins, if they are installed

    def discover() -> list[Any]:
        installed = [p for p in installed_plugins() if {p.name, p.origin.distribution} & names]
        return installed + [object_plugin(plugin) for plugin in objects]

    return catalog.use(Registry(catalog.BUILTINS, catalog.host(), discover=discover))


try:
    import pytest
except ImportError:  # the checks work without pytest
    pass
else:

    @pytest.fixture
    def only_plugins() -> Iterator[Callable[..., Registry]]:
        """A function that hides all plugins but those a test names, for this process, until the test ends.

        Called with distribution or entry-point names, modules or objects that hold hooks, it returns the
        registry; everything in affinity-zoo then sees the built-ins and these. Before it is called the
        test sees built-ins only.
        """
        catalog = importlib.import_module("affinity_zoo.zoo.catalog.registry")
        _only()
        yield _only
        catalog.reset()

    __all__ += ["only_plugins"]
