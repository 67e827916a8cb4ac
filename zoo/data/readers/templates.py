"""Atom types of the standard residues, so that a protein is typed without bonds and without hydrogens.

Types are gnina's as its own tools give them to proteins (measured on 40 receptors of gnina's test set and with
Open Babel): the carboxylates carry one protonated oxygen, ARG NE is an acceptor, LYS NZ is neutral, TRP's
five-membered ring is not aromatic. The chemical properties of these atoms are in the flags and charges.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import AtomFlag

_A, _D, _Q = AtomFlag.AROMATIC, AtomFlag.DONOR, AtomFlag.ACCEPTOR
_POS, _NEG, _R, _B = AtomFlag.POSITIVE, AtomFlag.NEGATIVE, AtomFlag.RING, AtomFlag.BACKBONE

#: atom -> (gnina type, flags, formal charge) of the backbone that all amino acids share
_BACKBONE: Final = {
    "N": (7, _B | _D, 0),
    "CA": (3, _B, 0),
    "C": (3, _B, 0),
    "O": (13, _B | _Q, 0),
    "OXT": (12, _B | _Q | _NEG, -1),
}

#: residue -> its side chain: "atoms:type[:marks]" with the marks a aromatic, d donor, q acceptor, + and - charged
#: (formal charge on the atom with two signs), r in a ring
_SIDE_CHAINS: Final = {
    "ALA": "CB:2",
    "ARG": "CB,CG:2 CD:3 NE:9:d CZ:3 NH1:7:d+ NH2:7:d++",
    "ASN": "CB:2 CG:3 OD1:13:q ND2:7:d",
    "ASP": "CB:2 CG:3 OD1:13:q- OD2:12:q--",
    "CYS": "CB:3 SG:14:d",
    "GLN": "CB,CG:2 CD:3 OE1:13:q NE2:7:d",
    "GLU": "CB,CG:2 CD:3 OE1:13:q- OE2:12:q--",
    "GLY": "",
    "HIS": "CB:2 CG,CD2,CE1:5:ar ND1:7:ard NE2:9:arq",
    "ILE": "CB,CG1,CG2,CD1,CD:2",
    "LEU": "CB,CG,CD1,CD2:2",
    "LYS": "CB,CG,CD:2 CE:3 NZ:8:d++",
    "MET": "CB:2 CG,CE:3 SD:14",
    "PHE": "CB:2 CG,CD1,CD2,CE1,CE2,CZ:4:ar",
    "PRO": "CB,CG:2:r CD:3:r",
    "SER": "CB:3 OG:12:dq",
    "THR": "CB:3 OG1:12:dq CG2:2",
    "TRP": "CB:2 CG:2:ar CD1:3:ar CD2:4:ar CE2:5:ar NE1:9:ard CE3,CZ2,CZ3,CH2:4:ar",
    "TYR": "CB:2 CG,CD1,CD2,CE1,CE2:4:ar CZ:5:ar OH:12:dq",
    "VAL": "CB,CG1,CG2:2",
    "MSE": "CB:2 CG,CE:3 SE:14",
    "SEC": "CB:3 SE:14:d",
    "SEP": "CB:3 OG:13:q P:16 O1P:13:q- O2P:12:q-- O3P:12:q--",
    "TPO": "CB:3 CG2:2 OG1:13:q P:16 O1P:13:q- O2P:12:q-- O3P:12:q--",
    "PTR": "CB:2 CG,CD1,CD2,CE1,CE2:4:ar CZ:5:ar OH:13:q P:16 O1P:13:q- O2P:12:q-- O3P:12:q--",
}

#: other names of the same residue: protonation states (they change nothing that is imaged without their
#: hydrogens) and disulphides
SAME_RESIDUE: Final = {
    "HID": "HIS", "HIE": "HIS", "HIP": "HIS", "HSD": "HIS", "HSE": "HIS", "HSP": "HIS", "CYX": "CYS", "CYM": "CYS",
    "CSS": "CYS", "ASH": "ASP", "GLH": "GLU", "LYN": "LYS", "ARN": "ARG", "TYM": "TYR",
}  # fmt: skip

#: the sugar and phosphate of nucleotides
_NUCLEOTIDE: Final = (
    "P:16 OP1,O1P:13:q- OP2,O2P:12:q-- O5',O3',O5*,O3*:13:q O4',O4*:13:qr C5',C5*:3 C4',C3',C2',C1':3:r "
    "C4*,C3*,C2*,C1*:3:r O2',O2*:12:dq"
)
_BASES: Final = {
    "A": "N9:6:ar C8,C4,C2,C6,C5:5:ar N7,N3,N1:9:arq N6:7:d",
    "G": "N9:6:ar C8,C4,C2,C6,C5:5:ar N7,N3:9:arq N1:7:ard N2:7:d O6:13:q",
    "C": "N1:6:ar C2,C4,C6:5:ar C5:4:ar N3:9:arq O2:13:q N4:7:d",
    "U": "N1:6:ar C2,C4,C6:5:ar C5:4:ar N3:7:ard O2,O4:13:q",
    "T": "N1:6:ar C2,C4,C6:5:ar C5:4:ar N3:7:ard O2,O4:13:q C7,C5M:2",
}

AMINO_ACIDS: Final = frozenset((*_SIDE_CHAINS, *SAME_RESIDUE))
NUCLEOTIDES: Final = frozenset((*_BASES, *(f"D{b}" for b in _BASES), *(f"R{b}" for b in _BASES)))

Entry = tuple[int, int, int]


def _parse(text: str) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for part in text.split():
        names, kind, *rest = part.split(":")
        marks = rest[0] if rest else ""
        flags = AtomFlag(0)
        for mark, flag in {"a": _A, "d": _D, "q": _Q, "+": _POS, "-": _NEG, "r": _R}.items():
            if mark in marks:
                flags |= flag
        if kind in ("2", "4"):
            flags |= AtomFlag.HYDROPHOBIC
        charge = 1 if "++" in marks else -1 if "--" in marks else 0
        for name in names.split(","):
            found[name] = (int(kind), int(flags), charge)
    return found


def _residues() -> dict[str, dict[str, Entry]]:
    backbone = {n: (t, int(f), c) for n, (t, f, c) in _BACKBONE.items()}
    backbone |= {"OT1": backbone["O"], "OT2": backbone["OXT"], "OT": backbone["OXT"]}
    found = {name: backbone | _parse(text) for name, text in _SIDE_CHAINS.items()}
    found["PRO"]["N"] = (6, int(_B | _R), 0)
    found["PRO"]["CA"] = (3, int(_B | _R), 0)
    found |= {other: found[name] for other, name in SAME_RESIDUE.items()}
    found["CYX"] = found["CSS"] = found["CYX"] | {"SG": (14, 0, 0)}
    for base, text in _BASES.items():
        atoms = _parse(f"{_NUCLEOTIDE} {text}")
        found |= {base: atoms, f"D{base}": atoms, f"R{base}": atoms}
    return found


@cache
def _table() -> tuple[NDArray[np.bytes_], NDArray[np.int16]]:
    rows = sorted(
        (residue.ljust(4) + atom.ljust(4), *entry)
        for residue, atoms in _residues().items()
        for atom, entry in atoms.items()
    )
    return np.array([r[0].encode() for r in rows], "S8"), np.array([r[1:] for r in rows], np.int16)


def match(
    residue_name: NDArray[np.bytes_], name: NDArray[np.bytes_]
) -> tuple[NDArray[np.bool_], NDArray[np.int16]]:
    """Look atoms up by residue and atom name.

    Args:
        residue_name: (N,) residue names.
        name: (N,) atom names.

    Returns:
        (N,) whether the atom is in a template, and (N, 3) its type, flags and formal charge.
    """
    keys, values = _table()
    wanted = np.char.add(np.char.ljust(residue_name.astype("S4"), 4), np.char.ljust(name.astype("S4"), 4))
    wanted = np.char.upper(wanted).astype("S8")
    # NumPy strips trailing spaces nowhere but compares without trailing NULs only: pad both alike.
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return keys[place] == wanted, values[place]
