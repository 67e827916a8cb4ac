"""Fast sanity checks that reveal misread files: fragments, wrong roles, impossible distances."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.data.readers import templates
from affinity_zoo.zoo.data.readers.base import RawAtoms, ReadError
from affinity_zoo.zoo.data.readers.bonds import all_pairs
from affinity_zoo.zoo.data.readers.elements import IS_METAL, SYMBOLS
from affinity_zoo.zoo.data.readers.identity import place, residue_numbers, residue_runs
from affinity_zoo.zoo.data.readers.residues import LIPIDS, are

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

CLOSE: Final = 0.8  #: Å; two heavy atoms of one structure are never nearer
_SHORT: Final = 0.72  #: of the sum of the covalent radii; triple bonds have 0.77
_LONG: Final = 1.14  #: the same of the only bond of an end atom
_MOST_IN_NO_TEMPLATE: Final = 0.5
_BOX: Final = 50  #: lipids from which on a receptor is a membrane simulation's frame
_POLYMER: Final = frozenset(n.encode() for n in templates.AMINO_ACIDS)


def ligand_findings(raw: RawAtoms, pairs: NDArray[np.int64]) -> list[str]:
    """Return the findings about a ligand.

    Args:
        raw: its heavy atoms.
        pairs: (M, 2) bonded atoms.

    Raises:
        ReadError: it has no 3D coordinates.
    """
    found = position_findings(raw.xyz)
    if (n := pieces(raw, pairs)) > 1:
        found.append(f"the ligand is in {n} pieces")
    amino = are(raw.residue_name, _POLYMER)
    if amino.any():
        numbers = np.unique(residue_numbers(raw)[amino])
        found.append(
            f"{len(numbers)} amino acids in the ligand, the first {place(raw, int(np.argmax(amino)))}"
        )
    return found + distances(raw, pairs)


def position_findings(xyz: NDArray[np.float32]) -> list[str]:
    """Return a finding if a ligand is a drawing in the plane z = 0.

    Args:
        xyz: (N, 3) Å, of its heavy atoms.

    Raises:
        ReadError: all atoms are in one place.
    """
    extent = np.ptp(xyz, axis=0)
    if len(xyz) > 1 and not extent.any():
        raise ReadError("the record has no 3D coordinates: all atoms are in one place")
    if len(xyz) > 3 and not extent[2] and not xyz[0, 2]:
        return ["all z are 0: a drawing, not a 3D structure?"]
    return []


def distances(raw: RawAtoms, pairs: NDArray[np.int64]) -> list[str]:
    """Find overlapping atoms and bonds that are impossible for their elements.

    Args:
        raw: heavy atoms of a ligand.
        pairs: (M, 2) bonded atoms.
    """
    n = len(raw)
    if n < 2:
        return []
    if n > _ALL_PAIRS:
        return close_atoms(raw.xyz)
    first, second = all_pairs(n).T
    limit, longest, ends = _limits(raw.element.tobytes(), pairs.tobytes())
    step = raw.xyz[first] - raw.xyz[second]
    square = np.einsum("ij,ij->i", step, step)
    short = np.flatnonzero(square < limit)
    bond = raw.xyz[pairs[:, 0]] - raw.xyz[pairs[:, 1]]
    long = np.flatnonzero(np.einsum("ij,ij->i", bond, bond) > longest)
    if not len(short) and not len(long):
        return []
    found = []
    close = square[short] < CLOSE**2
    if close.any():
        found.append(f"{int(close.sum())} pairs of atoms are closer than {CLOSE} Å")
    radius = _radii()[raw.element]
    wrong = {int(ends[k]) for k in long}
    for k in short[
        ~close
    ].tolist():  # of the two atoms of a short bond the larger is the one that cannot be right
        i, j = int(first[k]), int(second[k])
        wrong |= {i} if radius[i] > radius[j] else {j} if radius[j] > radius[i] else {i, j}
    if wrong:
        kinds = ", ".join(sorted({_symbol(int(raw.element[i])) for i in wrong}))
        found.append(
            f"{len(wrong)} bond lengths that their elements ({kinds}) cannot have: are the elements right?"
        )
    return found


@lru_cache(1024)
def _limits(
    element: bytes, pairs: bytes
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """For a molecule: squared shortest distance of all pairs, squared longest of each bond, and its end atom."""
    z = np.frombuffer(element, np.uint8)
    radius = _radii()[z]
    first, second = all_pairs(len(z)).T
    reach = (radius[first] + radius[second]) * (radius[first] > 0) * (radius[second] > 0)
    bonded = np.frombuffer(pairs, np.int64).reshape(-1, 2)
    degree = np.bincount(bonded.ravel(), minlength=len(z))
    light = np.isin(z, _LIGHT) & (degree == 1)
    ends = np.where(light[bonded[:, 0]], bonded[:, 0], bonded[:, 1])
    longest = _LONG * (radius[bonded[:, 0]] + radius[bonded[:, 1]])
    longest = np.where(light[bonded].any(1), longest, np.inf)
    return np.maximum(CLOSE, _SHORT * reach) ** 2, longest**2, ends


_ALL_PAIRS: Final = 400
_LIGHT: Final = (5, 6, 7, 8, 9)


def close_atoms(xyz: NDArray[np.float32], tree: cKDTree | None = None) -> list[str]:
    """Return a finding if heavy atoms of a structure overlap.

    Args:
        xyz: (N, 3) Å.
        tree: of these positions, where there is one.
    """
    from scipy.spatial import cKDTree

    tree = tree or cKDTree(xyz, balanced_tree=False, compact_nodes=False)
    pairs = tree.query_pairs(CLOSE, output_type="ndarray")
    return (
        [f"{len(pairs)} pairs of atoms are closer than {CLOSE} Å: two structures on top of each other?"]
        if len(pairs)
        else []
    )


def receptor_findings(raw: RawAtoms, known: NDArray[np.bool_], tree: cKDTree) -> list[str]:
    """Return the findings about a receptor.

    Args:
        raw: its atoms as kept.
        known: (N,) which are in a residue template.
        tree: of their positions.
    """
    found = []
    if (share := 1 - float(known.mean())) > _MOST_IN_NO_TEMPLATE:
        found.append(
            f"{share:.0%} of the receptor is in no residue template: is it a protein or nucleic acid?"
        )
    if (lipids := int(are(raw.residue_name, LIPIDS).sum())) > _BOX:
        found.append(f"{lipids} atoms of lipids: a frame of a simulation? Cut out the protein")
    found += trace_findings(raw)
    return found + close_atoms(raw.xyz, tree)


def trace_findings(raw: RawAtoms) -> list[str]:
    """Return a finding if a protein has no side chains: whole ones have 7 to 8 heavy atoms per residue.

    Args:
        raw: its atoms as kept.
    """
    amino = are(raw.residue_name, _POLYMER)
    atoms = int(amino.sum())
    columns = (raw.chain, raw.residue_number, raw.insertion)
    residues = int(residue_runs(*(column[amino] for column in columns))[-1]) + 1 if atoms else 0
    if residues < _FEW_RESIDUES or atoms >= _BARE * residues:
        return []
    return [
        f"its amino acids have {atoms / residues:.1f} heavy atoms on average: are the side chains missing?"
    ]


_FEW_RESIDUES: Final = 20
_BARE: Final = 4.5  #: a backbone has 4 heavy atoms per residue


def box_findings(raw: RawAtoms, water: NDArray[np.bool_]) -> list[str]:
    """Finding for a simulation box: crystals resolve one to two waters per residue, a box has ten and more.

    Args:
        raw: heavy atoms of a receptor.
        water: (N,) atoms of waters.
    """
    waters = int(water.sum())
    if waters < _FEW_WATERS or waters < _WATERS_PER_RESIDUE * int((raw.name == b"CA").sum()):
        return []
    return [f"{waters} waters: a frame of a simulation? Check that the protein is whole and not wrapped"]


_FEW_WATERS: Final = 1000
_WATERS_PER_RESIDUE: Final = 4


def pieces(raw: RawAtoms, pairs: NDArray[np.int64]) -> int:
    """Number of connected pieces of a ligand.

    Metals belong to what is within 3 Å; atoms of unknown element, which have no bonds, are not counted.

    Args:
        raw: heavy atoms of the ligand.
        pairs: (M, 2) bonded atoms.
    """
    metals = np.flatnonzero(IS_METAL[raw.element])
    near = [
        (int(m), int(i))
        for m in metals
        for i in np.flatnonzero(_distances(raw.xyz, int(m)) < _COORDINATED)
        if i != m
    ]
    return _pieces(raw.element.tobytes(), pairs.tobytes(), tuple(near))


# union-find in place: scipy's connected_components takes 0.1 ms for so few atoms, as long as reading the whole pose
@lru_cache(4096)
def _pieces(element: bytes, pairs: bytes, near: tuple[tuple[int, int], ...]) -> int:
    parent = list(range(len(element)))
    count = sum(z > 0 for z in element)

    def root(a: int) -> int:
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        return a

    for i, j in [*np.frombuffer(pairs, np.int64).reshape(-1, 2).tolist(), *near]:
        a, b = root(i), root(j)
        if a != b and element[i] and element[j]:
            parent[a] = b
            count -= 1
    return count


def _distances(xyz: NDArray[np.float32], i: int) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.sqrt(((xyz.astype(np.float64) - xyz[i]) ** 2).sum(1))
    return found


_COORDINATED: Final = 3.0  #: Å; between a metal and an atom of its ligand


def skeleton(element: NDArray[np.uint8], pairs: NDArray[np.int64]) -> str:
    """A hash of a molecule's elements and bonds without orders: equal for equal molecules in any order of atoms.

    Args:
        element: (N,) atomic numbers of the heavy atoms.
        pairs: (M, 2) bonded atoms.
    """
    return _skeleton(np.asarray(element, np.uint8).tobytes(), np.asarray(pairs, np.int64).tobytes())


@lru_cache(4096)
def _skeleton(element: bytes, pairs: bytes) -> str:
    from rdkit import Chem

    molecule = Chem.RWMol()
    for z in element:
        atom = Chem.Atom(z)
        atom.SetNoImplicit(True)
        molecule.AddAtom(atom)
    for i, j in np.frombuffer(pairs, np.int64).reshape(-1, 2).tolist():
        molecule.AddBond(i, j, Chem.BondType.SINGLE)
    return hashlib.blake2b(Chem.MolToSmiles(molecule).encode(), digest_size=6).hexdigest()


@lru_cache(1)
def _radii() -> NDArray[np.float64]:
    """Covalent radii of all elements, Å; 0 for an unknown one."""
    from rdkit import Chem

    table = Chem.GetPeriodicTable()
    return np.array([0.0, *(table.GetRcovalent(z) for z in range(1, len(SYMBOLS)))])


def _symbol(z: int) -> str:
    return SYMBOLS[z] if z < len(SYMBOLS) else "X"
