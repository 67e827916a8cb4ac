"""A small reference complex in each model folder, with the outputs that the model gave for it when it was made.

Loading a model elsewhere, another Keras backend, an export, or a new release is checked by scoring it again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Atoms, Box, Featurizer
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.batches.batches import BatchMaker, Imaging, Inputs, Place, makes_own_image
from affinity_zoo.zoo.batches.pairs import PosesOfReceptor
from affinity_zoo.zoo.models.safe_files import read_json
from affinity_zoo.zoo.runtime.files import whole

FILE: Final = "reference.json"
TOLERANCE: Final = 1e-3  #: of an output, or of its size where that is above 1
_COMPLEX: Final = "reference_complex.json"  #: in this package: ADP and the atoms within 8 Å of it in 7PBL
_TYPES: Final = {
    "xyz": "f4", "element": "u1", "atom_type": "u1", "flags": "u2", "charge": "i1", "name": "S4",
    "residue_name": "S4", "residue_number": "i4", "chain": "S4",
}  # fmt: skip
_MOST: Final = 20_000  #: atoms


@dataclass(frozen=True)
class OutputCheck:
    """An output of a model and its expected value.

    Attributes:
        output: its name.
        way: how it was computed: ``image`` (made on the host), ``atoms`` (made in the model), or an export.
        expected: when the model was made.
        found: now.
    """

    output: str
    way: str
    expected: float
    found: float

    @property
    def difference(self) -> float:
        """Absolute difference, relative to the expected value where that is above 1."""
        return abs(self.found - self.expected) / max(1.0, abs(self.expected))

    @property
    def ok(self) -> bool:
        """Whether the difference is within the tolerance; False for a value that is not a number."""
        return bool(self.difference <= TOLERANCE)


def reference_complex() -> PosesOfReceptor:
    """Return the complex that comes with the package: one pose in the part of its receptor around it."""
    path = resources.files("affinity_zoo.zoo.inference") / _COMPLEX
    return _complex(json.loads(path.read_text(encoding="utf-8")), path)


def write_reference(
    folder: Path, network: Any, featurizer: Featurizer, box: Box, names: Sequence[str]
) -> None:
    """Write ``reference.json`` into a model directory: the complex, and what the network gives for it.

    Args:
        folder: the model directory.
        network: the :class:`~affinity_zoo.zoo.models.scoring_model.ScoringModel`.
        featurizer, box: of the model.
        names: of its outputs.
    """
    path = resources.files("affinity_zoo.zoo.inference") / _COMPLEX
    table = json.loads(path.read_text(encoding="utf-8"))
    inputs = reference_inputs(table, featurizer, box, _ways(network, featurizer, box)[0])
    outputs = np.asarray(_numbers(network, inputs), np.float64)[0]
    table["outputs"] = {name: round(float(value), 6) for name, value in zip(names, outputs, strict=True)}
    with whole(folder / FILE) as file:
        json.dump(table, file)
        file.write("\n")


def _numbers(network: Any, inputs: Inputs) -> NDArray[Any]:
    """A network's outputs as an array of the host, for any backend."""
    import keras

    return np.asarray(keras.ops.convert_to_numpy(network(inputs, training=False)))


def check_reference(
    folder: Path, network: Any, featurizer: Featurizer, box: Box, names: Sequence[str]
) -> list[OutputCheck]:
    """Score the reference complex of a model directory again, in each way that the model can.

    Args:
        folder: the model directory.
        network, featurizer, box, names: as :func:`write_reference` takes them.

    Returns:
        One entry an output and way.

    Raises:
        AffinityZooError: there is no reference, or it is damaged.
    """
    table = read_reference(folder)
    found: list[OutputCheck] = []
    for place in _ways(network, featurizer, box):
        inputs = reference_inputs(table, featurizer, box, place)
        way = "image" if place == "host" else "atoms"
        found += compared(table, _numbers(network, inputs)[0], names, way)
    return found


def check_export(
    folder: Path,
    run: Callable[[Inputs], NDArray[Any]],
    place: Place,
    featurizer: Featurizer,
    box: Box,
    way: str,
) -> list[OutputCheck]:
    """Score the reference complex of a model directory with an export of it.

    Args:
        folder: the model directory.
        run: from inputs to (1, outputs).
        place: ``host``: the export takes an image; ``device``: atoms.
        featurizer, box: of the model.
        way: what to call it.

    Returns:
        One entry an output.

    Raises:
        AffinityZooError: there is no reference, it is damaged, or the export gives other outputs.
    """
    table = read_reference(folder)
    outputs = np.asarray(run(reference_inputs(table, featurizer, box, place)))
    if outputs.shape != (1, len(table["outputs"])):
        raise AffinityZooError(
            f"{way}: gives {outputs.shape} numbers; the model has {len(table['outputs'])} outputs"
        )
    return compared(table, outputs[0], list(table["outputs"]), way)


def compared(
    table: Mapping[str, Any], outputs: NDArray[Any], names: Sequence[str], way: str
) -> list[OutputCheck]:
    """Compare outputs with those of the reference.

    Args:
        table: Content of ``reference.json``.
        outputs: (1, outputs) values.
        names: Names of the outputs.
        way: Name of the computation.
    """
    expected = table["outputs"]
    if set(expected) != set(names):
        raise AffinityZooError(
            f"the reference has the outputs {', '.join(expected)}, the model {', '.join(names)}: get the model again"
        )
    return [
        OutputCheck(name, way, float(expected[name]), float(value))
        for name, value in zip(names, outputs, strict=True)
    ]


def read_reference(folder: Path) -> dict[str, Any]:
    """Read ``reference.json`` of a model directory.

    Args:
        folder: the model directory.

    Returns:
        Its table.

    Raises:
        AffinityZooError: there is none, or it is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        raise AffinityZooError(
            f"{folder} has no {FILE}: it was made before 0.2.0; get or train the model again"
        )
    table = read_json(path)
    outputs = table.get("outputs") if isinstance(table, dict) else None
    numbers = isinstance(outputs, dict) and all(
        isinstance(value, int | float) and np.isfinite(value) for value in outputs.values()
    )
    if not outputs or not numbers:
        raise AffinityZooError(f"{path}: damaged (it has no expected outputs); get the model again")
    _complex(table, path)
    return dict(table)


def reference_inputs(table: Mapping[str, Any], featurizer: Featurizer, box: Box, place: Place) -> Inputs:
    """Return the reference complex as a model takes it, in the orientation of the file.

    Args:
        table: Content of ``reference.json``.
        featurizer: The model's featurizer.
        box: The model's box.
        place: Where the image is made.
    """
    maker = BatchMaker(_complex(table, FILE), Imaging(featurizer, box, place=place))
    return maker.evaluation(np.zeros(1, np.int64))


def _ways(network: Any, featurizer: Featurizer, box: Box) -> list[Place]:
    """The ways in which a model can be given a complex."""
    if makes_own_image(featurizer) or network.voxelizer is None:
        return ["host"]
    return ["device"] if featurizer.voxelizer(box) is not None else ["host", "device"]


def _complex(table: Any, path: Any) -> PosesOfReceptor:
    try:
        receptor, ligand = (_atoms(table, role) for role in ("receptor", "ligand"))
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise AffinityZooError(f"{path}: damaged ({str(error)[:100]}); get the model again") from error
    return PosesOfReceptor(receptor, [ligand])


def _atoms(table: Mapping[str, Any], role: Any) -> Atoms:
    columns = table[role]
    count = len(columns["element"])
    if not 1 <= count <= _MOST:
        raise ValueError(f"it has {count} {role} atoms")
    made = {name: np.array(columns[name], kind) for name, kind in _TYPES.items()}
    if made["xyz"].shape != (count, 3) or not np.isfinite(made["xyz"]).all():
        raise ValueError(f"the coordinates of the {role} are not {count} x 3 numbers")
    if any(len(column) != count for column in made.values()):
        raise ValueError(f"the columns of the {role} differ in length")
    return Atoms(role, **made)


def atoms_table(atoms: Atoms) -> dict[str, Any]:
    """Return atoms as JSON's kinds of values, as ``reference.json`` keeps them.

    Args:
        atoms: N heavy atoms, positions in Å.
    """
    table: dict[str, Any] = {}
    for one in fields(atoms):
        if one.name != "role":
            value = getattr(atoms, one.name)
            table[one.name] = (
                [text.decode() for text in value] if value.dtype.kind == "S" else np.round(value, 3).tolist()
            )
    table["xyz"] = [[round(float(x), 3) for x in row] for row in atoms.xyz]
    return table
