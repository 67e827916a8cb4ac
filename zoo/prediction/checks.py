"""Warnings on scored poses: each has a kind, a finding, and a remedy by kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from affinity_zoo.featurizers import views
from affinity_zoo.plugins.contracts import UNTYPED, Atoms, Box
from affinity_zoo.zoo.chem.geometry import close_contacts
from affinity_zoo.zoo.data.readers import ReadOptions
from affinity_zoo.zoo.prediction.reading import ComplexPose, Protein
from affinity_zoo.zoo.prediction.similarity import KnownLigands

FAR: Final = 5.0  #: Å; a ligand with no atom nearer to the receptor does not lie in it
CLOSE: Final = 2.75  #: Å; heavy atoms further apart do not clash (C-C: 2.55)
UNLIKE: Final = (
    0.2  #: Tanimoto similarity to the nearest training ligand below which a ligand is far from all
)

#: kind -> what to do about it
REMEDIES: Final = {
    "cropped": "the ligand does not fit into the box: its ends are not scored; use a model with a larger box",
    "untyped": "atoms without a type in the model are left out of the image: check their elements",
    "clash": "the pose overlaps with the receptor, unlike the training poses: minimise it or dock again",
    "far": "no receptor atom is near: check that the ligand was docked into this receptor, in the same frame",
    "unlike": "no training ligand is similar: trust the ranking less, and test the model on similar compounds",
    "bound": "a residue of the receptor overlaps with the pose: `drop_bound_ligand` removes it",
    "outside": "the score is outside the calibrated range: the probability is that of the nearest end of the range",
    "range": "the score is outside the range of scores on the validation set: trust it less",
    "note": "the reader made a choice: see the column warnings",
}


def findings(
    pose: ComplexPose,
    boxes: Iterable[Box],
    unknown: int,
    ligands: KnownLigands,
) -> list[str]:
    """All warnings of one pose, each beginning with its kind.

    Args:
        pose: with atoms and receptor.
        boxes: of the models.
        unknown: atoms that a featurizer had no place for.
        ligands: that the models were trained on.
    """
    assert pose.atoms is not None and pose.protein is not None
    found = [_cropped(pose.atoms, box) for box in sorted(set(boxes), key=lambda b: b.extent)[:1]]
    found += [_untyped(pose.atoms, unknown), *_geometry(pose.atoms, pose.protein)]
    found += [f"bound: {pose.bound}" if pose.bound else "", _unlike(pose, ligands)]
    return [text for text in found if text] + [f"note: {note}" for note in pose.notes]


def kind_of(warning: str) -> str:
    """The kind that a warning begins with.

    Args:
        warning: Text of one warning; it begins with its kind.
    """
    return warning.partition(":")[0]


def _cropped(atoms: Atoms, box: Box) -> str:
    centred = atoms.xyz - atoms.xyz.mean(axis=0)
    if views.fits(centred, box):
        return ""
    radius = float(np.sqrt((centred.astype(np.float64) ** 2).sum(axis=1).max()))
    return f"cropped: the ligand reaches {radius:.1f} Å from its centre, the box {box.extent / 2:g} Å"


def _untyped(atoms: Atoms, unknown: int) -> str:
    number = max(int(np.count_nonzero(atoms.atom_type == UNTYPED)), unknown)
    return f"untyped: {number} of {len(atoms)} atoms" if number else ""


def _geometry(atoms: Atoms, protein: Protein) -> list[str]:
    shortest = float(np.min(protein.tree.query(atoms.xyz)[0]))
    if shortest > FAR:
        return [f"far: the nearest receptor atom is {shortest:.1f} Å away"]
    if shortest > CLOSE:
        return []
    clashes = len(close_contacts(protein.atoms, atoms).clash)
    return [f"clash: {clashes} atom pairs too close, the shortest {shortest:.2f} Å"] if clashes else []


def _unlike(pose: ComplexPose, ligands: KnownLigands) -> str:
    """The similarity is used only if every model knows its training ligands."""
    assert pose.atoms is not None
    best = ligands.nearest(pose.atoms)
    if best is None or best >= UNLIKE:
        return ""
    return f"unlike: the most similar training ligand has a similarity of {best:.2f}"


def changed_reading(models: Mapping[Path, ReadOptions], read: Mapping[str, object]) -> str:
    """Return a sentence if read options differ from those of a model's training data; else an empty text.

    Args:
        models: Model directories and the read options of each.
        read: Read options of the call.
    """
    for folder, options in models.items():
        for name, value in read.items():
            own = getattr(options, name)
            if own != value:
                return f"poses are read with {name}={value}, {folder.name} was made with {name}={own}"
    return ""


def partial_outputs(models: Mapping[Path, Iterable[str]]) -> str:
    """Return a sentence if members of an ensemble lack outputs that others have; else an empty text.

    Args:
        models: Model directories and the names of the outputs of each.
    """
    given = {folder: set(names) for folder, names in models.items()}
    parts = []
    for name in sorted(set().union(*given.values())):
        having = [folder for folder, names in given.items() if name in names]
        if len(having) < len(given):
            parts.append(
                f"{name} by {len(having)} of {len(given)} models ({', '.join(f.name for f in having)})"
            )
    return f"not all models give all outputs: {'; '.join(parts)}" if parts else ""


def other_reading(models: dict[Path, dict[str, object]]) -> str:
    """Return a sentence if the models of an ensemble need different read options; else an empty text.

    Args:
        models: Model directories and the read options of each.
    """
    names = sorted({name for options in models.values() for name in options})
    differing = [name for name in names if len({repr(options.get(name)) for options in models.values()}) > 1]
    if not differing:
        return ""
    shown = "; ".join(f"{folder}: {options.get(differing[0])}" for folder, options in models.items())
    return (
        f"the models were trained on structures read with different {', '.join(differing)} ({shown}): each model "
        "reads the poses in its own way"
    )
