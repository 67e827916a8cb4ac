"""Atoms and interactions as the scripts of a 3D page draw them: JSON-ready values."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import AtomFlag
from affinity_zoo.zoo.chem.pdb_write import atom_lines
from affinity_zoo.zoo.see.complexes import Complex, labels, residues, symbols, text
from affinity_zoo.zoo.see.imaging import take
from affinity_zoo.zoo.see.interactions import interactions
from affinity_zoo.zoo.see.molecules import molecule_of

MOST_ATOMS = 12_000  #: of a receptor that is drawn whole; of a larger one, residues within ``REACH``
REACH = 25.0  #: Å


def drawn_ligand(found: Complex, xyz: NDArray[Any]) -> dict[str, Any]:
    """Heavy atoms of the ligand: positions, symbols, labels, bonds and their orders.

    Args:
        found: The complex.
        xyz: (n, 3) Å, where the atoms are drawn.
    """
    bonds, orders = ligand_bonds(found)
    return {
        "xyz": rounded(xyz),
        "element": symbols(found.ligand),
        "label": labels(found.ligand),
        "bonds": bonds.tolist(),
        "order": orders,
    }


def ligand_bonds(found: Complex) -> tuple[NDArray[np.int64], list[int]]:
    """Bonds of the ligand among its heavy atoms, and their orders, alternating in aromatic rings.

    Args:
        found: The complex.
    """
    from rdkit import Chem

    molecule, place, _ = molecule_of(found.ligand, found.pose_file, found.pose.record)
    molecule = Chem.Mol(molecule)
    with suppress(ValueError, RuntimeError):
        Chem.Kekulize(molecule, clearAromaticFlags=True)
    number = {int(old): new for new, old in enumerate(place)}
    pairs, orders = [], []
    for bond in molecule.GetBonds():
        a, b = number.get(bond.GetBeginAtomIdx()), number.get(bond.GetEndAtomIdx())
        if a is not None and b is not None:
            pairs.append((a, b))
            orders.append(int(bond.GetBondTypeAsDouble()) or 1)
    return np.array(pairs, np.int64).reshape(-1, 2), orders


def drawn_rows(found: Complex) -> NDArray[np.int64]:
    """Numbers of the receptor atoms that are drawn: all, or whole residues near the ligand.

    Args:
        found: The complex.
    """
    from scipy.spatial import cKDTree

    receptor = found.receptor
    if len(receptor) <= MOST_ATOMS:
        return np.arange(len(receptor))
    near = cKDTree(found.ligand.xyz).query(receptor.xyz)[0] <= REACH
    return np.concatenate(
        [np.zeros(0, np.int64), *(r.atoms for r in residues(receptor) if near[r.atoms].any())]
    )


def drawn_receptor(found: Complex, rows: NDArray[np.int64], xyz: NDArray[Any]) -> dict[str, Any]:
    """Receptor atoms as PDB text, from which the viewer finds bonds and secondary structure, and their labels.

    Args:
        found: The complex.
        rows: Numbers of the atoms, as :func:`drawn_rows` gives them.
        xyz: (N, 3) Å, where all receptor atoms are drawn.
    """
    part = take(found.receptor, rows)
    lines = atom_lines(
        xyz[rows], symbols(part), _texts(part.name), _texts(part.residue_name), part.residue_number.tolist(),
        insertion=_texts(part.insertion), chain=_texts(part.chain),
    ).splitlines(True)  # fmt: skip
    other = (part.flags.astype(int) & int(AtomFlag.METAL | AtomFlag.COFACTOR | AtomFlag.WATER)) > 0
    pdb = "".join("HETATM" + line[6:] if hetero else line for line, hetero in zip(lines, other, strict=False))
    return {"pdb": pdb + "END\n", "label": labels(part)}


def drawn_interactions(
    found: Complex, receptor_xyz: NDArray[Any], ligand_xyz: NDArray[Any]
) -> list[dict[str, Any]]:
    """Interactions by distance, with the ends of their lines.

    Args:
        found: The complex.
        receptor_xyz, ligand_xyz: Å, where the atoms are drawn.
    """
    rows = []
    names, own = labels(found.receptor), labels(found.ligand)
    for one in interactions(found.receptor, found.ligand, ligand_bonds(found)[0]):
        start, end = rounded(ligand_xyz[[one.ligand]])[0], rounded(receptor_xyz[[one.receptor]])[0]
        rows.append(
            {
                "kind": one.kind,
                "ligand": own[one.ligand],
                "receptor": names[one.receptor],
                "distance": round(one.distance, 2),
                "start": start,
                "end": end,
            }
        )
    return rows


def turned(look: NDArray[np.float64], up: NDArray[np.float64]) -> list[float]:
    """The viewer's rotation with which the camera looks from a direction.

    Args:
        look: (3,) direction from the molecules to the camera.
        up: (3,) direction that points up on the screen.

    Returns:
        Quaternion x, y, z, w.
    """
    from scipy.spatial.transform import Rotation

    look = look / np.linalg.norm(look)
    right = np.cross(up, look)
    right = right / np.linalg.norm(right)
    rotation = Rotation.from_matrix(np.array([right, np.cross(look, right), look]))
    return [round(float(part), 5) for part in rotation.as_quat()]


def rounded(xyz: NDArray[Any]) -> list[list[float]]:
    """Positions with three decimals.

    Args:
        xyz: (n, 3) Å.
    """
    return [[round(float(c), 3) for c in row] for row in xyz]


def _texts(names: Sequence[bytes] | NDArray[np.bytes_]) -> list[str]:
    return [text(name) for name in names]
