"""The compiled loops behind :mod:`affinity_zoo.featurizers.assembly`: views and padded atoms of a whole batch.

They stand apart from :mod:`affinity_zoo.featurizers._compiled` because they call none of its loops: numba recompiles
a cached function only when its own file changes. What draws views is compiled without ``fastmath``, so that its
numbers are those of plain float64 arithmetic.

A batch is described by a table of addresses, ``(B, 2, COLUMNS)`` int64: for the receptor and the ligand of each
pose, where its arrays lie in memory. So a call costs the same for any number of poses until it is compiled code.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, njit, types  # type: ignore[attr-defined]
from numba.extending import intrinsic

from affinity_zoo.featurizers._compiled import compiled

#: columns of the table: number of atoms, addresses of xyz, radius, channel, value and centre, and of the values
#: (0: the atoms have a channel each) with their number for each atom; address of the kinds (0: not numbered)
ATOMS, XYZ, RADIUS, CHANNEL, VALUE, CENTRE, VALUES, WIDTH, KIND = range(9)
COLUMNS = 9

_f4, _f8, _i8 = types.float32, types.float64, types.int64
_table = types.Array(_i8, 3, "C", readonly=True)
_numbers = types.Array(_i8, 1, "C", readonly=True)
_cubes = types.Array(_f4, 3, "C", readonly=True)
_rows = types.Array(_f4, 2, "C", readonly=True)
_doubles = types.Array(_f8, 2, "C", readonly=True)
_cubes_out, _rows_out = types.Array(_f4, 3, "C"), types.Array(_f4, 2, "C")
_doubles_out = types.Array(_f8, 2, "C")
_floats_out, _indices_out = types.Array(_f4, 1, "C"), types.Array(types.int32, 1, "C")

_bytes_out = types.Array(types.uint8, 1, "C")

_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_PHILOX = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57), np.uint64(0x9E3779B9), np.uint64(0xBB67AE85))
_M0, _M1, _W0, _W1 = _PHILOX

_LOOPS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}


@intrinsic
def floats_at(typing, address):  # type: ignore[no-untyped-def]
    """The float32 numbers that begin at an address.

    Args:
        typing: Typing context of numba.
        address: Address of the first number.
    """

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.FloatType().as_pointer())

    return types.CPointer(types.float32)(types.int64), code


@intrinsic
def indices_at(typing, address):  # type: ignore[no-untyped-def]
    """The int32 numbers that begin at an address.

    Args:
        typing: Typing context of numba.
        address: Address of the first number.
    """

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.IntType(32).as_pointer())

    return types.CPointer(types.int32)(types.int64), code


@intrinsic
def bytes_at(typing, address):  # type: ignore[no-untyped-def]
    """The uint8 numbers that begin at an address.

    Args:
        typing: Typing context of numba.
        address: Address of the first number.
    """

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.CPointer(types.uint8)(types.int64), code


@njit(**_LOOPS)
def _pick(xyz, radius, n, centre, rotation, shift, half, reach, outside, picked, first):  # type: ignore[no-untyped-def]
    """Append the numbers of the atoms within ``half`` plus ``reach`` radii of the box centre on every axis."""
    r00, r01, r02 = rotation[0, 0], rotation[0, 1], rotation[0, 2]
    r10, r11, r12 = rotation[1, 0], rotation[1, 1], rotation[1, 2]
    r20, r21, r22 = rotation[2, 0], rotation[2, 1], rotation[2, 2]
    cx, cy, cz = centre[0], centre[1], centre[2]
    sx, sy, sz = shift[0], shift[1], shift[2]
    xs, ys, zs = xyz[0], xyz[1], xyz[2]
    for i in range(n):
        x, y, z = xs[i] - cx, ys[i] - cy, zs[i] - cz
        a = abs(r00 * x + r01 * y + r02 * z + sx)
        b = abs(r10 * x + r11 * y + r12 * z + sy)
        c = abs(r20 * x + r21 * y + r22 * z + sz)
        furthest = a if a > b else b
        furthest = furthest if furthest > c else c
        outside[i] = furthest - (half + reach * radius[i])
    for i in range(n):
        picked[first] = i
        first += 1 if outside[i] <= 0 else 0
    return first


@njit(**_LOOPS)
def _pick_sphere(xyz, radius, n, centre, shift, half, reach, outside, picked, first):  # type: ignore[no-untyped-def]
    """As :func:`_pick`, for the box in any rotation."""
    cx, cy, cz = centre[0], centre[1], centre[2]
    away = math.sqrt(shift[0] * shift[0] + shift[1] * shift[1] + shift[2] * shift[2])
    diagonal = np.float32(math.sqrt(3.0)) * half + away
    for i in range(n):
        x, y, z = xyz[0, i] - cx, xyz[1, i] - cy, xyz[2, i] - cz
        outside[i] = math.sqrt(x * x + y * y + z * z) - (diagonal + reach * radius[i])
    for i in range(n):
        picked[first] = i
        first += 1 if outside[i] <= 0 else 0
    return first


@njit(**_LOOPS)
def _crop(table, rotations, shifts, half, reach, turned, outside, picked, begins):  # type: ignore[no-untyped-def]
    """Choose the atoms of every pose; returns the largest number of one."""
    longest = 0
    begins[0] = 0
    for b in range(table.shape[0]):
        centre = carray(floats_at(table[b, 1, CENTRE]), (3,))  # type: ignore[call-arg]
        for part in range(2):
            n = table[b, part, ATOMS]
            xyz = carray(floats_at(table[b, part, XYZ]), (3, n))  # type: ignore[call-arg]
            radius = carray(floats_at(table[b, part, RADIUS]), (n,))  # type: ignore[call-arg]
            first, shift = begins[2 * b + part], shifts[b]
            if turned:
                last = _pick(xyz, radius, n, centre, rotations[b], shift, half, reach, outside, picked, first)
            else:
                last = _pick_sphere(xyz, radius, n, centre, shift, half, reach, outside, picked, first)
            begins[2 * b + part + 1] = last
        longest = max(longest, begins[2 * b + 2] - begins[2 * b])
    return longest


@njit(**_LOOPS)
def _padded(longest, sizes):  # type: ignore[no-untyped-def]
    """The smallest of the sizes that holds ``longest``, or the next multiple of the largest."""
    for s in range(sizes.shape[0]):
        if longest <= sizes[s]:
            return sizes[s]
    largest = sizes[sizes.shape[0] - 1]
    return (longest + largest - 1) // largest * largest


@njit(**_LOOPS)
def _copy(entry, centre, picked, at, xyz, radius, channel, value, values, kind, compact):  # type: ignore[no-untyped-def]
    """Write the picked atoms of a structure from place ``at`` on, relative to ``centre``."""
    n, width = entry[ATOMS], np.uint64(entry[WIDTH])
    cx, cy, cz = centre[0], centre[1], centre[2]
    columns = carray(floats_at(entry[XYZ]), (3, n))  # type: ignore[call-arg]
    xs, ys, zs = columns[0], columns[1], columns[2]
    for k in range(picked.shape[0]):
        i, to = np.uint64(picked[k]), np.uint64(at + k)  # unsigned: numba then does not ask for the sign
        three = np.uint64(3) * to
        xyz[three] = xs[i] - cx
        xyz[three + np.uint64(1)] = ys[i] - cy
        xyz[three + np.uint64(2)] = zs[i] - cz
    if compact:
        kinds = carray(bytes_at(entry[KIND]), (n,))  # type: ignore[call-arg]
        for k in range(picked.shape[0]):
            kind[at + k] = kinds[picked[k]]
        return
    radii = carray(floats_at(entry[RADIUS]), (n,))  # type: ignore[call-arg]
    for k in range(picked.shape[0]):
        radius[at + k] = radii[picked[k]]
    if width:
        amounts = carray(floats_at(entry[VALUES]), (n * entry[WIDTH],))  # type: ignore[call-arg]
        for k in range(picked.shape[0]):
            i, to = np.uint64(picked[k]) * width, np.uint64(at + k) * width
            for c in range(width):
                values[to + c] = amounts[i + c]
    else:
        channels = carray(indices_at(entry[CHANNEL]), (n,))  # type: ignore[call-arg]
        amount = carray(floats_at(entry[VALUE]), (n,))  # type: ignore[call-arg]
        for k in range(picked.shape[0]):
            i, to = np.uint64(picked[k]), np.uint64(at + k)
            channel[to] = channels[i]
            value[to] = amount[i]


@njit(**_LOOPS)
def _fill_up(at, end, width, xyz, radius, channel, value, values, kind, compact):  # type: ignore[no-untyped-def]
    """Write atoms that are not imaged into the places from ``at`` to ``end``."""
    for k in range(3 * at, 3 * end):
        xyz[k] = 0.0
    if compact:
        for k in range(at, end):
            kind[k] = 0
        return
    for k in range(at, end):
        radius[k] = 1.0
    if width:
        for k in range(at * width, end * width):
            values[k] = 0.0
    else:
        for k in range(at, end):
            channel[k] = -1
            value[k] = 0.0


_PACK = _i8(
    _table, _cubes, _rows, _f4, _f4, types.boolean, _numbers, _floats_out, _indices_out, _indices_out,
    _floats_out, _floats_out, _indices_out, _floats_out, _floats_out, _bytes_out, types.boolean,
)  # fmt: skip


@compiled(_PACK)
def pack(  # type: ignore[no-untyped-def]
    table, rotations, shifts, half, reach, turned, sizes, outside, picked, begins, xyz, radius, channel, value, values,
    kind, compact,
):  # fmt: skip
    """Crop the atoms of each pose to the box, move them to the ligand's centre, and pad the batch.

    Args:
        table: (B, 2, COLUMNS) receptor and ligand of each pose.
        rotations, shifts: (B, 3, 3) and (B, 3) Å.
        half: half the box, Å.
        reach: an atom is kept within ``half`` plus so many radii on every axis.
        turned: crop to the box in this rotation; else to the sphere around it, which holds for any rotation.
        sizes: padded sizes, ascending; beyond the largest its multiples are used.
        outside: as many as the largest structure has atoms; written.
        picked: as many as the table has atoms, and one; written: the atoms that are kept, pose by pose.
        begins: (2 B + 1,) written: where the atoms of each structure begin in ``picked``.
        xyz, radius, channel, value, values: flat; written as (B, N, 3), three times (B, N), and (B, N, C) where
            the atoms have values (then instead of ``channel`` and ``value``).
        kind: flat; written as (B, N) instead of all but ``xyz`` where ``compact``.
        compact: write kinds.

    Returns:
        N, the padded size; -N where ``xyz`` is too short for B times N, and nothing was packed.
    """
    longest = _crop(table, rotations, shifts, half, reach, turned, outside, picked, begins)
    size = _padded(longest, sizes)
    if 3 * table.shape[0] * size > xyz.shape[0]:
        return -size
    for b in range(table.shape[0]):
        centre = carray(floats_at(table[b, 1, CENTRE]), (3,))  # type: ignore[call-arg]
        at = b * size
        for part in range(2):
            chosen = picked[begins[2 * b + part] : begins[2 * b + part + 1]]
            _copy(table[b, part], centre, chosen, at, xyz, radius, channel, value, values, kind, compact)
            at += chosen.shape[0]
        _fill_up(at, (b + 1) * size, table[b, 0, WIDTH], xyz, radius, channel, value, values, kind, compact)
    return size


@compiled(types.void(types.uint64, types.uint64, _numbers, _doubles_out), fastmath=False)
def uniforms(seed, what, rows, out):  # type: ignore[no-untyped-def]
    """Philox-4x32-10, as :func:`affinity_zoo.featurizers.random_numbers.uniforms` has it.

    Args:
        seed: its 64 bits.
        what: epoch in the lower 32 bits, stream above.
        rows: (n,) not negative.
        out: (n, count) written.
    """
    for n in range(rows.shape[0]):
        row = np.uint64(rows[n])
        for block in range((out.shape[1] + 3) // 4):
            c0, c1, c2 = row & _LOW, row >> _HALF, what & _LOW
            c3 = ((what >> _HALF) << np.uint64(8)) | np.uint64(block)
            k0, k1 = seed & _LOW, seed >> _HALF
            for _ in range(10):
                first, second = _M0 * c0, _M1 * c2
                c0, c1, c2, c3 = (
                    (second >> _HALF) ^ c1 ^ k0, second & _LOW, (first >> _HALF) ^ c3 ^ k1, first & _LOW,
                )  # fmt: skip
                k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
            for k, bits in enumerate((c0, c1, c2, c3)):
                if 4 * block + k < out.shape[1]:
                    out[n, 4 * block + k] = (np.float64(bits) + 0.5) * 2.0**-32


@compiled(types.void(_doubles, _cubes_out), fastmath=False)
def rotate(parts, rotations):  # type: ignore[no-untyped-def]
    """Rotation matrices of unit quaternions.

    Args:
        parts: (4, B) w, x, y and z.
        rotations: (B, 3, 3) written.
    """
    for b in range(parts.shape[1]):
        w, x, y, z = parts[0, b], parts[1, b], parts[2, b], parts[3, b]
        rotations[b, 0, 0] = 1.0 - 2.0 * (y * y + z * z)
        rotations[b, 0, 1] = 2.0 * (x * y - w * z)
        rotations[b, 0, 2] = 2.0 * (x * z + w * y)
        rotations[b, 1, 0] = 2.0 * (x * y + w * z)
        rotations[b, 1, 1] = 1.0 - 2.0 * (x * x + z * z)
        rotations[b, 1, 2] = 2.0 * (y * z - w * x)
        rotations[b, 2, 0] = 2.0 * (x * z - w * y)
        rotations[b, 2, 1] = 2.0 * (y * z + w * x)
        rotations[b, 2, 2] = 1.0 - 2.0 * (x * x + y * y)


@compiled(types.void(_table, _cubes, _f8, _f8, types.boolean, _doubles, _rows_out), fastmath=False)
def shift(table, rotations, wall, most, inside, numbers, shifts):  # type: ignore[no-untyped-def]
    """Shifts within ± ``most`` on each axis, and (``inside``) such that every ligand atom stays inside the walls.

    Args:
        table: (B, 2, COLUMNS).
        rotations: (B, 3, 3).
        wall: where the walls are, ± Å.
        most: Largest shift along each axis, Å.
        numbers: (B, 6) the last three of a row are used.
        shifts: (B, 3) Å, written. Where a ligand does not fit its bounds are centred.
    """
    for b in range(table.shape[0]):
        n = table[b, 1, ATOMS]
        xyz = carray(floats_at(table[b, 1, XYZ]), (3, n))  # type: ignore[call-arg]
        centre = carray(floats_at(table[b, 1, CENTRE]), (3,))  # type: ignore[call-arg]
        for axis in range(3):
            low, high = -most, most
            if inside:
                r0, r1 = np.float64(rotations[b, axis, 0]), np.float64(rotations[b, axis, 1])
                r2 = np.float64(rotations[b, axis, 2])
                lowest = highest = 0.0
                for i in range(n):
                    # relative to the centre in float32, as the atoms of a batch are; products are then exact
                    x, y = np.float32(xyz[0, i] - centre[0]), np.float32(xyz[1, i] - centre[1])
                    z = np.float32(xyz[2, i] - centre[2])
                    at = np.float64(x) * r0 + np.float64(y) * r1 + np.float64(z) * r2
                    lowest, highest = min(lowest, at), max(highest, at)
                low = min(max(-wall - lowest, -most), most)
                high = min(max(wall - highest, -most), most)
                if low > high:
                    low = high = (low + high) / 2.0
            shifts[b, axis] = low + (high - low) * numbers[b, 3 + axis]
