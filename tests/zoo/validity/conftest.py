"""A docked drug-like molecule in a real receptor, and faults in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

#: an amide with an aromatic ring, a double bond between carbons and a saturated ring
SMILES = "CC(C)=C(C)c1ccc(cc1)C(=O)NC1CCCCC1"
FAULTS = ("stretched", "pushed in", "bent ring", "collapsed", "far away")


@pytest.fixture(scope="session")
def receptor_file(small_set: Path) -> Path:
    """The receptor of 7PBL."""
    return next((small_set / "receptors").glob("7pbl*"))


@pytest.fixture(scope="session")
def receptor(receptor_file: Path) -> Any:
    """Its atoms."""
    from affinity_zoo.zoo.data.readers import read_receptor

    return read_receptor(receptor_file).atoms


@pytest.fixture(scope="session")
def docked(receptor: Any) -> Any:
    """The molecule at the surface of the receptor, its nearest atom about 3.9 Å away."""
    from rdkit import Chem
    from rdkit.Chem import AllChem
    from scipy.spatial import cKDTree

    molecule = Chem.AddHs(Chem.MolFromSmiles(SMILES))
    AllChem.EmbedMolecule(molecule, randomSeed=7)
    AllChem.MMFFOptimizeMolecule(molecule, maxIters=2000)
    xyz = molecule.GetConformer().GetPositions()
    xyz += receptor.xyz.mean(axis=0) - xyz.mean(axis=0)
    tree = cKDTree(receptor.xyz)
    for shift in np.arange(0.0, 200.0, 0.25):
        if tree.query(xyz + [shift, 0.0, 0.0])[0].min() > 3.6:
            xyz = xyz + [shift, 0.0, 0.0]
            break
    return placed(molecule, xyz)


def placed(molecule: Any, xyz: Any) -> Any:
    """A copy of a molecule at other positions."""
    from rdkit import Chem

    made = Chem.Mol(molecule)
    for i, place in enumerate(np.asarray(xyz, float).tolist()):
        made.GetConformer().SetAtomPosition(i, place)
    return made


@pytest.fixture(scope="session")
def broken(docked: Any, receptor: Any) -> dict[str, Any]:
    """The molecule with a fault each."""
    from rdkit import Chem

    xyz = docked.GetConformer().GetPositions()
    stretched, bent = xyz.copy(), xyz.copy()
    stretched[0] += 0.9 * (xyz[0] - xyz[1]) / np.linalg.norm(xyz[0] - xyz[1])
    ring = docked.GetSubstructMatch(Chem.MolFromSmarts("c1ccccc1"))
    normal = np.linalg.svd(xyz[list(ring)] - xyz[list(ring)].mean(axis=0))[2][2]
    bent[ring[1]] += 0.9 * normal
    centre = xyz.mean(axis=0)
    return {
        "stretched": placed(docked, stretched),
        "pushed in": placed(docked, xyz - centre + receptor.xyz[len(receptor) // 2]),
        "bent ring": placed(docked, bent),
        "collapsed": placed(docked, centre + 0.45 * (xyz - centre)),
        "far away": placed(docked, xyz + [40.0, 0.0, 0.0]),
    }


@pytest.fixture(scope="session")
def poses_file(docked: Any, broken: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SDF file: the good pose, then one with each fault."""
    from rdkit import Chem

    path = tmp_path_factory.mktemp("validity") / "poses.sdf"
    with Chem.SDWriter(str(path)) as writer:
        for name, molecule in {"good": docked, **broken}.items():
            molecule.SetProp("_Name", name)
            writer.write(molecule)
    return path
