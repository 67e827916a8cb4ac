"""Options of a featurizer, architecture or scorer: the fields of its dataclass.

Type, default and help are read from the class, so that an author writes them once. Values arrive as
text (command line), as TOML values (recipe) or as Python values, and leave as the field's type.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import re
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.plugins.names import nearest

REQUIRED = object()  #: the default of an option that has none

_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}
_SCALARS = (bool, int, float, str)


@dataclass(frozen=True)
class Option:
    """An option of a class."""

    name: str
    type: Any  #: a supported type: see :func:`check_type`
    default: Any  #: ``REQUIRED`` where there is none
    help: str = ""

    @property
    def type_text(self) -> str:
        """The type as users read it: ``int``, ``ligand|receptor``, ``int,int,...``, ``float or none``."""
        return describe_type(self.type)

    @property
    def default_text(self) -> str:
        """The default as users type it."""
        return "(required)" if self.default is REQUIRED else as_text(self.default)


def options_of(cls: type) -> tuple[Option, ...]:
    """Return the options of a dataclass, in the order of its fields.

    Raises:
        TypeError: not a dataclass, or a field's type is not supported; the message says which.
    """
    if not dataclasses.is_dataclass(cls):
        raise TypeError(f"{cls.__qualname__} is not a dataclass: decorate it with @dataclass(frozen=True)")
    return tuple(
        Option(field.name, _resolve(cls, field), _default(field), str(field.metadata.get("help", "")))
        for field in dataclasses.fields(cls)
        if field.init
    )


def option_help(cls: type) -> dict[str, str]:
    """Return a sentence for each option: from ``metadata={"help": ...}``, the docstring or a ``#:`` comment.

    It reads the source if available, so it is meant for ``show``, not for start-up.
    """
    texts = _comments(cls)
    for base in reversed(cls.__mro__):  # an option of a base class is described there
        texts.update(_docstring_args(inspect.cleandoc(base.__doc__ or "")))
    texts.update({option.name: option.help for option in options_of(cls) if option.help})
    names = {option.name for option in options_of(cls)}
    return {name: text for name, text in texts.items() if name in names}


def create(cls: type, options: Mapping[str, object], label: str) -> Any:
    """Make an instance from options given as text, TOML or Python values.

    Args:
        cls: a dataclass.
        options: name to value; what is left out takes its default.
        label: name of the class in messages, for example ``featurizer 'atom-types'``.

    Raises:
        UsageError: an unknown option, a missing one, or a value that does not fit.
    """
    known = {option.name: option for option in options_of(cls)}
    values: dict[str, Any] = {}
    for name, value in options.items():
        key = name.replace("-", "_")
        if key not in known:
            raise UsageError(f"{label} has no option {name!r}{nearest(key, known)}; {_menu(known)}")
        try:
            values[key] = convert(value, known[key].type)
        except ValueError as error:
            raise UsageError(f"option {name!r} of {label}: {error}; {_menu(known)}") from None
    missing = [name for name, option in known.items() if option.default is REQUIRED and name not in values]
    if missing:
        raise UsageError(f"{label} needs a value for {', '.join(missing)}; {_menu(known)}")
    try:
        return cls(**values)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{label} does not accept these options: {error}") from error


def convert(value: object, kind: Any) -> Any:
    """Convert text, a TOML value or a Python value to a supported type.

    Args:
        value: Text, TOML value or Python value.
        kind: Supported type.

    Raises:
        ValueError: the value does not fit; the message says what is expected.
    """
    optional, inner = _split_optional(kind)
    if optional and (value is None or (isinstance(value, str) and value.strip().lower() in ("", "none"))):
        return None
    origin = get_origin(inner)
    if origin is Literal:
        return _convert_literal(value, get_args(inner))
    if origin is tuple:
        return _convert_tuple(value, get_args(inner))
    return _convert_scalar(value, inner)


def check_type(kind: Any) -> None:
    """Raise TypeError unless an option may have this type.

    Supported: int, float, bool, str, Literal, tuple of these, and any of them or None.

    Args:
        kind: Type annotation.
    """
    _, inner = _split_optional(kind)
    origin = get_origin(inner)
    if inner in _SCALARS or origin is Literal:
        return
    if origin is tuple and get_args(inner):
        for part in get_args(inner):
            if part is not Ellipsis:
                check_type(part)
        return
    raise TypeError(
        f"type {describe_type(kind)} is not supported: use int, float, bool, str, Literal, a tuple of these, "
        "or one of them | None"
    )


def describe_type(kind: Any) -> str:
    """Return a type as users read it.

    Args:
        kind: Supported type.
    """
    optional, inner = _split_optional(kind)
    origin = get_origin(inner)
    if origin is Literal:
        text = "|".join(as_text(choice) for choice in get_args(inner))
    elif origin is tuple:
        text = ",".join("..." if part is Ellipsis else describe_type(part) for part in get_args(inner))
    else:
        text = getattr(inner, "__name__", str(inner))
    return f"{text} or none" if optional else text


def as_text(value: object) -> str:
    """Return an option's value as users type it; :func:`convert` reads it back.

    Args:
        value: Value of a typed field: number, text, bool or a tuple of them.
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return ",".join(as_text(part) for part in value)
    return str(value)


def _convert_scalar(value: object, kind: Any) -> Any:
    text = value.strip() if isinstance(value, str) else value
    if kind is bool:
        if isinstance(text, bool):
            return text
        if str(text).lower() in _TRUE | _FALSE:
            return str(text).lower() in _TRUE
        raise ValueError(f"expected true or false, not {value!r}")
    if kind is str:
        if isinstance(value, str):
            return value
        raise ValueError(f"expected text, not {value!r}")
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise ValueError(f"expected {kind.__name__}, not {value!r}")
    if kind is int and isinstance(text, float):
        raise ValueError(f"expected a whole number, not {value!r}")
    try:
        number = kind(text)
    except (ValueError, OverflowError):
        article = "a whole number" if kind is int else "a number"
        raise ValueError(f"expected {article}, not {value!r}") from None
    if math.isnan(number):
        raise ValueError("expected a number, not nan")
    return number


def _convert_literal(value: object, choices: tuple[Any, ...]) -> Any:
    text = value.strip() if isinstance(value, str) else value
    for choice in choices:
        same_type = type(text) is type(choice)
        if (same_type and text == choice) or (isinstance(text, str) and text == as_text(choice)):
            return choice
    raise ValueError(f"expected one of {', '.join(as_text(c) for c in choices)}, not {value!r}")


def _convert_tuple(value: object, parts: tuple[Any, ...]) -> tuple[Any, ...]:
    if isinstance(value, str):
        inside = value.strip().strip("()[]").strip()
        items: list[object] = list(inside.rstrip(",").split(",")) if inside else []
    elif isinstance(value, list | tuple):
        items = list(value)
    else:
        items = [value]
    if len(parts) == 2 and parts[1] is Ellipsis:
        return tuple(convert(item, parts[0]) for item in items)
    if len(items) != len(parts):
        raise ValueError(f"expected {len(parts)} values separated by commas, not {value!r}")
    return tuple(convert(item, part) for item, part in zip(items, parts, strict=True))


def _split_optional(kind: Any) -> tuple[bool, Any]:
    if get_origin(kind) in (Union, types.UnionType):
        rest = [part for part in get_args(kind) if part is not type(None)]
        if len(rest) == 1 and len(get_args(kind)) == 2:
            return True, rest[0]
    return False, kind


def _resolve(cls: type, field: dataclasses.Field[Any]) -> Any:
    owner = next(base for base in cls.__mro__ if field.name in vars(base).get("__annotations__", {}))
    module = sys.modules.get(owner.__module__)
    shim = types.SimpleNamespace(__annotations__={field.name: field.type})
    try:
        # Field by field: an annotation that is no option may name what is imported for type checkers only.
        kind = typing.get_type_hints(shim, vars(module) if module else {}, dict(vars(owner)))[field.name]
        check_type(kind)
    except (TypeError, NameError, AttributeError, SyntaxError) as error:
        raise TypeError(f"option {field.name!r} of {cls.__qualname__}: {error}") from error
    return kind


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return REQUIRED


def _menu(known: Mapping[str, Option]) -> str:
    if not known:
        return "it has no options"
    return "its options: " + ", ".join(f"{o.name} ({o.type_text}; {o.default_text})" for o in known.values())


def _docstring_args(text: str) -> dict[str, str]:
    """Read the ``Args:`` (or ``Attributes:``, ``Options:``) block of a docstring in Google style."""
    block = re.search(r"^(?:Args|Attributes|Options):\n((?:[ \t]+.*\n?|\n)+)", text, re.MULTILINE)
    if block is None:
        return {}
    lines = inspect.cleandoc(block.group(1)).splitlines()
    found: dict[str, str] = {}
    name = ""
    for line in lines:
        head = re.match(r"(\w+)(?: \([^)]*\))?: *(.*)", line)
        if head:
            name = head.group(1)
            found[name] = head.group(2)
        elif name and line.strip():
            found[name] += " " + line.strip()
    return found


def _comments(cls: type) -> dict[str, str]:
    """Read ``name: type = default  #: help`` from the sources of a class and its bases."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if dataclasses.is_dataclass(base):
            try:
                source = inspect.getsource(base)
            except (OSError, TypeError):
                continue
            found.update(re.findall(r"^\s+(\w+)\s*:[^#\n]*#:\s*(.+)$", source, re.MULTILINE))
    return found
