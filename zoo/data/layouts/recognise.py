"""Recognition of layouts of complexes on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Final

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.layouts.plan import Plan


@dataclass(frozen=True)
class Hints:
    """Information from the user that a source lacks.

    Args:
        columns: our column name -> the name it has in the source's table.
        receptor: the receptor of all poses.
        ligand: residue name of the ligand in files that hold whole complexes.
        smiles: bond orders of the poses: a SMILES for all, or the table's column that has one for each row.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    receptor: Path | None = None
    ligand: str = ""
    smiles: str = ""


Layout = Callable[[Path, Hints], Plan | None]

#: layouts in the order of trial; each is ``module:function`` of this folder
LAYOUTS: Final = (
    "tables:table",
    "tables:types",
    "folders:one_receptor_given",
    "ancestor:ancestor",
    "folders:dude",
    "folders:pdbbind",
    "folders:one_receptor",
    "folders:complexes",
)
_KNOWN: Final = (
    "receptors/ with crystal_ligands/, docked_ligands/ or ligands/; "
    "a CSV (index.csv) with columns receptor and ligand; a .types list; "
    "PDBbind folders (1abc/1abc_protein.pdb, 1abc_ligand.sdf); receptor.pdb with actives* and decoys*; "
    "one receptor with pose files; PDB or mmCIF files of whole complexes"
)


def recognise(source: Path, hints: Hints | None = None) -> Plan:
    """Recognise the layout of a folder or file.

    Args:
        source: Folder or file.
        hints: Information that the source lacks.

    Raises:
        AffinityZooError: the source does not exist, is empty, or fits no layout; the message lists the layouts.
    """
    if not source.exists():
        raise AffinityZooError(f"{source} does not exist: name the folder that holds the structures")
    if source.is_dir() and not any(source.iterdir()):
        raise AffinityZooError(f"{source} is empty: name the folder that holds the structures")
    for name in LAYOUTS:
        module, _, function = name.partition(":")
        layout: Layout = getattr(import_module(f"affinity_zoo.zoo.data.layouts.{module}"), function)
        plan = layout(source, hints or Hints())
        if plan is not None:
            return plan
    raise AffinityZooError(f"{source} has no layout that is known; known are {_KNOWN} (see docs/formats.md)")
