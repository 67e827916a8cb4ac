"""Rule-based repair of ligands that RDKit refuses, before bonds are perceived from geometry.

The rules, in this order; what was done is noted:

1. Charge from valence: a neutral N with four bonds, O with three, S with three neighbours by single bonds and a
   halogen with two are +1; a neutral boron with four is -1. Bonds count by their order.
2. Hypervalent N (five bonds: ``N(=O)=O``) and dative forms: RDKit's own clean-up.
3. Partial sanitisation: rings, aromaticity, conjugation and hybridisation are found although a valence stays
   impossible, if what is left are atoms without a type by their valence (P, S, halogens, metals).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

#: element -> (bonds from which a neutral atom has a charge, the charge)
_CHARGE: Final = {7: (4, 1), 8: (3, 1), 5: (4, -1), 16: (3, 1), 9: (2, 1), 17: (2, 1), 35: (2, 1), 53: (2, 1)}
#: elements whose type does not depend on their valence
_INDIFFERENT: Final = frozenset((5, 9, 14, 15, 16, 17, 34, 35, 53))


def repaired(molecule: Any) -> tuple[Any, tuple[str, ...]]:
    """Return a sanitised copy of a molecule, and the repairs.

    Args:
        molecule: an RDKit molecule, not sanitised.

    Raises:
        Exception: RDKit's own, where the rules do not help.
    """
    from rdkit import Chem

    whole = Chem.RWMol(molecule)
    sulphur = _charges(
        whole, (16,)
    )  # RDKit would take a sulphonium without its charge for a thiol, in silence
    try:
        Chem.SanitizeMol(whole)
        return whole, (f"repaired: {sulphur}",) if sulphur else ()
    except Exception as error:
        first = error
    fixed = Chem.RWMol(molecule)
    done = _charges(fixed)
    try:
        Chem.SanitizeMol(fixed)
        return fixed, (f"repaired: {done}",)
    except Exception:
        pass
    partial = Chem.RWMol(molecule)
    _charges(partial)
    partial.UpdatePropertyCache(strict=False)
    left = [p for p in Chem.DetectChemistryProblems(partial) if p.GetType() == "AtomValenceException"]
    wrong = [partial.GetAtomWithIdx(p.GetAtomIdx()) for p in left]
    if not wrong or any(a.GetAtomicNum() not in _INDIFFERENT for a in wrong):
        raise first
    rest = Chem.SanitizeFlags.SANITIZE_ALL ^ Chem.SanitizeFlags.SANITIZE_PROPERTIES
    Chem.SanitizeMol(partial, rest)
    kinds = ", ".join(f"{a.GetSymbol()}{a.GetIdx() + 1}" for a in wrong)
    said = f"{done}; " if done else ""
    return partial, (f"repaired: {said}valence of {kinds} not changed",)


def _charges(molecule: Any, elements: Collection[int] = tuple(_CHARGE)) -> str:
    """Set the charge of neutral atoms with too many bonds; return their names."""
    done = []
    for atom in molecule.GetAtoms():
        rule = _CHARGE.get(atom.GetAtomicNum()) if atom.GetAtomicNum() in elements else None
        if rule is None or atom.GetFormalCharge():
            continue
        valence = sum(b.GetValenceContrib(atom) for b in atom.GetBonds())
        if valence != rule[0] or (atom.GetAtomicNum() == 16 and atom.GetDegree() != 3):
            continue
        atom.SetFormalCharge(rule[1])
        atom.SetNoImplicit(True)
        done.append(f"{atom.GetSymbol()}{atom.GetIdx() + 1} {rule[1]:+d}")
    return f"charges from valence ({', '.join(done[:4])}{', ...' if len(done) > 4 else ''})" if done else ""
