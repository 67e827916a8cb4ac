"""The table of decoy methods. Nothing heavy is imported here, because the command's help lists them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from affinity_zoo.plugins.errors import UsageError

if TYPE_CHECKING:
    from affinity_zoo.zoo.decoys.work import Method


@dataclass(frozen=True)
class Entry:
    """A decoy method before it is imported."""

    place: str  #: ``module:class`` in this folder
    about: str  #: how it makes poses, for the help

    def load(self) -> type[Method]:
        """Import the class of the method."""
        module, _, name = self.place.partition(":")
        found: type[Method] = getattr(import_module(f"affinity_zoo.zoo.decoys.{module}"), name)
        return found


#: all methods by name; a new method is one module and one line here
METHODS: Final = {
    "dock": Entry("dock_method:Dock", "Vina"),
    "displace": Entry("displace_method:Displace", "crystal poses moved and turned, matched"),
    "sample": Entry(
        "sample_method:Sample", "Vina with small budgets: many poses of all distances in seconds"
    ),
}


def method_of(name: str, **settings: Any) -> Method:
    """Return a method by name.

    Args:
        name: A key of :data:`METHODS`.
        settings: Values of its options; None: the default.

    Raises:
        UsageError: There is no such method, it has no such option, or a value is out of its range.
    """
    if name not in METHODS:
        raise UsageError(f"unknown method {name!r}: {', '.join(METHODS)}")
    method = METHODS[name].load()
    options = method().options
    given = {key: value for key, value in settings.items() if value is not None}
    own = {field.name for field in fields(options)}
    for key in given:
        if key not in own:
            raise UsageError(
                f"the method {name} has no option `{key}`: leave it out or choose another method"
            )
    return method(type(options)(**given))
