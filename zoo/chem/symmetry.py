"""Molecular graphs from positions alone: bonds, equivalent atoms, similarity, symmetric RMSD.

Poses come as PDB files without bonds, from docking programs with other bond orders, and in
tautomers. Therefore these functions use elements and connections, not bond orders: the two oxygens of
a carboxylate and the three of a phosphate are equivalent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from affinity_zoo.zoo.chem.geometry import IS_METAL, radii

BOND_SLACK = 0.45  #: Å above the sum of the covalent radii that is still a bond (Open Babel's rule)
SHORTEST_BOND = 0.4  #: Å; closer atoms are two positions of one atom, not a bond
MAX_MATCHES = 20_000  #: largest number of mappings that are tried


def bonds_from_distances(xyz: NDArray[Any], element: NDArray[Any]) -> NDArray[np.int64]:
    """Find bonds from distances and covalent radii.

    Args:
        xyz: (N, 3) Å.
        element: (N,) atomic numbers.

    Returns:
        (K, 2) atom indices, smaller first, sorted.
    """
    if len(xyz) < 2:
        return np.zeros((0, 2), np.int64)
    _, covalent = radii()
    reach = 2.0 * float(covalent[element].max()) + BOND_SLACK
    pairs = cKDTree(np.asarray(xyz, np.float64)).query_pairs(reach, output_type="ndarray")
    gap = np.linalg.norm(np.asarray(xyz, np.float64)[pairs[:, 0]] - xyz[pairs[:, 1]], axis=1)
    limit = covalent[element[pairs[:, 0]]] + covalent[element[pairs[:, 1]]] + BOND_SLACK
    keep = (gap <= limit) & (gap >= SHORTEST_BOND)
    keep &= ~(IS_METAL[element[pairs[:, 0]]] | IS_METAL[element[pairs[:, 1]]])
    found = np.sort(pairs[keep].astype(np.int64), axis=1)
    return found[np.lexsort((found[:, 1], found[:, 0]))]


def skeleton(element: NDArray[Any], bonds: NDArray[np.int64]) -> Any:
    """An RDKit molecule of these atoms with single bonds only, no hydrogens, not sanitised.

    Args:
        element: (N,) atomic numbers.
        bonds: (K, 2) atom indices.
    """
    from rdkit import Chem

    editable = Chem.RWMol()
    for z in element:
        atom = Chem.Atom(int(z))
        atom.SetNoImplicit(True)
        editable.AddAtom(atom)
    for a, b in bonds:
        editable.AddBond(int(a), int(b), Chem.BondType.SINGLE)
    mol = editable.GetMol()
    mol.UpdatePropertyCache(strict=False)
    Chem.FastFindRings(mol)
    return mol


def skeleton_of(mol: Any) -> Any:
    """The skeleton of an RDKit molecule: its heavy atoms in their order, all bonds single.

    Args:
        mol: RDKit molecule.
    """
    heavy = [a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() > 1]
    place = {old: new for new, old in enumerate(heavy)}
    element = np.array([mol.GetAtomWithIdx(i).GetAtomicNum() for i in heavy], np.uint8)
    pairs = ((b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in mol.GetBonds())
    bonds = [sorted((place[a], place[b])) for a, b in pairs if a in place and b in place]
    return skeleton(element, np.array(bonds, np.int64).reshape(-1, 2))


@dataclass(frozen=True, eq=False)
class Mappings:
    """Mappings of the atoms of one molecule onto those of another."""

    #: (A, N): row a, entry i: the atom of the probe that lies on atom i of the reference
    order: NDArray[np.int64]
    complete: bool  #: False: not all mappings were tried, the best one may be missing

    def __len__(self) -> int:
        return len(self.order)


def mappings(probe: Any, reference: Any, max_matches: int = MAX_MATCHES) -> Mappings:
    """All graph isomorphisms of two skeletons (elements and connections); none if the two differ.

    Args:
        probe, reference: from :func:`skeleton` or :func:`skeleton_of`.
        max_matches: largest number of mappings.
    """
    n = reference.GetNumAtoms()
    if probe.GetNumAtoms() != n or probe.GetNumBonds() != reference.GetNumBonds():
        return Mappings(np.zeros((0, n), np.int64), True)
    found = probe.GetSubstructMatches(reference, uniquify=False, maxMatches=max_matches)
    return Mappings(np.array(found, np.int64).reshape(len(found), n), len(found) < max_matches)


def rmsd(probe: NDArray[Any], reference: NDArray[Any], ways: Mappings) -> float:
    """Return the RMSD without superposition, Å: the minimum over the mappings.

    Args:
        probe, reference: (N, 3) Å, heavy atoms in the order of the skeletons.
        ways: from :func:`mappings` (probe on reference); NaN where it is empty.
    """
    if not len(ways):
        return float("nan")
    probe = np.asarray(probe, np.float64)
    reference = np.asarray(reference, np.float64)
    # all pairs once, then one look-up per mapping: 20,000 mappings of 60 atoms take some milliseconds
    squared = ((probe[:, None] - reference[None]) ** 2).sum(axis=2)
    sums = squared[ways.order, np.arange(len(reference))].sum(axis=1)
    return float(np.sqrt(sums.min() / len(reference)))


def rmsd_lower_bound(
    probe: NDArray[Any], reference: NDArray[Any], probe_skeleton: Any, skeleton: Any
) -> float:
    """Return a lower bound of the RMSD over all mappings, Å: the best assignment of equivalent atoms.

    For molecules with more mappings than can be tried. Atoms are equivalent when their graph
    neighbourhoods are (RDKit's canonical ranks without ties broken).

    Args:
        probe: (N, 3) Å.
        reference: (N, 3) Å.
        probe_skeleton: Skeleton of the probe.
        skeleton: Skeleton of the reference.
    """
    from rdkit import Chem
    from scipy.optimize import linear_sum_assignment

    ranks = [list(Chem.CanonicalRankAtoms(m, breakTies=False)) for m in (probe_skeleton, skeleton)]
    if sorted(ranks[0]) != sorted(ranks[1]):
        return 0.0
    squared = ((np.asarray(probe, np.float64)[:, None] - np.asarray(reference, np.float64)[None]) ** 2).sum(
        axis=2
    )
    squared[np.not_equal.outer(np.array(ranks[0]), np.array(ranks[1]))] = 1e12
    rows, columns = linear_sum_assignment(squared)
    return float(np.sqrt(squared[rows, columns].sum() / len(reference)))


def fingerprint(mol: Any) -> Any:
    """A Morgan fingerprint (radius 2, 2048 bits) of a skeleton: elements, degree and connections.

    Args:
        mol: RDKit molecule.
    """
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    invariants = [a.GetAtomicNum() * 8 + min(a.GetDegree(), 7) for a in mol.GetAtoms()]
    return generator.GetFingerprint(mol, customAtomInvariants=invariants)


def similarity(a: Any, b: Any) -> float:
    """Tanimoto similarity of two fingerprints, 0 to 1.

    Args:
        a: First fingerprint.
        b: Second fingerprint.
    """
    from rdkit.DataStructs import TanimotoSimilarity

    return float(TanimotoSimilarity(a, b))
