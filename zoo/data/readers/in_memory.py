"""Structures in memory, RDKit molecules, ProDy atoms and arrays, read by the rules of the file formats."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Atoms, Role
from affinity_zoo.zoo.data.readers import pdb_file, sdf
from affinity_zoo.zoo.data.readers.base import Failure, PoseRecord, RawAtoms, ReadError, ReadOptions, Receptor
from affinity_zoo.zoo.data.readers.elements import SYMBOLS
from affinity_zoo.zoo.data.readers.sanity import position_findings
from affinity_zoo.zoo.data.readers.select import pose_from_raw, receptor_from_raw

#: an RDKit molecule, ProDy atoms, :class:`Atoms`, or a pair of positions and elements
Structure: TypeAlias = Any
KINDS = "an RDKit molecule, ProDy atoms, Atoms, or a tuple (positions, elements)"


def is_structure(given: Any) -> bool:
    """Whether something is a structure in memory.

    Args:
        given: anything.
    """
    return isinstance(given, Atoms) or is_rdkit(given) or is_prody(given) or is_arrays(given)


def is_rdkit(given: Any) -> bool:
    """Whether something is an RDKit molecule.

    Args:
        given: Any object.
    """
    return hasattr(given, "GetConformers") and hasattr(given, "GetAtoms")


def is_prody(given: Any) -> bool:
    """Whether something is a ProDy AtomGroup, Selection or other set of atoms.

    Args:
        given: Any object.
    """
    return hasattr(given, "getCoordsets") and hasattr(given, "numAtoms")


def is_arrays(given: Any) -> bool:
    """Whether something is a pair of positions (N, 3) or (P, N, 3), Å, and N elements (numbers or symbols).

    Args:
        given: Any object.
    """
    return isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], np.ndarray)


def receptor_of(given: Structure, options: ReadOptions) -> Receptor:
    """The receptor of a structure in memory.

    Args:
        given: the structure; an RDKit molecule is taken in its first conformer. Arrays have no residues: their bonds
            are perceived from distances.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.

    Raises:
        ReadError: it cannot be taken as a receptor.
    """
    if isinstance(given, Atoms):
        return Receptor(replace(_sound(given), role="receptor"))
    if is_rdkit(given):
        from rdkit import Chem

        if not given.GetNumConformers():
            raise ReadError("the molecule has no conformer")
        return pdb_file.read_receptor(Chem.MolToPDBBlock(given).encode(), options)
    if is_prody(given):
        return pdb_file.read_receptor(_pdb(given, given.getACSIndex()), options)
    if is_arrays(given):
        positions, elements = _checked(*given)
        return receptor_from_raw(_raw(positions[0], elements, "receptor"), options)
    raise ReadError(f"{type(given).__name__} is not a structure: give a file, {KINDS}")


def poses_of(given: Structure, options: ReadOptions) -> Iterator[PoseRecord]:
    """The poses of a structure in memory: each conformer, coordinate set or set of positions is one.

    Args:
        given: the structure.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.

    Yields:
        Records numbered from 0; one that cannot be read has a failure.
    """
    kind = type(given).__name__
    readers = (
        (lambda one: isinstance(one, Atoms), _atoms_pose),
        (is_rdkit, _rdkit_poses),
        (is_prody, _prody_poses),
        (is_arrays, _array_poses),
    )
    reader = next((read for fits, read in readers if fits(given)), None)
    try:
        if reader is None:
            raise ReadError(f"{kind} is not a structure: give a file, {KINDS}")
        yield from reader(given, options)
    except ReadError as error:
        yield PoseRecord(0, "", failure=Failure(kind, 0, error.stage, error.reason))


def _atoms_pose(given: Atoms, options: ReadOptions) -> Iterator[PoseRecord]:
    notes = position_findings(_sound(given).xyz)
    yield PoseRecord(0, "", replace(given, role="ligand"), notes=notes)


def _sound(given: Atoms) -> Atoms:
    """Atoms whose positions can be imaged.

    Raises:
        ReadError: there is none, or a position is not finite.
    """
    if not len(given):
        raise ReadError("the structure has no atoms")
    if np.shape(given.xyz) != (len(given), 3) or not np.isfinite(given.xyz).all():
        raise ReadError("the positions are not three finite numbers for each atom")
    return given


def _rdkit_poses(molecule: Any, options: ReadOptions) -> Iterator[PoseRecord]:
    """Each conformer, read as its SDF record would be, with the positions unrounded."""
    from rdkit import Chem

    if not molecule.GetNumConformers():
        raise ReadError("the molecule has no conformer: embed or dock it first")
    heavy = [atom.GetIdx() for atom in molecule.GetAtoms() if atom.GetAtomicNum() != 1]
    for record, conformer in enumerate(molecule.GetConformers()):
        if not conformer.Is3D():
            yield PoseRecord(record, "", failure=Failure("Mol", record, "parse", "the conformer is not 3D"))
            continue
        block = _block(Chem, molecule, conformer.GetId())
        for found in sdf.read_poses(block.encode(), "Mol", options, 0, 1):
            atoms = found.atoms
            if atoms is not None and len(atoms) == len(heavy):
                xyz = conformer.GetPositions()[heavy].astype(np.float32)
                atoms = replace(atoms, xyz=np.ascontiguousarray(xyz))
            failure = found.failure and replace(found.failure, record=record)
            yield replace(found, record=record, atoms=atoms, failure=failure)


def _block(chem: Any, molecule: Any, conformer: int) -> str:
    """The molecule as an SDF record, with its properties."""
    try:
        block = chem.MolToMolBlock(molecule, confId=conformer)
    except Exception:  # RDKit cannot place the double bonds of its rings
        block = chem.MolToMolBlock(molecule, confId=conformer, kekulize=False)
    properties = molecule.GetPropsAsDict()
    return block + "".join(f">  <{name}>\n{value}\n\n" for name, value in properties.items())


def _prody_poses(atoms: Any, options: ReadOptions) -> Iterator[PoseRecord]:
    for record in range(atoms.numCoordsets()):
        for found in pdb_file.read_poses(_pdb(atoms, record), "ProDy", options, 0, 1):
            failure = found.failure and replace(found.failure, record=record)
            yield replace(found, record=record, failure=failure)


def _pdb(atoms: Any, coordset: int) -> bytes:
    """One coordinate set of ProDy atoms as the text of a PDB file."""
    import prody

    if atoms.getCoords() is None:
        raise ReadError("the atoms have no coordinates")
    stream = io.StringIO()
    prody.writePDBStream(stream, atoms, csets=coordset)
    return stream.getvalue().encode()


def _array_poses(given: tuple[Any, Any], options: ReadOptions) -> Iterator[PoseRecord]:
    positions, elements = _checked(*given)
    for record, xyz in enumerate(positions):
        raw = _raw(xyz, elements, "ligand")
        found = pose_from_raw(lambda raw=raw: raw, "array", record, options)  # type: ignore[misc]
        yield replace(found, name="")


def _checked(positions: Any, elements: Any) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Positions as (P, N, 3) and atomic numbers as (N,)."""
    xyz = np.asarray(positions, np.float32)
    xyz = xyz[None] if xyz.ndim == 2 else xyz
    numbers = np.array([_number(element) for element in elements], np.uint8)
    if xyz.ndim != 3 or xyz.shape[1:] != (len(numbers), 3) or not xyz.size:
        raise ReadError(
            f"positions of shape {np.shape(positions)} do not fit {len(numbers)} elements: give (N, 3) or (P, N, 3)"
        )
    if not np.isfinite(xyz).all():
        raise ReadError("the positions are not finite numbers")
    return xyz, numbers


def _number(element: Any) -> int:
    if isinstance(element, str):
        symbol = element.strip().capitalize()
        if symbol not in SYMBOLS:
            raise ReadError(f"{element!r} is not an element")
        return SYMBOLS.index(symbol)
    try:
        number = int(element)
        known = number == element and 0 <= number < len(SYMBOLS)
    except (TypeError, ValueError, OverflowError):
        known = False
    if not known:
        raise ReadError(f"{element} is not an atomic number")
    return number


def _raw(xyz: NDArray[np.float32], numbers: NDArray[np.uint8], role: Role) -> RawAtoms:
    name = np.array([SYMBOLS[z].upper() for z in numbers], "S4")
    residue = b"LIG" if role == "ligand" else b"UNK"
    return RawAtoms.of(xyz, numbers, name, residue_name=np.full(len(numbers), residue, "S4"))
