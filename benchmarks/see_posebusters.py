"""The figures of docs/explain.md: do gradients and occlusion agree, and does `refine` bring poses to the crystal?

    python benchmarks/see_posebusters.py MODEL ARCHIVE INDEX OUT

MODEL: a model directory. ARCHIVE: the unpacked posebusters_docked. INDEX: what `affinity-zoo index` made of it, whose
test set is used. OUT: a folder for the tables; figures are printed. About 25 minutes on two cores.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from affinity_zoo.zoo.runtime.keras import start_keras

NEAR = 6.0  #: Å; residues this near to the ligand are its pocket
KINDS = {"near-native": "near_native/", "docked": "docked_ligands/", "perturbed": "crystal_relaxed/"}
PERTURBED = (1.0, 0.2)  #: Å and radians by which relaxed crystal poses are moved and turned


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("model", "archive", "index", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--complexes", type=int, default=24, help="whose attributions are compared")
    parser.add_argument("--poses", type=int, default=40, help="of each kind that are refined")
    parser.add_argument("--kinds", default=",".join(KINDS), help="of poses that are refined")
    parser.add_argument("--only", choices=("attribution", "refine"), default=None)
    given = parser.parse_args()
    start_keras()
    from affinity_zoo import load_model

    model = load_model(given.model)
    given.out.mkdir(parents=True, exist_ok=True)
    with (given.index / "test_set.csv").open() as file:
        ids = [row["id"] for row in csv.DictReader(file)]
    if given.only != "refine":
        attribution(model, given.archive, ids, given.complexes, given.out)
    if given.only != "attribution":
        refinement(model, given.archive, ids, given.kinds.split(","), given.poses, given.out)


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def spread(items: list[str], n: int) -> list[str]:
    """At most n of the items, evenly spaced."""
    return [items[i] for i in np.unique(np.linspace(0, len(items) - 1, min(n, len(items))).astype(int))]


def attribution(model: Any, archive: Path, ids: list[str], n: int, out: Path) -> None:
    """Spearman's rank correlation of occlusion with both kinds of gradients, complex by complex."""
    from scipy.stats import spearmanr

    from affinity_zoo.zoo.see.explain import explain
    from affinity_zoo.zoo.see.explain_files import residue_distances

    rows = []
    for name in spread([i for i in ids if i.startswith("crystal_relaxed/")], n):
        receptor, pose = archive / "receptors" / f"{name.split('/')[1]}.pdb", archive / f"{name}.pdb"
        found = explain(model, receptor, pose)
        pocket = np.flatnonzero(residue_distances(found) <= NEAR)
        row: dict[str, Any] = {"id": name, "score": found.score, "gap": found.gap, "way": found.score - found.empty,
                               "ligand_atoms": len(found.complex.ligand), "pocket_residues": len(pocket)}  # fmt: skip
        drops = found.per_residue("occlusion")[pocket]
        for kind in ("gradient", "integrated"):
            values = found.per_residue(kind)[pocket]
            row[f"ligand {kind}"] = spearmanr(
                getattr(found, kind)[found.split :], found.occlusion[found.split :]
            )[0]
            row[f"pocket {kind}"] = spearmanr(values, drops)[0]
            top = [set(np.argsort(-np.abs(v))[:5].tolist()) for v in (values, drops)]
            row[f"top5 {kind}"] = len(top[0] & top[1])
        rows.append(row)
        say(json.dumps(row))
    write(out / "attribution.csv", rows)
    say(f"\n{len(rows)} relaxed crystal poses; median over complexes, 95 % bootstrap interval")
    for column in [c for c in rows[0] if " " in c]:
        values = np.array([row[column] for row in rows])
        say(f"{column:18} {interval([[v] for v in values], np.median)}")
    off = np.array([abs(row["gap"] / row["way"]) for row in rows])
    say(f"sum rule: off by {100 * np.median(off):.2f} % (median), {100 * off.max():.2f} % (worst)")


def refinement(model: Any, archive: Path, ids: list[str], kinds: list[str], n: int, out: Path) -> None:
    """RMSD to the crystal pose before and after, for near-native, docked and perturbed crystal poses."""
    rows = []
    rng = np.random.default_rng(0)
    for kind in kinds:
        for name in spread([i for i in ids if i.startswith(KINDS[kind])], n):
            row = refined(model, archive, name, rng if kind == "perturbed" else None)
            rows.append({"kind": kind, "complex": name.split("/")[1], "id": name, **row})
            say(json.dumps(rows[-1]))
    write(out / "refine.csv", rows)
    assert all(row["after"] >= row["before"] for row in rows)
    say("\nshare of poses whose RMSD to the crystal falls, 95 % bootstrap interval over complexes")
    for kind in dict.fromkeys(row["kind"] for row in rows):
        mine = [row for row in rows if row["kind"] == kind]
        share = interval(grouped(mine, lambda row: float(change(row) < 0)), np.mean)
        moved = interval(grouped(mine, change), np.median)
        raised = np.median([row["after"] - row["before"] for row in mine])
        improved = sum(row["after"] > row["before"] for row in mine)
        middle = {
            key: float(np.median([row[key] for row in mine])) for key in ("rmsd_before", "moved", "seconds")
        }
        say(
            f"{kind:12} {len(mine)} poses, {len({r['complex'] for r in mine})} complexes: falls {share}; "
            f"change {moved} Å from {middle['rmsd_before']:.2f}; score up in {improved}, median {raised:+.2f}; "
            f"moved {middle['moved']:.2f} Å; {middle['seconds']:.1f} s a pose"
        )


def change(row: dict[str, Any]) -> float:
    """Å by which the RMSD to the crystal pose grows."""
    return float(row["rmsd_after"] - row["rmsd_before"])


def refined(model: Any, archive: Path, name: str, rng: np.random.Generator | None) -> dict[str, float]:
    """One pose refined; with ``rng`` moved and turned away from where it lies first."""
    from affinity_zoo.zoo.data.labels import label_atoms, read_references
    from affinity_zoo.zoo.refine.moves import Motion, moved
    from affinity_zoo.zoo.refine.refine import Options, at, refine_pose
    from affinity_zoo.zoo.see.complexes import read_complex
    from affinity_zoo.zoo.see.molecules import molecule_of

    case = name.split("/")[1]
    found = read_complex(archive / "receptors" / f"{case}.pdb", archive / f"{name}.pdb")
    molecule, place, _ = molecule_of(found.ligand, found.pose_file, 0)
    ligand = found.ligand
    if rng is not None:
        shift, turn = (rng.normal(size=3) for _ in range(2))
        way = Motion(
            PERTURBED[0] * shift / np.linalg.norm(shift),
            PERTURBED[1] * turn / np.linalg.norm(turn),
            np.zeros(0),
        )
        xyz = moved(molecule.GetConformer().GetPositions(), way, [], place)
        molecule.GetConformer().SetPositions(np.ascontiguousarray(xyz))
        ligand = at(ligand, xyz[place])
    references = read_references(archive / "crystal_ligands" / case / f"{case}_crystal.pdb")
    started = time.perf_counter()
    result = refine_pose(model, 0, found.receptor, ligand, molecule, place, Options())
    seconds = time.perf_counter() - started
    rmsd = [label_atoms(a, references)[0] for a in (ligand, at(ligand, result.xyz[place]))]
    assert rmsd[0] is not None and rmsd[1] is not None
    return {
        "before": result.before, "after": result.after, "moved": result.moved, "steps": result.steps,
        "rmsd_before": rmsd[0].rmsd, "rmsd_after": rmsd[1].rmsd, "seconds": seconds,
    }  # fmt: skip


def grouped(rows: list[dict[str, Any]], value: Callable[[dict[str, Any]], float]) -> list[list[float]]:
    """Values by complex."""
    found: dict[str, list[float]] = {}
    for row in rows:
        found.setdefault(row["complex"], []).append(value(row))
    return list(found.values())


def interval(groups: list[list[float]], statistic: Callable[[Any], Any], times: int = 4000) -> str:
    """A statistic of all values, and its 95 % bootstrap interval over the groups."""
    rng = np.random.default_rng(0)
    drawn = [
        statistic(np.concatenate([groups[i] for i in rng.integers(0, len(groups), len(groups))]))
        for _ in range(times)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{statistic(np.concatenate(groups)):.2f} ({low:.2f} to {high:.2f})"


def write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows as CSV."""
    rows = list(rows)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
