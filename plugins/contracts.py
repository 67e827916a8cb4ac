"""The contracts of featurizers, architectures, scorers and baselines, and the data they exchange.

Nothing heavy is imported here: NumPy and Keras appear in annotations only, so that a module
that registers a plugin costs nothing to import.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import IntFlag
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray

API_VERSION = 1  #: the version of these contracts; a plugin class states the one it was written for

Role = Literal["receptor", "ligand"]
#: column of ``Predictions.extra`` that belongs to the benchmark: 1 a physically valid pose, 0 not, NaN not checked
VALID = "pose_valid"
UNSCORED = "unscored"  #: column of ``Predictions.extra``: 1 where the model gave no score
UNTYPED = 255  #: value of ``Atoms.atom_type`` for an atom that could not be typed


class AtomFlag(IntFlag):
    """Bits of ``Atoms.flags``: properties of an atom other than its element."""

    AROMATIC = 1
    DONOR = 2  #: carries at least one hydrogen that can be donated (N-H, O-H, S-H)
    ACCEPTOR = 4
    HYDROPHOBIC = 8  #: carbon bonded to carbon and hydrogen only, or a halogen
    POSITIVE = 16
    NEGATIVE = 32
    RING = 64
    BACKBONE = 128
    METAL = 256
    COFACTOR = 512
    WATER = 1024
    PERCEIVED = 2048  #: its bonds were perceived from distances, not read from the file
    OPENBABEL = 4096  #: its atom type is Open Babel's own, as libmolgrid gets it


@dataclass(frozen=True)
class Box:
    """The cube that is imaged, centred on the ligand.

    Args:
        side: number of voxels (``grid="cells"``) or points (``grid="points"``) along an edge.
        spacing: distance between neighbouring voxel centres, Å.
        grid: ``cells``: the box is ``side * spacing`` wide and cut into cells, sampled at their
            centres. ``points``: the box spans ``(side - 1) * spacing`` and is sampled at its
            points, faces included (molgrid's convention). With the same ``side`` and ``spacing`` the
            sampled positions are the same; the two differ in ``extent``, that is in half a voxel at
            each face.
    """

    side: int
    spacing: float
    grid: Literal["cells", "points"] = "cells"

    def __post_init__(self) -> None:
        if self.side < 1 or not self.spacing > 0:
            raise ValueError(f"a box needs side >= 1 and spacing > 0 Å, not {self.side} and {self.spacing}")
        if self.grid not in ("cells", "points"):
            raise ValueError(f"a box's grid is 'cells' or 'points', not {self.grid!r}")

    @property
    def extent(self) -> float:
        """Edge length, Å."""
        return self.spacing * (self.side if self.grid == "cells" else self.side - 1)

    @property
    def origin(self) -> float:
        """Coordinate of voxel 0's centre on each axis, relative to the box centre, Å (negative)."""
        return -0.5 * self.spacing * (self.side - 1)


@dataclass(frozen=True, eq=False)
class Atoms:
    """The heavy atoms of one structure: one receptor, or one ligand pose. N atoms, no hydrogens.

    Arrays may be read-only memory maps: never write into them.
    """

    role: Role
    xyz: NDArray[np.float32]  #: (N, 3) Å
    element: NDArray[np.uint8]  #: (N,) atomic number, 0 = unknown
    atom_type: NDArray[np.uint8]  #: (N,) gnina atom type 0..27, ``UNTYPED`` = could not be typed
    flags: NDArray[np.uint16]  #: (N,) bits of :class:`AtomFlag`
    charge: NDArray[np.int8]  #: (N,) formal charge, elementary charges
    name: NDArray[np.bytes_]  #: (N,) S4 or wider: atom name as in the file
    residue_name: NDArray[np.bytes_]  #: (N,) S4 or wider
    residue_number: NDArray[np.int32]  #: (N,)
    chain: NDArray[np.bytes_]  #: (N,) S4 or wider
    insertion: NDArray[np.bytes_] = None  # type: ignore[assignment]  #: (N,) S1: insertion code; not given: blank

    def __post_init__(self) -> None:
        if self.insertion is None:
            import numpy as np

            object.__setattr__(self, "insertion", np.zeros(len(self.xyz), "S1"))

    def __len__(self) -> int:
        return len(self.xyz)


@dataclass(frozen=True, eq=False)
class Encoding:
    """Per-atom description by a featurizer, computed once per structure and independent of its position.

    Either ``channel`` and ``value`` (each atom fills one channel: the fast path) or ``values``
    (each atom may fill any number of channels).
    """

    radius: NDArray[np.float32]  #: (N,) Å; ignored by the ``nearest`` voxelizer
    channel: NDArray[np.int32] | None = None  #: (N,) index into the last axis, -1 = not imaged
    value: NDArray[np.float32] | None = (
        None  #: (N,) value that the atom writes into its channel; None = 1.0 for all
    )
    values: NDArray[np.float32] | None = None  #: (N, C) instead of ``channel``; a row of zeros = not imaged
    unknown: int = 0  #: number of atoms that the featurizer cannot represent; counted and reported


Voxelization = Literal["nearest", "binary", "gaussian"]


class _Named(ABC):
    name: ClassVar[str]  #: what users type: lower-case letters, digits and dashes
    summary: ClassVar[str]  #: one sentence for ``affinity-zoo list``
    reference: ClassVar[str] = ""  #: the paper or source it comes from
    api_version: ClassVar[int] = API_VERSION

    def options(self) -> dict[str, Any]:
        """The resolved options: field name to value. They go into the recipe."""
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]


class Featurizer(_Named):
    """How a complex becomes a 3D image. Subclasses are dataclasses: their fields are the options."""

    voxelization: ClassVar[Voxelization] = "gaussian"  #: how encoded atoms become an image
    default_box: ClassVar[Box] = Box(24, 1.0)
    #: its atoms have at most 255 different radii, channels and values: they travel to a GPU in half the bytes
    few_kinds: ClassVar[bool] = False
    max_radius: ClassVar[float] = (
        3.0  #: Å, upper bound of all radii; voxelizers search no further, so a small bound is fast
    )

    @property
    @abstractmethod
    def channels(self) -> tuple[str, ...]:
        """Names of the image's channels, in the order of its last axis."""

    @abstractmethod
    def encode(self, atoms: Atoms) -> Encoding:
        """Encode the atoms of one structure (``atoms.role`` says which). Must not change ``atoms``."""

    def voxelizer(self, box: Box) -> keras.layers.Layer | None:
        """Return a custom layer from encoded atoms to image; None: use the layer named by ``voxelization``.

        The layer takes the dict that :mod:`affinity_zoo.featurizers.layers` describes and returns
        ``(batch, D, D, D, C)`` float32. With a custom layer the image is always made on the device.
        """
        return None

    def image(
        self,
        receptor: Atoms,
        ligand: Atoms,
        box: Box,
        rotation: NDArray[np.float32],
        shift: NDArray[np.float32],
    ) -> NDArray[np.float32] | None:
        """Make the whole image on the host, for an image that cannot be made from encoded atoms.

        Args:
            receptor, ligand: as stored, not moved.
            box: centred on the mean of the ligand's atoms.
            rotation: (3, 3) matrix R; a point p goes to ``R @ (p - centre) + shift``.
            shift: (3,) Å.

        Returns:
            ``(D, D, D, C)`` float32, or None (the default): use ``encode``.
        """
        return None

    def custom_objects(self) -> dict[str, type]:
        """Keras classes that a model with this featurizer needs when it is loaded, by registered name."""
        return {}


class Architecture(_Named):
    """A network from image to outputs. Subclasses are dataclasses: their fields are the options."""

    default_box: ClassVar[Box | None] = None  #: the box it was made for; None: any

    @abstractmethod
    def build(
        self, image_shape: tuple[int, int, int, int], outputs: tuple[str, ...] = ("pose",)
    ) -> keras.Model:
        """Build the network.

        Args:
            image_shape: (D, D, D, C), channels last.
            outputs: what each column of the output means: ``pose`` and ``activity`` are logits,
                ``affinity`` is in pK units, ``rmsd`` in Å.

        Returns:
            A model from ``(batch, D, D, D, C)`` to ``(batch, len(outputs))`` float32.
        """

    def custom_objects(self) -> dict[str, type]:
        """Keras classes that the network needs when it is loaded, by registered name."""
        return {}


@dataclass(frozen=True, eq=False)
class Predictions:
    """Scores and true values of N pairs, one row per pair; a missing true value is NaN.

    ``score`` ranks the rows, larger is better: the logit for pose and activity, pK for affinity, minus the RMSD;
    NaN where the model gave no score. Every array has N entries.
    """

    id: NDArray[np.str_]
    score: NDArray[np.float64]
    group: NDArray[np.str_]  #: unit that the bootstrap resamples: the target or complex
    target: NDArray[np.str_]
    molecule: NDArray[np.str_]
    pose_label: NDArray[np.float64]  #: 1 near-native, 0 wrong pose
    active: NDArray[np.float64]  #: 1 the molecule binds, 0 it does not
    affinity: NDArray[np.float64]  #: pK (-log10 M)
    rmsd: NDArray[np.float64]  #: heavy-atom RMSD to the crystal pose, Å
    docking_score: NDArray[np.float64]  #: as in the file, kcal/mol, lower is better
    source: NDArray[np.str_]  #: origin of the pose: crystal, crystal_relaxed, near_native, docked, ""
    extra: Mapping[str, NDArray[Any]] = field(default_factory=dict)  #: further columns, N entries each

    def __len__(self) -> int:
        return len(self.id)


Truth = Literal["pose_label", "active", "affinity", "rmsd"]


@dataclass(frozen=True)
class Score:
    """Result of a scorer. ``value`` is the number that a leaderboard sorts by, NaN where undefined."""

    value: float
    details: Mapping[str, Any] = field(default_factory=dict)  #: JSON-ready: counts, chance, ceiling, ...
    note: str = ""  #: a sentence on why the value is undefined or how to read it


class MeasuredPair(NamedTuple):
    """Input of a baseline: one receptor-ligand pair."""

    receptor: Atoms
    ligand: Atoms
    #: the index's columns of this row (``id``, ``docking_score``, ``pose_label``, ...)
    columns: Mapping[str, Any]


class Baseline(_Named):
    """A score that needs no network, shown beside every model on a leaderboard.

    A baseline with an option ``training`` (the folder of an index) is also evaluated after training on the index
    that the evaluated model was trained on.
    """

    unit: ClassVar[str]
    direction: ClassVar[Literal["higher", "lower"]]  #: which end of the scale ranks first
    on_every_board: ClassVar[bool] = True  #: evaluated on every benchmark, with its default options
    rival: ClassVar[bool] = (
        True  #: models are compared with it; False for a bound of the scale, such as chance
    )
    chance: ClassVar[bool] = False  #: its row shows the chance level
    #: its name in the first line of a model's card; empty: not mentioned. ``{docking_program}`` is filled in
    spoken: ClassVar[str] = ""

    def note(self, predictions: Predictions) -> str:
        """Return a note that readers of its row need; empty: no note.

        Args:
            predictions: the judged rows.
        """
        return ""

    @abstractmethod
    def measure(self, receptor: Atoms, ligand: Atoms, pair: Mapping[str, Any]) -> float:
        """Measure one pair.

        Args:
            receptor, ligand: heavy atoms, Å.
            pair: the index's columns of this row (``id``, ``docking_score``, ``pose_label``, ...).

        Returns:
            The number in ``unit``; NaN where it is undefined.
        """

    def measure_all(self, pairs: Sequence[MeasuredPair]) -> NDArray[np.float64] | None:
        """Measure all judged pairs at once, for a baseline that must see them together.

        Args:
            pairs: read one by one when they are asked for, so do not keep them all.

        Returns:
            (N,) numbers, NaN where undefined; None (the default): call ``measure`` for each pair.
        """
        return None


class Place(NamedTuple):
    """A column on every board: its truth, its position, and the scorer's options."""

    truth: Truth
    order: float  #: position among the columns of one truth; the board is sorted by the lowest
    options: Mapping[str, Any] = {}  #: options that differ from the defaults


class Scorer(_Named):
    """A metric of a ranking. Subclasses are dataclasses: their fields are the options.

    A scorer with an option ``threshold`` receives the threshold that the model chose on validation data.
    """

    aliases: ClassVar[tuple[str, ...]] = ()
    #: its columns on every board; empty: shown only on request
    on_boards: ClassVar[tuple[Place, ...]] = ()
    calibrated: ClassVar[bool] = False  #: uses the value of the score (logit or pK), not only its order
    columns: ClassVar[tuple[str, ...]] = ()  #: further columns of the predictions that it requires
    on_cards: ClassVar[bool] = False  #: shown on a model's card even if it is not among the first metrics
    truths: ClassVar[tuple[Truth, ...]]  #: true values that it can use; the first one present is used
    unit: ClassVar[str]  #: for example "%", "fraction", "Å", "pK"
    direction: ClassVar[Literal["higher", "lower", "none"]]  #: which is better

    @abstractmethod
    def score(
        self, predictions: Predictions, truth: Truth, weights: NDArray[np.float64] | None = None
    ) -> Score:
        """Compute the metric of a ranking.

        Args:
            predictions: rows with this truth, each with a score. A row that the model did not score gets a
                score below all others (an affinity: the mean), and 1 in the further column ``unscored``.
            truth: column of true values.
            weights: (N,) how often each row counts (bootstrap multiplicities); None: once each.
        """
