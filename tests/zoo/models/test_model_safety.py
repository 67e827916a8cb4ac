"""A model is data: whatever carries code or reaches outside its folder is refused before Keras reads it."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from affinity_zoo.featurizers import layers
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.catalog.registry import BUILTINS, catalog
from affinity_zoo.zoo.models.safety import OURS, check_classes, check_folder
from affinity_zoo.zoo.models.scoring_model import ScoringModel


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The members of a good model's archive."""
    image = keras.Input((4, 4, 4, 1))
    network = keras.Model(image, keras.layers.Dense(1)(keras.layers.Flatten()(image)))
    model = ScoringModel(network, layers.GaussianVoxelizer(4, 1.0, 1))
    path = tmp_path_factory.mktemp("model") / "model.keras"
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def folder_with(tmp_path: Path, members: dict[str, bytes]) -> Path:
    """Write a model directory from members."""
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return tmp_path


def changed(members: dict[str, bytes], **changes: Any) -> dict[str, bytes]:
    """Return the members with the network's last layer named otherwise in the configuration."""
    config = json.loads(members["config.json"])
    config["config"]["network"]["config"]["layers"][-1].update(changes)
    return {**members, "config.json": json.dumps(config).encode()}


def weights(change: Any) -> bytes:
    """Return a weights file that was changed by a function."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["good"] = np.zeros(3)
        change(file)
    return buffer.getvalue()


def test_a_good_model_passes(members: dict[str, bytes], tmp_path: Path) -> None:
    check_folder(folder_with(tmp_path, members))


def test_our_own_classes_are_those_that_models_hold() -> None:
    assert {*layers.custom_objects(), keras.saving.get_registered_name(ScoringModel)} == OURS


def test_a_lambda_is_refused(members: dict[str, bytes], tmp_path: Path) -> None:
    image = keras.Input((2,))
    keras.Model(image, keras.layers.Lambda(lambda x: x * 2)(image)).save(tmp_path / "model.keras")
    with pytest.raises(AffinityZooError, match="lambda"):
        check_folder(tmp_path)


@pytest.mark.parametrize(
    ("module", "name"), [("os", "system"), ("subprocess", "Popen"), ("evil.code", "Layer")]
)
def test_a_class_from_anywhere_is_refused(
    module: str, name: str, members: dict[str, bytes], tmp_path: Path
) -> None:
    for registered in (None, name, f"affinity_zoo>{name}"):
        bad = changed(members, module=module, class_name=name, registered_name=registered)
        with pytest.raises(AffinityZooError, match=f"it names {module}.{name}"):
            check_folder(folder_with(tmp_path, bad))


def test_a_plugins_class_is_allowed_by_its_registered_name_only(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    bad = changed(members, module="zoo_mine.layers", class_name="Mine", registered_name="zoo-mine>Mine")
    folder = folder_with(tmp_path, bad)
    check_folder(folder, ["zoo-mine>Mine"])
    with pytest.raises(AffinityZooError, match=r"zoo_mine\.layers\.Mine"):
        check_folder(folder)


@pytest.mark.parametrize(
    "name", ["../evil.py", "/etc/evil", "assets/code.py", "model.weights.npz", "data.pkl"]
)
def test_other_members_and_paths_outside_are_refused(
    name: str, members: dict[str, bytes], tmp_path: Path
) -> None:
    with pytest.raises(AffinityZooError, match="refused, it"):
        check_folder(folder_with(tmp_path, {**members, name: b"x"}))


def test_weights_outside_the_file_are_refused(members: dict[str, bytes], tmp_path: Path) -> None:
    def external_link(file: h5py.File) -> None:
        file["layer"] = h5py.ExternalLink("/etc/passwd", "/")

    def soft_link(file: h5py.File) -> None:
        file.create_group("deep")["layer"] = h5py.SoftLink("/good")

    def external_storage(file: h5py.File) -> None:
        file.create_dataset("layer", (3,), "u1", external=[("/etc/passwd", 0, 3)])

    def virtual(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((3,), "u1")
        layout[:] = h5py.VirtualSource("/etc/passwd", "x", (3,))
        file.create_virtual_dataset("layer", layout)

    for change in (external_link, soft_link, external_storage, virtual):
        bad = {**members, "model.weights.h5": weights(change)}
        with pytest.raises(AffinityZooError, match="refused, its weights"):
            check_folder(folder_with(tmp_path, bad))


def test_pickles_are_refused(members: dict[str, bytes], tmp_path: Path) -> None:
    folder = folder_with(tmp_path, members)
    (folder / "extra.pkl").write_bytes(pickle.dumps({}))
    with pytest.raises(AffinityZooError, match="must not contain a pickle"):
        check_folder(folder)


@pytest.mark.parametrize("data", [b"", b"not a zip", pickle.dumps([1, 2])])
def test_what_is_no_model_is_a_sentence(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(data)
    with pytest.raises(AffinityZooError, match="not a whole"):
        check_folder(tmp_path)


def test_missing_parts_are_a_sentence(members: dict[str, bytes], tmp_path: Path) -> None:
    for name in members:
        rest = {key: value for key, value in members.items() if key != name}
        if name == "metadata.json":
            continue
        with pytest.raises(AffinityZooError, match="not a whole"):
            check_folder(folder_with(tmp_path, rest))


@pytest.mark.parametrize("name", BUILTINS["architecture"])
def test_every_built_in_network_passes_the_allow_list(name: str) -> None:
    architecture = catalog().create("architecture", name)
    network = architecture.build((24, 24, 24, 3), ("pose", "affinity"))
    model = ScoringModel(network, layers.GaussianVoxelizer(24, 1.0, 3))
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    check_classes(config, Path("model.keras"), architecture.custom_objects())
