"""The space of a search: a TOML file with choices and ranges, checked before anything is trained.

.. code-block:: toml

    featurizers = ["atom-types"]
    architectures = ["cnn4", "resnet3d"]

    [resnet3d]                       # options of a featurizer or architecture, by its name
    filters = [8, 16]
    dropout = {low = 0.0, high = 0.5}

    [training]                       # fields of the recipe's table
    learning_rate = {low = 1e-4, high = 1e-3, log = true}
    epochs = 10                      # a plain value is fixed
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.catalog.registry import catalog
from affinity_zoo.zoo.models.recipe import Training

_RANGE = {"low", "high", "log", "step"}
_NAMES = ("featurizers", "architectures")
TRAINING = "training"


class Suggests(Protocol):
    """Source of values: an Optuna trial."""

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """Draw one of the choices."""
        ...

    def suggest_float(
        self, name: str, low: float, high: float, *, step: Any = None, log: bool = False
    ) -> float:
        """Draw a number."""
        ...

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Draw a whole number."""
        ...


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``; whole numbers where both are."""

    low: float
    high: float
    log: bool = False
    step: float | None = None

    @property
    def whole(self) -> bool:
        """Whether whole numbers are drawn."""
        return all(isinstance(value, int) for value in (self.low, self.high))


@dataclass(frozen=True)
class Point:
    """One combination to train."""

    featurizer: str
    architecture: str
    featurizer_options: Mapping[str, Any]
    architecture_options: Mapping[str, Any]
    training: Mapping[str, Any]


@dataclass(frozen=True)
class Space:
    """All varied values.

    Attributes:
        featurizers, architectures: names.
        options: name of a featurizer or architecture -> option -> a value, a list of choices or a :class:`Range`.
        training: field of the recipe's table ``training`` -> the same.
    """

    featurizers: tuple[str, ...]
    architectures: tuple[str, ...]
    options: Mapping[str, Mapping[str, Any]]
    training: Mapping[str, Any]

    def draw(self, trial: Suggests) -> Point:
        """Draw a combination; only the options of the drawn parts are asked for.

        Args:
            trial: Source of the values.
        """
        featurizer = _value(trial, "featurizer", list(self.featurizers))
        architecture = _value(trial, "architecture", list(self.architectures))
        chosen = [
            {key: _value(trial, f"{part}.{key}", given) for key, given in self.options.get(part, {}).items()}
            for part in (featurizer, architecture)
        ]
        training = {key: _value(trial, f"{TRAINING}.{key}", given) for key, given in self.training.items()}
        return Point(featurizer, architecture, chosen[0], chosen[1], training)

    def grid(self) -> dict[str, list[Any]]:
        """Every value that varies, by the name a trial knows it by.

        Raises:
            UsageError: a range cannot be enumerated.
        """
        found: dict[str, list[Any]] = {
            "featurizer": list(self.featurizers),
            "architecture": list(self.architectures),
        }
        for part, options in (*self.options.items(), (TRAINING, self.training)):
            for key, given in options.items():
                if isinstance(given, Range | list):
                    found[f"{part}.{key}"] = _enumerated(f"{part}.{key}", given)
        return found


def grid_points(space: Space) -> Iterator[dict[str, Any]]:
    """Yield the points of a grid; options of parts that a point does not use are left out, so none comes twice.

    Args:
        space: what varies.
    """
    table = space.grid()
    seen = set()
    for values in itertools.product(*table.values()):
        point = dict(zip(table, values, strict=True))
        used = {point["featurizer"], point["architecture"], TRAINING}
        point = {
            name: value for name, value in point.items() if "." not in name or name.split(".")[0] in used
        }
        key = repr(sorted(point.items()))
        if key not in seen:
            seen.add(key)
            yield point


def read_space(path: Path) -> Space:
    """Read and check a space.

    Args:
        path: a TOML file.

    Raises:
        UsageError: it is not TOML, a name, option or field is unknown, or a range is empty.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); a space is TOML, see docs/search.md") from error
    names = {key: _names(path, key, table.pop(key, None)) for key in _NAMES}
    training = table.pop(TRAINING, {})
    _check(path, TRAINING, training, {field.name for field in fields(Training)})
    for part, options in table.items():
        kind = "featurizer" if part in names["featurizers"] else "architecture"
        if part not in (*names["featurizers"], *names["architectures"]):
            raise UsageError(
                f"{path}: [{part}] is not one of its featurizers and architectures: "
                f"{', '.join((*names['featurizers'], *names['architectures']))}"
            )
        _check(path, part, options, {field.name for field in fields(type(catalog().create(kind, part, {})))})
    made = {part: {key: _parsed(path, f"{part}.{key}", value) for key, value in options.items()}
            for part, options in (*table.items(), (TRAINING, training))}  # fmt: skip
    return Space(names["featurizers"], names["architectures"], made, made.pop(TRAINING))


def _names(path: Path, key: str, given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not given or not all(isinstance(name, str) for name in given):
        raise UsageError(f'{path}: {key} is a list of names, such as {key} = ["{_EXAMPLE[key]}"]')
    for name in given:
        catalog().create(key.removesuffix("s"), name, {})
    return tuple(given)


_EXAMPLE = {"featurizers": "atom-types", "architectures": "resnet3d"}


def _check(path: Path, part: str, options: Any, known: set[str]) -> None:
    if not isinstance(options, dict):
        raise UsageError(f"{path}: {part} is a table, write [{part}]")
    unknown = sorted(set(options) - known)
    if unknown:
        raise UsageError(f"{path}: [{part}] has no {unknown[0]!r}; it has {', '.join(sorted(known))}")


def _parsed(path: Path, name: str, given: Any) -> Any:
    if isinstance(given, dict):
        if not {"low", "high"} <= set(given) <= _RANGE:
            raise UsageError(f"{path}: {name} is a range with low and high (and log or step), not {given!r}")
        numbers = [given["low"], given["high"]]
        if (
            not all(isinstance(v, int | float) and not isinstance(v, bool) for v in numbers)
            or numbers[0] > numbers[1]
        ):
            raise UsageError(f"{path}: {name} needs numbers with low <= high, not {given!r}")
        if given.get("log") and (given["low"] <= 0 or "step" in given):
            raise UsageError(f"{path}: {name} with log needs low > 0 and no step")
        return Range(**given)
    if isinstance(given, list) and not given:
        raise UsageError(f"{path}: {name} is an empty list: give values to choose from")
    return given


def _value(trial: Suggests, name: str, given: Any) -> Any:
    if isinstance(given, Range):
        if given.whole:
            step = 1 if given.step is None else int(given.step)
            return trial.suggest_int(name, int(given.low), int(given.high), step=step, log=given.log)
        return trial.suggest_float(name, given.low, given.high, step=given.step, log=given.log)
    if isinstance(given, list):
        chosen = trial.suggest_categorical(name, [_stored(value) for value in given])
        return next(value for value in given if _stored(value) == chosen)
    return given


def _enumerated(name: str, given: Range | list[Any]) -> list[Any]:
    if isinstance(given, list):
        return [_stored(value) for value in given]
    if not given.whole and given.step is None:
        raise UsageError(f"{name} is a range without a step: a grid needs a list of values, or a step")
    step = given.step or 1
    values = [given.low + number * step for number in range(int((given.high - given.low) / step + 1e-9) + 1)]
    return [int(value) if given.whole else float(value) for value in values]


def _stored(value: Any) -> Any:
    """A value as a study keeps it: it knows numbers and texts only."""
    return str(value) if isinstance(value, list) else value
