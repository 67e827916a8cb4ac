"""The compiled kernels against images written voxel by voxel in float64 from the published formulas."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affinity_zoo.featurizers import kernels
from affinity_zoo.featurizers.views import rotation_matrices
from affinity_zoo.plugins.contracts import Box, Encoding

BORDER = 1e-5  # Å: what float32 positions may be wrong by
KINDS = ("nearest", "binary", "gaussian")


def reference(kind, box, n_channels, parts, centre, rotation, shift):
    """The image in float64, and where it is uncertain: within BORDER of a voxel's wall or an atom's radius."""
    axis = box.origin + box.spacing * np.arange(box.side)
    image = np.zeros((box.side,) * 3 + (n_channels,))
    uncertain = np.zeros(image.shape, bool)
    filled = np.zeros(image.shape, bool)
    for xyz, encoding in parts:
        moved = (xyz.astype(float) - centre.astype(float)) @ rotation.T.astype(float) + shift.astype(float)
        values = encoding.values
        if values is None:
            amount = np.ones(len(xyz)) if encoding.value is None else encoding.value
            values = np.zeros((len(xyz), n_channels))
            for i in np.flatnonzero(encoding.channel >= 0):
                values[i, encoding.channel[i]] = amount[i]
        for position, radius, row in zip(moved, encoding.radius.astype(float), values, strict=True):
            offsets = [axis - coordinate for coordinate in position]
            x, y, z = np.meshgrid(*offsets, indexing="ij")
            distance = np.sqrt(x**2 + y**2 + z**2)
            for c in np.flatnonzero(row):
                if kind == "gaussian":
                    if radius <= 0:
                        continue
                    u = distance / radius
                    density = np.where(u <= 1, np.exp(-2 * u**2), np.exp(-2) * (2 * u - 3) ** 2)
                    image[..., c] += row[c] * np.where(u < 1.5, density, 0)
                    continue
                if kind == "binary":
                    hit = distance < radius
                    uncertain[..., c] |= np.abs(distance - radius) < BORDER
                else:
                    largest = np.maximum(np.abs(x), np.maximum(np.abs(y), np.abs(z)))
                    hit = largest < box.spacing / 2
                    uncertain[..., c] |= np.abs(largest - box.spacing / 2) < BORDER
                better = hit & (~filled[..., c] | (row[c] > image[..., c]))
                image[..., c][better] = row[c]
                filled[..., c] |= hit
    return image, uncertain


@st.composite
def scenes(draw):
    """A box, parts of random atoms in and around it, and a view."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    box = Box(
        draw(st.sampled_from((1, 2, 5, 7, 8, 11, 16, 19))),
        draw(st.sampled_from((0.35, 0.5, 1.0, 1.7))),
        draw(st.sampled_from(("cells", "points"))),
    )
    channels = draw(st.sampled_from((1, 3, 28, 70)))
    modes = draw(st.lists(st.sampled_from(("channel", "value", "values")), min_size=0, max_size=3))
    centre = rng.normal(size=3).astype(np.float32) * 30
    parts = []
    for mode in modes:
        n = int(rng.integers(0, 40))
        spread = box.spacing * box.side / 2 + 3
        xyz = (rng.uniform(-spread, spread, (n, 3)) + centre).astype(np.float32)
        radius = rng.choice([0.0, 0.37, 1.2, 1.9, 2.2, 2.9], n).astype(np.float32)
        if mode == "values":
            values = (rng.normal(size=(n, channels)) * (rng.random((n, channels)) < 0.3)).astype(np.float32)
            parts.append((xyz, Encoding(radius, values=values)))
        else:
            channel = rng.integers(-1, channels, n).astype(np.int32)
            value = None if mode == "channel" else rng.choice([-2.0, 0.0, 0.5, 7.0], n).astype(np.float32)
            parts.append((xyz, Encoding(radius, channel=channel, value=value)))
    rotation = rotation_matrices(rng.random((1, 3)))[0].astype(np.float32)
    return box, channels, parts, centre, rotation, rng.uniform(-3, 3, 3).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None)
@given(scene=scenes())
def test_kernel_equals_the_formulas(kind, scene):
    box, channels, parts, centre, rotation, shift = scene
    image = kernels.voxelize(kind, box, channels, parts, centre, rotation, shift)
    assert image.shape == (box.side,) * 3 + (channels,) and image.dtype == np.float32
    expected, uncertain = reference(kind, box, channels, parts, centre, rotation, shift)
    if kind == "gaussian":
        scale = max(
            1.0, max((np.abs(e.values).max(initial=1) for _, e in parts if e.values is not None), default=7)
        )
        np.testing.assert_allclose(image, expected, atol=1e-5 * scale)
    else:
        np.testing.assert_array_equal(image[~uncertain], expected.astype(np.float32)[~uncertain])


@settings(max_examples=100, deadline=None)
@given(scene=scenes())
def test_means_are_those_of_the_image(scene):
    """An averaged image is the average of the image; the scratch that both share is left clean."""
    box, channels, parts, centre, rotation, shift = scene
    parts = [(xyz, encoding) for xyz, encoding in parts if encoding.values is None]
    view = (channels, parts, centre, rotation, shift)
    if box.side % 2:
        with pytest.raises(ValueError, match="cannot be halved"):
            kernels.voxelize_means(box, *view)
        return
    image = kernels.voxelize("gaussian", box, *view)
    half = box.side // 2
    expected = image.reshape(half, 2, half, 2, half, 2, channels).astype(np.float64).mean(axis=(1, 3, 5))
    np.testing.assert_allclose(kernels.voxelize_means(box, *view), expected, atol=2e-5)
    np.testing.assert_array_equal(kernels.voxelize("gaussian", box, *view), image)


def test_means_refuse_what_they_are_not_made_for():
    box, view = Box(4, 1.0), (np.zeros(3), np.eye(3), np.zeros(3))
    values = [
        (np.zeros((1, 3), np.float32), Encoding(np.ones(1, np.float32), values=np.ones((1, 2), np.float32)))
    ]
    with pytest.raises(ValueError, match="not by values"):
        kernels.voxelize_means(box, 2, values, *view)
    with pytest.raises(ValueError, match="shape"):
        kernels.voxelize_means(box, 2, [], *view, out=np.zeros((4, 4, 4, 2), np.float32))


@pytest.mark.parametrize("kind", KINDS)
def test_memory_left_by_other_images_does_not_show(kind):
    """The scratch is kept between images of one thread: large, small and empty ones in turn."""
    rng = np.random.default_rng(1)
    no_turn, nowhere = np.eye(3, dtype=np.float32), np.zeros(3, np.float32)

    def scene(n, side, channels, radius):
        xyz = rng.uniform(-8, 8, (n, 3)).astype(np.float32)
        encoding = Encoding(
            np.full(n, radius, np.float32), channel=rng.integers(0, channels, n).astype(np.int32)
        )
        return Box(side, 0.5), channels, [(xyz, encoding)], nowhere, no_turn, nowhere

    todo = [
        scene(n, side, c, r)
        for n in (0, 1, 90)
        for side, c in ((24, 28), (11, 28), (24, 3))
        for r in (1.2, 2.2)
    ]
    first = [kernels.voxelize(kind, *each) for each in todo]
    order = rng.permutation(len(todo))
    for number in order:
        dirty = np.full_like(first[number], np.nan)
        np.testing.assert_array_equal(kernels.voxelize(kind, *todo[number], out=dirty), first[number])
    with ThreadPoolExecutor(2) as pool:
        for number, image in zip(
            order, pool.map(lambda i: kernels.voxelize(kind, *todo[i]), order), strict=True
        ):
            np.testing.assert_array_equal(image, first[number])


def test_read_only_and_unusual_arrays_need_no_second_compilation():
    xyz = np.zeros((2, 3), np.float32)
    encoding = Encoding(np.ones(2, np.float32), channel=np.zeros(2, np.int32), value=np.ones(2, np.float32))
    for array in (xyz, encoding.radius, encoding.channel, encoding.value):
        array.setflags(write=False)
    strided = np.zeros((3, 2), np.float32).T
    doubles = xyz.astype(np.float64)
    images = [
        kernels.voxelize("gaussian", Box(8, 1.0), 1, [(each, encoding)], np.zeros(3), np.eye(3), np.zeros(3))
        for each in (xyz, strided, doubles)
    ]
    for image in images:
        np.testing.assert_array_equal(image, images[0])
    assert len(kernels._compiled.fill.signatures) == 1
    assert len(kernels._compiled.place.signatures) == 1


@pytest.mark.parametrize("kind", ["binary", "gaussian"])
def test_atoms_that_are_not_numbers_are_left_out(kind):
    xyz = np.array([[np.nan, 0, 0], [0, np.inf, 0], [0, 0, -np.inf], [0, 0, 0]], np.float32)
    encoding = Encoding(np.ones(4, np.float32), channel=np.zeros(4, np.int32))
    args = (np.zeros(3), np.eye(3), np.zeros(3))
    image = kernels.voxelize(kind, Box(8, 0.5), 1, [(xyz, encoding)], *args)
    alone = Encoding(np.ones(1, np.float32), channel=np.zeros(1, np.int32))
    np.testing.assert_array_equal(image, kernels.voxelize(kind, Box(8, 0.5), 1, [(xyz[3:], alone)], *args))
    assert image.any()


def test_wrong_inputs_are_refused():
    xyz = np.zeros((2, 3), np.float32)
    radius = np.ones(2, np.float32)
    args = (np.zeros(3), np.eye(3), np.zeros(3))
    box = Box(4, 1.0)
    for kind in KINDS:
        for encoding, sentence in (
            (Encoding(radius, channel=np.array([0, 2], np.int32)), "channel 2"),
            (Encoding(radius[:1], channel=np.zeros(2, np.int32)), "shape"),
            (Encoding(radius, channel=np.zeros(3, np.int32)), "shape"),
            (Encoding(radius, values=np.zeros((2, 3), np.float32)), "shape"),
            (Encoding(radius), "either channel or values"),
        ):
            with pytest.raises(ValueError, match=sentence):
                kernels.voxelize(kind, box, 2, [(xyz, encoding)], *args)
    good = Encoding(radius, channel=np.zeros(2, np.int32))
    with pytest.raises(ValueError, match="out has the shape"):
        kernels.voxelize("binary", box, 2, [(xyz, good)], *args, out=np.zeros((4, 4, 4, 1), np.float32))
    with pytest.raises(ValueError, match="not 'cubic'"):
        kernels.voxelize("cubic", box, 2, [(xyz, good)], *args)  # type: ignore[arg-type]
    endless = Encoding(np.full(2, np.inf, np.float32), channel=np.zeros(2, np.int32))
    with pytest.raises(ValueError, match="not a number"):
        kernels.voxelize("gaussian", box, 2, [(xyz, endless)], *args)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(scene=scenes())
def test_visible_atoms_make_the_same_image(kind, scene):
    box, channels, parts, centre, rotation, shift = scene
    kept = []
    for xyz, encoding in parts:
        some = kernels.visible(kind, box, xyz, encoding, centre, rotation, shift)
        assert (np.diff(some) > 0).all()
        fields = {
            name: None if getattr(encoding, name) is None else getattr(encoding, name)[some]
            for name in ("channel", "value", "values")
        }
        kept.append((xyz[some], Encoding(encoding.radius[some], **fields)))
    view = (centre, rotation, shift)
    np.testing.assert_array_equal(
        kernels.voxelize(kind, box, channels, kept, *view),
        kernels.voxelize(kind, box, channels, parts, *view),
    )


def test_kernels_work_where_no_cache_can_be_written():
    """As in a container with a read-only file system: numba then finds no folder for its cache."""
    script = (
        "import numba.core.caching as caching\n"
        "caching.CacheImpl._locator_classes = []\n"
        "import numpy as np\n"
        "from affinity_zoo.featurizers import kernels\n"
        "from affinity_zoo.plugins.contracts import Box, Encoding\n"
        "e = Encoding(np.ones(1, 'f4'), channel=np.zeros(1, 'i4'))\n"
        "i = kernels.voxelize('gaussian', Box(3, 1.0), 1, [(np.zeros((1, 3), 'f4'), e)],"
        " np.zeros(3), np.eye(3), np.zeros(3))\n"
        "assert i[1, 1, 1, 0] == 1, i\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
