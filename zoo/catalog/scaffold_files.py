"""The files that `plugins new` writes: templates for string.Template ($$ is a dollar sign)."""

from __future__ import annotations

FILES = {
    "pyproject.toml": """
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "$distribution"
version = "0.1.0"
description = "A $kind for affinity-zoo."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["affinity-zoo>=0.1"]

[project.optional-dependencies]
test = ["pytest>=8"]

# This is how affinity-zoo finds the package: a name of your choice = the module with the hook.
[project.entry-points.affinity_zoo]
$name = "$module"

[tool.setuptools.packages.find]
where = ["src"]
""",
    "README.md": """
# $distribution

A $kind for affinity-zoo, used by the name `$name`.

    pip install -e ".[test]"
    pytest                              # the conformance checks, and your own
    affinity-zoo show $name
    affinity-zoo plugins check $name

Where to go on:

1. `src/$module/__init__.py`: the class. Its dataclass fields are its options, with type, default and help.
   Import keras and numpy inside the methods, not at the top: this module is imported for every listing.
2. `tests/test_$identifier.py`: say what your $kind is meant to do.
3. When encoding or weights change, raise `version` in `pyproject.toml`: models remember it.
""",
    ".github/workflows/test.yml": """
name: test
on: [push, pull_request]
jobs:
  test:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        python: ["3.11", "3.13"]
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: $${{ matrix.python }}
      - run: pip install ".[test]"
      - run: pytest
      - run: affinity-zoo --strict plugins list
""",
    ".gitignore": """
__pycache__/
*.egg-info/
build/
dist/
.venv/
""",
}

_FEATURIZER = '''
"""The featurizer `$name`."""

from __future__ import annotations

from dataclasses import dataclass, field

from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.contracts import Atoms, Box, Encoding, Featurizer

#: element (atomic number) -> channel of the receptor; the ligand's channels follow
ELEMENTS = {6: 0, 7: 1, 8: 2, 16: 3}
NAMES = ("carbon", "nitrogen", "oxygen", "sulfur", "other")


@dataclass(frozen=True)
class $cls(Featurizer):
    """One channel for each common element, of the receptor and of the ligand."""

    name = "$name"
    summary = "10 channels: C, N, O, S and other elements of receptor and ligand."
    api_version = $api
    voxelization = "gaussian"  # or "binary", "nearest"
    default_box = Box(24, 1.0)  # 24 voxels of 1 Å

    radius: float = field(default=1.8, metadata={"help": "radius of every atom, Å, at most 3"})

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels, in the order of the image's last axis."""
        return tuple(f"{role}-{name}" for role in ("receptor", "ligand") for name in NAMES)

    def encode(self, atoms: Atoms) -> Encoding:
        """Return the channel (-1: none) and the radius of each atom."""
        import numpy as np

        table = np.full(256, len(NAMES) - 1, np.int32)
        table[list(ELEMENTS)] = list(ELEMENTS.values())
        channel = table[atoms.element]
        if atoms.role == "ligand":
            channel = channel + np.int32(len(NAMES))
        return Encoding(
            radius=np.full(len(atoms), self.radius, np.float32),
            channel=channel,
            unknown=int((atoms.element == 0).sum()),
        )


@hookimpl
def register_featurizers() -> list[type[Featurizer]]:
    """Offer `$name`."""
    return [$cls]
'''

_ARCHITECTURE = '''
"""The architecture `$name`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.contracts import Architecture

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class $cls(Architecture):
    """Convolutions with batch normalisation, then the mean over the box and one dense layer."""

    name = "$name"
    summary = "A few strided convolutions and global average pooling."
    api_version = $api

    filters: tuple[int, ...] = field(default=(16, 32, 64), metadata={"help": "filters of each convolution"})
    dropout: float = field(default=0.2, metadata={"help": "dropout rate of the pooled features"})

    def build(
        self, image_shape: tuple[int, int, int, int], outputs: tuple[str, ...] = ("pose",)
    ) -> keras.Model:
        """Build the network: (batch, D, D, D, C) to (batch, len(outputs)) logits, float32."""
        import keras

        image = keras.Input(image_shape, name="image")
        x = image
        for i, filters in enumerate(self.filters, 1):
            x = keras.layers.Conv3D(filters, 3, strides=2, padding="same", use_bias=False, name=f"conv{i}")(x)
            x = keras.layers.BatchNormalization(name=f"bn{i}")(x)
            x = keras.layers.ReLU(name=f"relu{i}")(x)
        x = keras.layers.GlobalAveragePooling3D(name="pool")(x)
        x = keras.layers.Dropout(self.dropout, name="dropout")(x)
        # a logit: no activation; float32 under mixed precision too
        x = keras.layers.Dense(len(outputs), dtype="float32", name="outputs")(x)
        return keras.Model(image, x, name="$identifier")


@hookimpl
def register_architectures() -> list[type[Architecture]]:
    """Offer `$name`."""
    return [$cls]
'''

_SCORER = '''
"""The scorer `$name`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.contracts import Predictions, Score, Scorer, Truth

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class $cls(Scorer):
    """Fraction of the positives in the first part of the ranking, expected over ties."""

    name = "$name"
    summary = "Fraction of the positives in the first part of the ranking."
    api_version = $api
    truths = ("active", "pose_label")  # the first that the data have
    unit = "fraction"
    direction = "higher"

    part: float = field(default=0.1, metadata={"help": "fraction of the ranking that is searched, 0 to 1"})

    def score(
        self, predictions: Predictions, truth: Truth, weights: NDArray[np.float64] | None = None
    ) -> Score:
        """Compute the metric of a ranking. Weights are multiplicities of rows."""
        import numpy as np

        label = getattr(predictions, truth) > 0.5
        counted = np.ones(len(label)) if weights is None else weights
        positives = float(counted[label].sum())
        if positives == 0:
            return Score(math.nan, {"P": 0.0}, "undefined: there is no positive")
        # blocks of equal scores, best first: a block that the border cuts counts in proportion
        _, block = np.unique(-predictions.score, return_inverse=True)
        size, found = np.bincount(block, counted), np.bincount(block, counted * label)
        before = np.cumsum(size) - size
        inside = np.clip(self.part * size.sum() - before, 0.0, size)
        value = float(np.sum(found * inside / np.where(size > 0, size, 1.0)) / positives)
        return Score(value, {"P": positives, "N": float(size.sum()) - positives, "chance": self.part})


@hookimpl
def register_scorers() -> list[type[Scorer]]:
    """Offer `$name`."""
    return [$cls]
'''

SOURCES = {"featurizer": _FEATURIZER, "architecture": _ARCHITECTURE, "scorer": _SCORER}

_CONFORMS = '''
"""Conformance and behaviour of $cls."""

from affinity_zoo.plugins.testing import check_$kind@more

from $module import $cls

pytest_plugins = ["affinity_zoo.plugins.testing"]


def test_conformance():
    check_$kind($cls)


def test_affinity_zoo_finds_it(only_plugins):
    registry = only_plugins("$distribution")
    assert registry.get("$kind", "$name") is $cls

'''

TESTS = {
    "featurizer": _CONFORMS.replace("@more", ", sample_atoms")
    + """
def test_receptor_and_ligand_have_their_own_channels():
    featurizer = $cls()
    half = len(featurizer.channels) // 2
    assert (featurizer.encode(sample_atoms("receptor")).channel < half).all()
    assert (featurizer.encode(sample_atoms("ligand")).channel >= half).all()
""",
    "architecture": _CONFORMS.replace("@more", "")
    + """
def test_more_filters_are_more_weights():
    small = $cls(filters=(4, 4)).build((8, 8, 8, 2))
    assert small.count_params() < $cls().build((8, 8, 8, 2)).count_params()
""",
    "scorer": _CONFORMS.replace("@more", ", sample_predictions")
    + """
def test_a_better_ranking_scores_higher():
    scorer = $cls()
    good, bad = sample_predictions(quality=5.0), sample_predictions(quality=-5.0)
    assert scorer.score(good, "active").value > scorer.score(bad, "active").value
""",
}
