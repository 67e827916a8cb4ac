"""Elements from the atom types of MOL2 files: SYBYL's or GAFF's (Amber's antechamber)."""

from __future__ import annotations

import re
from typing import Final

from affinity_zoo.zoo.data.readers.base import ReadError
from affinity_zoo.zoo.data.readers.elements import NUMBERS, SYMBOLS

#: SYBYL types that are no atoms
PSEUDO: Final = frozenset(("LP", "DU", "DU.C", "XX"))
_UNKNOWN: Final = frozenset(("ANY", "HAL", "HET", "HEV"))
#: GAFF and GAFF2 types by element; all begin with a small letter
_GAFF: Final = {
    17: "cl", 35: "br", 9: "f", 53: "i",
    6: "c c1 c2 c3 c5 c6 ca cc cd ce cf cg ch cp cq cs cu cv cx cy cz",
    1: "h1 h2 h3 h4 h5 ha hb hc hn ho hp hs hw hx",
    7: "n n1 n2 n3 n4 n5 n6 n7 n8 n9 na nb nc nd ne nf nh ni nj nk nl nm nn no np nq ns nt nu nv nx ny nz n+",
    8: "o oh op oq os ow",
    15: "p2 p3 p4 p5 pb pc pd pe pf px py",
    16: "s s2 s3 s4 s6 sh sp sq ss sx sy",
}  # fmt: skip
_GAFF_ELEMENT: Final = {name: z for z, names in _GAFF.items() for name in names.split()}
_GAFF_TYPE: Final = re.compile(r"[a-z][a-z0-9+]?")


def elements(types: list[str], names: list[str]) -> tuple[list[int], list[bool], list[str]]:
    """Atomic numbers of a record's atoms, which of them are no atoms, and notes.

    Args:
        types: atom types as in the file.
        names: atom names, to which elements of GAFF types must not be contrary.

    Raises:
        ReadError: the types are neither SYBYL's nor GAFF's.
    """
    pseudo = [t.upper() in PSEUDO or t.upper().startswith("LP.") for t in types]
    plain = [t for t, none in zip(types, pseudo, strict=True) if not none]
    if any(_GAFF_TYPE.fullmatch(t) for t in plain) and not all(_sybyl(t) for t in plain):
        wrong = sorted({t for t in plain if t not in _GAFF_ELEMENT})
        if wrong:
            raise ReadError(
                f"atom types of GAFF (or Amber) with {', '.join(wrong[:4])}, which is none: write the file with SYBYL "
                "types"
            )
        return (
            [_GAFF_ELEMENT.get(t, 0) for t in types],
            pseudo,
            ["atom types of GAFF: elements taken from them"],
        )
    found, guessed = [], 0
    for kind, name, none in zip(types, names, pseudo, strict=True):
        z = 0 if none else NUMBERS.get(kind.partition(".")[0].upper(), 0)
        if not none and not _sybyl(kind) and kind.upper() not in _UNKNOWN:
            z = _by_name(kind, name)
            guessed += 1
        found.append(z)
    return found, pseudo, [f"{guessed} elements taken from names, not from SYBYL types"] if guessed else []


def _sybyl(kind: str) -> bool:
    """Whether a type is SYBYL's: an element (first letter large, the second small), perhaps a dot and a kind."""
    element, dot, rest = kind.partition(".")
    if dot and not rest:
        return False
    return element in _SYMBOLS or (element.upper() in ("CL", "BR") and element[:1].isupper())


_SYMBOLS: Final = frozenset(SYMBOLS[1:]) | {"D"}


def _by_name(kind: str, name: str) -> int:
    """Return the element of a non-SYBYL type (``CT``, ``N3`` of Amber) if type and name begin alike."""
    letters = re.sub(r"[^A-Za-z]", "", name)
    pair = NUMBERS.get(letters[:2].upper(), 0) if letters[:2].upper() in ("CL", "BR", "SI") else 0
    single = NUMBERS.get(letters[:1].upper(), 0)
    for z in (pair, single):
        if z and SYMBOLS[z][0].upper() == kind[:1].upper():
            return z
    raise ReadError(f"the atom type {kind!r} is not a SYBYL or GAFF type: write the file with SYBYL types")
