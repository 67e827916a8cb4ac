"""A complex and its image as a network gets it: the data behind ``affinity-zoo view``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers.views import fixed_view
from affinity_zoo.plugins.contracts import Atoms, Box, Featurizer
from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.data.readers import ReadOptions
from affinity_zoo.zoo.see.complexes import Complex, read_complex
from affinity_zoo.zoo.see.imaging import WeightedImager


@dataclass(frozen=True, eq=False)
class ImagedComplex:
    """One view of a complex, in the frame of the box: its centre is 0, Å."""

    complex: Complex
    featurizer: Featurizer
    box: Box
    number: int  #: number of the view; 0 is not rotated
    image: NDArray[np.float32]  #: (D, D, D, C)
    receptor: NDArray[np.float32]  #: (N, 3) Å
    ligand: NDArray[np.float32]  #: (n, 3) Å
    unknown: int  #: atoms that the featurizer cannot represent

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the last axis."""
        return self.featurizer.channels

    @property
    def inside(self) -> NDArray[np.bool_]:
        """(N,) which receptor atoms lie in the box."""
        return np.asarray((np.abs(self.receptor) <= self.box.extent / 2).all(axis=1))

    def described(self) -> list[dict[str, Any]]:
        """Summarise each channel: non-zero voxels, sum, smallest and largest value."""
        rows = []
        for c, name in enumerate(self.channels):
            values = self.image[..., c]
            rows.append(
                {
                    "channel": name,
                    "voxels": int(np.count_nonzero(values)),
                    "sum": float(values.sum(dtype=np.float64)),
                    "min": float(values.min()),
                    "max": float(values.max()),
                }
            )
        return rows


def make_view(
    receptor: str | Path,
    pose: str | Path,
    featurizer: Featurizer,
    box: Box,
    *,
    record: int = 0,
    number: int = 0,
    seed: int = 0,
    options: ReadOptions | None = None,
    layer: Any = None,
) -> ImagedComplex:
    """Image one pose as training and prediction do.

    Args:
        receptor, pose: files; ``record`` of the pose file, from 0.
        number: number of the view, as in ``predict``; 0 is without rotation.
        options: how files are read; None: the defaults.
        layer: the voxelizer of a model, if it has weights.

    Raises:
        AffinityZooError: a file cannot be read, or the featurizer fails.
    """
    if number < 0:
        raise UsageError(f"`number` counts from 0, not {number}")
    found = read_complex(receptor, pose, record, options)
    imager = WeightedImager(featurizer, box, found.receptor, found.ligand, layer=layer)
    rotation = fixed_view(seed, number).rotation
    image = imager.images(rotation[None])[0]

    def placed(atoms: Atoms) -> NDArray[np.float32]:
        return np.asarray((atoms.xyz - imager.centre) @ rotation.T, np.float32)

    return ImagedComplex(
        found, featurizer, box, number, image, placed(found.receptor), placed(found.ligand), imager.unknown
    )


def box_from(text: tuple[int, float] | None, featurizer: Featurizer, model_box: Box | None = None) -> Box:
    """Return the requested box, else the model's, else the featurizer's.

    Args:
        text: Voxels and spacing; None: not requested.
        featurizer: An instance with its options.
        model_box: Box of the model; None: no model.
    """
    if text is not None:
        return Box(*text)
    return model_box or featurizer.default_box


def featurizer_of(name: str, options: Mapping[str, str]) -> Featurizer:
    """Return a featurizer by name, built-in or from a plugin.

    Args:
        name: Name of the featurizer.
        options: Options by name.

    Raises:
        AffinityZooError: no featurizer has this name, or it lacks these options.
    """
    from affinity_zoo.zoo.catalog.registry import catalog

    made = catalog().create("featurizer", name, options)
    assert isinstance(made, Featurizer)
    return made
