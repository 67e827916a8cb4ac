"""The backends of Keras: one module each, named as Keras names it, with its object `BACKEND`."""

from __future__ import annotations

import importlib
from importlib.util import find_spec

from affinity_zoo.zoo.runtime.backends.base import Backend

#: modules of this package, in the order in which one is chosen where KERAS_BACKEND is not set
NAMES = ("tensorflow", "jax", "torch")


def backend_named(name: str) -> Backend:
    """Return a backend; for one without a module here, one that does what needs no knowledge of it.

    Args:
        name: Name of the backend in Keras.
    """
    if name not in NAMES:
        return Backend(name)
    backend: Backend = importlib.import_module(f"{__name__}.{name}").BACKEND
    return backend


def active_backend() -> Backend:
    """Return the backend that Keras runs on."""
    import keras

    return backend_named(keras.config.backend())


def installed_backends() -> list[str]:
    """Return the names of the backends whose package is installed, in the order of `NAMES`."""
    return [name for name in NAMES if find_spec(name) is not None]
