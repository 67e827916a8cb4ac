"""Elements of PDB and mmCIF atoms: from the element column if plausible, else from names, residues and distances.

The rules, in this order:

1. A single atom in a residue with the name of an ion is that ion, regardless of the element column.
2. Atoms of amino acids and nucleotides have the element of the first letter of their name if the column contradicts it.
3. A symbol in the element column counts.
4. Else the name: its first two letters where they are an element, stand in columns 13-14 (or are an element that is
   no usual name of a light atom), and no neighbour is nearer than such an element allows; else its first letter.
5. The only atom of a residue is never a hydrogen.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.data.readers import templates
from affinity_zoo.zoo.data.readers.elements import NUMBERS
from affinity_zoo.zoo.data.readers.residues import DUMMIES, VIRTUAL_SITES, ion

#: two-letter symbols that are names of light atoms far more often than elements (``CA``, ``ND``, ``HG``)
_TEXT: Final = """
CA CD CE CO CS CU CR CF CM HE HF HG HO HS NA NB ND NE NI NP NO OS PA PB PD PM PO SB SC SN SM SR AC AG AM AR AS AT AU
BA BE BI BK CN DB DY ER ES EU FM FR FL GA GD GE HA IN IR LA LR LU LV MC MD NH OG PR PT PU RA RB RE RF RG RH RN RU TA TB
TC TE TH TI TL TM TS XE YB ZR
"""
_AMBIGUOUS: Final = frozenset(_TEXT.split())
#: Å; a covalent two-letter element has no neighbour nearer than this
_NEAREST: Final = {14: 1.55, 17: 1.55, 35: 1.70, 33: 1.60, 34: 1.86, 32: 1.70, 52: 1.90}
_METAL: Final = 1.86  #: Å; nor has a metal
_HYDROGEN: Final = 1.3  #: Å; a hydrogen has a neighbour nearer than this


def settle_elements(
    column: NDArray[np.uint8],
    name: NDArray[np.bytes_],
    residue: NDArray[np.bytes_],
    run: NDArray[np.int64],
    xyz: NDArray[np.float32],
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_]]:
    """The elements of N atoms.

    Args:
        column: (N,) element column, 0 without an element.
        name: (N,) names of four columns as in the file, with spaces.
        residue: (N,) residue names.
        run: (N,) running number of the residue.
        xyz: (N, 3) Å.

    Returns:
        Atomic numbers (0: unknown), which of them do not come from the column, and which are not atoms
        (dummies, lone pairs).
    """
    found = column.copy()
    if not len(run):
        return found, np.zeros(0, bool), np.zeros(0, bool)
    start = np.flatnonzero(np.r_[True, run[1:] != run[:-1]])
    size = np.diff(np.r_[start, len(run)])
    names = [text.upper() for text in residue[start].tolist()]
    pseudo = np.repeat(np.array([text in DUMMIES for text in names], bool), size)
    alone = _alone(name, start, size)
    _ions(found, name, residue, alone & ~pseudo)
    settled = found != column
    polymer = np.repeat(np.array([text in _POLYMER for text in names], bool), size) & ~settled & ~alone
    if polymer.any():
        _polymer(found, name, residue, polymer)
    for i in np.flatnonzero((found == 0) & ~pseudo & ~settled):
        text = name[i].decode("ascii", "replace").ljust(4)
        if text.strip().upper().encode() in VIRTUAL_SITES:
            pseudo[i] = True
            continue
        found[i] = _guess(text, bool(alone[i]), int(i), run, xyz)
    return found, (found != column) & ~pseudo, pseudo


_POLYMER: Final = frozenset(n.encode() for n in templates.AMINO_ACIDS | templates.NUCLEOTIDES)


def _alone(name: NDArray[np.bytes_], start: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which atoms are the only one of their residue, its alternate locations not counted."""
    same = name == np.repeat(name[start], size)
    found: NDArray[np.bool_] = np.repeat(np.logical_and.reduceat(same, start), size)
    return found


def _ions(
    found: NDArray[np.uint8], name: NDArray[np.bytes_], residue: NDArray[np.bytes_], alone: NDArray[np.bool_]
) -> None:
    if not alone.any():
        return
    where = np.flatnonzero(alone)
    known: dict[tuple[bytes, bytes], int] = {}
    for i, key in zip(
        where.tolist(), zip(residue[where].tolist(), name[where].tolist(), strict=True), strict=True
    ):
        if key not in known:
            known[key] = ion(key[0].decode("ascii", "replace"), key[1].decode("ascii", "replace"))
        if known[key]:
            found[i] = known[key]


def _polymer(
    found: NDArray[np.uint8],
    name: NDArray[np.bytes_],
    residue: NDArray[np.bytes_],
    polymer: NDArray[np.bool_],
) -> None:
    """Atoms of standard residues: the first letter of the name; selenium where it is one."""
    first = _first_letters(name)[polymer]
    mine = found[polymer]
    wrong = (first != mine) & (first != 0)
    if (
        wrong & (mine != 0)
    ).any():  # a column that contradicts a name counts less where the name is a known one
        known, _ = templates.match(residue[polymer], np.char.strip(name[polymer]))
        wrong &= known | (mine == 0)
    mine[wrong] = first[wrong]
    found[polymer] = mine


_LETTER: Final = np.zeros(256, np.uint8)
_LETTER[[ord(s) for s in NUMBERS if len(s) == 1]] = [z for s, z in NUMBERS.items() if len(s) == 1]
_LETTER[97:123] = _LETTER[65:91]


def _first_letters(name: NDArray[np.bytes_]) -> NDArray[np.uint8]:
    """Atomic number by the first letter of each name; selenium (SE) is distinguished from sulphur."""
    chars = np.ascontiguousarray(name).view(np.uint8).reshape(len(name), -1)
    letter = ((chars | 32) >= ord("a")) & ((chars | 32) <= ord("z"))
    place = letter.argmax(1)
    row = np.arange(len(name))
    found = _LETTER[chars[row, place]]
    behind = chars[row, np.minimum(place + 1, chars.shape[1] - 1)] | 32
    found[(found == 16) & (behind == ord("e"))] = 34
    return found


def _guess(text: str, alone: bool, i: int, run: NDArray[np.int64], xyz: NDArray[np.float32]) -> int:
    """Atomic number from a name of four columns."""
    plain = text.strip().lstrip("0123456789'\"*").upper()
    if not plain:
        return 0
    single, pair = (
        NUMBERS.get(plain[0], 0),
        NUMBERS.get(plain[:2], 0) if len(plain) > 1 and plain[1].isalpha() else 0,
    )
    if not pair:
        return 0 if alone and single == 1 and len(plain) > 1 else single
    claims = text[0].isalpha() and text[1].isalpha()
    if alone:
        return pair if claims or single in (0, 1) or plain[:2] not in _AMBIGUOUS else single
    if claims and len(text.strip()) == 4 and single == 1:
        return 1  # four characters of a hydrogen: HG21, HE22
    if not single:
        return pair
    nearest = _nearest(i, run, xyz)
    if single == 1 and nearest < _HYDROGEN:
        return 1
    if plain[:2] in _AMBIGUOUS and not claims:
        return single
    return pair if nearest >= _NEAREST.get(pair, _METAL) else single


def _nearest(i: int, run: NDArray[np.int64], xyz: NDArray[np.float32]) -> float:
    """Distance (Å) to the nearest other atom of the residue; atoms on top of it are its alternate locations."""
    low = high = i
    while low > 0 and run[low - 1] == run[i]:
        low -= 1
    while high + 1 < len(run) and run[high + 1] == run[i]:
        high += 1
    distance = np.sqrt(((xyz[low : high + 1].astype(np.float64) - xyz[i]) ** 2).sum(1))
    distance = distance[distance > 0.5]
    return float(distance.min()) if len(distance) else float("inf")
