"""Assignment of atoms to residues: chain, number, insertion code and full name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.data.readers.base import RawAtoms


def residue_runs(*columns: NDArray[np.generic]) -> NDArray[np.int64]:
    """(N,) running number of each atom's residue: it increases at each change of a column.

    Args:
        columns: (N,) each, such as chain, number, insertion code and name.
    """
    change = np.zeros(len(columns[0]), bool)
    for column in columns:
        change[1:] |= column[1:] != column[:-1]
    return np.cumsum(change)


def residue_numbers(raw: RawAtoms, by_name: bool = True) -> NDArray[np.int64]:
    """(N,) number of each atom's residue, counted from 0 by first atom; its atoms may stand apart in the file.

    Args:
        raw: the atoms.
        by_name: residues of different names are different; without it residues that share a place are one (a place
            where two residues alternate).
    """
    columns = (raw.chain, raw.residue_number, raw.insertion, *((raw.residue_name,) if by_name else ()))
    run = residue_runs(*columns)
    if not len(run):
        return run
    start = np.flatnonzero(np.r_[True, run[1:] != run[:-1]])
    known: dict[tuple[object, ...], int] = {}
    keys = zip(*(column[start].tolist() for column in columns), strict=True)
    number = np.array([known.setdefault(key, len(known)) for key in keys], np.int64)
    return number[run]


def place(raw: RawAtoms, i: int) -> str:
    """Name and place of an atom's residue, as chemists write it: ``ASP A60B``.

    Args:
        raw: N atoms of a file, hydrogens among them, before selection and typing.
        i: Number of the atom.
    """
    name, chain, code = (
        bytes(c[i]).decode("ascii", "replace") for c in (raw.residue_name, raw.chain, raw.insertion)
    )
    return f"{name} {chain}{int(raw.residue_number[i])}{code}".strip()
