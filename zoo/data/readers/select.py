"""From the raw atoms of a file to :class:`Atoms`: what is kept, and its types."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import UNTYPED, AtomFlag, Atoms, Role
from affinity_zoo.zoo.data.readers import templates
from affinity_zoo.zoo.data.readers.base import RawAtoms, ReadError, ReadOptions
from affinity_zoo.zoo.data.readers.elements import IS_METAL
from affinity_zoo.zoo.data.readers.typing import ELEMENT_TYPE, GENERIC_METAL, Typing, type_from_geometry


def make_atoms(role: Role, raw: RawAtoms, typing: Typing) -> Atoms:
    """The stored atoms of heavy raw atoms and their typing."""
    return Atoms(
        role=role,
        xyz=np.ascontiguousarray(raw.xyz, np.float32),
        element=raw.element.astype(np.uint8),
        atom_type=typing.atom_type,
        flags=typing.flags,
        charge=typing.charge,
        name=raw.name.astype("S4"),
        residue_name=raw.residue_name.astype("S4"),
        residue_number=raw.residue_number.astype(np.int32),
        chain=raw.chain.astype("S4"),
    )


def receptor_atoms(raw: RawAtoms, options: ReadOptions) -> tuple[Atoms, list[str]]:
    """Choose and type a receptor's atoms.

    Returns:
        The atoms, and notes on what was dropped or could not be typed.

    Raises:
        ReadError: nothing is left.
    """
    notes: list[str] = []
    raw = heavy(pick_altloc(raw, options.altloc))
    if not len(raw):
        raise ReadError("the receptor has no heavy atom", "type")
    raw = _drop(raw, np.isin(raw.residue_name, list(templates.WATERS)), options.waters, "water", notes)
    if not len(raw):
        raise ReadError("the receptor has nothing but waters", "type")
    known, entries = templates.match(raw.residue_name, raw.name)
    metal = IS_METAL[raw.element] & ~known
    keep = np.ones(len(raw), bool)
    if options.metals == "drop":
        keep &= ~metal
    polymer = np.isin(np.char.upper(raw.residue_name).astype("S4"), _POLYMER) | known
    other = ~polymer & ~metal & ~np.isin(raw.residue_name, list(templates.WATERS))
    if options.hetero == "drop":
        keep &= ~(other & raw.hetero)
    if dropped := int((~keep).sum()):
        notes.append(f"{dropped} atoms of cofactors or metals dropped by the read options")
        raw, known, entries, metal, other = (
            raw.take(keep),
            known[keep],
            entries[keep],
            metal[keep],
            other[keep],
        )
    if not len(raw):
        raise ReadError("no heavy atom is left after hydrogens and waters are taken out", "type")
    typing = _type_receptor(raw, known, entries, metal)
    typing.flags[other & raw.hetero] |= np.uint16(AtomFlag.COFACTOR)
    water = np.isin(raw.residue_name, list(templates.WATERS))
    typing.flags[water] |= np.uint16(AtomFlag.WATER)
    if untyped := int((typing.atom_type == UNTYPED).sum()):
        notes.append(f"{untyped} atoms could not be typed")
    if perceived := int(((typing.flags & AtomFlag.PERCEIVED) > 0).sum()):
        notes.append(f"{perceived} atoms are in no residue template: bonds perceived")
    return make_atoms("receptor", raw, typing), notes


_POLYMER = np.array(sorted(templates.AMINO_ACIDS | templates.NUCLEOTIDES), "S4")


def ligand_from_geometry(raw: RawAtoms, options: ReadOptions) -> Atoms:
    """The atoms of a ligand whose file has no bonds; metals are typed by element.

    Raises:
        ReadError: no heavy atom.
    """
    raw = heavy(pick_altloc(raw, options.altloc))
    if not len(raw):
        raise ReadError("the ligand has no heavy atom", "type")
    return make_atoms("ligand", raw, type_from_geometry(raw.xyz, raw.element))


def hydrogens(raw: RawAtoms) -> int:
    """How many of the atoms are hydrogens."""
    return int(np.count_nonzero(raw.element == 1))


def heavy(raw: RawAtoms) -> RawAtoms:
    """The atoms that are not hydrogens."""
    keep = raw.element != 1
    return raw if keep.all() else raw.take(keep)


def pick_altloc(raw: RawAtoms, rule: str) -> RawAtoms:
    """One alternate location a residue: the one with the highest summed occupancy (ties: first in the file)."""
    marked = raw.altloc != b""
    if not marked.any() or rule == "all":
        return raw
    residue = residue_numbers(raw)
    keep = ~marked
    for number in np.unique(residue[marked]):
        inside = np.flatnonzero((residue == number) & marked)
        labels, first = np.unique(raw.altloc[inside], return_index=True)
        order = np.argsort(first)
        best = labels[order][0]
        if rule == "occupancy":
            total = [
                float(raw.occupancy[inside][raw.altloc[inside] == label].sum()) for label in labels[order]
            ]
            best = labels[order][int(np.argmax(np.round(total, 3)))]
        keep[inside[raw.altloc[inside] == best]] = True
    return raw.take(keep)


def residue_numbers(raw: RawAtoms) -> NDArray[np.int64]:
    """(N,) running number of each atom's residue: a new one where chain, number or insertion code changes."""
    change = np.zeros(len(raw), bool)
    for column in (raw.chain, raw.residue_number, raw.insertion):
        change[1:] |= column[1:] != column[:-1]
    return np.cumsum(change)


def _drop(raw: RawAtoms, which: NDArray[np.bool_], choice: str, what: str, notes: list[str]) -> RawAtoms:
    if choice == "keep" or not which.any():
        return raw
    notes.append(f"{int(which.sum())} {what} atoms dropped")
    return raw.take(~which)


def _type_receptor(
    raw: RawAtoms, known: NDArray[np.bool_], entries: NDArray[np.int16], metal: NDArray[np.bool_]
) -> Typing:
    kinds = np.full(len(raw), UNTYPED, np.uint8)
    flags = np.zeros(len(raw), np.uint16)
    charge = raw.charge.copy()
    kinds[known], flags[known], charge[known] = entries[known].T
    for i in np.flatnonzero(metal):
        kinds[i] = ELEMENT_TYPE.get(int(raw.element[i]), GENERIC_METAL)
    flags[metal] |= np.uint16(AtomFlag.METAL)
    rest = ~known & ~metal
    if rest.any():
        around = _with_surroundings(raw, rest & (raw.element > 0))
        found = type_from_geometry(raw.xyz[around], raw.element[around])
        mine = rest[around]
        target = around[mine]
        kinds[target], flags[target] = found.atom_type[mine], found.flags[mine]
    return Typing(kinds, flags, charge)


def _with_surroundings(raw: RawAtoms, which: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Numbers of the atoms in ``which`` and of those bonded to them or one bond further."""
    from scipy.spatial import cKDTree

    if not which.any():
        return np.zeros(0, np.int64)
    tree = cKDTree(raw.xyz)
    found = np.flatnonzero(which)
    for _ in range(2):
        near = tree.query_ball_point(raw.xyz[found], 2.1)
        found = np.unique(np.concatenate([np.asarray(n, np.int64) for n in near]))
    return found[~IS_METAL[raw.element[found]] & (raw.element[found] > 0)]
