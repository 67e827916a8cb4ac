"""A receptor as an RDKit molecule with the residue names that tell protein, cofactors and waters apart."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from affinity_zoo.plugins.contracts import AtomFlag, Atoms

#: Å around a ligand; the checks look at atoms within 6 Å, and at the distance to the nearest
_AROUND: Final = 12.0
_HETERO: Final = int(AtomFlag.COFACTOR | AtomFlag.METAL | AtomFlag.WATER)


def receptor_molecule(receptor: Atoms, ligand: Any) -> Any:
    """The atoms of a receptor near a pose, without bonds; its nearest atom if there are none.

    Args:
        receptor: as the readers give it: heavy atoms.
        ligand: (N, 3) positions of the pose, Å.

    Returns:
        An RDKit molecule with one conformer and PDB residue information.
    """
    from rdkit import Chem
    from rdkit.Geometry import Point3D
    from scipy.spatial import cKDTree

    distance = cKDTree(ligand).query(np.asarray(receptor.xyz, np.float64))[0]
    near = np.flatnonzero(distance <= _AROUND)
    if not len(near):
        near = np.array([int(np.argmin(distance))])
    made = Chem.RWMol()
    place = Chem.Conformer(len(near))
    for k, i in enumerate(near.tolist()):
        atom = Chem.Atom(int(receptor.element[i]))
        atom.SetNoImplicit(True)
        atom.SetMonomerInfo(_residue(receptor, i))
        made.AddAtom(atom)
        place.SetAtomPosition(k, Point3D(*(float(x) for x in receptor.xyz[i])))
    made.AddConformer(place)
    found = made.GetMol()
    found.UpdatePropertyCache(strict=False)
    return found


def _residue(receptor: Atoms, i: int) -> Any:
    from rdkit import Chem

    return Chem.AtomPDBResidueInfo(
        _text(receptor.name[i]),
        residueName=_text(receptor.residue_name[i]),
        residueNumber=int(receptor.residue_number[i]),
        chainId=_text(receptor.chain[i]),
        isHeteroAtom=bool(int(receptor.flags[i]) & _HETERO),
    )


def _text(value: bytes) -> str:
    return value.decode("ascii", "replace").strip()
