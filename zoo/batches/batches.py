"""Batches: from row numbers to what the model takes, either images or padded atoms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers import kernels, views
from affinity_zoo.plugins.contracts import Box, Featurizer
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.batches.encoded import EncodedStructure, EncodedStructures
from affinity_zoo.zoo.batches.pairs import Pairs

Place = Literal["host", "device"]
Inputs = dict[str, NDArray[Any]]

#: atoms of a padded batch come in these sizes only, so that a compiled step is not compiled anew
PADDED_SIZES = (128, 256, 512, 1024, 2048, 4096, 8192, 16384)


@dataclass(frozen=True)
class Imaging:
    """Everything that decides what an image looks like, besides the atoms."""

    featurizer: Featurizer
    box: Box
    views: views.ViewOptions = field(default_factory=views.ViewOptions)
    place: Place = "host"

    @property
    def image_shape(self) -> tuple[int, int, int, int]:
        """``(D, D, D, C)``."""
        side = self.box.side
        return side, side, side, len(self.featurizer.channels)


def makes_own_image(featurizer: Featurizer) -> bool:
    """Whether the featurizer overrides the whole step on the host."""
    return type(featurizer).image is not Featurizer.image


def choose_place(featurizer: Featurizer, box: Box, wanted: str, accelerator: bool) -> Place:
    """Choose where images are made: on the host (compiled kernel) or on the device (layer).

    Args:
        wanted: ``auto``, ``host`` or ``device``.
        accelerator: whether the network runs on one; ``auto`` then chooses the device.

    Raises:
        UsageError: ``wanted`` is something else.
        AffinityZooError: the featurizer cannot do what was asked for.
    """
    if wanted not in ("auto", "host", "device"):
        raise UsageError(f"`voxelize` is one of auto, host, device, not {wanted!r}")
    own_layer = featurizer.voxelizer(box) is not None
    if makes_own_image(featurizer):
        if wanted == "device":
            raise AffinityZooError(
                f"featurizer {featurizer.name!r} makes its image on the host; leave out `voxelize='device'`"
            )
        return "host"
    if own_layer:
        if wanted == "host":
            raise AffinityZooError(
                f"featurizer {featurizer.name!r} has a voxelizer layer of its own; leave out `voxelize='host'`"
            )
        return "device"
    if wanted == "auto":
        return "device" if accelerator else "host"
    return "host" if wanted == "host" else "device"


class BatchMaker:
    """Makes batches of ``pairs``; thread-safe, and the same rows give the same batch in any thread.

    Args:
        pairs: where the atoms come from.
        imaging: featurizer, box, views and place.
        seed: of the views of training.
        cache_bytes: bound on the cache of encoded structures.
    """

    def __init__(self, pairs: Pairs, imaging: Imaging, seed: int = 0, cache_bytes: int = 256 * 2**20) -> None:
        self.pairs = pairs
        self.imaging = imaging
        self.seed = seed
        self.encoded = EncodedStructures(pairs, imaging.featurizer, cache_bytes)
        self._own_image = makes_own_image(imaging.featurizer)

    def training(
        self, rows: NDArray[np.int64], epoch: int, copies: NDArray[np.int64] | None = None
    ) -> Inputs:
        """Make a batch in the random views of an epoch.

        Args:
            rows: (B,) row numbers.
            epoch: number of the epoch.
            copies: (B,) how often each row was shown before in this epoch; None: never.
        """
        # each copy draws a view of its own: to the random numbers it is a row beyond the last
        drawn = rows if copies is None else rows + copies * len(self.pairs)
        loaded = [self._load(int(row)) for row in rows]
        ligands = [ligand.xyz - ligand.centre for _, ligand in loaded]
        rotations, shifts = views.training_views(
            self.imaging.views, self.imaging.box, self.seed, epoch, drawn, ligands
        )
        return self._make(rows, loaded, rotations, shifts)

    def evaluation(self, rows: NDArray[np.int64], view: views.View = views.AS_GIVEN) -> Inputs:
        """Make a batch in one view, the same for each row.

        Args:
            rows: (B,) row numbers.
            view: how each complex is turned and shifted.
        """
        loaded = [self._load(int(row)) for row in rows]
        return self._make(rows, loaded, *view.of(len(rows)))

    def _load(self, row: int) -> tuple[EncodedStructure, EncodedStructure]:
        receptor, ligand = self.pairs.structures(row)
        return self.encoded[receptor], self.encoded[ligand]

    def _make(
        self,
        rows: NDArray[np.int64],
        loaded: Sequence[tuple[EncodedStructure, EncodedStructure]],
        rotations: NDArray[np.float32],
        shifts: NDArray[np.float32],
    ) -> Inputs:
        if self._own_image:
            return {"image": self._own_images(rows, rotations, shifts)}
        if self.imaging.place == "host":
            return {"image": self._images(loaded, rotations, shifts)}
        return pad_atoms(loaded, rotations, shifts, self.imaging)

    def _images(
        self,
        loaded: Sequence[tuple[EncodedStructure, EncodedStructure]],
        rotations: NDArray[np.float32],
        shifts: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        images = np.empty((len(loaded), *self.imaging.image_shape), np.float32)
        for i, pair in enumerate(loaded):
            kernels.voxelize(
                self.imaging.featurizer.voxelization,
                self.imaging.box,
                self.imaging.image_shape[-1],
                [(part.xyz, part.encoding) for part in pair],
                pair[1].centre,
                rotations[i],
                shifts[i],
                out=images[i],
            )
        return images

    def _own_images(
        self, rows: NDArray[np.int64], rotations: NDArray[np.float32], shifts: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        images = np.empty((len(rows), *self.imaging.image_shape), np.float32)
        for i, row in enumerate(rows):
            receptor, ligand = self.pairs.structures(int(row))
            image = self.imaging.featurizer.image(
                self.pairs.atoms(receptor),
                self.pairs.atoms(ligand),
                self.imaging.box,
                rotations[i],
                shifts[i],
            )
            if image is None or image.shape != self.imaging.image_shape:
                shape = None if image is None else image.shape
                raise AffinityZooError(
                    f"featurizer {self.imaging.featurizer.name!r} returned an image of shape {shape}, "
                    f"not {self.imaging.image_shape}: ask its author"
                )
            images[i] = image
        return images


def pad_atoms(
    loaded: Sequence[tuple[EncodedStructure, EncodedStructure]],
    rotations: NDArray[np.float32],
    shifts: NDArray[np.float32],
    imaging: Imaging,
) -> Inputs:
    """Crop each pair to what its box can hold and pad the batch to one of ``PADDED_SIZES``.

    Returns:
        The dict that :mod:`affinity_zoo.featurizers.layers` describes: ``xyz`` (B, N, 3) relative to the
        ligand's centre, ``channel`` and ``value`` (B, N) or ``values`` (B, N, C), ``radius`` (B, N),
        ``rotation`` (B, 3, 3), ``shift`` (B, 3).
    """
    pieces = []
    for (receptor, ligand), shift in zip(loaded, shifts, strict=True):
        parts = [_crop(part, ligand.centre, shift, imaging) for part in (receptor, ligand)]
        pieces.append([np.concatenate(columns) for columns in zip(*parts, strict=True)])
    longest = max((len(piece[0]) for piece in pieces), default=0)
    n = padded_size(longest)
    batch: Inputs = {
        "xyz": np.zeros((len(pieces), n, 3), np.float32),
        "radius": np.ones((len(pieces), n), np.float32),
        "rotation": np.ascontiguousarray(rotations, np.float32),
        "shift": np.ascontiguousarray(shifts, np.float32),
    }
    vector = bool(loaded) and loaded[0][0].encoding.values is not None
    if vector:
        batch["values"] = np.zeros((len(pieces), n, imaging.image_shape[-1]), np.float32)
    else:
        batch["channel"] = np.full((len(pieces), n), -1, np.int32)
        batch["value"] = np.zeros((len(pieces), n), np.float32)
    names = ("xyz", "radius", "values") if vector else ("xyz", "radius", "channel", "value")
    for i, piece in enumerate(pieces):
        for name, column in zip(names, piece, strict=True):
            batch[name][i, : len(column)] = column
    return batch


def padded_size(n: int) -> int:
    """Return the smallest of ``PADDED_SIZES`` that holds n atoms, or the next multiple of the largest."""
    for size in PADDED_SIZES:
        if n <= size:
            return size
    return -(-n // PADDED_SIZES[-1]) * PADDED_SIZES[-1]


def _crop(
    part: EncodedStructure, centre: NDArray[np.float32], shift: NDArray[np.float32], imaging: Imaging
) -> list[NDArray[Any]]:
    """Keep the atoms that can touch the box in any rotation; coordinates relative to ``centre``."""
    xyz = part.xyz - centre
    reach = 1.5 * part.encoding.radius + 0.5 * imaging.box.spacing
    limit = 0.5 * np.sqrt(3.0) * imaging.box.extent + np.linalg.norm(shift) + reach
    keep = np.einsum("ij,ij->i", xyz, xyz) <= limit * limit
    encoding = part.encoding
    columns = [xyz[keep], encoding.radius[keep]]
    if encoding.values is not None:
        return [*columns, encoding.values[keep]]
    assert encoding.channel is not None and encoding.value is not None
    return [*columns, encoding.channel[keep], encoding.value[keep]]
