"""RDKit molecule of a pose, with bonds from the file or else from its geometry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.data.readers.formats import format_of, is_structure, read_bytes
from affinity_zoo.zoo.data.readers.perceive import Graph, perceive

SAME_PLACE = 0.01  #: Å; atoms of the file and of the reader agree within this


def molecule_of(atoms: Atoms, file: Path, record: int) -> tuple[Any, NDArray[np.int64], str]:
    """A molecule with a conformer, hydrogens kept where the file has them.

    Args:
        atoms: the pose as the readers gave it.
        file, record: where it was read from.

    Returns:
        The molecule; for each of ``atoms`` its number in it; a note where bond orders were perceived.
    """
    kind = format_of(file).name if is_structure(file) else ""
    made = _from_sdf(file, record) if kind == "SDF" else None
    if made is None and kind == "MOL2":
        made = _from_mol2(file, record)
    if made is not None:
        heavy = np.array([a.GetIdx() for a in made.GetAtoms() if a.GetAtomicNum() != 1], np.int64)
        positions = made.GetConformer().GetPositions()[heavy]
        if len(heavy) == len(atoms) and np.allclose(positions, atoms.xyz, atol=SAME_PLACE):
            return made, heavy, ""
    return from_geometry(atoms), np.arange(len(atoms)), "bond orders perceived from the geometry"


def from_geometry(atoms: Atoms) -> Any:
    """A molecule of the heavy atoms with bonds and orders perceived; single bonds where they make no sense.

    Args:
        atoms: N heavy atoms, positions in Å.
    """
    from rdkit import Chem, RDLogger

    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    graph = perceive(np.asarray(atoms.xyz), np.asarray(atoms.element))
    for orders in (True, False):
        editable = Chem.RWMol()
        for z, charge in zip(atoms.element.tolist(), atoms.charge.tolist(), strict=True):
            atom = Chem.Atom(z)
            atom.SetFormalCharge(charge)
            editable.AddAtom(atom)
        for i, near in enumerate(graph.neighbours):
            for j in near:
                if i < j:
                    editable.AddBond(i, j, _order(graph, i, j) if orders else Chem.BondType.SINGLE)
        for i in np.flatnonzero(graph.aromatic).tolist() if orders else ():
            editable.GetAtomWithIdx(i).SetIsAromatic(True)
            if i in graph.protonated:
                editable.GetAtomWithIdx(i).SetNumExplicitHs(1)
        made = editable.GetMol()
        made.AddConformer(_conformer(atoms.xyz))
        try:
            Chem.SanitizeMol(made)
            Chem.AssignStereochemistryFrom3D(made)
            return made
        except (ValueError, RuntimeError):
            continue
    # an impossible valence (one perceived bond too many): keep the molecule unsanitised
    made.UpdatePropertyCache(strict=False)
    Chem.FastFindRings(made)
    return made


def _order(graph: Graph, i: int, j: int) -> Any:
    from rdkit.Chem import BondType

    if graph.aromatic[i] and graph.aromatic[j]:
        if any(i in ring and j in ring and all(graph.aromatic[k] for k in ring) for ring in graph.rings):
            return BondType.AROMATIC
        return BondType.SINGLE
    if graph.linear[i] and graph.linear[j]:
        return BondType.TRIPLE
    return BondType.DOUBLE if graph.double.get(i) == j else BondType.SINGLE


def _conformer(xyz: NDArray[Any]) -> Any:
    from rdkit import Chem

    conformer = Chem.Conformer(len(xyz))
    conformer.Set3D(True)
    conformer.SetPositions(np.ascontiguousarray(xyz, np.float64))
    return conformer


def _from_sdf(file: Path, record: int) -> Any:
    from rdkit import Chem

    from affinity_zoo.zoo.data.readers.sdf_records import split_records

    records = _records(str(file), file.stat().st_mtime_ns, split_records)
    if record >= len(records):
        return None
    block, mark, _ = records[record].decode("utf-8", "replace").partition("M  END")
    return _sanitised(
        Chem.MolFromMolBlock(block + mark + "\n", sanitize=False, removeHs=False, strictParsing=False)
    )


def _from_mol2(file: Path, record: int) -> Any:
    from rdkit import Chem

    from affinity_zoo.zoo.data.readers import mol2

    records = _records(str(file), file.stat().st_mtime_ns, mol2.split_records)
    if record >= len(records):
        return None
    block = "@<TRIPOS>MOLECULE\n" + records[record].decode("utf-8", "replace")
    return _sanitised(Chem.MolFromMol2Block(block, sanitize=False, removeHs=False))


@lru_cache(maxsize=1)
def _records(file: str, changed: int, split: Callable[[bytes], Iterator[bytes]]) -> list[bytes]:
    """Return the records of a file from a cache; ``changed`` identifies its version."""
    return list(split(read_bytes(Path(file))))


def _sanitised(molecule: Any) -> Any:
    """Return the molecule, sanitised if RDKit can; None stays None."""
    if molecule is None or not molecule.GetNumConformers():
        return None
    from rdkit import Chem

    trial = Chem.Mol(molecule)
    try:
        Chem.SanitizeMol(trial)
        Chem.AssignStereochemistryFrom3D(trial)
        return trial
    except (ValueError, RuntimeError):
        molecule.UpdatePropertyCache(strict=False)
        Chem.FastFindRings(molecule)
        return molecule


def bonded(molecule: Any) -> NDArray[np.int64]:
    """(K, 2) numbers of bonded atoms.

    Args:
        molecule: RDKit molecule.
    """
    found = [(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in molecule.GetBonds()]
    return np.array(found, np.int64).reshape(-1, 2)


def heavy_bonds(bonds: NDArray[np.int64], place: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bonds of a molecule among its heavy atoms, by their numbers among these.

    Args:
        bonds: (K, 2) atom numbers.
        place: Number in the molecule of each heavy atom.
    """
    number = {int(old): new for new, old in enumerate(place)}
    kept = [(number[a], number[b]) for a, b in bonds.tolist() if a in number and b in number]
    return np.array(kept, np.int64).reshape(-1, 2)


def sdf_text(molecule: Any, name: str, properties: Mapping[str, str]) -> str:
    """One SDF record with its properties, kekulised where that is possible.

    Args:
        molecule: RDKit molecule.
        name: Title of the record.
        properties: Names and values of properties.
    """
    from rdkit import Chem

    molecule = Chem.Mol(molecule)
    molecule.SetProp("_Name", name)
    try:
        block = Chem.MolToMolBlock(molecule)
    except (ValueError, RuntimeError):
        block = Chem.MolToMolBlock(molecule, kekulize=False)
    lines = "".join(f">  <{key}>\n{value}\n\n" for key, value in properties.items())
    return f"{block}{lines}$$$$\n"
