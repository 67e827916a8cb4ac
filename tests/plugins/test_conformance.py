"""The checks find what they are there to find: each fault fails the check that names it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.checks import Report
from affinity_zoo.plugins.contracts import (
    Architecture,
    Atoms,
    Baseline,
    Box,
    Encoding,
    Featurizer,
    Score,
    Scorer,
)
from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.plugins.testing import (
    ConformanceError,
    check,
    check_architecture,
    check_baseline,
    check_featurizer,
    check_scorer,
)
from affinity_zoo.zoo.catalog.registry import catalog

pytest_plugins = ["affinity_zoo.plugins.testing"]


def failures(report: Report) -> dict[str, str]:
    """Return what failed, without the import check (test modules import NumPy at their top)."""
    return {
        r.check: r.message for r in report.results if r.state == "failed" and "imports nothing" not in r.check
    }


@dataclass(frozen=True)
class Good(Featurizer):
    """A featurizer with nothing wrong."""

    name = "good"
    summary = "Fine."
    api_version = 1
    default_box = Box(12, 1.0)

    radius: float = field(default=1.5, metadata={"help": "radius, Å"})

    @property
    def channels(self) -> tuple[str, ...]:
        return ("receptor", "ligand")

    def encode(self, atoms: Atoms) -> Encoding:
        channel = np.full(len(atoms), int(atoms.role == "ligand"), np.int32)
        return Encoding(radius=np.full(len(atoms), self.radius, np.float32), channel=channel)


def encode_with(change: Callable[[Atoms], Encoding]) -> type[Good]:
    """Return a featurizer that encodes otherwise."""
    return type("Faulty", (Good,), {"encode": lambda self, atoms: change(atoms)})


def plain(atoms: Atoms, **changes: Any) -> Encoding:
    """Return a good encoding with some arrays replaced."""
    arrays = {"radius": np.ones(len(atoms), np.float32), "channel": np.zeros(len(atoms), np.int32)}
    return Encoding(**{**arrays, **changes})


def write_into(atoms: Atoms) -> Encoding:
    """Move the atoms in place."""
    atoms.xyz[:] += 1.0
    return plain(atoms)


def by_position(atoms: Atoms) -> Encoding:
    """Encode by height."""
    return plain(atoms, channel=(atoms.xyz[:, 2] > 0).astype(np.int32))


_calls = [0]


def not_the_same_twice(atoms: Atoms) -> Encoding:
    """Encode otherwise at each call."""
    _calls[0] += 1
    return plain(atoms, value=np.full(len(atoms), _calls[0], np.float32))


FAULTS: dict[str, tuple[Callable[[Atoms], Encoding], str]] = {
    "writes": (write_into, "The input atoms are not changed"),
    "position": (by_position, "does not depend on position"),
    "random": (not_the_same_twice, "encoded the same way each time"),
    "dtype": (lambda a: plain(a, channel=np.zeros(len(a), np.int64)), "shapes, dtypes and ranges"),
    "shape": (lambda a: plain(a, radius=np.ones(len(a) + 1, np.float32)), "shapes, dtypes and ranges"),
    "channel": (lambda a: plain(a, channel=np.full(len(a), 2, np.int32)), "shapes, dtypes and ranges"),
    "radius": (lambda a: plain(a, radius=np.full(len(a), 4.0, np.float32)), "shapes, dtypes and ranges"),
    "nan": (lambda a: plain(a, value=np.full(len(a), np.nan, np.float32)), "shapes, dtypes and ranges"),
    "both": (lambda a: plain(a, values=np.ones((len(a), 2), np.float32)), "shapes, dtypes and ranges"),
    "none": (lambda a: None, "shapes, dtypes and ranges"),  # type: ignore[dict-item, return-value]
}


def test_a_good_featurizer_passes() -> None:
    assert not failures(check("featurizer", Good))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_encoding_is_found(fault: str) -> None:
    change, sentence = FAULTS[fault]
    report = check("featurizer", encode_with(change))
    assert any(sentence in name for name in failures(report)), report.text()


def test_an_image_that_ignores_the_view_is_found() -> None:
    class Host(Good):
        def image(
            self, receptor: Atoms, ligand: Atoms, box: Box, rotation: np.ndarray, shift: np.ndarray
        ) -> np.ndarray:
            image = np.zeros((box.side,) * 3 + (2,), np.float32)
            cells = np.clip(np.round(ligand.xyz).astype(int) + box.side // 2, 0, box.side - 1)
            image[tuple(cells.T)] = 1.0
            return image

    found = failures(check("featurizer", Host))
    assert any("rotation" in name for name in found) and any("shift" in name for name in found)


def test_undocumented_options_and_versions_are_found() -> None:
    @dataclass(frozen=True)
    class Silent(Featurizer):
        name = "silent"
        summary = "Says nothing."
        width: float = 1.0

        @property
        def channels(self) -> tuple[str, ...]:
            return ("a",)

        def encode(self, atoms: Atoms) -> Encoding:
            return plain(atoms)

    found = failures(check("featurizer", Silent))
    assert any("sentence of help" in name for name in found)
    assert any("api_version" in name for name in found)


@dataclass(frozen=True)
class Net(Architecture):
    """A small network that can be made wrong in several ways."""

    name = "net"
    summary = "Small."
    api_version = 1
    default_box = Box(8, 1.0)

    fault: str = field(default="", metadata={"help": "what is wrong"})

    def build(self, image_shape: tuple[int, int, int, int], outputs: tuple[str, ...] = ("pose",)) -> Any:
        import keras

        image = keras.Input(image_shape)
        x = keras.layers.Conv3D(2, 3)(image)
        x = keras.layers.GlobalAveragePooling3D()(x)
        if self.fault == "lambda":
            x = keras.layers.Lambda(lambda t: t * 2.0)(x)
        if self.fault == "own layer":
            x = type("Mine", (keras.layers.Layer,), {"call": lambda self, t: t})()(x)
        activation = "sigmoid" if self.fault == "sigmoid" else None
        dtype = None if self.fault == "half" else "float32"
        n = 1 if self.fault == "one output" else len(outputs)
        x = keras.layers.Dense(n, activation, dtype=dtype)(x)
        return keras.Model(image, x)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("sigmoid", "is a logit"),
        ("half", "mixed precision"),
        ("one output", "to (batch, outputs)"),
        ("lambda", "safe mode"),
        ("own layer", "registered"),
    ],
)
def test_a_faulty_network_is_found(fault: str, sentence: str) -> None:
    report = check("architecture", Net, fault=fault)
    assert any(sentence in name for name in failures(report)), report.text()


def test_a_good_network_passes() -> None:
    assert not failures(check("architecture", Net))


@dataclass(frozen=True)
class FirstRows(Scorer):
    """Looks at the first rows of a stable sort: the classic mistake."""

    name = "first-rows"
    summary = "Wrong with ties."
    api_version = 1
    truths = ("active",)
    unit = "fraction"
    direction = "higher"

    def score(self, predictions: Any, truth: str, weights: Any = None) -> Score:
        order = np.argsort(-predictions.score, kind="stable")[:5]
        return Score(float(getattr(predictions, truth)[order].mean()))


@dataclass(frozen=True)
class WrongWay(FirstRows):
    """Says that less is better."""

    direction = "lower"

    def score(self, predictions: Any, truth: str, weights: Any = None) -> Score:
        if len(predictions) == 1:
            return Score(math.nan)
        return super().score(predictions, truth)


def test_a_faulty_scorer_is_found() -> None:
    found = failures(check("scorer", FirstRows))
    assert any("order of the rows" in name for name in found)
    assert any("Weights of 1" in name for name in found)
    found = failures(check("scorer", WrongWay))
    assert any("its reverse" in name for name in found)
    assert any("undefined" in name for name in found)


@dataclass(frozen=True)
class Height(Baseline):
    """Depends on where the complex lies."""

    name = "height"
    summary = "Wrong."
    api_version = 1
    unit = "Å"
    direction = "higher"

    def measure(self, receptor: Atoms, ligand: Atoms, pair: Mapping[str, Any]) -> float:
        return float(ligand.xyz[:, 2].mean())


def test_a_faulty_baseline_is_found() -> None:
    found = failures(check("baseline", Height))
    assert list(found) == ["The number of a pair does not depend on the position of the complex"]
    with pytest.raises(ConformanceError, match="does not depend on the position"):
        check_baseline(Height)


def test_the_public_functions_raise_with_every_failure() -> None:
    for function, cls in (
        (check_featurizer, encode_with(by_position)),
        (check_scorer, FirstRows),
        (check_architecture, Net(fault="sigmoid")),
    ):
        with pytest.raises(ConformanceError) as caught:
            function(cls)  # type: ignore[operator]
        assert isinstance(caught.value, AssertionError) and not caught.value.report.ok


def test_the_fixture_sees_only_what_a_test_names(only_plugins: Any) -> None:
    @hookimpl
    def register_featurizers() -> list[type]:
        return [Good]

    with pytest.raises(UsageError):
        catalog().get("featurizer", "good")
    registry = only_plugins(SimpleNamespace(register_featurizers=register_featurizers))
    assert registry.get("featurizer", "good") is Good
    assert catalog() is registry
    assert catalog().names("architecture")
