"""Kinds of plugin classes and the requirements on each kind."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, get_args

from affinity_zoo.plugins import contracts
from affinity_zoo.plugins.names import is_canonical
from affinity_zoo.plugins.options import options_of


@dataclass(frozen=True)
class Kind:
    """One kind of plugin class: its name, its plural, its hook and its contract."""

    name: str
    plural: str
    hook: str
    contract: type
    required: tuple[str, ...] = ()  #: further required class attributes


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("featurizer", "featurizers", "register_featurizers", contracts.Featurizer),
        Kind("architecture", "architectures", "register_architectures", contracts.Architecture),
        Kind("scorer", "scorers", "register_scorers", contracts.Scorer, ("truths", "unit", "direction")),
        Kind("baseline", "baselines", "register_baselines", contracts.Baseline, ("unit", "direction")),
    )
}


class InvalidClass(Exception):
    """A registered class violates its contract; ``remedy`` says how to correct it."""

    def __init__(self, reason: str, remedy: str = "ask its author to correct it") -> None:
        super().__init__(reason)
        self.remedy = remedy


def names_of(cls: Any) -> tuple[str, ...]:
    """Return the name of a registered class, then its aliases."""
    return (cls.name, *getattr(cls, "aliases", ()))


def check_class(kind: Kind, cls: Any) -> None:
    """Raise :class:`InvalidClass` unless the class can be offered to users as one of this kind.

    Args:
        kind: ``featurizer``, ``architecture``, ``scorer`` or ``baseline``.
    """
    if not isinstance(cls, type):
        raise InvalidClass(
            f"{kind.hook} returned {cls!r}, which is not a class (return classes, not instances)"
        )
    label = f"{cls.__module__}.{cls.__qualname__}"
    if not issubclass(cls, kind.contract):
        raise InvalidClass(
            f"{label} is not a subclass of affinity_zoo.plugins.contracts.{kind.contract.__name__}"
        )
    _check_version(cls, label)
    _check_names(cls, label)
    summary = getattr(cls, "summary", None)
    if not isinstance(summary, str) or not summary.strip():
        raise InvalidClass(f"{label} has no summary (a class attribute of one sentence)")
    missing = [attribute for attribute in kind.required if not hasattr(cls, attribute)]
    if missing:
        raise InvalidClass(f"{label} does not state {', '.join(missing)}")
    _check_values(cls, label)
    if inspect.isabstract(cls):
        raise InvalidClass(
            f"{label} does not implement {', '.join(sorted(getattr(cls, '__abstractmethods__', ())))}"
        )
    try:
        options_of(cls)
    except TypeError as error:
        raise InvalidClass(str(error)) from error


def declared_version(cls: type) -> object:
    """Return the contract version that a class was written for; without a statement it is the first version."""
    for base in cls.__mro__:
        if base.__module__ == contracts.__name__:
            break
        if "api_version" in vars(base):
            return vars(base)["api_version"]
    return contracts.API_VERSION if cls.__module__.startswith("affinity_zoo.") else 1


def _check_version(cls: type, label: str) -> None:
    version = declared_version(cls)
    if version == contracts.API_VERSION and not isinstance(version, bool):
        return
    reason = (
        f"{label} is written for version {version} of the contracts, affinity-zoo has {contracts.API_VERSION}"
    )
    newer = isinstance(version, int) and version > contracts.API_VERSION
    raise InvalidClass(
        reason, "upgrade affinity-zoo" if newer else "upgrade the plugin, or ask its author to"
    )


def _check_names(cls: Any, label: str) -> None:
    name = getattr(cls, "name", None)
    aliases = getattr(cls, "aliases", ())
    if not isinstance(aliases, tuple):
        raise InvalidClass(f"{label}: aliases is a tuple of names, not {aliases!r}")
    for text in (name, *aliases):
        if not is_canonical(text):
            raise InvalidClass(f"{label}: the name {text!r} is not lower-case letters, digits and dashes")


def _check_values(cls: Any, label: str) -> None:
    if hasattr(cls, "direction"):
        allowed = ("higher", "lower", "none") if issubclass(cls, contracts.Scorer) else ("higher", "lower")
        if cls.direction not in allowed:
            raise InvalidClass(f"{label}: direction is one of {', '.join(allowed)}, not {cls.direction!r}")
    if hasattr(cls, "truths"):
        known = get_args(contracts.Truth)
        if not isinstance(cls.truths, tuple) or not cls.truths or set(cls.truths) - set(known):
            raise InvalidClass(f"{label}: truths is a tuple of {', '.join(known)}, not {cls.truths!r}")
    if hasattr(cls, "voxelization"):
        styles = get_args(contracts.Voxelization)
        if cls.voxelization not in styles:
            raise InvalidClass(
                f"{label}: voxelization is one of {', '.join(styles)}, not {cls.voxelization!r}"
            )
