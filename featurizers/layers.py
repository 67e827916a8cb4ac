"""From encoded atoms to an image on the device: Keras layers that run under every backend.

The same images as :func:`affinity_zoo.featurizers.kernels.voxelize` makes on the CPU. Only atoms travel to
the accelerator. A layer takes a dict; N atoms are padded to the same number in each of B samples:

=============  ==================  ==========================================================
``xyz``        (B, N, 3) float32   Å relative to the centre of the ligand
``channel``    (B, N) int32        index into the image's last axis, -1 = padding, not imaged
``value``      (B, N) float32      value written to the channel
``radius``     (B, N) float32      Å, not above the layer's ``max_radius``; ``nearest`` ignores it
``rotation``   (B, 3, 3) float32   matrix R: a point p goes to ``R @ p + shift``
``shift``      (B, 3) float32      Å
=============  ==================  ==========================================================

For atoms with a value in each channel, ``values`` (B, N, C) float32 stands instead of ``channel`` and
``value``. Where atoms have few kinds, ``kind`` (B, N) uint8 and the table ``kinds`` (256, 3) float32 of radius, channel
and value stand instead of all three: half the bytes.

Positions are computed in float32 under every precision policy; only the image is cast. Atoms are
written through ``segment_sum`` and ``segment_max``, a few samples at a time, so that memory is bounded.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import keras
from keras import ops

from affinity_zoo.plugins.contracts import Box, Featurizer

PACKAGE = "affinity_zoo"  #: the name under which Keras knows these layers
DEFAULT_MAX_RADIUS = 3.0  #: Å, for featurizers that do not state one

Inputs = dict[str, Any]


class Voxelizer(keras.layers.Layer):
    """Base class of the three voxelizers.

    Args:
        side, spacing, grid: the box, see :class:`affinity_zoo.plugins.contracts.Box`.
        channels: C, the length of the image's last axis.
        max_radius: Å; the largest radius that an atom may have. Density further than this would allow is
            cut off, so it must not be too small; time grows with its cube.
        max_entries: voxel updates computed at a time, which bounds memory (about 40 bytes each).
    """

    reach: ClassVar[float] = 0.0  #: an atom reaches voxels within this many radii

    def __init__(
        self,
        side: int,
        spacing: float,
        channels: int,
        grid: str = "cells",
        max_radius: float = DEFAULT_MAX_RADIUS,
        max_entries: int = 4_000_000,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        self.box = Box(side, spacing, grid)  # type: ignore[arg-type]
        self.channels = channels
        self.max_radius = max_radius
        self.max_entries = max_entries

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, for saving."""
        return {
            **super().get_config(),
            "side": self.box.side,
            "spacing": self.box.spacing,
            "channels": self.channels,
            "grid": self.box.grid,
            "max_radius": self.max_radius,
            "max_entries": self.max_entries,
        }

    def compute_output_shape(self, input_shape: dict[str, Any]) -> tuple[int | None, ...]:
        """(B, D, D, D, C)."""
        return (input_shape["xyz"][0], *(self.box.side,) * 3, self.channels)

    def call(self, inputs: Inputs) -> Any:
        """Make the images, (B, D, D, D, C), in groups of samples that fit ``max_entries``."""
        if "kind" in inputs:
            inputs = _looked_up(inputs)
        names = ("xyz", "rotation", "shift", "radius", "value", "values")
        floats = {name: ops.cast(inputs[name], "float32") for name in names if name in inputs}
        if "channel" in inputs:
            floats["channel"] = ops.cast(inputs["channel"], "int32")
        batch, atoms = ops.shape(floats["xyz"])[:2]
        groups, group = self._groups(batch, atoms)
        if isinstance(groups, int) and groups == 1:
            image = self._images(floats)
        else:
            image = self._grouped(floats, batch, groups, group)
        return ops.cast(image, self.compute_dtype)

    def _groups(self, batch: Any, atoms: Any) -> tuple[Any, Any]:
        """Number of groups of samples, of about equal size, and samples in one; tensors where an axis is unknown."""
        known = isinstance(batch, int) and isinstance(atoms, int)
        larger, smaller = (max, min) if known else (ops.maximum, ops.minimum)
        indexable = max(1, (2**31 - 1) // (self.box.side**3 * self.channels) - 1)
        fitting = larger(1, self.max_entries // larger(atoms * self._window() ** 3, 1))
        # never more than there are: where axes are unknown, padding to a full group took gigabytes
        group = larger(1, smaller(smaller(fitting, indexable), batch))
        groups = (batch + group - 1) // group
        return groups, (batch + groups - 1) // larger(groups, 1)

    def _grouped(self, inputs: Inputs, batch: Any, groups: Any, group: Any) -> Any:
        missing = groups * group - batch

        def split(tensor: Any) -> Any:
            rest = tuple(ops.shape(tensor))[1:]
            padding = [[0, missing]] + [[0, 0]] * len(rest)
            return ops.reshape(ops.pad(tensor, padding), (groups, group, *rest))

        images = ops.map(self._images, {name: split(tensor) for name, tensor in inputs.items()})
        shape = (groups * group, *(self.box.side,) * 3, self.channels)
        return ops.reshape(images, shape)[:batch]

    def _window(self) -> int:
        """Voxels along an edge of the cube that holds all voxels an atom reaches."""
        return math.floor(2 * self.reach * self.max_radius / self.box.spacing) + 1

    def _positions(self, inputs: Inputs) -> list[Any]:
        """x, y, z after the move, each (B, N), in voxels from voxel 0's centre. No matmul: it may round."""
        x, y, z = (inputs["xyz"][..., axis] for axis in range(3))
        rotation, shift = inputs["rotation"], inputs["shift"]
        middle = (self.box.side - 1) / 2
        return [
            (
                rotation[:, axis, 0, None] * x
                + rotation[:, axis, 1, None] * y
                + rotation[:, axis, 2, None] * z
                + shift[:, axis, None]
            )
            * (1.0 / self.box.spacing)
            + middle
            for axis in range(3)
        ]

    def _images(self, inputs: Inputs) -> Any:
        raise NotImplementedError

    def _reduce(self, inputs: Inputs, voxel: Any, weight: Any, largest: bool) -> Any:
        """Collect voxel updates into images.

        Args:
            voxel: (B, N, K) int32, which voxel of the sample; -1: none.
            weight: (B, N, K) float32 density, or None for 1.
            largest: keep the largest amount; else add.
        """
        batch = ops.shape(voxel)[0]
        volume = self.box.side**3
        sample = ops.cast(ops.arange(batch), "int32")[:, None, None] * volume
        slots = batch * volume * (1 if "values" in inputs else self.channels)
        if "values" in inputs:
            amount = inputs["values"][:, :, None, :]
            keep = ops.broadcast_to((voxel >= 0)[..., None], (*tuple(ops.shape(voxel)), self.channels))
            segment = ops.where(voxel >= 0, sample + voxel, slots)
            trailing = [self.channels]
            weight = None if weight is None else weight[..., None]
        else:
            amount = inputs["value"][:, :, None]
            channel = inputs["channel"][:, :, None]
            keep = (voxel >= 0) & (channel >= 0)
            segment = ops.where(keep, (sample + voxel) * self.channels + channel, slots)
            trailing = []
        amount = ops.broadcast_to(amount, ops.shape(keep))
        segment = ops.reshape(segment, (-1,))
        if largest:
            nothing = -3.0e38
            amount = ops.where(keep & (amount != 0), amount, nothing)
            image = ops.segment_max(ops.reshape(amount, (-1, *trailing)), segment, slots + 1)[:-1]
            image = ops.where(image > nothing, image, 0.0)
        else:
            amount = amount if weight is None else amount * weight
            amount = ops.where(keep, amount, 0.0)
            image = ops.segment_sum(ops.reshape(amount, (-1, *trailing)), segment, slots + 1)[:-1]
        return ops.reshape(image, (batch, *(self.box.side,) * 3, self.channels))


def _looked_up(inputs: Inputs) -> Inputs:
    """Radius, channel and value of each atom from its kind."""
    atoms = ops.take(ops.cast(inputs["kinds"], "float32"), ops.cast(inputs["kind"], "int32"), axis=0)
    radius, channel, value = (atoms[..., column] for column in range(3))
    return {**inputs, "radius": radius, "channel": channel, "value": value}


@keras.saving.register_keras_serializable(package=PACKAGE)
class NearestVoxelizer(Voxelizer):
    """The voxel that holds an atom gets the atom's value, the largest where several atoms meet."""

    def _images(self, inputs: Inputs) -> Any:
        side = self.box.side
        cells = [ops.floor(position + 0.5) for position in self._positions(inputs)]
        inside = [(cell >= 0) & (cell < side) for cell in cells]
        # Compared before the cast to int32, which is undefined for what it cannot hold.
        x, y, z = (ops.cast(ops.clip(cell, 0, side - 1), "int32") for cell in cells)
        voxel = ops.where(inside[0] & inside[1] & inside[2], (x * side + y) * side + z, -1)
        return self._reduce(inputs, voxel[..., None], None, largest=True)


class _WindowVoxelizer(Voxelizer):
    """Computes every voxel of a cube around each atom that holds all voxels the atom can reach."""

    def _window_voxels(self, inputs: Inputs) -> tuple[Any, Any]:
        """Voxel numbers (-1 outside the box) and (distance / radius)², both (B, N, K³)."""
        side, window = self.box.side, self._window()
        half = self.reach * self.max_radius / self.box.spacing
        radius = inputs["radius"] * (1.0 / self.box.spacing)
        offsets = ops.arange(window, dtype="float32")
        cells, inside, squares = [], [], []
        for position in self._positions(inputs):
            cell = ops.ceil(position - half)[..., None] + offsets
            squares.append(ops.square(cell - position[..., None]))
            inside.append((cell >= 0) & (cell < side))
            cells.append(ops.cast(ops.clip(cell, 0, side - 1), "int32"))
        x, y, z = (_spread(cells, axis) for axis in range(3))
        there = _spread(inside, 0) & _spread(inside, 1) & _spread(inside, 2) & _wide(radius > 0)
        scale = 1.0 / ops.square(ops.where(radius > 0, radius, 1.0))
        scaled = (_spread(squares, 0) + _spread(squares, 1) + _spread(squares, 2)) * _wide(scale)
        voxel = ops.where(there & (scaled < self.reach**2), (x * side + y) * side + z, -1)
        shape = (*tuple(ops.shape(radius)), window**3)
        return ops.reshape(voxel, shape), ops.reshape(scaled, shape)


@keras.saving.register_keras_serializable(package=PACKAGE)
class BinaryVoxelizer(_WindowVoxelizer):
    """Voxels nearer to an atom than its radius get the atom's value, the largest where several atoms meet."""

    reach = 1.0

    def _images(self, inputs: Inputs) -> Any:
        voxel, _ = self._window_voxels(inputs)
        return self._reduce(inputs, voxel, None, largest=True)


@keras.saving.register_keras_serializable(package=PACKAGE)
class GaussianVoxelizer(_WindowVoxelizer):
    """libmolgrid's density: with x = distance / radius, exp(-2 x²) up to 1, e⁻² (2x - 3)² up to 1.5. Adds."""

    reach = 1.5

    def _images(self, inputs: Inputs) -> Any:
        voxel, scaled = self._window_voxels(inputs)
        # the tail is used from 1 on; below, the root's slope would make the gradient at 0 not a number
        tail = math.exp(-2.0) * ops.square(2.0 * ops.sqrt(ops.maximum(scaled, 1.0)) - 3.0)
        density = ops.where(scaled <= 1.0, ops.exp(-2.0 * scaled), tail)
        return self._reduce(inputs, voxel, density, largest=False)


def _spread(axes: list[Any], axis: int) -> Any:
    """(B, N, K) of one axis as (B, N, K, 1, 1), (B, N, 1, K, 1) or (B, N, 1, 1, K)."""
    index: list[Any] = [slice(None), slice(None), None, None, None]
    index[2 + axis] = slice(None)
    return axes[axis][tuple(index)]


def _wide(tensor: Any) -> Any:
    return tensor[..., None, None, None]


VOXELIZERS: dict[str, type[Voxelizer]] = {
    "nearest": NearestVoxelizer,
    "binary": BinaryVoxelizer,
    "gaussian": GaussianVoxelizer,
}


def max_radius(featurizer: Featurizer) -> float:
    """The largest radius that a featurizer gives, Å: its attribute ``max_radius``, or 3 Å.

    Args:
        featurizer: An instance with its options.
    """
    return float(getattr(featurizer, "max_radius", DEFAULT_MAX_RADIUS))


def for_featurizer(featurizer: Featurizer, box: Box) -> keras.layers.Layer:
    """The layer that makes a featurizer's images: its own, or the one that its ``voxelization`` names.

    Args:
        featurizer: An instance with its options.
        box: Voxels along a side, and their spacing in Å.
    """
    own = featurizer.voxelizer(box)
    if own is not None:
        return own
    return VOXELIZERS[featurizer.voxelization](
        side=box.side,
        spacing=box.spacing,
        channels=len(featurizer.channels),
        grid=box.grid,
        max_radius=max_radius(featurizer),
        name="voxelizer",
    )


def custom_objects() -> dict[str, type]:
    """The layers of this module by their registered names, for loading a model."""
    return {f"{PACKAGE}>{layer.__name__}": layer for layer in VOXELIZERS.values()}
