"""Molecules as graphs of elements and bonds, from stored atoms: scaffolds, fingerprints, identity.

Bonds are taken from distances and bond orders ignored, so that a molecule is the same from a crystal's PDB file, a
docked PDBQT pose and an SDF record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.data.readers.bonds import bonds


def graph(atoms: Atoms) -> Any:
    """An RDKit molecule with the elements and single bonds of a ligand; metals and unknown elements without bonds.

    Args:
        atoms: N heavy atoms, positions in Å.
    """
    from rdkit import Chem

    molecule = Chem.RWMol()
    for element in atoms.element.tolist():
        atom = Chem.Atom(element)
        atom.SetNoImplicit(True)
        molecule.AddAtom(atom)
    for i, j in bonds(atoms.xyz, atoms.element)[0].tolist():
        molecule.AddBond(i, j, Chem.BondType.SINGLE)
    found = molecule.GetMol()
    found.UpdatePropertyCache(strict=False)
    Chem.FastFindRings(found)
    return found


def canonical(molecule: Any) -> str:
    """Return a canonical text of a graph, independent of the order of its atoms.

    Args:
        molecule: RDKit molecule of heavy atoms.
    """
    from rdkit import Chem

    return str(Chem.MolToSmiles(molecule))


def scaffold(molecule: Any) -> str:
    """Murcko scaffold: rings and what links them. A molecule without rings is its own scaffold.

    Args:
        molecule: RDKit molecule of heavy atoms.
    """
    from rdkit.Chem.Scaffolds import MurckoScaffold

    if not molecule.GetRingInfo().NumRings():
        return canonical(molecule)
    return canonical(MurckoScaffold.GetScaffoldForMol(molecule))


def fingerprints(molecules: Sequence[Any]) -> list[Any]:
    """Morgan fingerprints, radius 2, 2048 bits.

    Args:
        molecules: RDKit molecules of heavy atoms.
    """
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    return [generator.GetFingerprint(m) for m in molecules]
