"""Batches in compiled code: views, images, and padded atoms of many poses in one call without the interpreter lock.

A batch is described by a table of addresses: for the receptor and the ligand of each pose, where its arrays lie in
memory. :func:`record` makes an entry once for each structure; whoever uses a table keeps the arrays alive meanwhile.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers import _assembly, _compiled
from affinity_zoo.featurizers.kernels import REACH
from affinity_zoo.plugins.contracts import Box, Encoding, Voxelization

Table = NDArray[np.int64]  #: (B, 2, COLUMNS) receptor and ligand of each pose
#: gives a flat array, not initialised, of a dtype and a length
NewArray = Callable[[Any, int], NDArray[Any]]

_KINDS = {"nearest": _compiled.NEAREST, "binary": _compiled.BINARY, "gaussian": _compiled.GAUSSIAN}
_ORIGIN = np.zeros(3, np.float32)
_NOTHING, _NO_INDICES, _NO_KINDS = np.empty(0, np.float32), np.empty(0, np.int32), np.empty(0, np.uint8)
_local = threading.local()


class Crop(NamedTuple):
    """Which atoms of a pose travel to the device."""

    half: float  #: half the box, Å
    reach: float  #: an atom is kept within ``half`` plus so many of its radii
    turned: bool  #: of the box in this rotation; False: of the sphere around it, for any rotation


class Packed(NamedTuple):
    """The atoms of a batch, B poses padded to N atoms."""

    #: ``xyz`` (B, N, 3) relative to the ligand's centre, ``radius`` (B, N), and ``channel`` and ``value`` (B, N) or
    #: ``values`` (B, N, C); or ``xyz`` and ``kind`` (B, N) uint8
    arrays: dict[str, NDArray[Any]]
    counts: NDArray[np.int32]  #: (B,) how many are atoms


def record(
    columns: NDArray[np.float32],
    encoding: Encoding,
    centre: NDArray[np.float32],
    kind: NDArray[np.uint8] | None = None,
) -> bytes:
    """Describe a structure for a table: the number of its atoms and the addresses of its arrays.

    Args:
        columns: (3, n) float32: x, y and z. Contiguous like all of the arrays.
        encoding: of the same atoms: float32 ``radius``, int32 ``channel`` and float32 ``value``, or ``values``.
        centre: (3,) float32.
        kind: uint8 kinds of the atoms; None: they are not numbered.

    Raises:
        ValueError: the arrays are not of one length, or not of these types.
    """
    n = columns.shape[1]
    values = encoding.values
    width = 0 if values is None else values.shape[1]
    entry = [n, _address(columns, np.float32, (3, n)), _address(encoding.radius, np.float32, (n,)), 0, 0]
    if values is None:
        entry[3] = _address(encoding.channel, np.int32, (n,))
        entry[4] = _address(encoding.value, np.float32, (n,))
    entry.append(_address(centre, np.float32, (3,)))
    entry += [0, 0] if values is None else [_address(values, np.float32, (n, width)), width]
    entry.append(0 if kind is None else _address(kind, np.uint8, (n,)))
    return np.array(entry, np.int64).tobytes()


def _address(array: NDArray[Any] | None, dtype: Any, shape: tuple[int, ...]) -> int:
    # compiled code checks nothing: with a wrong array it would read anywhere
    if array is None or array.dtype != dtype or array.shape != shape or not array.flags.c_contiguous:
        found = "none" if array is None else f"{array.dtype} {array.shape}"
        raise ValueError(f"a structure's array must be {np.dtype(dtype)} {shape} and contiguous, not {found}")
    return int(array.__array_interface__["data"][0])


def table_of(records: Sequence[bytes]) -> Table:
    """Join the records of receptor and ligand of each pose, (2 B,) in this order.

    Args:
        records: Records of the structures.
    """
    if not records:
        return np.zeros((0, 2, _assembly.COLUMNS), np.int64)
    return np.frombuffer(b"".join(records), np.int64).reshape(-1, 2, _assembly.COLUMNS)


def table_of_ligands(ligands: Sequence[NDArray[np.float32]]) -> Table:
    """A table of positions alone, (3, n) each and relative to the centre already: what views are drawn for.

    Args:
        ligands: Positions of each ligand.
    """
    table = np.zeros((len(ligands), 2, _assembly.COLUMNS), np.int64)
    for entry, columns in zip(table[:, 1], ligands, strict=True):
        entry[_assembly.ATOMS] = columns.shape[1]
        entry[_assembly.XYZ] = _address(columns, np.float32, (3, columns.shape[1]))
        entry[_assembly.CENTRE] = _address(_ORIGIN, np.float32, (3,))
    return table


def pack(
    table: Table,
    rotations: NDArray[np.float32],
    shifts: NDArray[np.float32],
    crop: Crop,
    sizes: NDArray[np.int64],
    new: NewArray,
    compact: bool = False,
) -> Packed:
    """Crop the atoms of each pose, move them to the ligand's centre and pad the batch.

    Args:
        table: of the batch.
        rotations, shifts: (B, 3, 3) and (B, 3) Å, float32.
        crop: which atoms are kept.
        sizes: padded numbers of atoms, ascending; beyond the largest its multiples are used.
        new: where the arrays come from.
        compact: write the kind of each atom instead of its radius, channel and value.

    Raises:
        ValueError: ``compact``, and the atoms of a structure have no kinds.
    """
    batch = len(table)
    width = int(table[:, :, _assembly.WIDTH].max(initial=0))
    if compact and not table[:, :, _assembly.KIND].all():
        raise ValueError("the kinds of these atoms are not numbered")
    outside, picked = _scratch(int(table[:, :, _assembly.ATOMS].sum()))
    begins = np.empty(2 * batch + 1, np.int32)
    size = getattr(_local, "size", int(sizes[0]))
    while True:
        cells = batch * size
        flat: dict[str, NDArray[Any]] = {"xyz": new(np.float32, 3 * cells)}
        if compact:
            flat["kind"] = new(np.uint8, cells)
        elif width:
            flat |= {"radius": new(np.float32, cells), "values": new(np.float32, width * cells)}
        else:
            flat |= {name: new(np.float32, cells) for name in ("radius", "value")}
            flat["channel"] = new(np.int32, cells)
        found = _assembly.pack(
            table, rotations, shifts, crop.half, crop.reach, crop.turned, sizes, outside, picked, begins,
            flat["xyz"], flat.get("radius", _NOTHING), flat.get("channel", _NO_INDICES), flat.get("value", _NOTHING),
            flat.get("values", _NOTHING), flat.get("kind", _NO_KINDS), compact,
        )  # fmt: skip
        if found > 0:
            break
        _local.size = size = -found
    shapes: dict[str, tuple[int, ...]] = {"xyz": (3,), "values": (width,)}
    arrays = {
        name: array[: batch * found * math.prod(shapes.get(name, ()))].reshape(
            batch, found, *shapes.get(name, ())
        )
        for name, array in flat.items()
    }
    return Packed(arrays, begins[2::2] - begins[:-1:2])


def _scratch(n: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """This thread's working memory for n atoms."""
    if len(getattr(_local, "picked", _NO_INDICES)) <= n:
        _local.outside, _local.picked = np.empty(2 * n + 1, np.float32), np.empty(2 * n + 1, np.int32)
    return _local.outside, _local.picked


def images(
    kind: Voxelization,
    box: Box,
    atoms: Packed,
    rotations: NDArray[np.float32],
    shifts: NDArray[np.float32],
    out: NDArray[np.float32],
    means: bool = False,
) -> None:
    """Make the images of a batch: bit by bit those of :func:`affinity_zoo.featurizers.kernels.voxelize`.

    Args:
        kind, box: as for ``voxelize``.
        atoms: with a channel each, cropped for this box and kind.
        rotations, shifts: (B, 3, 3) and (B, 3) Å, float32.
        out: (B, D, D, D, C) float32, contiguous, overwritten; D is half the side with ``means``.
        means: write the means of 2 x 2 x 2 voxels, as ``voxelize_means``.

    Raises:
        ValueError: an atom's channel is not in the image, or its radius is not a number.
    """
    batch = len(atoms.counts)
    side = box.side // 2 if means else box.side
    if out.shape[:4] != (batch, side, side, side):
        raise ValueError(f"out has the shape {out.shape}, not {(batch, side, side, side)} and channels")
    arrays = atoms.arrays
    wrong = _compiled.images(
        arrays["xyz"], arrays["radius"], arrays["channel"], arrays["value"], atoms.counts, rotations, shifts,
        _compiled.MEANS if means else _KINDS[kind], REACH[kind], box.spacing, box.side, out,
    )  # fmt: skip
    if wrong >= batch:
        raise ValueError("the encoding has a radius that is not a number")
    if wrong >= 0:
        used = int(arrays["channel"][wrong].max())
        raise ValueError(f"the encoding uses channel {used}, but the image has {out.shape[4]} (from 0)")
