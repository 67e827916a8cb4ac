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
    """Atomic number of a symbol in any case (``D`` is hydrogen); 0 where it is none.

    Args:
        symbol: One or two letters, in any case.
    """
    return NUMBERS.get(symbol.strip().upper(), 0)
