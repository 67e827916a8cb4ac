"""Export to ONNX and SavedModel; each file is run and compared with Keras before it is kept."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers.views import fixed_view
from affinity_zoo.plugins.contracts import UNTYPED, Atoms, Role
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.batches.batches import BatchMaker, Imaging, Place, makes_own_image
from affinity_zoo.zoo.batches.pairs import PosesOfReceptor
from affinity_zoo.zoo.inference.reference import OutputCheck, check_export
from affinity_zoo.zoo.models.loading import Model
from affinity_zoo.zoo.models.safe_files import read_json
from affinity_zoo.zoo.runtime.files import check_output

Inputs = dict[str, NDArray[Any]]
FORMATS = ("onnx", "savedmodel")
SOURCES = ("image", "atoms")
TOLERANCE = 1e-4  #: largest difference to Keras, in units of the output or relative where that is above 1
#: additional packages of each format, and the extra that installs them
NEEDS = {"onnx": (("tf2onnx", "onnx", "onnxruntime"), "onnx"), "savedmodel": (("tensorflow",), "")}


@dataclass(frozen=True)
class Exported:
    """Description of an exported model; written beside it as JSON."""

    model: str
    format: str
    source: str  #: image or atoms
    inputs: dict[str, tuple[str, tuple[int | None, ...]]]  #: name to dtype and shape, None: any
    outputs: list[dict[str, str]]  #: columns of the result: name, unit, direction
    box: dict[str, Any]
    channels: tuple[str, ...]
    logit_correction: float  #: correction added to the pose logit before the sigmoid
    difference: float  #: largest difference from Keras on the test images
    tried: int


def export(model: Model, out: str | Path, *, format: str = "onnx", source: str = "image") -> Exported:
    """Export a model, run the file, compare it with Keras, and keep it only if they agree.

    Args:
        model: from :func:`~affinity_zoo.zoo.models.loading.load_model`.
        out: the ONNX file, or the SavedModel folder; ``<out>.json`` describes input and output.
        format: ``onnx`` or ``savedmodel``.
        source: ``image``: the network from ``(B, D, D, D, C)``. ``atoms``: voxelizer and network, from the
            dict of encoded atoms; SavedModel only, see the note in docs/models.md.

    Raises:
        UsageError: an unknown format or source.
        AffinityZooError: a package is missing, Keras cannot export it, or the result differs from Keras.
    """
    path = Path(out)
    _check(model, format, source)
    if format == "onnx":
        check_output(path)
    place: Place = "host" if source == "image" else "device"
    inputs = probe(model, place)
    wanted = np.asarray(model.network(inputs), np.float64)
    part = path.with_name(f"{path.name}.tmp-{os.getpid()}{'.onnx' if format == 'onnx' else ''}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        write, run = {"onnx": (_write_onnx, _run_onnx), "savedmodel": (_write_savedmodel, _run_savedmodel)}[
            format
        ]
        _guarded(write, model, part, inputs, source)
        found = run(part, inputs)
        told = _compared(model, format, source, inputs, wanted, found)
        _replace(part, path)
    finally:
        _remove(part)
    Path(f"{path}.json").write_text(json.dumps(asdict(told), indent=1) + "\n", encoding="utf-8")
    return told


def check_export_file(model: Model, path: Path) -> list[OutputCheck]:
    """Run an export on the reference complex of its model.

    Args:
        model: the exported model.
        path: the ONNX file or SavedModel folder; its JSON lies beside it.

    Returns:
        One entry per output.

    Raises:
        AffinityZooError: the export or its JSON is missing or damaged, or a package is missing.
    """
    about = read_json(Path(f"{path}.json"))
    if (
        not isinstance(about, dict)
        or about.get("format") not in FORMATS
        or about.get("source") not in SOURCES
    ):
        raise AffinityZooError(f"{path}.json: not written by `affinity-zoo export`; export the model again")
    packages, extra = NEEDS[about["format"]]
    if missing := [name for name in packages if find_spec(name) is None]:
        raise AffinityZooError(f"{path} needs {', '.join(missing)}: pip install 'affinity-zoo[{extra}]'")
    run = _run_onnx if about["format"] == "onnx" else _run_savedmodel
    place: Place = "host" if about["source"] == "image" else "device"
    return check_export(
        model.folder, lambda inputs: run(path, inputs), place, model.featurizer, model.box, path.name
    )


def _check(model: Model, format: str, source: str) -> None:
    if format not in FORMATS or source not in SOURCES:
        raise UsageError(f"`format` is one of {', '.join(FORMATS)} and `source` one of {', '.join(SOURCES)}")
    packages, extra = NEEDS[format]
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        hint = f"'affinity-zoo[{extra}]'" if extra else missing[0]
        raise AffinityZooError(f"`format={format!r}` needs {', '.join(missing)}: pip install {hint}")
    import keras

    if keras.backend.backend() != "tensorflow":
        raise AffinityZooError("export runs on Keras's TensorFlow backend: set KERAS_BACKEND=tensorflow")
    if source == "atoms" and format == "onnx":
        raise AffinityZooError(
            "the layers that make an image from atoms cannot be converted to ONNX (onnxruntime cannot run "
            "their loop over samples): give `source='image'`, or `format='savedmodel'`"
        )
    if source == "atoms" and model.network.voxelizer is None:
        raise AffinityZooError(f"{model.card['name']} makes its images on the host: give `source='image'`")
    if (
        source == "image"
        and model.featurizer.voxelizer(model.box) is not None
        and not makes_own_image(model.featurizer)
    ):
        raise AffinityZooError(
            f"{model.card['name']} makes its images in its own layer: give `source='atoms'`"
        )


def probe(model: Model, place: Place) -> Inputs:
    """Make a small batch of synthetic complexes as model input; some atoms share a voxel and a channel.

    Args:
        model: Loaded model.
        place: Where images are made.
    """
    random = np.random.default_rng(0)
    reach = 0.3 * model.box.extent
    receptor = _atoms("receptor", random.uniform(-reach * 1.5, reach * 1.5, (150, 3)), random)
    poses = [_atoms("ligand", random.uniform(-reach, reach, (20, 3)) / 2, random) for _ in range(3)]
    poses[0].xyz[1:4] = poses[0].xyz[0]
    poses[0].atom_type[1:4], poses[0].element[1:4] = poses[0].atom_type[0], poses[0].element[0]
    maker = BatchMaker(PosesOfReceptor(receptor, poses), Imaging(model.featurizer, model.box, place=place))
    return maker.evaluation(np.arange(len(poses)), fixed_view(0, 1))


def _atoms(role: Role, xyz: NDArray[np.float64], random: np.random.Generator) -> Atoms:
    n = len(xyz)
    kinds = np.array([2, 3, 4, 5, 9, 7, 13, 12, UNTYPED], np.uint8)
    element = np.array([6, 6, 6, 6, 7, 7, 8, 8, 6], np.uint8)
    chosen = random.integers(0, len(kinds), n)
    blank = np.full(n, b"", "S4")
    return Atoms(
        role, xyz.astype(np.float32), element[chosen], kinds[chosen], np.zeros(n, np.uint16), np.zeros(n, np.int8),
        blank, blank, np.zeros(n, np.int32), blank,
    )  # fmt: skip


def _guarded(write: Callable[..., None], model: Model, part: Path, inputs: Inputs, source: str) -> None:
    try:
        write(model, part, inputs, source)
    except AffinityZooError:
        raise
    except Exception as error:  # the exporters raise exceptions of many types
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise AffinityZooError(
            f"{model.card['name']} cannot be exported: {type(error).__name__}: {first}; try the other `format`"
        ) from error


def _write_onnx(model: Model, part: Path, inputs: Inputs, source: str) -> None:
    model.network.network.export(str(part), format="onnx", verbose=False)


def _write_savedmodel(model: Model, part: Path, inputs: Inputs, source: str) -> None:
    import keras
    import tensorflow as tf

    archive = keras.export.ExportArchive()
    if source == "image":
        network = model.network.network
        archive.track(network)
        signature: Any = [tf.TensorSpec((None, *inputs["image"].shape[1:]), tf.float32, name="image")]
        archive.add_endpoint("serve", network.call, input_signature=signature)
    else:
        archive.track(model.network)
        signature = [
            {
                name: tf.TensorSpec(_shape(name, a), tf.as_dtype(a.dtype), name=name)
                for name, a in inputs.items()
            }
        ]
        archive.add_endpoint(
            "serve", lambda atoms: model.network(atoms, training=False), input_signature=signature
        )
    archive.write_out(str(part), verbose=False)


def _shape(name: str, array: NDArray[Any]) -> tuple[int | None, ...]:
    """Return the shape with variable numbers of samples and, for per-atom inputs, of atoms."""
    fixed = name in ("rotation", "shift", "image")
    return (None, *(array.shape[1:] if fixed else (None, *array.shape[2:])))


def _run_onnx(part: Path, inputs: Inputs) -> NDArray[np.float64]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(part), providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    return np.asarray(session.run(None, {given.name: inputs["image"]})[0], np.float64)


def _run_savedmodel(part: Path, inputs: Inputs) -> NDArray[np.float64]:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(part))
    given = inputs["image"] if set(inputs) == {"image"} else inputs
    return np.asarray(loaded.serve(_tensors(given)), np.float64)


def _tensors(given: Any) -> Any:
    import tensorflow as tf

    if isinstance(given, Mapping):
        return {name: tf.constant(array) for name, array in given.items()}
    return tf.constant(given)


def _compared(
    model: Model,
    format: str,
    source: str,
    inputs: Inputs,
    wanted: NDArray[np.float64],
    found: NDArray[np.float64],
) -> Exported:
    name = str(model.card["name"])
    if found.shape != wanted.shape:
        raise AffinityZooError(
            f"{name}: the export gives {found.shape}, Keras {wanted.shape}; nothing was kept"
        )
    difference = float(np.max(np.abs(found - wanted) / np.maximum(1.0, np.abs(wanted))))
    if not difference <= TOLERANCE:
        raise AffinityZooError(
            f"{name}: the export differs from Keras by {difference:.2g}, more than {TOLERANCE:g}; nothing was kept: "
            "try the other `format`"
        )
    return Exported(
        name, format, source,
        {key: (str(array.dtype), _shape(key, array)) for key, array in inputs.items()},
        [dict(one) for one in model.card["outputs"]],
        {**asdict(model.box), "extent": model.box.extent}, tuple(model.featurizer.channels),
        float(model.card.get("logit_correction") or 0.0), difference, len(wanted),
    )  # fmt: skip


def _replace(part: Path, path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    os.replace(part, path)


def _remove(part: Path) -> None:
    if part.is_dir():
        shutil.rmtree(part)
    else:
        part.unlink(missing_ok=True)
