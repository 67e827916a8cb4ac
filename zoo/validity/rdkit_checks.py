"""The checks that need RDKit alone: strain, distance and overlap with the receptor, by PoseBusters' thresholds.

They stand in where the extra ``posebusters`` is not installed. Bond lengths, angles, rings and double bonds are not
looked at one by one: only the strain tells of them.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_STRAIN: Final = 100.0  #: energy over the mean energy of generated conformers
_CONFORMERS: Final = 10
_NEAR: Final = 5.0  #: Å
_CLOSE: Final = 0.75  #: of the sum of the radii
_OVERLAP: Final = 0.075  #: of the ligand's volume
_WITHIN: Final = 6.0  #: Å; atoms further away cannot clash or overlap
#: elements of ions and metals: covalent radii and smaller volumes count, for they bind the ligand
_INORGANIC: Final = frozenset((3, 4, 11, 12, 17, 19, 20, 25, 26, 27, 28, 29, 30, 35, 37, 42, 48))


def checks(molecule: Any, receptor: Any) -> dict[str, bool | None]:
    """Check a pose.

    Args:
        molecule: sanitised, with one conformer.
        receptor: of :func:`~affinity_zoo.zoo.validity.receptor.receptor_molecule`.

    Returns:
        Column -> passed, failed, or None: the check could not be made.
    """
    from rdkit import Chem

    inorganic = np.array([atom.GetAtomicNum() in _INORGANIC for atom in receptor.GetAtoms()])
    hetero = np.array([atom.GetPDBResidueInfo().GetIsHeteroAtom() for atom in receptor.GetAtoms()])
    water = np.array(
        [atom.GetPDBResidueInfo().GetResidueName() in ("HOH", "WAT") for atom in receptor.GetAtoms()]
    )
    protein, organic = ~inorganic & ~hetero, hetero & ~inorganic & ~water
    ligand = Chem.RemoveAllHs(molecule, sanitize=False)
    distances = _distances(ligand, receptor)
    nearest = float(distances[:, protein].min()) if protein.any() else math.inf
    clashes = {
        "protein": _clash(ligand, receptor, distances, protein, "GetRvdw"),
        "organic": _clash(ligand, receptor, distances, organic, "GetRvdw"),
        "inorganic": _clash(ligand, receptor, distances, inorganic, "GetRcovalent"),
    }
    overlaps = {
        "protein": _overlap(ligand, receptor, distances, protein, 0.8),
        "organic": _overlap(ligand, receptor, distances, organic, 0.8),
        "inorganic": _overlap(ligand, receptor, distances, inorganic, 0.5),
    }
    return {
        "valid_chemistry": len(Chem.GetMolFrags(molecule)) == 1,
        "valid_strain": strain(molecule),
        "valid_protein_near": nearest <= _NEAR,
        "valid_protein_distance": not clashes["protein"],
        "valid_protein_overlap": overlaps["protein"] <= _OVERLAP,
        "valid_cofactor_distance": not (clashes["organic"] or clashes["inorganic"]),
        "valid_cofactor_overlap": max(overlaps["organic"], overlaps["inorganic"]) <= _OVERLAP,
    }


def strain(molecule: Any) -> bool | None:
    """Whether the energy of a pose is at most 100 times the mean energy of minimised conformers (UFF).

    Args:
        molecule: sanitised, with one conformer.

    Returns:
        None where UFF has no parameters or no conformer can be made.
    """
    from rdkit import Chem
    from rdkit.Chem import rdForceFieldHelpers as fields

    whole = Chem.AddHs(molecule, addCoords=True)
    if not fields.UFFHasAllMoleculeParams(whole):
        return None
    field = fields.UFFGetMoleculeForceField(whole)
    if field is None:
        return None
    for atom in whole.GetAtoms():
        if atom.GetAtomicNum() > 1:
            field.AddFixedPoint(atom.GetIdx())
    field.Initialize()
    field.Minimize(maxIts=200)
    usual = _usual_energy(Chem.MolToSmiles(Chem.RemoveAllHs(molecule)))
    if not math.isfinite(usual) or usual <= 0.0:
        return None
    return bool(field.CalcEnergy() / usual <= _STRAIN)


@lru_cache(maxsize=1024)
def _usual_energy(smiles: str) -> float:
    """Mean UFF energy of minimised conformers, kcal/mol; NaN where there are none."""
    from rdkit import Chem
    from rdkit.Chem import rdDistGeom
    from rdkit.Chem import rdForceFieldHelpers as fields

    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        return math.nan
    whole = Chem.AddHs(molecule)
    settings = rdDistGeom.ETKDGv3()
    settings.randomSeed = 42  # type: ignore[assignment]
    settings.useRandomCoords = True  # type: ignore[assignment]
    settings.numThreads = 1  # type: ignore[assignment]
    made = list(rdDistGeom.EmbedMultipleConfs(whole, _CONFORMERS, settings))
    if not made:
        return math.nan
    return float(np.mean([energy for _, energy in fields.UFFOptimizeMoleculeConfs(whole, numThreads=1)]))


def _distances(ligand: Any, receptor: Any) -> NDArray[np.float64]:
    one, other = (m.GetConformer().GetPositions() for m in (ligand, receptor))
    return np.linalg.norm(one[:, None] - other[None], axis=-1)


def _clash(
    ligand: Any, receptor: Any, distances: NDArray[np.float64], which: NDArray[np.bool_], radius: str
) -> bool:
    from rdkit import Chem

    table = getattr(Chem.GetPeriodicTable(), radius)
    one, other = (np.array([table(a.GetAtomicNum()) for a in m.GetAtoms()]) for m in (ligand, receptor))
    return bool((distances < _CLOSE * (one[:, None] + other[None]))[:, which].any())


def _overlap(
    ligand: Any, receptor: Any, distances: NDArray[np.float64], which: NDArray[np.bool_], scale: float
) -> float:
    """The share of the ligand's volume that lies in these atoms of the receptor."""
    from rdkit import Chem
    from rdkit.Chem import rdShapeHelpers

    left_out = np.flatnonzero(~(which & (distances.min(axis=0) <= _WITHIN * scale)))
    if len(left_out) == len(which):
        return 0.0
    part = Chem.RWMol(receptor)
    for i in left_out[::-1].tolist():
        part.RemoveAtom(i)
    return float(rdShapeHelpers.ShapeTverskyIndex(ligand, part, 1.0, 0.0, vdwScale=scale, ignoreHs=True))
