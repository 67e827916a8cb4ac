"""Batches: from row numbers to the model's input, either images or padded atoms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers import assembly, kernels, views
from affinity_zoo.plugins.contracts import Box, Featurizer
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.batches.buffers import Buffers
from affinity_zoo.zoo.batches.encoded import EncodedStructure, EncodedStructures
from affinity_zoo.zoo.batches.kinds import Kinds
from affinity_zoo.zoo.batches.pairs import Pairs, structures_of

Place = Literal["host", "device"]
Inputs = dict[str, NDArray[Any]]
Loaded = Sequence[tuple[EncodedStructure, EncodedStructure]]  #: receptor and ligand of each pose

#: atoms of a padded batch come in these sizes only, so that a step is compiled for few of them
PADDED_SIZES = tuple(size for k in range(7, 15) for size in (2**k, 3 * 2 ** (k - 1)))
_SIZES = np.array(PADDED_SIZES, np.int64)
CACHE_BYTES = 256 * 2**20  #: of encoded structures
#: the same where an accelerator waits for batches: about 300,000 poses of 30,000 receptors
LARGE_CACHE_BYTES = 2 * 2**30
_MARGIN = 1e-3  #: Å beyond the box up to which an atom travels: rounding must not lose one


@dataclass(frozen=True)
class Imaging:
    """Settings that determine an image, besides the atoms."""

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
    """Return whether the featurizer makes the whole image itself, on the host.

    Args:
        featurizer: An instance with its options.
    """
    return type(featurizer).image is not Featurizer.image


def choose_place(featurizer: Featurizer, box: Box, wanted: str, accelerator: bool) -> Place:
    """Choose where images are made: on the host (compiled kernel) or on the device (layer).

    Args:
        wanted: ``auto``, ``host`` or ``device``.
        accelerator: whether the network runs on one; ``auto`` then chooses the device.

    Raises:
        UsageError: ``wanted`` is something else.
        AffinityZooError: the featurizer does not support the requested place.
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


def travels_as_kinds(imaging: Imaging) -> bool:
    """Return whether atoms can travel to the device as coordinates and one byte, with a table.

    Args:
        imaging: Featurizer, box and place.
    """
    return (
        imaging.place == "device"
        and imaging.featurizer.few_kinds
        and imaging.featurizer.voxelizer(imaging.box) is None
        and not makes_own_image(imaging.featurizer)
    )


class BatchMaker:
    """Makes batches of ``pairs``; thread-safe, and the same rows give the same batch in any thread.

    Args:
        pairs: where the atoms come from.
        imaging: featurizer, box, views and place.
        seed: of the views of training.
        cache_bytes: bound on the cache of encoded structures.
        compact: atoms of training batches travel as kinds where they can (:func:`travels_as_kinds`). Not for several
            devices that split a batch: they would split the table of kinds too.
    """

    def __init__(
        self,
        pairs: Pairs,
        imaging: Imaging,
        seed: int = 0,
        cache_bytes: int = CACHE_BYTES,
        compact: bool = False,
    ) -> None:
        self.pairs = pairs
        self.imaging = imaging
        self.seed = seed
        #: atoms travel to the device as their kinds; None: with all numbers
        self.kinds = Kinds(imaging.featurizer.name) if compact and travels_as_kinds(imaging) else None
        self.encoded = EncodedStructures(pairs, imaging.featurizer, cache_bytes, self.kinds)
        self._own_image = makes_own_image(imaging.featurizer)
        self._buffers = Buffers()

    def training(
        self, rows: NDArray[np.int64], epoch: int, copies: NDArray[np.int64] | None = None
    ) -> Inputs:
        """Make a batch in the random views of an epoch.

        Args:
            rows: (B,) row numbers.
            epoch: Epoch of the training, from 0 (the log counts from 1).
            copies: (B,) how often each row was shown before in this epoch; None: never.
        """
        # each copy draws its own view: for the random numbers it counts as a row beyond the last
        drawn = rows if copies is None else rows + copies * len(self.pairs)
        loaded = self._load_all(rows)
        rotations, shifts = views.draw(
            self.imaging.views, self.imaging.box, self.seed, epoch, drawn, table_of_pairs(loaded)
        )
        return self._make(rows, loaded, rotations, shifts, compact=True)

    def evaluation(self, rows: NDArray[np.int64], view: views.View = views.AS_GIVEN) -> Inputs:
        """Make a batch in one view, the same for each row.

        Args:
            rows: (B,) row numbers.
            view: rotation and shift of each complex.
        """
        return self._make(rows, self._load_all(rows), *view.of(len(rows)))

    def _load_all(self, rows: NDArray[np.int64]) -> Loaded:
        found = self.encoded.many(structures_of(self.pairs, rows))
        return list(zip(found[::2], found[1::2], strict=True))

    def _make(
        self,
        rows: NDArray[np.int64],
        loaded: Loaded,
        rotations: NDArray[np.float32],
        shifts: NDArray[np.float32],
        compact: bool = False,
    ) -> Inputs:
        if self._own_image:
            return {"image": self._own_images(rows, rotations, shifts)}
        if self.imaging.place == "host":
            return {"image": self._images(loaded, rotations, shifts)}
        kinds = self.kinds if compact else None
        return pad_atoms(loaded, rotations, shifts, self.imaging, self._buffers, kinds)

    def _images(
        self,
        loaded: Loaded,
        rotations: NDArray[np.float32],
        shifts: NDArray[np.float32],
        means: bool = False,
    ) -> NDArray[np.float32]:
        """Make the images, or (``means``) the means of 2 x 2 x 2 voxels of gaussian ones."""
        kind, box = self.imaging.featurizer.voxelization, self.imaging.box
        side, channels = box.side // 2 if means else box.side, self.imaging.image_shape[-1]
        shape = (len(loaded), side, side, side, channels)
        images = self._buffers.array(np.float32, math.prod(shape)).reshape(shape)
        if any(part.encoding.values is not None for pair in loaded for part in pair):
            for i, pair in enumerate(loaded):
                parts = [(part.xyz, part.encoding) for part in pair]
                view = (pair[1].centre, rotations[i], shifts[i])
                if means:
                    kernels.voxelize_means(box, channels, parts, *view, out=images[i])
                else:
                    kernels.voxelize(kind, box, channels, parts, *view, out=images[i])
        else:
            atoms = pack(loaded, rotations, shifts, self.imaging, self._buffers)
            assembly.images(kind, box, atoms, rotations, shifts, images, means)
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


def table_of_pairs(loaded: Loaded) -> assembly.Table:
    """Describe pairs to compiled code; the caller keeps them.

    Args:
        loaded: Encoded receptor and ligand of each of B rows.
    """
    return assembly.table_of([part.record for pair in loaded for part in pair])


def pad_atoms(
    loaded: Loaded,
    rotations: NDArray[np.float32],
    shifts: NDArray[np.float32],
    imaging: Imaging,
    buffers: Buffers | None = None,
    kinds: Kinds | None = None,
) -> Inputs:
    """Crop each pair to the atoms that its box can hold and pad the batch to one of ``PADDED_SIZES``.

    Args:
        loaded: Encoded receptor and ligand of each of B rows.
        rotations: (B, 3, 3).
        shifts: (B, 3) Å.
        imaging: Featurizer and box.
        buffers: Memory to reuse; None: new arrays.
        kinds: Of the encoded atoms; None: radius, channel and value travel themselves.

    Returns:
        The dict that :mod:`affinity_zoo.featurizers.layers` describes: ``xyz`` (B, N, 3) relative to the
        ligand's centre, ``channel`` and ``value`` (B, N) or ``values`` (B, N, C), ``radius`` (B, N),
        ``rotation`` (B, 3, 3), ``shift`` (B, 3). With ``kinds``: ``kind`` (B, N) and the table ``kinds`` instead.
    """
    rotations, shifts = np.ascontiguousarray(rotations, np.float32), np.ascontiguousarray(shifts, np.float32)
    atoms = pack(loaded, rotations, shifts, imaging, buffers or Buffers(), kinds is not None)
    # the table is read after the atoms were encoded: it has all of their kinds
    looked_up = {} if kinds is None else {"kinds": kinds.table}
    return {**atoms.arrays, **looked_up, "rotation": rotations, "shift": shifts}


def pack(
    loaded: Loaded,
    rotations: NDArray[np.float32],
    shifts: NDArray[np.float32],
    imaging: Imaging,
    buffers: Buffers,
    compact: bool = False,
) -> assembly.Packed:
    """Crop the atoms of each pair to its box and pad them to one of ``PADDED_SIZES``.

    Args:
        loaded: Encoded receptor and ligand of each of B rows.
        rotations: (B, 3, 3).
        shifts: (B, 3) Å.
        imaging: Featurizer and box.
        buffers: Memory to reuse; None: new arrays.
        compact: Write the kinds of the atoms.
    """
    table = table_of_pairs(loaded)
    return assembly.pack(table, rotations, shifts, crop_of(imaging), _SIZES, buffers.array, compact)


def crop_of(imaging: Imaging) -> assembly.Crop:
    """Return which atoms of a pose travel: those that the image can show.

    A layer of a plugin's own gets all that the box could hold in any rotation, with what lies within 1.5 radii and
    half a voxel of it.

    Args:
        imaging: Featurizer and box.
    """
    box, featurizer = imaging.box, imaging.featurizer
    if featurizer.voxelizer(box) is not None:
        return assembly.Crop(0.5 * box.extent + 0.5 * box.spacing, 1.5, turned=False)
    # voxels are the same for cells and for points
    half = 0.5 * box.side * box.spacing + _MARGIN
    return assembly.Crop(half, kernels.REACH[featurizer.voxelization], turned=True)


def padded_size(n: int) -> int:
    """Return the smallest of ``PADDED_SIZES`` that holds n atoms, or the next multiple of the largest.

    Args:
        n: Number of atoms.
    """
    for size in PADDED_SIZES:
        if n <= size:
            return size
    return -(-n // PADDED_SIZES[-1]) * PADDED_SIZES[-1]
