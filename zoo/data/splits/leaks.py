"""Overlap between the sets of a split: receptors, sequences, ligands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from affinity_zoo.zoo.data.readers.graphs import canonical, fingerprints, graph
from affinity_zoo.zoo.data.splits.sequences import Alike
from affinity_zoo.zoo.data.store.dataset import Dataset

CANNOT_KNOW: Final = "cannot know"
MOLECULES_ONLY: Final = "molecules only"  #: identical molecules on both sides, bound to unlike proteins


def leak_report(
    data: Dataset,
    places: Sequence[str],
    sequences: Mapping[int, Sequence[str]],
    pairs: Sequence[Alike],
    names: Sequence[str],
    ligands: bool = True,
) -> dict[str, Any]:
    """Report the overlap of train with validation and with test.

    Args:
        data: the index.
        places: the split of each row.
        sequences: receptor structure -> sequences of its chains near the ligand.
        pairs: which of ``names`` are alike.
        names: the unique sequences that ``pairs`` counts.
        ligands: also compare molecules (the costly part for many of them).

    Returns:
        For each border shared receptors, receptors without a sequence, highest identity (or "cannot know"),
        identical molecules, highest ligand similarity (Tanimoto), and ``verdict``.
    """
    receptors = data.receptor_structure.tolist()
    inside: dict[str, set[int]] = {}
    for receptor, place in zip(receptors, places, strict=True):
        inside.setdefault(place, set()).add(receptor)
    number = {name: i for i, name in enumerate(names)}
    owners: dict[str, set[int]] = {
        place: {number[s] for r in members for s in sequences.get(r, [])} for place, members in inside.items()
    }
    molecules = _molecules(data, places) if ligands else {}
    report = {}
    for other in ("validation", "test"):
        if other in inside and "train" in inside:
            border = _proteins(
                inside["train"], inside[other], owners["train"], owners[other], sequences, pairs
            )
            if ligands:
                border |= _ligands(molecules["train"], molecules[other])
            report[f"train / {other}"] = border | {"verdict": _verdict(border)}
    return report


def _proteins(
    train: set[int],
    other: set[int],
    mine: set[int],
    theirs: set[int],
    sequences: Mapping[int, Sequence[str]],
    pairs: Sequence[Alike],
) -> dict[str, Any]:
    blind = sum(not sequences.get(r) for r in train | other)
    across = [
        p.identity
        for p in pairs
        if (p.first in mine and p.second in theirs) or (p.second in mine and p.first in theirs)
    ]
    highest: float | str = 1.0 if mine & theirs else max(across, default=0.0)
    if not mine or not theirs:
        highest = CANNOT_KNOW
    return {
        "shared_receptors": len(train & other),
        "receptors_without_sequence": blind,
        "highest_identity": highest,
    }


def _molecules(data: Dataset, places: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Split -> canonical graph -> molecule, each once."""
    found: dict[str, dict[str, Any]] = {}
    for structure, place in zip(data.ligand_structure.tolist(), places, strict=True):
        molecule = graph(data.store.atoms(structure))
        found.setdefault(place, {}).setdefault(canonical(molecule), molecule)
    return found


def _ligands(train: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    from rdkit import DataStructs

    known = fingerprints(list(train.values()))
    best = [max(DataStructs.BulkTanimotoSimilarity(f, known)) for f in fingerprints(list(other.values()))]
    return {
        "identical_molecules": len(train.keys() & other.keys()),
        "molecules": len(other),
        "highest_similarity": max(best, default=0.0),
    }


def _verdict(border: dict[str, Any]) -> str:
    """Return ``found`` if a receptor or a nearly identical sequence occurs on both sides.

    Where only molecules do, the verdict is ``molecules only``, never ``none``.
    """
    if border["shared_receptors"]:
        return "found"
    if border["highest_identity"] == CANNOT_KNOW:
        return CANNOT_KNOW
    if border["highest_identity"] > 0.9:
        return "found"
    if border["receptors_without_sequence"]:
        return CANNOT_KNOW
    return MOLECULES_ONLY if border.get("identical_molecules") else "none"
