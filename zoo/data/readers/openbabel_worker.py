"""A process that types molecules with Open Babel as libmolgrid does. It imports nothing of this package.

libmolgrid's Open Babel runs without a data folder, and so perceives bonds by the tables compiled into it; with the data
folder of the ``openbabel-wheel`` package other rings are aromatic (histidine, tryptophan and adenine without hydrogens,
among others). The tables are read once per process, hence the separate process.

Requests on standard input: format and text of one molecule, each after its length. Answers on standard output: the
number of heavy atoms, then for each its position and gnina type; -1 where the molecule cannot be read.
"""

from __future__ import annotations

import os
import struct
import sys
from typing import Any, BinaryIO

_LENGTHS = struct.Struct("<II")
_COUNT = struct.Struct("<i")
_ATOM = struct.Struct("<3fi")
#: element -> type, where the element alone decides; every other one is a metal
_BY_ELEMENT = {34: 14, 15: 16, 9: 17, 17: 18, 35: 19, 53: 20, 12: 21, 25: 22, 30: 23, 20: 24, 26: 25, 5: 27}
_METAL = 26


def main() -> None:
    """Answer requests until standard input ends."""
    from openbabel import openbabel

    # after the import, which sets it
    os.environ["BABEL_DATADIR"] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "no such folder")
    openbabel.obErrorLog.SetOutputLevel(0)
    given, answers = sys.stdin.buffer, sys.stdout.buffer
    while True:
        head = given.read(_LENGTHS.size)
        if len(head) < _LENGTHS.size:
            return
        format_length, length = _LENGTHS.unpack(head)
        kind = given.read(format_length).decode()
        _answer(openbabel, kind, given.read(length).decode("latin-1"), answers)


def _answer(openbabel: Any, kind: str, text: str, answers: BinaryIO) -> None:
    molecule = openbabel.OBMol()
    conversion = openbabel.OBConversion()
    if not conversion.SetInFormat(kind) or not conversion.ReadString(molecule, text):
        answers.write(_COUNT.pack(-1))
        answers.flush()
        return
    molecule.AddHydrogens()
    atoms = [atom for atom in openbabel.OBMolAtomIter(molecule) if atom.GetAtomicNum() != 1]
    rows = [_ATOM.pack(atom.GetX(), atom.GetY(), atom.GetZ(), _type(openbabel, atom)) for atom in atoms]
    answers.write(_COUNT.pack(len(rows)) + b"".join(rows))
    answers.flush()


def _type(openbabel: Any, atom: Any) -> int:
    """The rule of libmolgrid's ``GninaIndexTyper``."""
    element = atom.GetAtomicNum()
    neighbours = [other.GetAtomicNum() for other in openbabel.OBAtomAtomIter(atom)]
    hydrogen = 1 in neighbours
    if element == 6:
        hetero = any(other not in (1, 6) for other in neighbours)
        return (4 if atom.IsAromatic() else 2) + hetero
    if element == 7:
        acceptor = atom.IsHbondAcceptor()
        return (8 if hydrogen else 9) if acceptor else (7 if hydrogen else 6)
    if element == 8:
        return 12 if hydrogen else 13
    if element == 16:
        return 15 if atom.IsHbondAcceptor() else 14
    return _BY_ELEMENT.get(element, _METAL)


if __name__ == "__main__":
    main()
