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


Finder = Callable[[Path, Hints], Plan | None]


@dataclass(frozen=True)
class Layout:
    """A layout of complexes on disk."""

    finder: str  #: ``module:function`` of this folder; the function returns None for another layout
    about: str = ""  #: what it looks like, for the message about an unknown source; empty: not listed there


#: all layouts in the order of trial; a new layout is one function and one line here
LAYOUTS: Final = (
    Layout("tables:table", "a CSV (index.csv) with columns receptor and ligand"),
    Layout("types_list:types", "a .types list"),
    Layout("folders:one_receptor_given"),
    Layout("ancestor:ancestor", "receptors/ with crystal_ligands/, docked_ligands/ or ligands/"),
    Layout("folders:dude", "receptor.pdb with actives* and decoys*"),
    Layout("folders:pdbbind", "PDBbind folders (1abc/1abc_protein.pdb, 1abc_ligand.sdf)"),
    Layout("folders:one_receptor", "one receptor with pose files"),
    Layout("folders:complexes", "PDB or mmCIF files of whole complexes"),
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
        raise AffinityZooError(f"{source} does not exist: give the folder that contains the structures")
    if source.is_dir() and not any(source.iterdir()):
        raise AffinityZooError(f"{source} is empty: give the folder that contains the structures")
    for layout in LAYOUTS:
        module, _, function = layout.finder.partition(":")
        finder: Finder = getattr(import_module(f"affinity_zoo.zoo.data.layouts.{module}"), function)
        plan = finder(source, hints or Hints())
        if plan is not None:
            return plan
    known = "; ".join(layout.about for layout in LAYOUTS if layout.about)
    raise AffinityZooError(f"{source} has none of the known layouts: {known} (see docs/formats.md)")
