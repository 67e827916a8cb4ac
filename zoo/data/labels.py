"""Labels for poses: RMSD to a reference, in place and corrected for symmetry, and pose_label by thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.chem import symmetry
from affinity_zoo.zoo.data.readers import ReadOptions, read_poses
from affinity_zoo.zoo.data.readers.records import pose_files
from affinity_zoo.zoo.data.readers.sanity import position_findings

NEAR = 2.0  #: Å; below it a pose is near-native
FAR = 4.0  #: Å; above it a pose is wrong; between the two it has no label
_MOST_KNOWN = 64  #: number of graphs whose mappings are cached
FRAME = 15.0  #: Å; where no pose is nearer to its reference, both lie in different frames
COLUMNS = ("file", "record", "name", "rmsd", "pose_label", "n_heavy", "reference", "notes", "reason")


@dataclass(frozen=True)
class Label:
    """One pose and its RMSD to the reference."""

    file: str
    record: int
    name: str
    rmsd: float | None = None  #: Å; None: not available, see ``reason``
    pose_label: int | None = None  #: 1 near-native, 0 wrong, None: between the thresholds or no RMSD
    n_heavy: int = 0
    reference: int | None = None  #: record of the reference file that it was measured against
    notes: str = ""
    reason: str = ""  #: reason for a missing RMSD

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON and CSV."""
        return asdict(self)


class Reference:
    """A reference molecule with its graph."""

    def __init__(self, atoms: Atoms, record: int = 0, max_matches: int = symmetry.MAX_MATCHES) -> None:
        self.atoms, self.record, self.max_matches = atoms, record, max_matches
        self.xyz = np.asarray(atoms.xyz, np.float64)
        self.skeleton = symmetry.skeleton(
            atoms.element, symmetry.bonds_from_distances(self.xyz, atoms.element)
        )
        self._known: dict[bytes, tuple[Any, symmetry.Mappings]] = {}  # poses of one file share their graph

    def measure(self, pose: Atoms) -> Measured | None:
        """Return the RMSD of a pose; None for another molecule.

        Args:
            pose: Atoms of the pose.
        """
        if len(pose) != len(self.xyz) or not np.array_equal(
            np.sort(pose.element), np.sort(self.atoms.element)
        ):
            return None
        xyz = np.asarray(pose.xyz, np.float64)
        mol, ways = self._graph(pose.element, symmetry.bonds_from_distances(xyz, pose.element))
        note = ""
        if not len(ways):
            order = self._by_order_or_name(pose)
            if order is None or not self._has_bonds_of(xyz[order]):
                return None
            note = "its bonds differ from the reference's: atoms were matched by their order or names"
            xyz = xyz[order]
            mol, ways = self._graph(
                self.atoms.element, symmetry.bonds_from_distances(self.xyz, self.atoms.element)
            )
        upper = symmetry.rmsd(xyz, self.xyz, ways)
        lower = upper if ways.complete else symmetry.rmsd_lower_bound(xyz, self.xyz, mol, self.skeleton)
        if upper - lower > 1e-3:
            note = (
                f"more than {self.max_matches} symmetries: the RMSD is between {lower:.2f} and {upper:.2f} Å"
            )
        return Measured(upper, lower, note)

    def _graph(self, element: NDArray[Any], bonds: NDArray[np.int64]) -> tuple[Any, symmetry.Mappings]:
        """The skeleton of these atoms and its mappings onto the reference."""
        key = element.tobytes() + bonds.tobytes()
        if key not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            mol = symmetry.skeleton(element, bonds)
            self._known[key] = mol, symmetry.mappings(mol, self.skeleton, self.max_matches)
        return self._known[key]

    def _has_bonds_of(self, xyz: NDArray[np.float64]) -> bool:
        """Whether a pose has the reference's bonds, save for some too long or some contacts too short; else: an isomer.

        Args:
            xyz: (N, 3) Å of the pose, its atoms in the order of the reference's.
        """
        ours, theirs = (
            {(i, j) for i, j in symmetry.bonds_from_distances(places, self.atoms.element).tolist()}
            for places in (self.xyz, xyz)
        )
        return ours <= theirs or theirs <= ours

    def _by_order_or_name(self, pose: Atoms) -> NDArray[np.int64] | None:
        """Match pose atoms to reference atoms if the graphs differ (a bond too long or too short to be perceived)."""
        if np.array_equal(pose.element, self.atoms.element):
            return np.arange(len(pose))
        place = {bytes(name).strip(): i for i, name in enumerate(pose.name)}
        names = [bytes(name).strip() for name in self.atoms.name]
        if len(place) < len(pose) or set(names) != set(place):
            return None
        order = np.array([place[name] for name in names])
        return order if np.array_equal(pose.element[order], self.atoms.element) else None


@dataclass(frozen=True)
class Measured:
    """An RMSD, Å; ``lower`` is a lower bound if not every symmetry could be tried."""

    rmsd: float
    lower: float
    note: str = ""

    def label(self, near: float = NEAR, far: float = FAR) -> int | None:
        """Return 1 below ``near``, 0 above ``far`` (Å), None between them or without an RMSD.

        Args:
            near: Largest RMSD of a near-native pose, Å.
            far: Smallest RMSD of a wrong pose, Å.
        """
        if self.rmsd < near:
            return 1
        return 0 if self.lower > far else None


def read_references(path: str | Path, options: ReadOptions | None = None) -> list[Reference]:
    """Read the molecules of a reference file; several records are several true poses or several molecules.

    Args:
        path: The file.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.

    Raises:
        AffinityZooError: no record of it can be read, or all are drawings.
    """
    found, reasons = [], []
    for pose in read_poses(path, options):
        if pose.atoms is not None and (drawing := position_findings(pose.atoms.xyz)):
            reasons.append(f"record {pose.record}: {drawing[0]}")
        elif pose.atoms is not None:
            found.append(Reference(pose.atoms, pose.record))
        elif pose.failure is not None:
            reasons.append(pose.failure.reason)
    if not found:
        raise AffinityZooError(
            f"the reference {path} contains no readable molecule ({'; '.join(reasons[:3]) or 'it is empty'}): give the "
            "crystal ligand as SDF, MOL2 or PDB"
        )
    return found


def label_atoms(pose: Atoms, references: Sequence[Reference]) -> tuple[Measured | None, int | None]:
    """Return the smallest RMSD over references of the same molecule, and that reference's record.

    Args:
        pose: Atoms of the pose.
        references: Reference molecules.
    """
    measured = [(m, r.record) for r in references if (m := r.measure(pose)) is not None]
    return min(measured, key=lambda item: item[0].rmsd) if measured else (None, None)


def label_poses(
    poses: Iterable[str | Path],
    reference: str | Path,
    *,
    near: float = NEAR,
    far: float = FAR,
    options: ReadOptions | None = None,
) -> Iterator[Label]:
    """Label every record of every pose file; a record without a label has a ``reason``.

    Heavy atoms only, nothing is aligned. Atoms are equivalent by elements and connections, bond orders are
    ignored, so that formats, tautomers and protonation make no difference.

    Args:
        poses: files and folders.
        reference: the file with the true pose or poses.
        near, far: Å; pose_label is 1 below ``near`` and 0 above ``far``.
        options: how the files are read.

    Raises:
        UsageError: ``near`` is larger than ``far``.
        AffinityZooError: there is no pose file, or the reference cannot be read.
    """
    if not 0 < near <= far:
        raise UsageError(f"the thresholds are 0 < near <= far in Å, not {near} and {far}")
    files = pose_files(poses, but=[reference])
    references = read_references(reference, options)
    return _labels(files, references, near, far, options)


def _labels(
    files: Sequence[Path],
    references: Sequence[Reference],
    near: float,
    far: float,
    options: ReadOptions | None,
) -> Iterator[Label]:
    sizes = ", ".join(str(n) for n in sorted({len(r.xyz) for r in references}))
    for file in files:
        for pose in read_poses(file, options):
            if pose.atoms is None:
                reason = pose.failure.reason if pose.failure else "not readable"
                yield Label(str(file), pose.record, pose.name, reason=reason)
                continue
            if drawing := position_findings(pose.atoms.xyz):
                yield Label(str(file), pose.record, pose.name, n_heavy=len(pose.atoms), reason=drawing[0])
                continue
            measured, record = label_atoms(pose.atoms, references)
            n = len(pose.atoms)
            if measured is None:
                other = ", and other elements or bonds" if any(len(r.xyz) == n for r in references) else ""
                reason = (
                    f"not the molecule of the reference ({n} heavy atoms, the reference has {sizes}{other})"
                )
                yield Label(str(file), pose.record, pose.name, n_heavy=n, reason=reason)
            else:
                label = measured.label(near, far)
                yield Label(
                    str(file),
                    pose.record,
                    pose.name,
                    round(measured.rmsd, 4),
                    label,
                    n,
                    record,
                    measured.note,
                )
