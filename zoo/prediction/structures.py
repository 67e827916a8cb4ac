"""Poses as SDF text: the original record, or a skeleton for other formats, with scores as properties."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

import numpy as np

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.prediction.reading import ComplexPose

PREFIX: Final = "affinity_zoo_"
_OURS: Final = re.compile(
    rb"^>[^\n]*<" + PREFIX.encode() + rb"[^>\n]*>[^\n]*\n.*?(?:\n[ \t]*\n|\Z)", re.M | re.S
)


def structure_text(pose: ComplexPose) -> bytes:
    """A pose as SDF text without the closing ``$$$$``; empty for one without atoms.

    An SDF record is written unchanged, with its own properties and without those of an earlier prediction. Of
    other formats the heavy atoms are given with single bonds by distance: the bond orders are not known.

    Args:
        pose: A pose as read, with its receptor.
    """
    if pose.atoms is None:
        return b""
    if pose.text:
        text = pose.text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return _OURS.sub(b"", text).rstrip(b"\n") + b"\n"
    return _skeleton(pose.atoms, pose.name or pose.molecule)


def with_properties(text: bytes, values: Mapping[str, object]) -> bytes:
    """Append properties, each named ``affinity_zoo_...``, and close the record.

    Args:
        text: SDF text without the closing line.
        values: Values by name.
    """
    end = text.rfind(b"M  END")
    blank = b"" if end >= 0 and not text[end + 6 :].strip() else b"\n"
    lines = [
        f">  <{PREFIX}{name}>\n{_shown(value)}\n\n" for name, value in values.items() if _shown(value) != ""
    ]
    return text + blank + "".join(lines).encode() + b"$$$$\n"


def _shown(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.7g}" if isinstance(value, float) else " ".join(str(value).split())


def _skeleton(atoms: Atoms, name: str) -> bytes:
    from rdkit import Chem
    from rdkit.Geometry import Point3D

    from affinity_zoo.zoo.chem.geometry import radii

    _, covalent = radii()
    xyz, element = np.asarray(atoms.xyz, np.float64), atoms.element.astype(int)
    gap = np.linalg.norm(xyz[:, None] - xyz[None], axis=-1)
    bonded = gap < 1.25 * (covalent[element][:, None] + covalent[element][None])
    molecule = Chem.RWMol()
    conformer = Chem.Conformer(len(element))
    for i, z in enumerate(element.tolist()):
        atom = Chem.Atom(z)
        atom.SetNoImplicit(True)
        molecule.AddAtom(atom)
        conformer.SetAtomPosition(i, Point3D(*xyz[i].tolist()))
    for i, j in np.argwhere(np.triu(bonded, 1)).tolist():
        molecule.AddBond(i, j, Chem.BondType.SINGLE)
    molecule.AddConformer(conformer)
    molecule.SetProp("_Name", name)
    return Chem.MolToMolBlock(molecule, kekulize=False).encode()
