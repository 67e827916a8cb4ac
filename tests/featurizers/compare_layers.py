"""Run by test_layers.py under one Keras backend: layers against kernels on random complexes. Prints JSON."""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
from pathlib import Path
from typing import ClassVar

import keras
import numpy as np

from affinity_zoo.featurizers import kernels, layers, views
from affinity_zoo.featurizers.atom_types import AtomTypes
from affinity_zoo.featurizers.element_tag import ElementTag
from affinity_zoo.plugins.contracts import Atoms, Box, Encoding, Featurizer
from affinity_zoo.zoo.batches.kinds import Kinds
from affinity_zoo.zoo.models.scoring_model import ScoringModel

BORDER = 1e-5  # Å


@dataclasses.dataclass(frozen=True)
class Charges(Featurizer):
    """Three channels with a value in each."""

    name: ClassVar[str] = "charges"
    summary: ClassVar[str] = "test"
    max_radius: ClassVar[float] = 2.5
    kind: str = "gaussian"

    def __post_init__(self) -> None:
        object.__setattr__(self, "voxelization", self.kind)

    @property
    def channels(self) -> tuple[str, ...]:
        return ("a", "b", "c")

    def encode(self, atoms: Atoms) -> Encoding:
        values = np.stack([atoms.charge, atoms.element / 7.0, (atoms.element == 6) * -2.0], axis=1)
        return Encoding(np.full(len(atoms), 2.5, np.float32), values=values.astype(np.float32))


FEATURIZERS = [
    ElementTag(),
    ElementTag(parts="ligand"),
    AtomTypes(),
    AtomTypes(density="binary"),
    AtomTypes(scheme="default2017", parts="receptor"),
    Charges("nearest"),
    Charges("binary"),
    Charges("gaussian"),
]


def random_atoms(rng: np.random.Generator, role: str, n: int, spread: float) -> Atoms:
    return Atoms(
        role=role,
        xyz=(rng.uniform(-spread, spread, (n, 3)) + 20).astype(np.float32),
        element=rng.choice([6, 7, 8, 16, 17, 30], n).astype(np.uint8),
        atom_type=rng.choice([*range(2, 28), 255], n).astype(np.uint8),
        flags=np.zeros(n, np.uint16),
        charge=rng.integers(-1, 2, n).astype(np.int8),
        name=np.full(n, b"C"),
        residue_name=np.full(n, b"LIG"),
        residue_number=np.ones(n, np.int32),
        chain=np.full(n, b"A"),
    )


def batch(featurizer: Featurizer, box: Box, rng: np.random.Generator, size: int) -> tuple[dict, list]:
    """Inputs of the layer, and the arguments of the kernel for each sample."""
    complexes = []
    for row in range(size):
        receptor = random_atoms(rng, "receptor", int(rng.integers(0, 120)), box.extent / 2 + 3)
        ligand = random_atoms(rng, "ligand", int(rng.integers(1, 20)), 3.0)
        parts = [(part.xyz, featurizer.encode(part)) for part in (receptor, ligand)]
        centre = views.centre(*parts[1])
        rotations, shifts = views.training_views(views.ViewOptions(), box, 5, 0, [row], [ligand.xyz - centre])
        complexes.append((parts, centre, rotations[0], shifts[0]))
    width = max(sum(len(xyz) for xyz, _ in parts) for parts, *_ in complexes) + 3
    channels = len(featurizer.channels)
    inputs = {
        "xyz": np.zeros((size, width, 3), np.float32),
        "radius": np.zeros((size, width), np.float32),
        "rotation": np.stack([c[2] for c in complexes]),
        "shift": np.stack([c[3] for c in complexes]),
    }
    if complexes[0][0][0][1].values is not None:
        inputs["values"] = np.zeros((size, width, channels), np.float32)
    else:
        inputs["channel"] = np.full((size, width), -1, np.int32)
        inputs["value"] = np.ones((size, width), np.float32)
    for row, (parts, centre, _, _) in enumerate(complexes):
        n = 0
        for xyz, encoding in parts:
            where = (row, slice(n, n + len(xyz)))
            inputs["xyz"][where] = xyz - centre
            for name in ("radius", "channel", "value", "values"):
                if getattr(encoding, name) is not None:
                    inputs[name][where] = getattr(encoding, name)
            n += len(xyz)
    return inputs, complexes


def differences(
    kind: str, box: Box, parts: list, centre, rotation, shift, kernel, layer
) -> tuple[float, int]:
    """Largest difference; and how many voxels differ that are not within BORDER of a wall or radius."""
    if kind == "gaussian":
        return float(np.abs(kernel - layer).max()), int(
            (np.abs(kernel - layer) > 1e-5 * max(1, np.abs(kernel).max())).sum()
        )
    axis = box.origin + box.spacing * np.arange(box.side)
    wrong = 0
    for x, y, z, _ in np.argwhere(kernel != layer):
        voxel = np.array([axis[x], axis[y], axis[z]])
        sure = True
        for xyz, encoding in parts:
            moved = (
                (xyz.astype(float) - centre.astype(float)) @ rotation.T.astype(float)
                + shift.astype(float)
                - voxel
            )
            if kind == "binary":
                edge = np.abs(np.linalg.norm(moved, axis=1) - encoding.radius)
            else:
                edge = np.abs(np.abs(moved).max(axis=1) - box.spacing / 2)
            sure &= not (edge < BORDER).any()
        wrong += sure
    return float(np.abs(kernel - layer).max()), wrong


def main() -> None:
    rng = np.random.default_rng(int(sys.argv[1]))
    report: dict = {"backend": keras.backend.backend(), "cases": []}
    for featurizer in FEATURIZERS:
        for box in (Box(11, 0.5), Box(8, 1.0, "points"), Box(5, 1.7)):
            inputs, complexes = batch(featurizer, box, rng, 5)
            layer = layers.for_featurizer(featurizer, box)
            images = keras.ops.convert_to_numpy(layer(inputs))
            few = {**layer.get_config(), "max_entries": 1, "name": "few"}
            grouped = keras.ops.convert_to_numpy(type(layer).from_config(few)(inputs))
            same = True
            if "value" in inputs:
                same = np.array_equal(keras.ops.convert_to_numpy(layer(as_kinds(inputs))), images)
            for row, (parts, centre, rotation, shift) in enumerate(complexes):
                kind = featurizer.voxelization
                kernel = kernels.voxelize(kind, box, len(featurizer.channels), parts, centre, rotation, shift)
                largest, wrong = differences(kind, box, parts, centre, rotation, shift, kernel, images[row])
                report["cases"].append(
                    {
                        "name": f"{featurizer.name} {featurizer.options()} {box}",
                        "largest": largest,
                        "wrong": wrong,
                        "shape": list(images.shape[1:]) == list(kernel.shape),
                        "filled": bool(kernel.any()),
                        "kinds": bool(same),
                        "grouped": float(np.abs(grouped[row] - images[row]).max()),
                    }
                )
    report["mixed"] = mixed_precision(rng)
    report["mixed_model"] = mixed_model(rng)
    report["saved"] = saved_model(rng)
    print(json.dumps(report))  # noqa: T201


def as_kinds(inputs: dict) -> dict:
    """The same atoms as kinds of one byte."""
    radius, channel, value = (np.asarray(inputs[name]) for name in ("radius", "channel", "value"))
    kinds = Kinds("any")
    numbers = kinds.numbers(
        Encoding(
            radius.ravel().astype("float32"), channel.ravel().astype("int32"), value.ravel().astype("float32")
        )
    )
    moved = {name: inputs[name] for name in ("xyz", "rotation", "shift")}
    return {**moved, "kind": numbers.reshape(radius.shape), "kinds": kinds.table}


def mixed_precision(rng: np.random.Generator) -> dict:
    """Under a half-precision policy only the finished image is rounded."""
    box, featurizer = Box(12, 0.5), AtomTypes()
    inputs, _ = batch(featurizer, box, rng, 2)
    full = keras.ops.convert_to_numpy(layers.for_featurizer(featurizer, box)(inputs))
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    half = layers.for_featurizer(featurizer, box)(inputs)
    dtype = keras.backend.standardize_dtype(half.dtype)
    half = keras.ops.convert_to_numpy(keras.ops.cast(half, "float32"))
    keras.mixed_precision.set_global_policy("float32")
    rounded = keras.ops.convert_to_numpy(keras.ops.cast(keras.ops.cast(full, "bfloat16"), "float32"))
    return {"dtype": dtype, "equal": bool(np.array_equal(half, rounded))}


def mixed_model(rng: np.random.Generator) -> dict:
    """A whole model under mixed_float16: coordinates stay float32, 16 Å from the centre half precision has 0.016 Å."""
    box, featurizer = Box(64, 0.5), ElementTag()
    inputs, complexes = batch(featurizer, box, rng, 2)
    keras.mixed_precision.set_global_policy("mixed_float16")
    seen = {}

    @keras.saving.register_keras_serializable(package="test")
    class Watched(layers.NearestVoxelizer):
        def call(self, inputs):  # type: ignore[no-untyped-def]
            seen.update({name: keras.backend.standardize_dtype(x.dtype) for name, x in inputs.items()})
            return super().call(inputs)

    image = keras.Input((64, 64, 64, 1))
    network = keras.Model(image, keras.layers.Flatten()(image))
    model = ScoringModel(network, Watched(box.side, box.spacing, 1))
    found = keras.ops.convert_to_numpy(keras.ops.cast(model(inputs), "float32")).reshape(2, 64, 64, 64, 1)
    keras.mixed_precision.set_global_policy("float32")
    wrong = 0
    for row, (parts, centre, rotation, shift) in enumerate(complexes):
        kernel = kernels.voxelize("nearest", box, 1, parts, centre, rotation, shift)
        wrong += differences("nearest", box, parts, centre, rotation, shift, kernel, found[row])[1]
    half = keras.backend.standardize_dtype(network.compute_dtype)
    return {
        "seen": {name: seen[name] for name in ("xyz", "radius", "rotation", "shift")},
        "wrong": wrong,
        "network": half,
    }


def saved_model(rng: np.random.Generator) -> dict:
    """A model with any number of atoms: saved, loaded in safe mode, and predicting the same."""
    box, featurizer = Box(8, 1.0), AtomTypes()
    inputs, _ = batch(featurizer, box, rng, 5)
    atoms = ("xyz", "channel", "value", "radius")
    symbols = {
        name: keras.Input(
            (None, *a.shape[2:]) if name in atoms else a.shape[1:], dtype=str(a.dtype), name=name
        )
        for name, a in inputs.items()
    }
    model = keras.Model(symbols, layers.for_featurizer(featurizer, box)(symbols))
    before = model.predict(inputs, batch_size=2, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        loaded = keras.saving.load_model(path, custom_objects=layers.custom_objects(), safe_mode=True)
    direct = keras.ops.convert_to_numpy(layers.for_featurizer(featurizer, box)(inputs))
    return {
        "loaded": bool(np.array_equal(loaded.predict(inputs, batch_size=2, verbose=0), before)),
        "largest": float(np.abs(before - direct).max()),
        "output_shape": list(model.output_shape),
    }


if __name__ == "__main__":
    main()
