"""Elements: symbols, covalent radii, which are metals."""

from __future__ import annotations

from typing import Final

import numpy as np

_TEXT: Final = """
X H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr
Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu
Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U
"""
SYMBOLS: Final[tuple[str, ...]] = tuple(_TEXT.split())  #: by atomic number; X for unknown
NUMBERS: Final[dict[str, int]] = {s.upper(): z for z, s in enumerate(SYMBOLS) if z} | {"D": 1, "T": 1}
NONMETALS: Final[frozenset[int]] = frozenset(
    (0, 1, 2, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 33, 34, 35, 36, 52, 53, 54)
)

#: covalent radii, Å (Cordero et al. 2008); 0 where none is needed: metals take no covalent bonds here
COVALENT_RADIUS: Final = np.zeros(len(SYMBOLS), np.float32)
for _z, _r in {
    1: 0.31, 5: 0.84, 6: 0.76, 7: 0.71, 8: 0.66, 9: 0.57, 14: 1.11, 15: 1.07, 16: 1.05, 17: 1.02,
    33: 1.19, 34: 1.20, 35: 1.20, 52: 1.38, 53: 1.39,
}.items():  # fmt: skip
    COVALENT_RADIUS[_z] = _r

IS_METAL: Final = np.array([z not in NONMETALS for z in range(len(SYMBOLS))])


def atomic_number(symbol: str) -> int:
    """Atomic number of a symbol in any case (``D`` is hydrogen); 0 where it is none."""
    return NUMBERS.get(symbol.strip().upper(), 0)


def guess_element(name: bytes, residue: bytes, hetero: bool) -> int:
    """Atomic number from a PDB atom name of four columns, for files without an element column.

    The format puts a two-letter symbol in the first two columns and a one-letter symbol in the second.
    """
    text = name.decode("ascii", "replace")
    plain = text.strip().lstrip("0123456789'\"*")
    if not plain:
        return 0
    pair = text[:2].strip().upper()
    certain = pair not in _LIGHT_PAIRS or residue.strip() == plain.encode()
    if hetero and len(pair) == 2 and pair in NUMBERS and certain:
        return NUMBERS[pair]
    first = NUMBERS.get(plain[0].upper(), 0)
    if not first and len(plain) > 1:
        return NUMBERS.get(plain[:2].upper(), 0)
    return first


#: pairs that are names of light atoms far more often than elements (ligands written one column left)
_PAIRS: Final = """
CA CD CE CO CS CU CR CF CM HE HF HG HO HS NA NB ND NE NI NP NO OS PA PB PD PM PO SB SC SE SI SM SN SR
"""
_LIGHT_PAIRS: Final = frozenset(_PAIRS.split())
