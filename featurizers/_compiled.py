"""The compiled loops behind :mod:`affinity_zoo.featurizers.kernels`.

Every function is compiled once, for explicit types (read-only inputs, since the store is a read-only memory
map; a writeable array is accepted in their place), releases the GIL, and is cached on disk where a cache
folder can be written. Positions are counted in voxels from voxel 0's centre once an atom has been placed.

All of it is in one file because numba recompiles a cached function only when its own file changes.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

_log = logging.getLogger(__name__)

_f4, _i8 = types.float32, types.int64
_vector = types.Array(_f4, 1, "C", readonly=True)
_matrix = types.Array(_f4, 2, "C", readonly=True)
_indices = types.Array(types.int32, 1, "C", readonly=True)
_vector_out = types.Array(_f4, 1, "C")
_matrix_out = types.Array(_f4, 2, "C")
_indices_out = types.Array(types.int32, 1, "C")
_image_out = types.Array(_f4, 4, "C")
_masks_out = types.Array(types.uint64, 1, "C")

WIDE, NARROW = 16, 8  #: voxels computed at a time along z (one AVX-512 or AVX register where there is one)
_BLOCK = 64  # atoms moved at a time
_FAST = ("contract", "nsz", "arcp")
_OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": set(_FAST), "error_model": "numpy"}

_E2 = math.exp(-2.0)
_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
#: exp(-2 t) on [0, 1] as a polynomial, lowest power first (Chebyshev interpolation, largest error 1e-8)
_EXP = [
    float(c)
    for c in np.polynomial.chebyshev.Chebyshev.interpolate(lambda t: np.exp(-2.0 * t), 8, domain=(0, 1))
    .convert(kind=np.polynomial.Polynomial)
    .coef
]
_C0, _C1, _C2, _C3, _C4, _C5, _C6, _C7, _C8 = (np.float32(c) for c in _EXP)


def compiled(*signatures: Any, **options: Any) -> Any:
    """Compile for these signatures; without a cache where numba finds no folder that it can write.

    Args:
        signatures: Types of the arguments.
        options: Options of numba.
    """
    options = _OPTIONS | options

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            return njit(list(signatures), cache=True, **options)(function)
        except (RuntimeError, OSError) as error:
            _log.info("compiled kernels are not cached: %s", error)
            return njit(list(signatures), **options)(function)

    return decorate


class _Lanes:
    """Writes LLVM instructions on vectors of ``lanes`` float32: the loops below leave nothing to guess.

    LLVM's own vectorizer checks at run time, for every row of an atom, whether arrays overlap and how long
    the row is, which takes longer than the row.
    """

    def __init__(
        self, context: Any, builder: Any, signature: Any, arguments: Any, lanes: int, kind: Any = None
    ) -> None:
        self.context, self.builder, self.lanes = context, builder, lanes
        self.signature, self.arguments = signature, arguments
        self.type = ir.VectorType(kind or ir.FloatType(), lanes)

    def pointer(self, array: int, index: int) -> Any:
        """Address of the lanes of argument ``array`` that start at the number in argument ``index``."""
        kind = self.signature.args[array]
        data = self.context.make_array(kind)(self.context, self.builder, self.arguments[array]).data
        return self.builder.bitcast(self.builder.gep(data, [self.arguments[index]]), self.type.as_pointer())

    def load(self, pointer: Any) -> Any:
        loaded = self.builder.load(pointer)
        loaded.align = 4
        return loaded

    def store(self, vector: Any, pointer: Any) -> None:
        self.builder.store(vector, pointer).align = 4

    def constant(self, value: float) -> Any:
        return ir.Constant(self.type, [float(np.float32(value))] * self.lanes)

    def spread(self, argument: int) -> Any:
        """The float32 in an argument, in every lane."""
        empty = ir.Constant(self.type, ir.Undefined)
        first = self.builder.insert_element(empty, self.arguments[argument], ir.IntType(32)(0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(first, empty, zeros)

    def add(self, a: Any, b: Any) -> Any:
        return self.builder.fadd(a, b, flags=_FAST)

    def multiply(self, a: Any, b: Any) -> Any:
        return self.builder.fmul(a, b, flags=_FAST)

    def select(self, comparison: str, a: Any, b: Any, yes: Any, no: Any) -> Any:
        return self.builder.select(self.builder.fcmp_ordered(comparison, a, b), yes, no)

    def root(self, a: Any) -> Any:
        kind = ir.FunctionType(self.type, [self.type])
        name = f"llvm.sqrt.v{self.lanes}f32"
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), [a])

    def exponential(self, t: Any) -> Any:
        """exp(-2 t), for t in [0, 1]; beyond it, that of 1."""
        one = self.constant(1.0)
        t = self.select("<", t, one, t, one)
        result = self.constant(_EXP[-1])
        for coefficient in reversed(_EXP[:-1]):
            result = self.add(self.constant(coefficient), self.multiply(t, result))
        return result


def _squares(lanes: int) -> Any:
    @intrinsic
    def squares(typing, squares, powers, index, power_index, begin, scale):  # type: ignore[no-untyped-def]
        """squares[index + k] = (begin + k)² scale, powers[power_index + k] = exp(-2 of it); ``lanes`` numbers k."""

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            v = _Lanes(context, builder, signature, arguments, lanes)
            steps = ir.Constant(v.type, [float(k) for k in range(lanes)])
            distance = v.add(v.spread(4), steps)
            square = v.multiply(v.multiply(distance, distance), v.spread(5))
            v.store(square, v.pointer(0, 2))
            v.store(v.exponential(square), v.pointer(1, 3))
            return context.get_dummy_value()

        return types.void(squares, powers, _i8, _i8, _f4, _f4), code

    return squares


def _gaussian(lanes: int) -> Any:
    @intrinsic
    def gaussian(typing, row, at, squares, powers, index, power_index, square, power, tail):  # type: ignore[no-untyped-def]
        """row[at + k] += density, where t = square + squares[k] is (distance / radius)².

        Inside the radius it is the product of one exponential an axis, ``power * powers[k]``; outside
        ``tail * (3 - 2 sqrt t)²`` down to zero.
        """

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            v = _Lanes(context, builder, signature, arguments, lanes)
            t = v.add(v.spread(6), v.load(v.pointer(2, 4)))
            core = v.multiply(v.spread(7), v.load(v.pointer(3, 5)))
            zero = v.constant(0.0)
            left = v.add(v.constant(3.0), v.multiply(v.constant(-2.0), v.root(t)))
            left = v.select(">", left, zero, left, zero)
            outside = v.multiply(v.spread(8), v.multiply(left, left))
            density = v.select("<=", t, v.constant(1.0), core, outside)
            place = v.pointer(0, 1)
            v.store(v.add(v.load(place), density), place)
            return context.get_dummy_value()

        return types.void(row, _i8, squares, powers, _i8, _i8, _f4, _f4, _f4), code

    return gaussian


def _binary(lanes: int) -> Any:
    @intrinsic
    def binary(typing, row, at, squares, index, square, amount):  # type: ignore[no-untyped-def]
        """row[at + k] = amount inside the radius, unless the row already has a larger amount (0: none)."""

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            v = _Lanes(context, builder, signature, arguments, lanes)
            t = v.add(v.spread(4), v.load(v.pointer(2, 3)))
            place = v.pointer(0, 1)
            old, new = v.load(place), v.spread(5)
            largest = v.select(">", new, old, new, v.select("==", old, v.constant(0.0), new, old))
            v.store(v.select("<", t, v.constant(1.0), largest, old), place)
            return context.get_dummy_value()

        return types.void(row, _i8, squares, _i8, _f4, _f4), code

    return binary


def _mark(lanes: int) -> Any:
    @intrinsic
    def mark(typing, masks, at, squares, index, square, limit, bit):  # type: ignore[no-untyped-def]
        """masks[at + k] |= bit for the rows that an atom reaches in a plane: square + squares[k] < limit.

        Returns these rows as the bits of a number, row 0 lowest.
        """

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            v = _Lanes(context, builder, signature, arguments, lanes)
            n = _Lanes(context, builder, signature, arguments, lanes, ir.IntType(64))
            reached = builder.fcmp_ordered("<", v.add(v.spread(4), v.load(v.pointer(2, 3))), v.spread(5))
            bits = builder.select(reached, n.spread(6), ir.Constant(n.type, [0] * lanes))
            place = n.pointer(0, 1)
            n.store(builder.or_(n.load(place), bits), place)
            return builder.zext(builder.bitcast(reached, ir.IntType(lanes)), ir.IntType(64))

        return types.uint64(masks, _i8, squares, _i8, _f4, _f4, types.uint64), code

    return mark


@intrinsic
def _highest(typing, mask):  # type: ignore[no-untyped-def]
    """Number of the highest bit that is set; ``mask`` is not 0."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.sub(ir.IntType(64)(63), builder.ctlz(arguments[0], ir.IntType(1)(1)))

    return types.int64(types.uint64), code


@intrinsic
def _lowest(typing, mask):  # type: ignore[no-untyped-def]
    """Number of the lowest bit that is set; ``mask`` is not 0."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.IntType(1)(1))

    return types.int64(types.uint64), code


@intrinsic
def _move(typing, image, to, step, row, at):  # type: ignore[no-untyped-def]
    """image[to + k step] = row[at + k]; row[at + k] = 0, for NARROW numbers k."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        v = _Lanes(context, builder, signature, arguments, NARROW)
        source = v.pointer(3, 4)
        vector = v.load(source)
        target = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        index = arguments[1]
        for k in range(NARROW):
            builder.store(builder.extract_element(vector, ir.IntType(32)(k)), builder.gep(target, [index]))
            index = builder.add(index, arguments[2])
        v.store(v.constant(0.0), source)
        return context.get_dummy_value()

    return types.void(image, _i8, _i8, row, _i8), code


_mark_narrow = _mark(NARROW)
_squares_narrow = _squares(NARROW)
_gaussian_wide, _gaussian_narrow = _gaussian(WIDE), _gaussian(NARROW)
_binary_wide, _binary_narrow = _binary(WIDE), _binary(NARROW)


@compiled(types.void(_image_out))
def clear(out):  # type: ignore[no-untyped-def]
    """Set an image to zero.

    Args:
        out: Image to clear.
    """
    flat = out.reshape(out.size)
    for i in range(flat.size):
        flat[i] = _ZERO


@njit(**_OPTIONS)
def _turn(xyz, first, count, centre, rotation, shift, block):  # type: ignore[no-untyped-def]
    """Positions of ``count`` atoms relative to the box centre, Å, as three rows of ``block``."""
    r00, r01, r02 = rotation[0, 0], rotation[0, 1], rotation[0, 2]
    r10, r11, r12 = rotation[1, 0], rotation[1, 1], rotation[1, 2]
    r20, r21, r22 = rotation[2, 0], rotation[2, 1], rotation[2, 2]
    cx, cy, cz = centre[0], centre[1], centre[2]
    sx, sy, sz = shift[0], shift[1], shift[2]
    for k in range(count):
        x, y, z = xyz[first + k, 0] - cx, xyz[first + k, 1] - cy, xyz[first + k, 2] - cz
        block[0, k] = r00 * x + r01 * y + r02 * z + sx
        block[1, k] = r10 * x + r11 * y + r12 * z + sy
        block[2, k] = r20 * x + r21 * y + r22 * z + sz


@compiled(_i8(_matrix, _vector, _vector, _matrix, _vector, _f4, _f4, _indices_out))
def select(xyz, radius, centre, rotation, shift, reach, half, selected):  # type: ignore[no-untyped-def]
    """Write the numbers of the atoms within ``half`` plus ``reach`` radii of the box centre on every axis.

    Args:
        half: Half the side of the box, Å.
        selected: (n,) written.

    Returns:
        How many there are.
    """
    block = np.empty((3, _BLOCK), np.float32)
    n = 0
    for first in range(0, xyz.shape[0], _BLOCK):
        count = min(_BLOCK, xyz.shape[0] - first)
        _turn(xyz, first, count, centre, rotation, shift, block)
        for k in range(count):
            limit = half + reach * radius[first + k]
            if (abs(block[0, k]) <= limit) & (abs(block[1, k]) <= limit) & (abs(block[2, k]) <= limit):
                selected[n] = first + k
                n += 1
    return n


@njit(**_OPTIONS)
def _larger(old, new):  # type: ignore[no-untyped-def]
    """Return the larger of two amounts; 0 means none."""
    if new != 0 and (old == 0 or new > old):
        return new
    return old


@compiled(types.boolean(_matrix, _indices, _vector, _matrix, _vector, _matrix, _vector, _f4, _image_out))
def nearest(xyz, channel, value, values, centre, rotation, shift, spacing, out):  # type: ignore[no-untyped-def]
    """Write each atom's amount into the voxel that holds it; the largest stays. ``out`` is not cleared.

    Args:
        channel, value: (n,); ``value`` may be (0,): 1.0 for all. An amount of 0 is not imaged.
        values: (n, C) amounts by channel instead of the two; (0, C): unused.

    Returns:
        False if an atom has a channel that the image does not have.
    """
    side, channels = out.shape[0], out.shape[3]
    flat = out.reshape(out.size)
    half, scale, top = _HALF * np.float32(side), _ONE / spacing, np.float32(side)
    block = np.empty((3, _BLOCK), np.float32)
    for first in range(0, xyz.shape[0], _BLOCK):
        count = min(_BLOCK, xyz.shape[0] - first)
        _turn(xyz, first, count, centre, rotation, shift, block)
        for k in range(count):
            i = first + k
            x, y, z = block[0, k] * scale + half, block[1, k] * scale + half, block[2, k] * scale + half
            if (x >= 0) & (x < top) & (y >= 0) & (y < top) & (z >= 0) & (z < top):
                voxel = ((int(x) * side + int(y)) * side + int(z)) * channels
                if values.shape[0]:
                    for c in range(channels):
                        flat[voxel + c] = _larger(flat[voxel + c], values[i, c])
                elif channel[i] >= channels:
                    return False
                elif channel[i] >= 0:
                    amount = value[i] if value.size else _ONE
                    flat[voxel + channel[i]] = _larger(flat[voxel + channel[i]], amount)
    return True


@compiled(
    _i8(
        _matrix, _vector, _indices, _vector, _vector, _matrix, _vector,
        _f4, _f4, _i8, _i8, _i8, _matrix_out, _indices_out,
    )
)  # fmt: skip
def place(  # type: ignore[no-untyped-def]
    xyz, radius, channel, value, centre, rotation, shift, reach, spacing, side, channels, first, placed, where
):
    """Rotate, shift and crop: append the atoms that reach a voxel.

    Args:
        value: (n,) amounts, or (0,): 1.0 for all. An atom of amount 0 is not imaged.
        reach: an atom reaches voxels within ``reach`` times its radius.
        channels: C; atoms with a channel below 0 are not imaged.
        first: how many atoms ``placed`` already holds.
        placed: (capacity, 5) written: x, y, z and radius in voxels, amount.
        where: (capacity,) written: the channel.

    Returns:
        How many atoms ``placed`` holds now; -1 if an atom has a channel that the image does not have.
    """
    half, scale = _HALF * np.float32(side - 1), _ONE / spacing
    wall = half * spacing
    block = np.empty((3, _BLOCK), np.float32)
    n = first
    for start in range(0, xyz.shape[0], _BLOCK):
        count = min(_BLOCK, xyz.shape[0] - start)
        _turn(xyz, start, count, centre, rotation, shift, block)
        for k in range(count):
            i = start + k
            limit = wall + reach * radius[i]
            inside = (abs(block[0, k]) <= limit) & (abs(block[1, k]) <= limit) & (abs(block[2, k]) <= limit)
            if inside and channel[i] >= 0:
                amount = value[i] if value.size else _ONE
                if channel[i] >= channels:
                    return -1
                if amount != 0 and radius[i] > 0:
                    for axis in range(3):
                        placed[n, axis] = block[axis, k] * scale + half
                    placed[n, 3], placed[n, 4] = radius[i] * scale, amount
                    where[n] = channel[i]
                    n += 1
    return n


def lanes(widest: float, reach: float) -> int:
    """Voxels computed for each row of an atom: those that the widest can reach, filled up to whole vectors.

    Args:
        widest: the largest radius, voxels.
    """
    window = math.floor(2 * reach * widest) + 1
    return NARROW if window <= NARROW else -(-window // WIDE) * WIDE


def scratch_shapes(side: int, channels: int, width: int) -> tuple[int, int]:
    """Lengths of the scratch and of the masks that :func:`fill` needs for rows of ``width`` lanes.

    Args:
        side: Voxels along an edge of the box.
        channels: Channels of an image.
        width: Lanes of a row.
    """
    return channels * side * (side + 2 * width), (channels + 63) // 64 * (side + 2 * width)


@njit(inline="always")
def _exponential(t):  # type: ignore[no-untyped-def]
    """exp(-2 t) for t in [0, 1]; beyond it, that of 1."""
    t = min(t, _ONE)
    power = _C7 + t * _C8
    power = _C6 + t * power
    power = _C5 + t * power
    power = _C4 + t * power
    power = _C3 + t * power
    power = _C2 + t * power
    power = _C1 + t * power
    return _C0 + t * power


@njit(**_OPTIONS)
def _by_first_plane(placed, n, reach, side):  # type: ignore[no-untyped-def]
    """Atoms sorted by the first plane they reach, in order within a plane, and where each plane begins."""
    begins = np.zeros(side + 2, np.int32)
    firsts = np.empty(n, np.int32)
    for a in range(n):
        firsts[a] = min(side, max(0, math.ceil(placed[a, 0] - reach * placed[a, 3])))
        begins[firsts[a] + 1] += 1
    for x in range(side + 1):
        begins[x + 1] += begins[x]
    order = np.empty(n, np.int32)
    for a in range(n):
        order[begins[firsts[a]]] = a
        begins[firsts[a]] += 1
    for x in range(side + 1, 0, -1):
        begins[x] = begins[x - 1]
    begins[0] = 0
    return order, begins


@njit(inline="always", **_OPTIONS)
def _prepare(placed, a, reach, width, table):  # type: ignore[no-untyped-def]
    """An atom's tables: (distance / radius)² and its exponential along x, y and z, ``width`` numbers each."""
    radius = placed[a, 3]
    extent, scale = reach * radius, _ONE / (radius * radius)
    at = a * 6 * width
    for axis in range(3):
        begin = np.float32(math.ceil(placed[a, axis] - extent)) - placed[a, axis]
        for b in range(0, width, NARROW):
            _squares_narrow(table, table, at + b, at + width + b, begin + np.float32(b), scale)
        at += 2 * width


@njit(inline="always", **_OPTIONS)
def _add(placed, a, c, x, binary, reach, width, side, table, scratch, masks):  # type: ignore[no-untyped-def]
    """Add one atom to plane ``x``, and mark the rows that it touches."""
    amount, extent, limit = placed[a, 4], reach * placed[a, 3], reach * reach
    x_first, y_first = math.ceil(placed[a, 0] - extent), math.ceil(placed[a, 1] - extent)
    z_first = math.ceil(placed[a, 2] - extent)
    stride = side + 2 * width
    xs = a * 6 * width
    ys, zs = xs + 2 * width, xs + 4 * width
    at_x = np.uint64(xs + x - x_first)  # unsigned: numba then does not ask whether it is negative
    x_square, x_power = table[at_x], amount * table[at_x + np.uint64(width)]
    bit = np.uint64(1) << np.uint64(c & 63)
    mask_at = (c >> 6) * stride + width + y_first
    narrow = width == NARROW
    y_low, y_high = side, -1
    for b in range(0, width, NARROW):
        rows = _mark_narrow(masks, mask_at + b, table, ys + b, x_square, limit, bit)
        if rows != 0:
            y_low = min(y_low, y_first + b + _lowest(rows))  # type: ignore[call-arg]
            y_high = y_first + b + _highest(rows)  # type: ignore[call-arg]
    y_low, y_high = max(0, y_low), min(side - 1, y_high)
    tail = amount * np.float32(_E2)
    at = (c * side + y_low) * stride + width + z_first
    at_y = np.uint64(ys + y_low - y_first)
    for _ in range(y_low, y_high + 1):
        square, power = x_square + table[at_y], x_power * table[at_y + np.uint64(width)]
        if narrow:
            if binary:
                _binary_narrow(scratch, at, table, zs, square, amount)
            else:
                _gaussian_narrow(scratch, at, table, table, zs, zs + width, square, power, tail)
        else:
            for b in range(0, width, WIDE):
                if binary:
                    _binary_wide(scratch, at + b, table, zs + b, square, amount)
                else:
                    _gaussian_wide(scratch, at + b, table, table, zs + b, zs + width + b, square, power, tail)
        at += stride
        at_y += np.uint64(1)


@njit(inline="always", **_OPTIONS)
def _write_plane(scratch, masks, width, side, channels, plane):  # type: ignore[no-untyped-def]
    """Clear a plane of the image and move the rows that were touched into it."""
    stride = side + 2 * width
    whole = side // NARROW * NARROW
    for y in range(side):
        row = plane[y * side * channels : (y + 1) * side * channels]
        for i in range(side * channels):
            row[i] = _ZERO
        for word in range((channels + 63) // 64):
            mask = masks[word * stride + width + y]
            masks[word * stride + width + y] = np.uint64(0)
            while mask != 0:
                c = 64 * word + _lowest(mask)  # type: ignore[call-arg]
                mask &= mask - np.uint64(1)
                base = (c * side + y) * stride + width
                for z in range(0, whole, NARROW):
                    _move(row, z * channels + c, channels, scratch, base + z)
                for z in range(whole, side):
                    row[z * channels + c] = scratch[base + z]
                    scratch[base + z] = _ZERO


@compiled(
    types.void(
        _matrix, _indices, _i8, types.boolean, _f4, _i8, _vector_out, _vector_out, _masks_out, _image_out
    )
)  # fmt: skip
def fill(placed, where, n, binary, reach, width, table, scratch, masks, out):  # type: ignore[no-untyped-def]
    """Clear the image and add the first ``n`` placed atoms, each in its channel.

    A plane of voxels is summed channels first in a scratch, where an atom's row is one or two vectors; then
    the rows that were touched are copied into the image, channels last, while they are in the cache. An atom
    near a wall writes beyond the ends of a row, where nothing is read, instead of being clipped.

    Args:
        placed, where: from :func:`place`.
        binary: amount inside the radius, the largest stays; else gaussian density, which adds.
        reach: as for :func:`place`.
        width: :func:`lanes`.
        table: (6 n width,) or longer; written.
        scratch, masks: zeros of :func:`scratch_shapes`, or as a call with the same shapes left them.
        out: (D, D, D, C) overwritten.
    """
    side, channels = out.shape[0], out.shape[3]
    flat = out.reshape(out.size)
    order, begins = _by_first_plane(placed, n, reach, side)
    active = np.empty(n, np.int32)  # the atoms that reach the plane, and those to come that begin here
    n_active = 0
    for x in range(side):
        for m in range(begins[x], begins[x + 1]):
            _prepare(placed, order[m], reach, width, table)
            active[n_active] = order[m]
            n_active += 1
        left = 0
        for m in range(n_active):
            dx = np.float32(x) - placed[active[m], 0]
            if dx <= _ZERO or dx < reach * placed[active[m], 3]:
                _add(
                    placed, active[m], where[active[m]], x, binary, reach, width, side, table, scratch, masks
                )
                active[left] = active[m]
                left += 1
        n_active = left
        _write_plane(scratch, masks, width, side, channels, flat[x * side * side * channels :])


@njit(inline="always", **_OPTIONS)
def _write_mean_plane(scratch, masks, width, side, channels, plane):  # type: ignore[no-untyped-def]
    """Clear a plane of the halved image; write the means of 2 x 2 x 2 voxels: the scratch has the sum of two planes."""
    stride, half = side + 2 * width, side // 2
    eighth = np.float32(0.125)
    for y in range(half):
        row = plane[y * half * channels : (y + 1) * half * channels]
        for i in range(half * channels):
            row[i] = _ZERO
        for word in range((channels + 63) // 64):
            at = word * stride + width + 2 * y
            mask = masks[at] | masks[at + 1]
            masks[at] = np.uint64(0)
            masks[at + 1] = np.uint64(0)
            while mask != 0:
                c = 64 * word + _lowest(mask)  # type: ignore[call-arg]
                mask &= mask - np.uint64(1)
                one = (c * side + 2 * y) * stride + width
                two = one + stride
                for z in range(half):
                    k = 2 * z
                    mean = scratch[one + k] + scratch[one + k + 1] + scratch[two + k] + scratch[two + k + 1]
                    row[z * channels + c] = eighth * mean
                for k in range(side):
                    scratch[one + k] = _ZERO
                    scratch[two + k] = _ZERO


@compiled(
    types.void(
        _matrix, _indices, _i8, _f4, _i8, _vector_out, _vector_out, _masks_out, _image_out
    )
)  # fmt: skip
def fill_means(placed, where, n, reach, width, table, scratch, masks, out):  # type: ignore[no-untyped-def]
    """As :func:`fill` with gaussian density, but only the means of 2 x 2 x 2 voxels are written.

    Two planes are summed in the scratch before anything is written, so an eighth of the image is made.

    Args:
        out: (D / 2, D / 2, D / 2, C) overwritten.
    """
    side, channels = 2 * out.shape[0], out.shape[3]
    half = side // 2
    flat = out.reshape(out.size)
    order, begins = _by_first_plane(placed, n, reach, side)
    active = np.empty(n, np.int32)
    n_active = 0
    for x in range(side):
        for m in range(begins[x], begins[x + 1]):
            _prepare(placed, order[m], reach, width, table)
            active[n_active] = order[m]
            n_active += 1
        left = 0
        for m in range(n_active):
            dx = np.float32(x) - placed[active[m], 0]
            if dx <= _ZERO or dx < reach * placed[active[m], 3]:
                _add(placed, active[m], where[active[m]], x, False, reach, width, side, table, scratch, masks)
                active[left] = active[m]
                left += 1
        n_active = left
        if x % 2:
            plane = flat[(x // 2) * half * half * channels :]
            _write_mean_plane(scratch, masks, width, side, channels, plane)


@compiled(types.void(_matrix, _matrix, _i8, types.boolean, _f4, _i8, _image_out))
def fill_values(placed, values, n, binary, reach, width, out):  # type: ignore[no-untyped-def]
    """As :func:`fill`, for atoms with an amount in each channel: ``values`` (n, C).

    Args:
        placed: Positions and radii of the atoms, as for :func:`fill`.
        values: (n, C) value of each atom in each channel.
        n: Number of atoms.
        binary: Binary instead of gaussian voxels.
        reach: Range of an atom in radii.
        width: Lanes of a row.
        out: Image, changed in place.
    """
    side, channels = out.shape[0], out.shape[3]
    flat = out.reshape(out.size)
    for i in range(flat.size):
        flat[i] = _ZERO
    squares, powers = np.empty(width, np.float32), np.empty(width, np.float32)
    row = np.empty(width, np.float32)
    limit, tail = reach * reach, np.float32(_E2)
    for a in range(n):
        radius = placed[a, 3]
        extent, scale = reach * radius, _ONE / (radius * radius)
        x_low, x_high = max(0, math.ceil(placed[a, 0] - extent)), math.floor(placed[a, 0] + extent)
        y_low, y_high = max(0, math.ceil(placed[a, 1] - extent)), math.floor(placed[a, 1] + extent)
        z_first = math.ceil(placed[a, 2] - extent)
        for b in range(0, width, NARROW):
            _squares_narrow(squares, powers, b, b, np.float32(z_first + b) - placed[a, 2], scale)
        for x in range(x_low, min(side - 1, x_high) + 1):
            dx = np.float32(x) - placed[a, 0]
            for y in range(y_low, min(side - 1, y_high) + 1):
                dy = np.float32(y) - placed[a, 1]
                square = (dx * dx + dy * dy) * scale
                if square < limit:
                    power = _exponential(dx * dx * scale) * _exponential(dy * dy * scale)
                    row[:] = _ZERO
                    for b in range(0, width, NARROW):
                        if binary:
                            _binary_narrow(row, b, squares, b, square, _ONE)
                        else:
                            _gaussian_narrow(row, b, squares, powers, b, b, square, power, tail)
                    for k in range(max(0, -z_first), min(width, side - z_first)):
                        if row[k] != 0:
                            at = ((x * side + y) * side + z_first + k) * channels
                            for c in range(channels):
                                if binary:
                                    flat[at + c] = _larger(flat[at + c], values[a, c])
                                else:
                                    flat[at + c] += row[k] * values[a, c]


# ---- images of a whole batch ----

NEAREST, BINARY, GAUSSIAN, MEANS = range(4)  #: what :func:`images` makes


@njit(**_OPTIONS)
def _lanes(widest, reach):  # type: ignore[no-untyped-def]
    """As :func:`lanes`."""
    window = int(math.floor(2.0 * np.float64(reach) * np.float64(widest))) + 1  # noqa: RUF046 - a float in numba
    return NARROW if window <= NARROW else (window + WIDE - 1) // WIDE * WIDE


_vectors = types.Array(_f4, 3, "C", readonly=True)


@compiled(
    _i8(
        _vectors, _matrix, types.Array(types.int32, 2, "C", readonly=True), _matrix, _indices,
        _vectors, _matrix, _i8, _f4, _f4, _i8, types.Array(_f4, 5, "C"),
    )
)  # fmt: skip
def images(  # type: ignore[no-untyped-def]
    xyz, radius, channel, value, counts, rotations, shifts, kind, reach, spacing, side, out
):
    """Make the images of a batch, each as the functions above make one.

    Args:
        xyz: (B, N, 3) relative to the ligand's centre.
        radius, channel, value: (B, N); of each row the first ``counts`` are used.
        counts: (B,).
        rotations, shifts: (B, 3, 3) and (B, 3) Å.
        kind: NEAREST, BINARY, GAUSSIAN or MEANS.
        reach: in radii.
        side: of the box, voxels.
        out: (B, D, D, D, C) overwritten; D is half the side for MEANS.

    Returns:
        -1; or the number of the first pose with a channel that the image does not have; or (B plus it) of one with
        a radius that is not a number.
    """
    batch, channels = out.shape[0], out.shape[4]
    placed, where = np.empty((xyz.shape[1], 5), np.float32), np.empty(xyz.shape[1], np.int32)
    no_values, centre = np.empty((0, channels), np.float32), np.zeros(3, np.float32)
    lanes_now = 0
    tables, scratch, masks = np.empty(0, np.float32), np.empty(0, np.float32), np.empty(0, np.uint64)
    for b in range(batch):
        n = counts[b]
        atoms, kinds, amounts = xyz[b, :n], channel[b, :n], value[b, :n]
        if kind == NEAREST:
            clear(out[b])
            if not nearest(
                atoms, kinds, amounts, no_values, centre, rotations[b], shifts[b], spacing, out[b]
            ):
                return b
            continue
        n = place(
            atoms, radius[b, :n], kinds, amounts, centre, rotations[b], shifts[b], reach, spacing, side, channels,
            0, placed, where,
        )  # fmt: skip
        if n < 0:
            return b
        widest = _ZERO
        for i in range(n):
            if not placed[i, 3] < np.float32(np.inf):
                return batch + b
            widest = max(widest, placed[i, 3])
        width = _lanes(widest, reach)
        if (
            width != lanes_now
        ):  # the ends of rows hold what was written beyond them: clean only for the same width
            scratch = np.zeros(channels * side * (side + 2 * width), np.float32)
            masks = np.zeros((channels + 63) // 64 * (side + 2 * width), np.uint64)
            lanes_now = width
        if tables.shape[0] < 6 * n * width:
            tables = np.empty(12 * n * width, np.float32)
        if kind == MEANS:
            fill_means(placed, where, n, reach, width, tables, scratch, masks, out[b])
        else:
            fill(placed, where, n, kind == BINARY, reach, width, tables, scratch, masks, out[b])
    return -1
