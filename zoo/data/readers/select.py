"""Selection and typing: from the raw atoms of a file to :class:`Atoms`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from affinity_zoo.plugins.contracts import UNTYPED, AtomFlag, Atoms, Role
from affinity_zoo.zoo.data.readers import templates
from affinity_zoo.zoo.data.readers.base import Failure, PoseRecord, RawAtoms, ReadError, ReadOptions, Receptor
from affinity_zoo.zoo.data.readers.bonds import bonds
from affinity_zoo.zoo.data.readers.elements import IS_METAL
from affinity_zoo.zoo.data.readers.identity import residue_numbers
from affinity_zoo.zoo.data.readers.residues import WATERS, are
from affinity_zoo.zoo.data.readers.sanity import box_findings, ligand_findings, receptor_findings, skeleton
from affinity_zoo.zoo.data.readers.typing import ELEMENT_TYPE, GENERIC_METAL, Typing, type_from_geometry


def make_atoms(role: Role, raw: RawAtoms, typing: Typing) -> Atoms:
    """The stored atoms of heavy raw atoms and their typing.

    Args:
        role: ``receptor`` or ``ligand``.
        raw: N atoms of a file, hydrogens among them, before selection and typing.
        typing: Types of the atoms.
    """
    return Atoms(
        role=role,
        xyz=np.ascontiguousarray(raw.xyz, np.float32),
        element=raw.element.astype(np.uint8),
        atom_type=typing.atom_type,
        flags=typing.flags,
        charge=typing.charge,
        name=raw.name,
        residue_name=raw.residue_name,
        residue_number=raw.residue_number.astype(np.int32),
        chain=raw.chain,
        insertion=raw.insertion,
    )


def chosen_model(models: Sequence[RawAtoms], options: ReadOptions) -> RawAtoms:
    """The model that the options name.

    Args:
        models: of the file.
        options: The option ``model`` counts from 1.

    Raises:
        ReadError: there is no such model.
    """
    if options.model > len(models):
        raise ReadError(f"model {options.model} was requested, but the file has {len(models)} models")
    return models[options.model - 1]


def receptor_of_models(models: Sequence[RawAtoms], options: ReadOptions) -> Receptor:
    """Make a receptor from the model that the options name.

    Args:
        models: All models of the file.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.

    Raises:
        ReadError: There is no such model, or it has no atoms that are kept.
    """
    return receptor_from_raw(chosen_model(models, options), options, len(models))


def receptor_from_raw(raw: RawAtoms, options: ReadOptions, models: int = 1) -> Receptor:
    """Make a receptor from all atoms of its file: select, type and check.

    Args:
        raw: the atoms of one model.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.
        models: how many the file has.

    Raises:
        ReadError: nothing is left.
    """
    atoms, notes, findings = receptor_atoms(raw, options)
    if models > 1:
        notes.append(f"model {options.model} of {models}")
    return Receptor(atoms, notes, findings)


def pose_from_raw(
    parse: Callable[[], RawAtoms],
    file: str,
    record: int,
    options: ReadOptions,
    *,
    name: str = "",
    score: float = math.nan,
    notes: Sequence[str] = (),
) -> PoseRecord:
    """One record of a format without bonds: its ligand, or the failure.

    Args:
        parse: gives the atoms of the record.
        file: Path of the file, for messages.
        record: its number.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.
        name: of the record; empty: the first residue's.
        score: Docking score that the file carries, kcal/mol; NaN: none.
        notes: existing notes of the reader.
    """
    try:
        raw = parse()
        name = name or raw.residue_name[0].decode("utf-8", "replace")
        atoms, found, same = ligand_from_geometry(raw, options)
        return PoseRecord(
            record,
            name,
            atoms,
            docking_score=score,
            hydrogens=hydrogens(raw),
            notes=[*notes, *found],
            skeleton=same,
        )
    except ReadError as error:
        return PoseRecord(record, name, failure=Failure(file, record, error.stage, error.reason))


def receptor_atoms(raw: RawAtoms, options: ReadOptions) -> tuple[Atoms, list[str], list[str]]:
    """Choose and type a receptor's atoms.

    Args:
        raw: all atoms of a model.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.

    Returns:
        The atoms, notes on what was dropped, and findings: guesses and oddities that the user should look at.

    Raises:
        ReadError: nothing is left.
    """
    notes: list[str] = []
    findings = guesses(raw)
    raw = heavy(pick_altloc(raw, options.altloc))
    if not len(raw):
        raise ReadError("the receptor has no heavy atom", "type")
    water = are(raw.residue_name, WATERS)
    findings += box_findings(raw, water)
    if options.waters == "drop" and water.any():
        notes.append(f"{int(water.sum())} water atoms dropped")
        raw, water = raw.take(~water), np.zeros(int((~water).sum()), bool)
    if not len(raw):
        raise ReadError("the receptor contains only waters", "type")
    known, entries = templates.match(raw.residue_name, raw.name)
    metal = IS_METAL[raw.element] & ~known
    keep = np.ones(len(raw), bool)
    if options.metals == "drop":
        keep &= ~metal
    polymer = are(raw.residue_name, _POLYMER) | known
    other = ~polymer & ~metal & ~water
    if options.hetero == "drop":
        keep &= ~(other & raw.hetero)
    if dropped := int((~keep).sum()):
        notes.append(f"{dropped} atoms of cofactors or metals dropped by the read options")
        raw, known, entries, metal, other, water = (
            raw.take(keep), known[keep], entries[keep], metal[keep], other[keep], water[keep],
        )  # fmt: skip
    if not len(raw):
        raise ReadError("no heavy atom is left after the removal of hydrogens and waters", "type")
    tree = cKDTree(raw.xyz, balanced_tree=False, compact_nodes=False)
    typing = _type_receptor(raw, known, entries, metal, tree)
    typing.flags[other & raw.hetero] |= np.uint16(AtomFlag.COFACTOR)
    typing.flags[water] |= np.uint16(AtomFlag.WATER)
    if untyped := int((typing.atom_type == UNTYPED).sum()):
        notes.append(f"{untyped} atoms could not be typed")
    if perceived := int(((typing.flags & AtomFlag.PERCEIVED) > 0).sum()):
        notes.append(f"{perceived} atoms are in no residue template: bonds perceived")
    findings += receptor_findings(raw, known, tree)
    return make_atoms("receptor", raw, typing), notes, findings


_POLYMER: Final = frozenset(n.encode() for n in templates.AMINO_ACIDS | templates.NUCLEOTIDES)


def guesses(raw: RawAtoms) -> list[str]:
    """Count atoms that were guessed or left out.

    Args:
        raw: N atoms of a file, hydrogens among them, before selection and typing.
    """
    found = []
    if guessed := int((raw.guessed & (raw.element != 1)).sum()):
        found.append(f"{guessed} elements taken from names, not from the file's element column")
    if pseudo := int(raw.pseudo.sum()):
        kinds = ", ".join(sorted({n.decode("ascii", "replace") for n in raw.name[raw.pseudo].tolist()})[:4])
        found.append(f"{pseudo} pseudo-atoms left out ({kinds})")
    return found


def ligand_from_geometry(raw: RawAtoms, options: ReadOptions) -> tuple[Atoms, list[str], str]:
    """The atoms of a ligand whose file has no bonds, what is odd about them, and its skeleton.

    Metals are typed by element.

    Args:
        raw: all atoms of the record.
        options: which alternate locations.

    Raises:
        ReadError: no heavy atom.
    """
    notes = guesses(raw)
    raw = heavy(pick_altloc(raw, options.altloc))
    if not len(raw):
        raise ReadError("the ligand has no heavy atom", "type")
    pairs = bonds(raw.xyz, raw.element)[0]
    atoms = make_atoms("ligand", raw, type_from_geometry(raw.xyz, raw.element, pairs))
    return atoms, [*notes, *ligand_findings(raw, pairs)], skeleton(raw.element, pairs)


def hydrogens(raw: RawAtoms) -> int:
    """How many of the atoms are hydrogens.

    Args:
        raw: N atoms of a file, hydrogens among them, before selection and typing.
    """
    return int(np.count_nonzero((raw.element == 1) & ~raw.pseudo))


def heavy(raw: RawAtoms) -> RawAtoms:
    """The atoms that are neither hydrogens nor pseudo-atoms.

    Args:
        raw: N atoms of a file, hydrogens among them, before selection and typing.
    """
    keep = (raw.element != 1) & ~raw.pseudo
    return raw if keep.all() else raw.take(keep)


def pick_altloc(raw: RawAtoms, rule: str) -> RawAtoms:
    """Keep one alternate location per residue: the one with the highest summed occupancy (ties: first in the file).

    Args:
        raw: the atoms; those of one residue may stand apart.
        rule: ``occupancy`` or ``first``.
    """
    marked = raw.altloc != b""
    if not marked.any() or rule == "all":
        return raw
    residue = residue_numbers(raw, by_name=False)
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


def _type_receptor(
    raw: RawAtoms,
    known: NDArray[np.bool_],
    entries: NDArray[np.int16],
    metal: NDArray[np.bool_],
    tree: cKDTree,
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
        around = _with_surroundings(raw, rest & (raw.element > 0), tree)
        found = type_from_geometry(raw.xyz[around], raw.element[around])
        mine = rest[around]
        target = around[mine]
        kinds[target], flags[target] = found.atom_type[mine], found.flags[mine]
    return Typing(kinds, flags, charge)


def _with_surroundings(raw: RawAtoms, which: NDArray[np.bool_], tree: cKDTree) -> NDArray[np.int64]:
    """Numbers of the atoms in ``which`` and of those bonded to them or one bond further."""
    if not which.any():
        return np.zeros(0, np.int64)
    found = np.flatnonzero(which)
    for _ in range(2):
        near = tree.query_ball_point(raw.xyz[found], 2.1)
        found = np.unique(np.concatenate([np.asarray(n, np.int64) for n in near]))
    return found[~IS_METAL[raw.element[found]] & (raw.element[found] > 0)]
