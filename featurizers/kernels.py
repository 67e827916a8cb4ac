"""From encoded atoms to an image on the CPU: compiled, one core, without holding the GIL.

The same images as the layers of :mod:`affinity_zoo.featurizers.layers` make on a device.

``nearest``
    The voxel that holds an atom's centre gets the atom's value.
``binary``
    Voxels whose centre is nearer to the atom than its radius get the atom's value.
``gaussian``
    Voxels get value times density, with x = distance / radius: exp(-2 x²) up to x = 1,
    e⁻² (2 x - 3)² up to x = 1.5, 0 beyond (libmolgrid's density). Contributions add.

With ``nearest`` and ``binary`` the largest value stays where several atoms meet; 0 means "nothing here",
so an atom of value 0 is not imaged. ``Box.grid`` changes the extent, not the sampled positions: a box of
points and one of cells with the same side and spacing give the same image.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers import _compiled
from affinity_zoo.plugins.contracts import Box, Encoding, Voxelization

Part = tuple[NDArray[np.float32], Encoding]  #: xyz (n, 3) in Å, and the encoding of the same atoms

REACH = {"nearest": 0.0, "binary": 1.0, "gaussian": 1.5}  #: in radii
_NO_VALUE, _NO_CHANNEL = np.empty(0, np.float32), np.empty(0, np.int32)
_local = threading.local()


def voxelize(
    kind: Voxelization,
    box: Box,
    n_channels: int,
    parts: Sequence[Part],
    centre: NDArray[np.float32],
    rotation: NDArray[np.float32],
    shift: NDArray[np.float32],
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Make one image.

    Args:
        kind: ``nearest``, ``binary`` or ``gaussian``.
        box: centred at 0 after the move.
        n_channels: C.
        parts: receptor and ligand (or any number of sets of atoms), where they are stored, not moved.
        centre: (3,) Å, subtracted first (:func:`affinity_zoo.featurizers.views.centre`).
        rotation: (3, 3) matrix R; a point p goes to ``R @ (p - centre) + shift``.
        shift: (3,) Å.
        out: (D, D, D, C) float32, contiguous and writeable, overwritten; None: a new array.

    Returns:
        The image, (D, D, D, C) float32, channels last.
    """
    side = box.side
    if out is None:
        out = np.empty((side, side, side, n_channels), np.float32)
    elif out.shape != (side, side, side, n_channels):
        raise ValueError(f"out has the shape {out.shape}, not {(side, side, side, n_channels)}")
    centre, rotation, shift = _floats(centre), _floats(rotation), _floats(shift)
    if kind == "nearest":
        _nearest(box, parts, centre, rotation, shift, out)
    elif kind in REACH:
        _density(kind, box, parts, centre, rotation, shift, out)
    else:
        raise ValueError(f"voxelization is nearest, binary or gaussian, not {kind!r}")
    return out


def voxelize_means(
    box: Box,
    n_channels: int,
    parts: Sequence[Part],
    centre: NDArray[np.float32],
    rotation: NDArray[np.float32],
    shift: NDArray[np.float32],
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Make a gaussian image averaged over 2 x 2 x 2 voxels: what a network that begins with average pooling sees.

    It takes less time than the image itself, and an eighth of the memory is written. Differs from the mean of
    :func:`voxelize`'s voxels by float32 rounding.

    Args:
        box: with an even side.
        n_channels, parts, centre, rotation, shift: as for :func:`voxelize`; encodings by channel.
        out: (D / 2, D / 2, D / 2, C) float32, overwritten; None: a new array.

    Returns:
        (D / 2, D / 2, D / 2, C) float32.
    """
    half = box.side // 2
    if box.side % 2:
        raise ValueError(f"a box of {box.side} voxels cannot be halved")
    if any(encoding.values is not None for _, encoding in parts):
        raise ValueError("means are made of encodings by channel, not by values")
    shape = (half, half, half, n_channels)
    if out is None:
        out = np.empty(shape, np.float32)
    elif out.shape != shape:
        raise ValueError(f"out has the shape {out.shape}, not {shape}")
    _density("gaussian", box, parts, _floats(centre), _floats(rotation), _floats(shift), out, means=True)
    return out


def visible(
    kind: Voxelization,
    box: Box,
    xyz: NDArray[np.float32],
    encoding: Encoding,
    centre: NDArray[np.float32],
    rotation: NDArray[np.float32],
    shift: NDArray[np.float32],
) -> NDArray[np.int32]:
    """Numbers of the atoms that can leave a trace in a view's image: the others need not travel to a device.

    Args:
        kind, box, centre, rotation, shift: as for :func:`voxelize`.
        xyz, encoding: one part.

    Returns:
        (m,) int32, ascending. Atoms that are not imaged (channel -1) are left out.
    """
    selected = np.empty(len(xyz), np.int32)
    half = 0.5 * box.side * box.spacing + 1e-3
    n = _compiled.select(
        _floats(xyz), _floats(encoding.radius), _floats(centre), _floats(rotation), _floats(shift),
        REACH[kind], half, selected,
    )  # fmt: skip
    selected = selected[:n]
    if encoding.channel is not None:
        return selected[encoding.channel[selected] >= 0]
    return selected


def _floats(array: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(array, np.float32)


def _nearest(
    box: Box,
    parts: Sequence[Part],
    centre: NDArray[np.float32],
    rotation: NDArray[np.float32],
    shift: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    channels = out.shape[3]
    _compiled.clear(out)
    for xyz, encoding in parts:
        _check(xyz, encoding, channels)
        if encoding.values is None:
            channel, value = _channel_and_value(encoding)
            values = np.empty((0, channels), np.float32)
        else:
            channel, value, values = _NO_CHANNEL, _NO_VALUE, _floats(encoding.values)
        if not _compiled.nearest(
            _floats(xyz), channel, value, values, centre, rotation, shift, box.spacing, out
        ):
            raise _no_such_channel(encoding, channels)


def _density(
    kind: Voxelization,
    box: Box,
    parts: Sequence[Part],
    centre: NDArray[np.float32],
    rotation: NDArray[np.float32],
    shift: NDArray[np.float32],
    out: NDArray[np.float32],
    means: bool = False,
) -> None:
    channels, reach, binary = out.shape[3], REACH[kind], kind == "binary"
    capacity = sum(len(xyz) for xyz, _ in parts)
    placed, where = np.empty((capacity, 5), np.float32), np.empty(capacity, np.int32)
    by_values = any(encoding.values is not None for _, encoding in parts)
    amounts = [np.empty((0, channels), np.float32)]
    n = 0
    for xyz, encoding in parts:
        _check(xyz, encoding, channels)
        if by_values:
            values = _all_values(encoding, channels)
            # The number of the atom takes the place of the channel: it finds the atom's values again.
            channel = np.where(values.any(axis=1), np.arange(len(values), dtype=np.int32), np.int32(-1))
            value, last = _NO_VALUE, len(values)
        else:
            channel, value = _channel_and_value(encoding)
            last = channels
        first = n
        n = _compiled.place(
            _floats(xyz), _floats(encoding.radius), channel, value, centre, rotation, shift,
            reach, box.spacing, box.side, last, first, placed, where,
        )  # fmt: skip
        if n < 0:
            raise _no_such_channel(encoding, channels)
        if by_values:
            amounts.append(values[where[first:n]])
    widest = float(placed[:n, 3].max(initial=0.0))
    if not np.isfinite(widest):
        raise ValueError("the encoding has a radius that is not a number")
    width = _compiled.lanes(widest, reach)
    if by_values:
        _compiled.fill_values(placed, np.concatenate(amounts), n, binary, reach, width, out)
    else:
        table, scratch, masks = _scratch(n, box.side, channels, width)
        if means:
            _compiled.fill_means(placed, where, n, reach, width, table, scratch, masks, out)
            return
        _compiled.fill(placed, where, n, binary, reach, width, table, scratch, masks, out)


def _scratch(
    n: int, side: int, channels: int, width: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint64]]:
    """This thread's working memory. It is kept between images: new memory costs as much as a small image."""
    key = (side, channels, width)
    if getattr(_local, "key", None) != key:
        _local.key = None
        lengths = _compiled.scratch_shapes(side, channels, width)
        _local.scratch, _local.masks = np.zeros(lengths[0], np.float32), np.zeros(lengths[1], np.uint64)
        _local.table = np.empty(0, np.float32)
        _local.key = key
    if len(_local.table) < 6 * n * width:
        _local.table = np.empty(12 * n * width, np.float32)
    return _local.table, _local.scratch, _local.masks


def _no_such_channel(encoding: Encoding, n_channels: int) -> ValueError:
    highest = -1 if encoding.channel is None else encoding.channel.max()
    return ValueError(f"the encoding uses channel {highest}, but the image has {n_channels} (from 0)")


def _channel_and_value(encoding: Encoding) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    if encoding.channel is None:
        raise ValueError("an Encoding needs either channel or values")
    value = _NO_VALUE if encoding.value is None else _floats(encoding.value)
    return np.ascontiguousarray(encoding.channel, np.int32), value


def _all_values(encoding: Encoding, n_channels: int) -> NDArray[np.float32]:
    """(n, C) amounts, also for an encoding with channel and value."""
    if encoding.values is not None:
        return _floats(encoding.values)
    channel, value = _channel_and_value(encoding)
    values = np.zeros((len(channel), n_channels), np.float32)
    used = np.flatnonzero(channel >= 0)
    values[used, channel[used]] = value[used] if len(value) else 1.0
    return values


def _check(xyz: NDArray[np.float32], encoding: Encoding, n_channels: int) -> None:
    """Shapes: the compiled loops check no bounds, so with a wrong one they would write anywhere."""
    n = len(xyz)
    for array in (encoding.radius, encoding.channel, encoding.value):
        if array is not None and array.shape != (n,):
            raise ValueError(f"the encoding has an array of shape {array.shape} for {n} atoms")
    if encoding.values is not None and encoding.values.shape != (n, n_channels):
        raise ValueError(
            f"the encoding's values have the shape {encoding.values.shape}, not {(n, n_channels)}"
        )
