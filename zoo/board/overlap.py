"""Overlap of training data with a benchmark: ids, poses, proteins or ligands.

Each check says ``none``, ``found`` or ``cannot know``; absence of knowledge is never reported as none.
"""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.similarity import (
    fingerprints,
    molecule_keys,
    nearest,
    sequences_by_receptor,
    similar_sequences,
)
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.models.provenance import coordinates_hash
from affinity_zoo.zoo.models.training_ligands import load_fingerprints
from affinity_zoo.zoo.models.training_sequences import load_training_sequences

Array: TypeAlias = NDArray[Any]
Verdict = Literal["none", "found", "cannot know"]

CHECKS = ("id", "coordinates", "sequence", "ligand")  #: what is compared
SAME_PROTEIN = 0.5  #: identity from which two chains count as the same protein
MOST_LIGANDS = 50_000  #: molecules of both sets together that are compared; about a minute
SAME_LIGAND = 0.75  #: Tanimoto similarity from which two ligands count as the same


@dataclass(frozen=True)
class Check:
    """Result of one kind of overlap check."""

    verdict: Verdict
    rows: int = 0  #: rows of the benchmark that are affected
    of: int = 0
    examples: tuple[str, ...] = ()
    how: str = ""  #: what was compared, or why it could not be
    ids: frozenset[str] = field(default=frozenset(), repr=False)  #: of the affected rows


@dataclass(frozen=True, eq=False)
class Seen:
    """Proteins and ligands that a model was trained on; None: not known."""

    sequences: set[str] | None = None  #: of the chains near the training ligands
    ligands: list[Any] | None = None  #: their fingerprints


def check_overlap(
    pairs: Path | None,
    dataset: Dataset,
    rows: Array,
    training: Dataset | Seen | None = None,
    coordinates: bool = True,
) -> dict[str, Check]:
    """Compare a benchmark with the training data of a model.

    Args:
        pairs: ``training_pairs.csv`` of the model (``id``, ``target``, ``coordinates``); None: unknown.
        dataset: the benchmark's index.
        rows: (N,) its rows there.
        training: the index that the model was trained on, where it is at hand: sequences and ligands are read from
            it; else what the model's folder states about them.
        coordinates: compare the positions of ligands too; it reads every ligand of the benchmark.

    Returns:
        ``id``, ``coordinates``, ``sequence`` and ``ligand``.
    """
    seen = read_pairs(pairs) if pairs is not None and Path(pairs).is_file() else None
    if seen is None:
        unknown = Check("cannot know", how="the training data of the model are not known")
        return dict.fromkeys(CHECKS, unknown)
    positions = (
        _coordinates(seen, dataset, rows) if coordinates else Check("cannot know", how="not asked for")
    )
    checks = {"id": _ids(seen, dataset, rows), "coordinates": positions}
    known = training if isinstance(training, Seen) else _seen_in(training, seen["id"])
    why = Check(
        "cannot know",
        how="the model folder does not contain it, and the training structures are not available",
    )
    checks["sequence"] = why if known.sequences is None else _sequences(known.sequences, dataset, rows)
    checks["ligand"] = why if known.ligands is None else _ligands(known.ligands, dataset, rows)
    return checks


def _seen_in(training: Dataset | None, ids: set[str]) -> Seen:
    """Return the proteins and ligands of the rows with these ids; unknown without such rows."""
    if training is None:
        return Seen()
    rows = np.flatnonzero(np.isin(training.column("id"), sorted(ids)))
    if not len(rows):
        return Seen()
    chains = sequences_by_receptor(training, rows)
    ligands = None
    if len(set(molecule_keys(training, rows))) <= MOST_LIGANDS:
        ligands = list(fingerprints(training, rows).values())
    return Seen({s for each in chains.values() for s in each}, ligands)


def seen_by(folders: Sequence[Path]) -> Seen:
    """Return the training proteins and ligands of model directories together; unknown if one lacks them.

    Args:
        folders: of one model, or of the members of an ensemble.
    """
    sequences = [load_training_sequences(folder) for folder in folders]
    ligands = [load_fingerprints(str(folder)) for folder in folders]
    if not folders:
        return Seen()
    return Seen(
        None if None in sequences else set().union(*(each for each in sequences if each)),
        None if None in ligands else [mark for each in ligands if each for mark in each],
    )


def overlap_with_training(
    pairs: Path, dataset: Dataset, rows: Array, trained_on: Path | None, folders: Sequence[Path] = ()
) -> dict[str, Check]:
    """:func:`check_overlap`, with the training index opened where it is still there.

    Args:
        pairs: ``training_pairs.csv`` of the model.
        dataset: the benchmark's index.
        rows: (N,) its rows there.
        trained_on: the folder of the training index; None: unknown.
        folders: of the model, or of the members of an ensemble: what they carry is used where there is no index.
    """
    training: Dataset | Seen = seen_by(folders)
    if trained_on is not None:
        with contextlib.suppress(AffinityZooError):
            training = Dataset.open(trained_on)
    return check_overlap(pairs, dataset, rows, training)


def verdict(checks: Mapping[str, Check]) -> str:
    """Summarise all checks: ``found: id 12, ligand 40 of 388``, ``none``, ``cannot know: sequence``.

    Args:
        checks: Checks by name.
    """
    found = [f"{name} {check.rows}" for name, check in checks.items() if check.verdict == "found"]
    unknown = [name for name, check in checks.items() if check.verdict == "cannot know"]
    if len(unknown) == len(checks):
        return "cannot know"
    parts = []
    if found:
        parts.append(f"found: {', '.join(found)} of {max(check.of for check in checks.values())}")
    if unknown:
        parts.append(f"cannot know: {', '.join(unknown)}")
    return "; ".join(parts) or "none"


def as_dict(checks: Mapping[str, Check]) -> dict[str, Any]:
    """Return the checks JSON-ready, with their summary.

    Args:
        checks: Checks by name.
    """
    entries = {name: asdict(check) for name, check in checks.items()}
    for entry in entries.values():
        entry.pop("ids")
    return {"verdict": verdict(checks), **entries}


def seen_ids(checks: Mapping[str, Check]) -> frozenset[str] | None:
    """Return the ids of all rows that one of the checks finds; None: no check could be made.

    Args:
        checks: Checks by name.
    """
    known = [check for check in checks.values() if check.verdict != "cannot know"]
    return frozenset().union(*(check.ids for check in known)) if known else None


def read_pairs(path: Path) -> dict[str, set[str]]:
    """The sets of ids, targets and coordinate hashes in ``training_pairs.csv``.

    Args:
        path: The file.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise AffinityZooError(f"{path} cannot be read: {error}") from error
    return {name: {row.get(name) or "" for row in rows} - {""} for name in ("id", "target", "coordinates")}


def _ids(seen: Mapping[str, set[str]], dataset: Dataset, rows: Array) -> Check:
    ids = dataset.column("id")[rows].tolist()
    return _found([name for name in ids if name in seen["id"]], len(ids), "ids of the rows")


def _coordinates(seen: Mapping[str, set[str]], dataset: Dataset, rows: Array) -> Check:
    if not seen["coordinates"]:
        return Check("cannot know", how="the model stores no hashes of its poses")
    ids = dataset.column("id")[rows].tolist()
    structures = dataset.ligand_structure[rows].tolist()
    hit = {s: coordinates_hash(dataset.store.atoms(s).xyz) in seen["coordinates"] for s in set(structures)}
    same = [name for name, structure in zip(ids, structures, strict=True) if hit[structure]]
    return _found(same, len(ids), "positions of the ligand's heavy atoms, to 0.01 Å")


def _sequences(theirs: set[str], dataset: Dataset, rows: Array) -> Check:
    ours = sequences_by_receptor(dataset, rows)
    if not any(ours.values()) or not theirs:
        return Check("cannot know", how="the structures have no residue names")
    try:
        similar = similar_sequences({s for chains in ours.values() for s in chains}, theirs, SAME_PROTEIN)
    except ImportError:
        return Check("cannot know", how="Biopython is not installed")
    ids, structures = dataset.column("id")[rows].tolist(), dataset.receptor_structure[rows].tolist()
    same = [name for name, s in zip(ids, structures, strict=True) if any(c in similar for c in ours[s])]
    how = f"chains within 6 Å of the ligand, identity of {SAME_PROTEIN:.0%} or more"
    return _found(same, len(ids), how)


def _ligands(theirs: list[Any], dataset: Dataset, rows: Array) -> Check:
    molecules = len(set(molecule_keys(dataset, rows))) + len(theirs)
    if molecules > MOST_LIGANDS:
        return Check(
            "cannot know", how=f"{molecules:,} molecules are more than the {MOST_LIGANDS:,} that are compared"
        )
    ours = fingerprints(dataset, rows)
    close = {key for key, one in ours.items() if nearest(one, theirs)[1] >= SAME_LIGAND}
    ids = dataset.column("id")[rows].tolist()
    same = [name for name, key in zip(ids, molecule_keys(dataset, rows), strict=True) if key in close]
    how = f"Tanimoto similarity of {SAME_LIGAND} or more of the skeletons' Morgan fingerprints"
    return _found(same, len(ids), how)


def _found(same: list[str], of: int, how: str) -> Check:
    return Check("found" if same else "none", len(same), of, tuple(same[:5]), how, frozenset(same))
