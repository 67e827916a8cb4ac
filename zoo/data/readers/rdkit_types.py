"""Atom types of an RDKit molecule whose bond orders are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from affinity_zoo.zoo.data.readers.typing import Site, Typing, type_site


def type_molecule(molecule: Any, heavy: list[int]) -> Typing:
    """Type the heavy atoms of a sanitised molecule; explicit and implicit hydrogens count alike.

    Args:
        molecule: an RDKit molecule.
        heavy: the numbers of its atoms that are not hydrogens.
    """
    from rdkit.Chem import HybridizationType

    kinds, flags = np.empty(len(heavy), np.uint8), np.empty(len(heavy), np.uint16)
    charge = np.zeros(len(heavy), np.int8)
    ring = molecule.GetRingInfo()
    for k, i in enumerate(heavy):
        atom = molecule.GetAtomWithIdx(i)
        near = [n.GetAtomicNum() for n in atom.GetNeighbors()]
        hydrogens = atom.GetTotalNumHs(includeNeighbors=True)
        site = Site(
            element=atom.GetAtomicNum(),
            hydrogens=hydrogens,
            degree=len(near) - near.count(1) + hydrogens,
            planar=atom.GetHybridization() in (HybridizationType.SP2, HybridizationType.SP),
            aromatic=atom.GetIsAromatic(),
            ring=ring.NumAtomRings(i) > 0,
            charge=atom.GetFormalCharge(),
            polar_neighbour=any(z not in (1, 6) for z in near),
        )
        kinds[k], flags[k] = type_site(site)
        charge[k] = site.charge
    return Typing(kinds, flags, charge)
