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
    """Print atoms typed otherwise, and median, 95th percentile and largest change of both scores."""
    from affinity_zoo.zoo.runtime.keras import start_keras

    start_keras()
    from affinity_zoo.zoo.data.readers import read_poses, read_receptor
    from affinity_zoo.zoo.models.loading import load_models

    both = []
    differ: Counter[str] = Counter()
    atoms: Counter[str] = Counter()
    changed: Counter[tuple[str, str, int, int]] = Counter()
    for number, files in enumerate(read_pairs(pairs)):
        sides = []
        for receptor, ligand in (
            files,
            (typed / f"{number}_rec.gninatypes", typed / f"{number}_lig.gninatypes"),
        ):
            pose = next(iter(read_poses(ligand)))
            if pose.atoms is not None:
                sides.append((read_receptor(receptor).atoms, pose.atoms))
        if len(sides) < 2:
            continue
        both.append(sides)
        for ours, theirs in zip(*sides, strict=True):
            other = {
                tuple(np.round(xyz, 2)): int(kind)
                for xyz, kind in zip(theirs.xyz, theirs.atom_type, strict=True)
            }
            for xyz, kind, residue in zip(ours.xyz, ours.atom_type, ours.residue_name, strict=True):
                atoms[ours.role] += 1
                if other.get(tuple(np.round(xyz, 2)), -1) != kind:
                    differ[ours.role] += 1
                    changed[
                        (ours.role, residue.decode(), int(kind), other.get(tuple(np.round(xyz, 2)), -1))
                    ] += 1
    lines = [f"{len(both)} complexes"]
    lines += [
        f"{role}: {differ[role]} of {n} atoms typed otherwise ({differ[role] / n:.2%})"
        for role, n in atoms.items()
    ]
    lines += [f"  most: {entry} {n}" for entry, n in changed.most_common(8)]
    for model in load_models(folders):
        for typing in ("bonds", "openbabel"):
            lines += _moved(model, typing, both)
    sys.stdout.write("\n".join(lines) + "\n")


def _moved(model: Any, typing: str, both: list[Any]) -> list[str]:
    """How far both scores move from those of typed input, with the featurizer's option ``typing``."""
    from dataclasses import replace

    lines = []
    model = replace(model, featurizer=replace(model.featurizer, typing=typing))
    scores = np.array([[_score(model, *side) for side in sides] for sides in both])
    for name, column in (("CNNscore", 1 / (1 + np.exp(-scores[..., 0]))), ("CNNaffinity", scores[..., 1])):
        moved = np.abs(column[:, 0] - column[:, 1])
        lines.append(
            f"{model.card['name']} typing={typing}: {name} moves by {np.median(moved):.4f} (median), "
            f"{np.percentile(moved, 95):.4f} (95 %), {moved.max():.4f} (largest); "
            f"correlation {np.corrcoef(column.T)[0, 1]:.4f}"
        )
    return lines


def _score(model: Any, receptor: Any, ligand: Any) -> np.ndarray:
    from affinity_zoo.zoo.batches.batches import BatchMaker, Imaging
    from affinity_zoo.zoo.batches.pairs import PosesOfReceptor
    from affinity_zoo.zoo.inference import outputs as inference

    maker = BatchMaker(PosesOfReceptor(receptor, [ligand]), Imaging(model.featurizer, model.box))
    return inference.outputs(model.network, maker, np.arange(1))[0, 0].astype(np.float64)


if __name__ == "__main__":
    what, first, second, *rest = sys.argv[1:]
    if what == "compare":
        compare(Path(first), Path(second), [Path(folder) for folder in rest])
    else:
        {"type": type_all, "pairs-posebusters": pairs_posebusters, "pairs-unifep": pairs_unifep}[what](
            Path(first), Path(second)
        )
