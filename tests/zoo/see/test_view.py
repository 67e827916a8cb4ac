"""`view`: the image that training gets, for built-in and third-party featurizers, as a page and as a picture."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affinity_zoo.featurizers.atom_types import AtomTypes
from affinity_zoo.featurizers.element_tag import ElementTag
from affinity_zoo.featurizers.views import ViewOptions, fixed_view
from affinity_zoo.plugins.contracts import Box
from affinity_zoo.zoo.batches.batches import BatchMaker, Imaging
from affinity_zoo.zoo.batches.pairs import PosesOfReceptor
from affinity_zoo.zoo.see.view import ImagedComplex, make_view
from affinity_zoo.zoo.see.view_page import MOST_BYTES, coded, thinned, thinning, view_data, write_view_page
from affinity_zoo.zoo.see.view_picture import write_picture

PLUGIN = """
from dataclasses import dataclass
from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.contracts import Box, Encoding, Featurizer


@dataclass(frozen=True)
class Whole(Featurizer):
    name = "whole-image"
    summary = "counts atoms on the host"
    api_version = 1
    default_box = Box(12, 2.0)
    boost: float = 1.0

    @property
    def channels(self):
        return ("receptor <b>", "ligand")

    def encode(self, atoms):
        import numpy as np
        return Encoding(radius=np.ones(len(atoms), np.float32), channel=np.zeros(len(atoms), np.int32))

    def image(self, receptor, ligand, box, rotation, shift):
        import numpy as np
        image = np.zeros((box.side,) * 3 + (2,), np.float32)
        centre = ligand.xyz.mean(axis=0)
        for c, atoms in enumerate((receptor, ligand)):
            cells = np.rint(((atoms.xyz - centre) @ rotation.T + shift - box.origin) / box.spacing).astype(int)
            for cell in cells[((cells >= 0) & (cells < box.side)).all(axis=1)]:
                image[(*cell, c)] += self.boost
        return image


@dataclass(frozen=True)
class Layered(Whole):
    name = "own-layer"
    summary = "a voxelizer of its own"
    image = Featurizer.image

    def voxelizer(self, box):
        import keras
        from keras import ops

        class Sum(keras.layers.Layer):
            def call(self, inputs):
                total = ops.sum(inputs["value"], axis=1)[:, None, None, None, None]
                return total * ops.ones((1, box.side, box.side, box.side, 2))

        return Sum()


@hookimpl
def register_featurizers():
    return [Whole, Layered]
"""


@pytest.fixture(scope="module")
def real(real_complex: Any) -> ImagedComplex:
    return make_view(real_complex.receptor, real_complex.ligand, AtomTypes(), Box(24, 1.0), number=1)


@pytest.mark.parametrize("number", [0, 2])
@pytest.mark.parametrize("featurizer", [AtomTypes(), ElementTag(), AtomTypes(density="binary")], ids=str)
def test_it_is_the_image_that_prediction_gets(featurizer: Any, number: int, real_complex: Any) -> None:
    view = make_view(
        real_complex.receptor, real_complex.ligand, featurizer, featurizer.default_box, number=number
    )
    pairs = PosesOfReceptor(view.complex.receptor, [view.complex.ligand])
    maker = BatchMaker(pairs, Imaging(featurizer, featurizer.default_box, ViewOptions()))
    expected = maker.evaluation(np.array([0]), fixed_view(0, number))["image"][0]
    np.testing.assert_allclose(view.image, expected, atol=1e-5)
    # the atoms are drawn where the image has them
    if featurizer.voxelization == "nearest":
        cells = np.rint((view.ligand - view.box.origin) / view.box.spacing).astype(int)
        assert all(view.image[tuple(cell)].any() for cell in cells)


def test_the_page_in_a_real_browser(real: ImagedComplex, tmp_path: Path, browse: Any) -> None:
    page = write_view_page(real, tmp_path / "view.html", "affinity-zoo view <x>")
    assert page.stat().st_size < 10_000_000
    click = (
        "setTimeout(function () { var told = document.body.dataset, before = told.channels;"
        "document.getElementById('none').click(); var none = told.channels;"
        "document.querySelectorAll('#channels tr')[0].click(); var one = told.channels;"
        "document.getElementById('surface').click();"
        "told.tried = [before, none, one].join(' '); }, 1000);"
        "setTimeout(function () { document.body.dataset.skins = Object.keys(VIEW.surfaces).length; }, 8000);"
    )
    seen = browse(page, click)
    assert seen.console == [] and seen.requests == []
    assert re.search(r'data-ready="[1-9]"', seen.document)
    assert 'data-tried="3 0 1"' in seen.document and 'data-skins="1"' in seen.document
    drawn = re.search(r'data-drawn="(\d+) (\d+) (\d+)"', seen.document)
    assert drawn and [int(n) for n in drawn.groups()[:2]] == [len(real.ligand), len(real.receptor)]
    assert len(re.findall(r'<tr data-row="\d', seen.document)) == 28


def test_channels_survive_their_coding(real: ImagedComplex) -> None:
    data = view_data(real)
    assert data["step"] == 1 and data["side"] == 24
    for c, channel in enumerate(data["channels"]):
        values = real.image[..., c]
        assert bool(channel["data"]) == bool(values.any())
        if channel["data"]:
            read = np.frombuffer(base64.b64decode(channel["data"]), np.uint8).astype(float) - 128
            read = read.reshape(24, 24, 24) / 127 * channel["scale"]
            np.testing.assert_allclose(read, values, atol=channel["scale"] / 127)
            assert ((read != 0) == (values != 0)).all()
    assert sum(channel["shown"] for channel in data["channels"]) == 3


@given(st.integers(1, 200), st.integers(0, 300))
def test_pages_stay_small(side: int, channels: int) -> None:
    step = thinning(side, channels)
    assert (-(-side // step)) ** 3 * channels <= MOST_BYTES


def test_thinning_keeps_what_is_largest() -> None:
    values = np.zeros((5, 5, 5), np.float32)
    values[4, 4, 4], values[0, 1, 0], values[1, 1, 1] = -3.0, 2.0, 0.5
    small = thinned(values, 2)
    assert small.shape == (3, 3, 3)
    assert small[2, 2, 2] == -3.0 and small[0, 0, 0] == 2.0 and np.count_nonzero(small) == 2
    assert len(base64.b64decode(coded(small, 3.0))) == 27


def test_the_picture(real: ImagedComplex, tmp_path: Path) -> None:
    from PIL import Image

    picture = Image.open(write_picture(real, tmp_path / "view.png"))
    assert min(picture.size) > 400
    assert len(picture.convert("RGB").getcolors(1 << 24)) > 100  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == [tmp_path / "view.png"]


@pytest.mark.parametrize("name", ["whole-image", "own-layer"])
def test_a_featurizer_of_somebody_else(name: str, real_complex: Any, tmp_path: Path) -> None:
    """One that makes the whole image, one with a layer of its own: page, picture and JSON."""
    plugin = tmp_path / "theirs.py"
    plugin.write_text(PLUGIN)
    for out in ("view.png", "view.html"):
        done = subprocess.run(
            [
                sys.executable, "-m", "affinity_zoo.cli", "--plugin-file", str(plugin), "view", "-f", name,
                "-F", "boost=2", "-r", str(real_complex.receptor), "-l", str(real_complex.ligand),
                "-o", str(tmp_path / out), "--json",
            ],
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["featurizer"] == {"name": name, "options": {"boost": 2.0}}
        assert [row["channel"] for row in told["channels"]] == ["receptor <b>", "ligand"]
        assert all(row["voxels"] for row in told["channels"])
        assert (tmp_path / out).stat().st_size > 5_000
    if name == "whole-image":
        ligand_atoms = int(re.search(r'"sum": ([\d.]+)', json.dumps(told["channels"][1]))[1].split(".")[0])  # type: ignore[index]
        assert ligand_atoms % 2 == 0 and ligand_atoms > 10
    assert (
        "<b>"
        not in (tmp_path / "view.html")
        .read_text()
        .split("<script type='application/json'")[0]
        .split("</style>")[1][:3000]
    )


def test_a_model_brings_featurizer_and_box(
    small_model: Path, real_complex: Any, tmp_path: Path, cli: Any
) -> None:
    where = ["-r", real_complex.receptor, "-l", real_complex.ligand, "-o", tmp_path / "v.png", "--json"]
    done = cli("view", small_model, *where)
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert told["featurizer"]["name"] == "atom-types" and told["box"] == {
        "side": 16,
        "spacing": 1.0,
        "grid": "cells",
    }
    told = json.loads(cli("view", small_model, *where, "--box", "8x2").out)
    assert told["box"]["side"] == 8
    for wrong, words in (
        (["-f", "atom-types", small_model], "either a model or a featurizer"),
        ([], "either a model or a featurizer"),
        (["-f", "atom-types", "-o", tmp_path / "v.jpg"], ".html"),
        (["-f", "atom-types", "-F", "parts=nothing"], "parts"),
    ):
        done = cli("view", *where, *wrong)
        assert done.code == 2 and words in done.err, (wrong, done.err)
    assert cli("view", "-f", "no-such", *where).code in (1, 2)
