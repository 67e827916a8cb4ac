"""Decoys of one complex: generation, checks and output. The task of a worker process."""

from __future__ import annotations

import re
import zlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.chem import symmetry
from affinity_zoo.zoo.chem.geometry import close_contacts, within_xyz
from affinity_zoo.zoo.chem.pdb_write import atom_lines
from affinity_zoo.zoo.decoys.displace import lies_on
from affinity_zoo.zoo.decoys.dock import RECEPTOR_MARGIN, Docked
from affinity_zoo.zoo.runtime.files import whole

NEAR_NATIVE = 2.0  #: Å; docked poses below it are positives
NEAR_APART = 0.5  #: Å between two near-native poses
MOST_NEAR = 3  #: near-native poses of one complex that are kept
DECOYS_APART = 1.0  #: Å between two decoys
CROP = 16.0  #: Å around any pose that a written receptor reaches, in whole residues


@dataclass(frozen=True)
class Method(ABC):
    """Base class of the decoy methods; they are listed in ``methods.py``.

    Args:
        options: A dataclass; all of its values are recorded.
    """

    name: ClassVar[str]  #: as in ``decoys --method``
    kind: ClassVar[str]  #: name of a decoy in the manifest; empty: decoys are known by their pose label
    indexed: ClassVar[bool] = False  #: an ``index.csv`` names the poses, because one file has many
    options: Any = None

    @property
    def guests(self) -> int:
        """Number of ligands of other complexes that go into each receptor."""
        return 0

    @abstractmethod
    def make(self, task: DecoyTask, seed: int) -> dict[str, Any]:
        """Generate, check and write the poses of one complex.

        Args:
            task: The complex.
            seed: Seed of its random numbers.

        Returns:
            See :func:`make_complex`.
        """

    def programs(self) -> dict[str, str]:
        """Return the versions of the required programs; a missing one is an error."""
        return {}

    def as_dict(self) -> dict[str, Any]:
        """Return the options, ready for JSON."""
        return asdict(self.options)


@dataclass(frozen=True, eq=False)
class DecoyTask:
    """One complex."""

    id: str
    folder: Path
    receptor: Atoms  #: without the ligand's own copies
    ligand: Atoms  #: the crystal pose
    others: list[NDArray[Any]]  #: other crystal copies of similar ligands, (m, 3) Å each
    method: Method  #: how poses are made
    count: int
    min_rmsd: float
    seed: int
    columns: dict[str, Any]  #: further columns of the manifest: target, group, ...
    source: tuple[str, int] = ("", 0)  #: file of the crystal pose and its record
    host: str = ""  #: the complex of the receptor, where the ligand comes from another one (cross-docking)
    move: tuple[float, float, float] = (
        0.0,
        0.0,
        0.0,
    )  #: Å from the position in the file to the one in ``ligand``


def make_complex(task: DecoyTask) -> dict[str, Any]:
    """Generate, check and write the poses of one complex.

    Args:
        task: the complex and how its poses are made.

    Returns:
        ``id``, ``rows`` of the manifest, ``decoys`` kept, ``dropped`` (reason -> number) and ``seeds``.
    """
    seed = zlib.crc32(f"{task.seed}:{task.id}".encode()) & 0x7FFFFFFF
    return task.method.make(task, seed)


class Judge:
    """Classification of docked poses: near-native, decoy, or dropped with a reason."""

    def __init__(self, task: DecoyTask) -> None:
        self.task = task
        self.home = np.asarray(task.ligand.xyz, np.float64)
        bonds = symmetry.bonds_from_distances(self.home, task.ligand.element)
        mol = symmetry.skeleton(task.ligand.element, bonds)
        self.ways = symmetry.mappings(mol, mol)

    def rmsd(self, pose: NDArray[Any], other: NDArray[Any] | None = None) -> float:
        """In-place symmetric RMSD, Å, to the crystal pose or another one.

        Args:
            pose: (n, 3) Å.
            other: (m, 3) Å.
        """
        return symmetry.rmsd(pose, self.home if other is None else other, self.ways)

    def sort(
        self, poses: Sequence[Docked]
    ) -> tuple[list[tuple[float, Docked]], list[tuple[float, Docked]], dict[str, int]]:
        """Near-native poses and decoys, each with its RMSD, best score first, and how many were dropped why.

        Args:
            poses: Poses, (n, 3) Å each.
        """
        near: list[tuple[float, Docked]] = []
        decoys: list[tuple[float, Docked]] = []
        dropped: dict[str, int] = {}
        for pose in sorted(poses, key=lambda p: p.energy):
            reason = self._place(pose, near, decoys)
            if reason:
                dropped[reason] = dropped.get(reason, 0) + 1
        return near, decoys, dropped

    def _place(
        self, pose: Docked, near: list[tuple[float, Docked]], decoys: list[tuple[float, Docked]]
    ) -> str:
        if pose.energy > 0:
            return "energy above 0"
        moved = Atoms(**{**vars(self.task.ligand), "xyz": pose.xyz.astype(np.float32)})
        close = close_contacts(self.task.receptor, moved)
        if len(close.clash) or len(close.covalent):
            return "clash with the receptor"
        rmsd = self.rmsd(pose.xyz)
        if rmsd < NEAR_NATIVE:
            if any(self.rmsd(pose.xyz, other.xyz) < NEAR_APART for _, other in near):
                return "near-native, like one already kept"
            if len(near) == MOST_NEAR:
                return "near-native, enough already"
            near.append((rmsd, pose))
            return ""
        if not rmsd > self.task.min_rmsd:
            return f"RMSD between {NEAR_NATIVE:g} and {self.task.min_rmsd:g} Å"
        if any(lies_on(pose.xyz, other) for other in self.task.others):
            return "on another crystal copy of a similar ligand"
        if any(self.rmsd(pose.xyz, other.xyz) < DECOYS_APART for _, other in decoys):
            return "like a decoy already kept"
        if len(decoys) == self.task.count:
            return "decoys enough already"
        decoys.append((rmsd, pose))
        return ""


def docking_texts(task: DecoyTask, box_margin: float) -> tuple[str, str]:
    """PDB texts of the receptor (residues that the docking box can see) and of the ligand.

    Args:
        task: the complex.
        box_margin: Å from the ligand's extent to the walls of the docking box.
    """
    reach = box_margin + RECEPTOR_MARGIN
    low, high = task.ligand.xyz.min(axis=0) - reach, task.ligand.xyz.max(axis=0) + reach
    inside = np.all((task.receptor.xyz >= low) & (task.receptor.xyz <= high), axis=1)
    return pdb_text(task.receptor, whole_residues(task.receptor, inside)), pdb_text(task.ligand)


def whole_residues(atoms: Atoms, some: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The atoms of every residue that has one of ``some`` (N,) bool.

    Args:
        atoms: N heavy atoms, positions in Å.
        some: (N,) bool.
    """
    number = residue_index(atoms)
    return np.flatnonzero(np.isin(number, np.unique(number[some])))


def residue_index(atoms: Atoms) -> NDArray[np.int64]:
    """(N,) number of the residue each atom is in, in the order of the file.

    Args:
        atoms: N heavy atoms, positions in Å.
    """
    new = np.zeros(len(atoms), np.int64)
    if len(atoms) > 1:
        for column in (atoms.residue_number, atoms.insertion, atoms.residue_name, atoms.chain):
            new[1:] |= column[1:] != column[:-1]
    return np.cumsum(new)


def pdb_text(atoms: Atoms, which: NDArray[np.int64] | None = None, xyz: NDArray[Any] | None = None) -> str:
    """Some atoms as PDB text, at other positions if given.

    Args:
        atoms: N heavy atoms, positions in Å.
        which: Mask or atom numbers; None: all.
        xyz: (n, 3) Å.
    """
    from rdkit.Chem import GetPeriodicTable

    which = np.arange(len(atoms)) if which is None else which
    symbols = {z: GetPeriodicTable().GetElementSymbol(int(z)) if z else "C" for z in np.unique(atoms.element)}
    symbol = [symbols[z] for z in atoms.element[which]]
    name = [n.decode("ascii", "replace").strip() for n in atoms.name[which].tolist()]
    ligand = atoms.role == "ligand"
    if ligand and len(set(name)) < len(name):
        name = [f"{s.upper()}{i}"[:4] for i, s in enumerate(symbol, 1)]
    residue = [r.decode("ascii", "replace").strip() or "LIG" for r in atoms.residue_name[which].tolist()]
    return atom_lines(
        atoms.xyz[which] if xyz is None else xyz,
        symbol,
        name,
        residue,
        atoms.residue_number[which].tolist(),
        insertion=[c.decode("ascii", "replace") for c in atoms.insertion[which].tolist()],
        chain=[c.decode("ascii", "replace").strip() for c in atoms.chain[which].tolist()],
        hetero=ligand,
    )


def safe_name(text: str) -> str:
    """Return a portable file name.

    Args:
        text: Any name, such as that of a ligand file.
    """
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", text).strip("._") or "complex"


def write_complex(
    task: DecoyTask,
    files: Sequence[tuple[str, str, NDArray[Any], dict[str, Any]]],
    decoys: int,
    dropped: dict[str, int],
    seeds: list[int],
    kind: str,
) -> dict[str, Any]:
    """Write poses in the ancestor's folders, and the receptor around them.

    Args:
        task: the complex.
        files: folder, name, (n, 3) positions in Å and further columns of each pose.
        decoys: how many of them are decoys.
        dropped: reason -> number of poses that were dropped.
        seeds: seeds that were used.
        kind: what the manifest calls a decoy.

    Returns:
        See :func:`make_complex`.
    """
    rows = []
    for folder, name, xyz, columns in files:
        file = f"{folder}/{task.id}/{task.id}_{name}.pdb"
        with whole(task.folder / file) as handle:
            handle.write(pdb_text(task.ligand, xyz=xyz))
        called = {"crystal_ligands": "crystal", "docked_ligands": kind}.get(folder, folder)
        about = {"file": file, "id": Path(file).stem, "complex": task.id, "kind": called}
        rows.append({**about, "n_heavy": len(task.ligand), **task.columns, **columns})
    near = within_xyz(task.receptor.xyz, np.concatenate([xyz for _, _, xyz, _ in files]), CROP)
    with whole(task.folder / "receptors" / f"{task.id}.pdb") as handle:
        handle.write(pdb_text(task.receptor, whole_residues(task.receptor, near)))
    return {"id": task.id, "rows": rows, "decoys": decoys, "dropped": dropped, "seeds": seeds}
