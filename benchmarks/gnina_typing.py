"""How far scores of gnina's networks move when this package types the atoms instead of gnina's Open Babel.

    python benchmarks/gnina_typing.py type PAIRS.csv TYPED        # in an environment with molgrid (numpy < 2)
    python benchmarks/gnina_typing.py compare PAIRS.csv TYPED MODEL...   # in that of affinity-zoo
    python benchmarks/gnina_typing.py pairs-posebusters FOLDER PAIRS.csv    # crystal poses, PDB with PDB
    python benchmarks/gnina_typing.py pairs-unifep FOLDER PAIRS.csv      # pocket PDB with ligand SDF

The networks, grids and poses are the same on both sides: only the types of the atoms differ.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

MOST = 150  #: pairs of a list


def pairs_posebusters(folder: Path, out: Path) -> None:
    """Every second crystal complex."""
    crystals = sorted((folder / "crystal_ligands").glob("*/*.pdb"))[::2][:MOST]
    write_pairs(out, [(folder / "receptors" / f"{path.parent.name}.pdb", path) for path in crystals])


def pairs_unifep(folder: Path, out: Path) -> None:
    """One ligand a target, then a second one, as many as are wanted; none that touches the receptor."""
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if float(row["min_dist"]) >= 1.8]
    seen: Counter[str] = Counter()
    order = []
    for row in rows:
        order.append((seen[row["target"]], row["id"], row))
        seen[row["target"]] += 1
    order.sort(key=lambda entry: entry[:2])
    write_pairs(out, [(folder / row["pocket"], folder / row["ligand"]) for _, _, row in order[:MOST]])


def write_pairs(out: Path, pairs: list[tuple[Path, Path]]) -> None:
    """Write receptor and ligand files as a table."""
    with out.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [("receptor", "ligand"), *((one.resolve(), two.resolve()) for one, two in pairs)]
        )


def read_pairs(path: Path) -> list[tuple[Path, Path]]:
    """Receptor and ligand files of a table."""
    with path.open(newline="", encoding="utf-8") as file:
        return [(Path(row["receptor"]), Path(row["ligand"])) for row in csv.DictReader(file)]


def type_all(pairs: Path, out: Path) -> None:
    """Write ``<number>_rec.gninatypes`` and ``<number>_lig.gninatypes`` as molgrid's Open Babel types them."""
    import molgrid

    out.mkdir(parents=True, exist_ok=True)
    record = np.dtype([("xyz", "<f4", 3), ("type", "<i4")])
    for number, (receptor, ligand) in enumerate(read_pairs(pairs)):
        typer = molgrid.GninaIndexTyper()
        provider = molgrid.ExampleProvider(typer, typer, cache_structs=False, shuffle=False, num_copies=1)
        (out / "one.types").write_text(f"1 {receptor.resolve()} {ligand.resolve()}\n")
        provider.populate(str(out / "one.types"))
        for atoms, side in zip(provider.next().coord_sets, ("rec", "lig"), strict=True):
            table = np.zeros(atoms.size(), record)
            table["xyz"], table["type"] = atoms.coords.tonumpy(), atoms.type_index.tonumpy().astype(np.int32)
            table.tofile(out / f"{number}_{side}.gninatypes")


def compare(pairs: Path, typed: Path, folders: list[Path]) -> None:
    """Print atoms typed otherwise, and median, 95th percentile and largest change of both scores, by way of reading."""
    from affinity_zoo.zoo.runtime.keras import start_keras

    start_keras()
    from affinity_zoo.zoo.data.readers import ReadOptions
    from affinity_zoo.zoo.models.loading import load_models

    ways = {
        "gnina's reading": (ReadOptions(waters="keep", altloc="all", typing="openbabel"), "openbabel"),
        "Open Babel itself": (ReadOptions(typing="openbabel"), "openbabel"),
        "rules": (ReadOptions(), "openbabel"),
        "bonds": (ReadOptions(), "bonds"),
    }
    files = read_pairs(pairs)
    theirs = [_read(*_typed(typed, number), ReadOptions()) for number in range(len(files))]
    read = {way: [_read(*pair, options) for pair in files] for way, (options, _) in ways.items()}
    good = [i for i in range(len(files)) if all(found[i] for found in (theirs, *read.values()))]
    lines = [f"{len(good)} complexes"]
    for way, found in read.items():
        for side in (0, 1):
            atoms, other = _typed_otherwise([found[i][side] for i in good], [theirs[i][side] for i in good])
            lines.append(f"{way}: {other} of {atoms} {('receptor', 'ligand')[side]} atoms typed otherwise")
    for model in load_models(folders):
        wanted = np.array([_score(model, "openbabel", theirs[i]) for i in good])
        for way, (_, typing) in ways.items():
            scores = np.array([_score(model, typing, read[way][i]) for i in good])
            lines += _moved(f"{model.card['name']}, {way}", scores, wanted)
    sys.stdout.write("\n".join(lines) + "\n")


def _typed(folder: Path, number: int) -> tuple[Path, Path]:
    return folder / f"{number}_rec.gninatypes", folder / f"{number}_lig.gninatypes"


def _read(receptor: Path, ligand: Path, options: Any) -> tuple[Any, Any] | None:
    from affinity_zoo.zoo.data.readers import read_poses, read_receptor

    pose = next(iter(read_poses(ligand, options)))
    return None if pose.atoms is None else (read_receptor(receptor, options).atoms, pose.atoms)


def _typed_otherwise(ours: list[Any], theirs: list[Any]) -> tuple[int, int]:
    """Number of atoms, and of those of another type than the atom in the same place."""
    atoms = other = 0
    for mine, reference in zip(ours, theirs, strict=True):
        known = {
            tuple(np.round(xyz, 2)): kind
            for xyz, kind in zip(reference.xyz, reference.atom_type, strict=True)
        }
        atoms += len(mine)
        other += sum(
            known.get(tuple(np.round(xyz, 2)), -1) != kind
            for xyz, kind in zip(mine.xyz, mine.atom_type, strict=True)
        )
    return atoms, other


def _moved(name: str, scores: np.ndarray, wanted: np.ndarray) -> list[str]:
    """How far both scores move from those of molgrid's types."""
    lines = []
    for column, what in enumerate(("CNNscore", "CNNaffinity")):
        both = [values[:, column] for values in (scores, wanted)]
        if what == "CNNscore":
            both = [1 / (1 + np.exp(-values)) for values in both]
        moved = np.abs(both[0] - both[1])
        lines.append(
            f"{name}: {what} moves by {np.median(moved):.4f} (median), {np.percentile(moved, 95):.4f} (95 %), "
            f"{moved.max():.4f} (largest); {np.mean(moved <= 0.01):.1%} within 0.01"
        )
    return lines


def _score(model: Any, typing: str, pair: tuple[Any, Any]) -> np.ndarray:
    from dataclasses import replace

    from affinity_zoo.zoo.batches.batches import BatchMaker, Imaging
    from affinity_zoo.zoo.batches.pairs import PosesOfReceptor
    from affinity_zoo.zoo.inference import outputs as inference

    featurizer = replace(model.featurizer, typing=typing)
    maker = BatchMaker(PosesOfReceptor(pair[0], [pair[1]]), Imaging(featurizer, model.box))
    return inference.outputs(model.network, maker, np.arange(1))[0, 0].astype(np.float64)


if __name__ == "__main__":
    what, first, second, *rest = sys.argv[1:]
    if what == "compare":
        compare(Path(first), Path(second), [Path(folder) for folder in rest])
    else:
        {"type": type_all, "pairs-posebusters": pairs_posebusters, "pairs-unifep": pairs_unifep}[what](
            Path(first), Path(second)
        )
