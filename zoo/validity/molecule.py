"""The molecule of a pose with the bond orders of its file."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.readers import mol2, sdf_records
from affinity_zoo.zoo.data.readers.formats import FORMATS, read_bytes, suffix_of
from affinity_zoo.zoo.data.readers.repair import repaired

SDF, MOL2 = "SDF", "MOL2"
_LARGEST: Final = 200  #: heavy atoms; the checks of a larger molecule (a peptide, a protein) take minutes


class UncheckableError(AffinityZooError):
    """A pose cannot be checked; the message says why."""


def record_of(path: str, record: int) -> tuple[str, bytes]:
    """The format of a pose file, and the text of one of its records.

    Args:
        path: the file.
        record: from 0.

    Raises:
        UncheckableError: the format has no bond orders, or the file has no such record.
    """
    found = FORMATS.get(suffix_of(Path(path)))
    name = found.name if found else ""
    if name not in (SDF, MOL2):
        raise UncheckableError(f"{Path(path).name}: {name or 'this format'} has no bond orders")
    try:
        texts = _records(path, Path(path).stat().st_mtime_ns, name)
    except (OSError, AffinityZooError) as error:
        raise UncheckableError(f"{Path(path).name} cannot be read ({error})") from error
    if record >= len(texts):
        raise UncheckableError(f"{Path(path).name} has no record {record}")
    return name, texts[record]


@lru_cache(maxsize=2)
def _records(path: str, changed: int, name: str) -> list[bytes]:
    split = sdf_records.split_records if name == SDF else mol2.split_records
    return list(islice(split(read_bytes(Path(path))), 1_000_000))


def molecule_of(name: str, text: bytes) -> Any:
    """A sanitised RDKit molecule with its hydrogens and one conformer.

    Args:
        name: ``SDF`` or ``MOL2``.
        text: of the record.

    Raises:
        UncheckableError: RDKit cannot read it, or its bond orders make no molecule.
    """
    from rdkit import Chem, RDLogger

    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    shown = text.decode("utf-8", "replace")
    if name == SDF:
        block = shown.partition("M  END")[0].rstrip("\n") + "\nM  END\n"
        molecule = Chem.MolFromMolBlock(block, sanitize=False, removeHs=False, strictParsing=False)
    else:
        block = "@<TRIPOS>MOLECULE\n" + shown
        molecule = Chem.MolFromMol2Block(block, sanitize=False, removeHs=False)
        for atom in molecule.GetAtoms() if molecule is not None else ():
            # RDKit takes an atom of a MOL2 file without its hydrogens for a radical
            atom.SetNoImplicit(False)
            atom.SetNumRadicalElectrons(0)
    if molecule is None or not molecule.GetNumConformers():
        raise UncheckableError("RDKit cannot read the record")
    return checkable(molecule)


def checkable(molecule: Any) -> Any:
    """A sanitised copy of a molecule whose pose can be checked.

    Args:
        molecule: an RDKit molecule with one conformer, not sanitised.

    Raises:
        UncheckableError: it has no bond orders, or they make no molecule.
    """
    from rdkit import Chem

    heavy = [atom for atom in molecule.GetAtoms() if atom.GetAtomicNum() > 1]
    if not heavy:
        raise UncheckableError("it has no heavy atom")
    if len(heavy) > _LARGEST:
        raise UncheckableError(
            f"it has {len(heavy)} heavy atoms; only molecules of up to {_LARGEST} are checked"
        )
    if len(heavy) > 1 and not molecule.GetNumBonds():
        raise UncheckableError("the record has no bonds")
    if _without_orders(molecule):
        raise UncheckableError("all bonds of the record are single: its bond orders are not known")
    try:
        fixed, _ = repaired(molecule)
    except Exception as error:
        reason = (str(error).strip().splitlines() or ["?"])[0]
        raise UncheckableError(f"RDKit cannot sanitise it ({reason})") from error
    Chem.AssignStereochemistryFrom3D(fixed)
    return fixed.GetMol() if hasattr(fixed, "GetMol") else fixed


#: a bond of these elements that is not longer than this (Å) is more than single
_UNSATURATED: Final = {frozenset((6,)): 1.41, frozenset((6, 8)): 1.27, frozenset((6, 7)): 1.36}


def _without_orders(molecule: Any) -> bool:
    """Whether a record has single bonds only although its bond lengths are those of multiple bonds.

    Bonds by distance (PDB files turned into SDF) are single, and the atoms have no hydrogens; two bonds that are
    shorter than any single bond give it away.
    """
    from rdkit import Chem

    if any(bond.GetBondType() != Chem.BondType.SINGLE for bond in molecule.GetBonds()):
        return False
    if any(atom.GetAtomicNum() == 1 for atom in molecule.GetAtoms()):
        return False
    place, short = molecule.GetConformer(), 0
    for bond in molecule.GetBonds():
        ends = bond.GetBeginAtom(), bond.GetEndAtom()
        limit = _UNSATURATED.get(frozenset(atom.GetAtomicNum() for atom in ends), 0.0)
        a, b = (place.GetAtomPosition(atom.GetIdx()) for atom in ends)
        short += 1.0 < a.Distance(b) <= limit
    return short >= 2
