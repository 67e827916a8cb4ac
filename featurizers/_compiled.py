"""The compiled loops behind :mod:`affinity_zoo.featurizers.kernels`.

Every function is compiled once, for explicit types (read-only inputs, since the store is a read-only memory
map; a writeable array is accepted in their place), releases the GIL, and is cached on disk where a cache
folder can be written. Positions are counted in voxels from voxel 0's centre once an atom has been placed.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit, types

_F = TypeVar("_F", bound=Callable[..., Any])
_log = logging.getLogger(__name__)

_f4, _i8 = types.float32, types.int64
_vector = types.Array(_f4, 1, "C", readonly=True)
_matrix = types.Array(_f4, 2, "C", readonly=True)
_indices = types.Array(types.int32, 1, "C", readonly=True)
_vector_out = types.Array(_f4, 1, "C")
_matrix_out = types.Array(_f4, 2, "C")
_indices_out = types.Array(types.int32, 1, "C")
_image_out = types.Array(_f4, 4, "C")

_LANES = 16  # voxels computed at a time along z: one AVX-512 register, two of AVX2
_TAIL = np.float32(math.exp(-2.0))
# exp(-2 t) on [0, 1] as a polynomial (Chebyshev interpolation of degree 8, largest error 1e-8).
_EXP = tuple(
    np.float32(c)
    for c in np.polynomial.chebyshev.Chebyshev.interpolate(lambda t: np.exp(-2.0 * t), 8, domain=(0, 1))
    .convert(kind=np.polynomial.Polynomial)
    .coef
)
_E0, _E1, _E2, _E3, _E4, _E5, _E6, _E7, _E8 = _EXP


def _compile(*signatures: Any) -> Callable[[_F], _F]:
    """Compile for these signatures; without a cache where numba finds no folder that it can write."""

    def decorate(function: _F) -> _F:
        options = {"nogil": True, "fastmath": {"contract", "nsz", "arcp"}, "error_model": "numpy"}
        try:
            return njit(list(signatures), cache=True, **options)(function)
        except (RuntimeError, OSError) as error:
            _log.info("compiled kernels are not cached: %s", error)
            return njit(list(signatures), **options)(function)

    return decorate


@_compile(types.void(_image_out))
def clear(out):  # type: ignore[no-untyped-def]
    """Set an image to zero."""
    flat = out.reshape(out.size)
    for i in range(flat.size):
        flat[i] = 0.0


@_compile(
    types.void(_matrix, _indices, _vector, _vector, _matrix, _vector, _f4, _image_out),
)
def nearest(xyz, channel, value, centre, rotation, shift, spacing, out):  # type: ignore[no-untyped-def]
    """Write each atom's value into the voxel that holds it; the largest value stays. ``out`` is not cleared.

    ``value`` may be empty: 1.0 for all. A value of 0 is not imaged.
    """
    side = out.shape[0]
    r = rotation
    half, scale = np.float32(0.5 * side), np.float32(1.0) / spacing
    top = np.float32(side)
    for i in range(xyz.shape[0]):
        x, y, z = xyz[i, 0] - centre[0], xyz[i, 1] - centre[1], xyz[i, 2] - centre[2]
        gx = (r[0, 0] * x + r[0, 1] * y + r[0, 2] * z + shift[0]) * scale + half
        gy = (r[1, 0] * x + r[1, 1] * y + r[1, 2] * z + shift[1]) * scale + half
        gz = (r[2, 0] * x + r[2, 1] * y + r[2, 2] * z + shift[2]) * scale + half
        inside = (gx >= 0) & (gx < top) & (gy >= 0) & (gy < top) & (gz >= 0) & (gz < top)
        if inside and channel[i] >= 0:
            new = value[i] if value.size else np.float32(1.0)
            old = out[int(gx), int(gy), int(gz), channel[i]]
            if new != 0 and (old == 0 or new > old):
                out[int(gx), int(gy), int(gz), channel[i]] = new


@_compile(types.void(_matrix, _matrix, _vector, _matrix, _vector, _f4, _image_out))
def nearest_values(xyz, values, centre, rotation, shift, spacing, out):  # type: ignore[no-untyped-def]
    """As :func:`nearest`, for atoms with a value in each channel; zeros are not imaged."""
    side = out.shape[0]
    r = rotation
    half, scale = np.float32(0.5 * side), np.float32(1.0) / spacing
    top = np.float32(side)
    for i in range(xyz.shape[0]):
        x, y, z = xyz[i, 0] - centre[0], xyz[i, 1] - centre[1], xyz[i, 2] - centre[2]
        gx = (r[0, 0] * x + r[0, 1] * y + r[0, 2] * z + shift[0]) * scale + half
        gy = (r[1, 0] * x + r[1, 1] * y + r[1, 2] * z + shift[1]) * scale + half
        gz = (r[2, 0] * x + r[2, 1] * y + r[2, 2] * z + shift[2]) * scale + half
        if (gx >= 0) & (gx < top) & (gy >= 0) & (gy < top) & (gz >= 0) & (gz < top):
            for c in range(values.shape[1]):
                new = values[i, c]
                old = out[int(gx), int(gy), int(gz), c]
                if new != 0 and (old == 0 or new > old):
                    out[int(gx), int(gy), int(gz), c] = new


@_compile(
    _i8(
        _matrix, _vector, _indices, _vector, _vector, _matrix, _vector,
        _f4, _f4, _i8, _i8, _matrix_out, _indices_out,
    )
)  # fmt: skip
def place(  # type: ignore[no-untyped-def]
    xyz, radius, channel, value, centre, rotation, shift, reach, spacing, side, first, placed, where
):
    """Rotate, shift and crop: append the atoms that reach a voxel.

    Args:
        reach: an atom reaches voxels within ``reach`` times its radius.
        first: how many atoms ``placed`` already holds.
        placed: (capacity, 5) written: x, y, z and radius in voxels, value.
        where: (capacity,) written: the channel.

    Returns:
        How many atoms ``placed`` holds now.
    """
    r = rotation
    half, scale = np.float32(0.5 * (side - 1)), np.float32(1.0) / spacing
    n = first
    for i in range(xyz.shape[0]):
        x, y, z = xyz[i, 0] - centre[0], xyz[i, 1] - centre[1], xyz[i, 2] - centre[2]
        gx = (r[0, 0] * x + r[0, 1] * y + r[0, 2] * z + shift[0]) * scale
        gy = (r[1, 0] * x + r[1, 1] * y + r[1, 2] * z + shift[1]) * scale
        gz = (r[2, 0] * x + r[2, 1] * y + r[2, 2] * z + shift[2]) * scale
        limit = half + reach * radius[i] * scale
        inside = (abs(gx) <= limit) & (abs(gy) <= limit) & (abs(gz) <= limit)
        if inside and channel[i] >= 0:
            amount = value[i] if value.size else np.float32(1.0)
            if amount != 0 and radius[i] > 0:
                placed[n, 0], placed[n, 1], placed[n, 2] = gx + half, gy + half, gz + half
                placed[n, 3], placed[n, 4] = radius[i] * scale, amount
                where[n] = channel[i]
                n += 1
    return n


@_compile(_i8(_matrix, _vector, _vector, _matrix, _vector, _f4, _f4, _indices_out))
def select(xyz, radius, centre, rotation, shift, reach, half, selected):  # type: ignore[no-untyped-def]
    """Write the numbers of the atoms that can reach a voxel of a view.

    Args:
        half: half the box in Å, plus what the comparison may be wrong by.
        selected: (n,) written.

    Returns:
        How many there are.
    """
    r = rotation
    n = 0
    for i in range(xyz.shape[0]):
        x, y, z = xyz[i, 0] - centre[0], xyz[i, 1] - centre[1], xyz[i, 2] - centre[2]
        gx = r[0, 0] * x + r[0, 1] * y + r[0, 2] * z + shift[0]
        gy = r[1, 0] * x + r[1, 1] * y + r[1, 2] * z + shift[1]
        gz = r[2, 0] * x + r[2, 1] * y + r[2, 2] * z + shift[2]
        limit = half + reach * radius[i]
        if (abs(gx) <= limit) & (abs(gy) <= limit) & (abs(gz) <= limit):
            selected[n] = i
            n += 1
    return n


@_compile(types.void(_matrix, _indices, _matrix, _i8, types.boolean, _f4, _image_out))
def fill(placed, where, values, n, binary, reach, out):  # type: ignore[no-untyped-def]
    """Clear the image and add the density of the first ``n`` placed atoms.

    Args:
        placed, where: from :func:`place`.
        values: (n, C) amounts by channel instead of ``where`` and ``placed[:, 4]``; (0, C): unused.
        binary: 1 inside the radius, the largest amount stays; else gaussian density, amounts add.
        reach: as for :func:`place`.
        out: (D, D, D, C).
    """
    side, channels = out.shape[0], out.shape[3]
    flat = out.reshape(out.size)
    by_channel = values.shape[0] == 0
    # The planes that each atom reaches: a list of atoms for each plane.
    starts = np.zeros(side + 1, np.int64)
    spans = np.empty((n, 2), np.int32)
    for a in range(n):
        extent = reach * placed[a, 3]
        low = max(0, math.ceil(placed[a, 0] - extent))
        high = min(side - 1, math.floor(placed[a, 0] + extent))
        spans[a, 0], spans[a, 1] = low, high
        for x in range(low, high + 1):
            starts[x + 1] += 1
    for x in range(side):
        starts[x + 1] += starts[x]
    members = np.empty(starts[side], np.int32)
    ends = starts[:side].copy()
    for a in range(n):
        for x in range(spans[a, 0], spans[a, 1] + 1):
            members[ends[x]] = a
            ends[x] += 1
    row = np.empty(_LANES, np.float32)
    plane_size = side * side * channels
    for x in range(side):
        plane = flat[x * plane_size : (x + 1) * plane_size]
        for i in range(plane_size):
            plane[i] = 0.0
        for m in range(starts[x], starts[x + 1]):
            a = members[m]
            gy, gz, radius, amount = placed[a, 1], placed[a, 2], placed[a, 3], placed[a, 4]
            channel = where[a]
            dx = np.float32(x) - placed[a, 0]
            scale = np.float32(1.0) / (radius * radius)
            squared_reach = reach * reach * radius * radius
            extent_y = math.sqrt(max(np.float32(0.0), squared_reach - dx * dx))
            y_low = max(0, math.ceil(gy - extent_y))
            y_high = min(side - 1, math.floor(gy + extent_y))
            for y in range(y_low, y_high + 1):
                dy = np.float32(y) - gy
                dxy = dx * dx + dy * dy
                extent_z = math.sqrt(max(np.float32(0.0), squared_reach - dxy))
                z_low = max(0, math.ceil(gz - extent_z))
                z_high = min(side - 1, math.floor(gz + extent_z))
                for z_block in range(z_low, z_high + 1, _LANES):
                    if binary:
                        for k in range(_LANES):
                            dz = np.float32(z_block + k) - gz
                            row[k] = amount if (dxy + dz * dz) * scale < np.float32(1.0) else np.float32(0.0)
                    else:
                        for k in range(_LANES):
                            dz = np.float32(z_block + k) - gz
                            t = (dxy + dz * dz) * scale
                            u = np.float32(2.0) * np.sqrt(t) - np.float32(3.0)
                            tail = _TAIL * u * u
                            core = _E7 + t * _E8
                            core = _E6 + t * core
                            core = _E5 + t * core
                            core = _E4 + t * core
                            core = _E3 + t * core
                            core = _E2 + t * core
                            core = _E1 + t * core
                            core = _E0 + t * core
                            row[k] = amount * (core if t <= np.float32(1.0) else tail)
                    count = min(_LANES, z_high + 1 - z_block)
                    base = (y * side + z_block) * channels
                    if by_channel:
                        base += channel
                        if binary:
                            for k in range(count):
                                old = plane[base + k * channels]
                                if row[k] != 0 and (old == 0 or row[k] > old):
                                    plane[base + k * channels] = row[k]
                        else:
                            for k in range(count):
                                plane[base + k * channels] += row[k]
                    elif binary:
                        for k in range(count):
                            if row[k] != 0:
                                for c in range(channels):
                                    old, new = plane[base + k * channels + c], values[a, c]
                                    if new != 0 and (old == 0 or new > old):
                                        plane[base + k * channels + c] = new
                    else:
                        for k in range(count):
                            for c in range(channels):
                                plane[base + k * channels + c] += row[k] * values[a, c]
