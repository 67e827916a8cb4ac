"""Make the shipped model `zoo-small` again, from the archives to the card; a run that was stopped goes on.

    KERAS_BACKEND=torch python benchmarks/shipped_small.py DATA WORK [--seeds 3] [--epochs 24] [--limit N]

Any backend trains the model. PyTorch was used, in half precision: on a CPU with AMX a training step took 4.8 ms of
processor time an image, 10.5 ms in float32 under TensorFlow. Teachers and benchmarks are computed in float32.

DATA: the unpacked archives ``crystal_pdb``, ``posebusters_docked``, ``unifep``, ``fep``, ``csar_pose`` and ``redock``.
WORK: takes everything that is made. Steps whose result is there are left out. What is trained on: sampled poses of
``crystal_pdb``, the training and validation complexes of ``posebusters_docked`` and the modelled complexes with a pK of
``unifep`` and ``fep``. Left out by sequence (30 %): every relative of the 60 test complexes of ``posebusters_docked``.
``csar_pose`` and ``redock`` are judged on only. Hours on two cores; sampling and the teacher take most of them.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from affinity_zoo.zoo.data.similarity import sequences_by_receptor, similar_sequences
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.runtime.files import whole

HERE = Path(__file__).parent
TEACHER = "gnina-1.3-fast"  #: the one of the teachers that is judged beside the model
IDENTITY = 0.3  #: from which a protein is a relative of a test complex
COLUMNS = (
    "id", "receptor", "ligand", "record", "target", "molecule", "pose_label", "rmsd", "docking_score", "group",
    "affinity",
)  # fmt: skip
#: name of the benchmark -> index, and which of its poses
BENCHMARKS = {
    "csar-pose": ("csar_pose",),
    "redock": ("redock",),
    "posebusters-near": ("posebusters", "--split", "test", "--sources", "near_native,docked"),
    "posebusters-relaxed": ("posebusters", "--split", "test", "--sources", "crystal_relaxed,docked"),
    "posebusters-crystal": ("posebusters", "--split", "test", "--sources", "crystal,docked"),
    "affinity-test": ("affinity", "--split", "test"),
}
RECIPE = HERE / "shipped_small_recipe.toml"


def main() -> None:
    """Make what is not there yet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--seeds", type=int, default=3, help="trainings; the best on validation is shipped")
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--limit", type=int, default=0, help="crystal complexes at most; 0: all (a trial)")
    given = parser.parse_args()
    data, work = given.data.resolve(), given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    indexes(data, work, given.limit)
    training_set(data, work)
    for seed in range(given.seeds):
        train(work, seed, given.epochs)
    judge(work, given.seeds)
    runs = [str(x + 1) for x in range(given.seeds)]
    ship = ("models", "ship", *runs, "--notes", HERE / "shipped_small.toml", "-o", work / "zoo-small")
    zoo(work / "zoo-small" / "card.json", *ship, "--runs", work / "runs")


def zoo(result: Path, *arguments: object) -> None:
    """Run a command of affinity-zoo, unless its result is there; exit code 3 (some inputs failed) is fine."""
    if result.exists():
        return
    command = [sys.executable, "-m", "affinity_zoo.cli", *map(str, arguments)]
    sys.stdout.write(f"$ affinity-zoo {' '.join(map(str, arguments))}\n")
    sys.stdout.flush()
    code = subprocess.run(command, check=False).returncode
    if code not in (0, 3):
        sys.exit(code)


def indexes(data: Path, work: Path, limit: int) -> None:
    """Index the archives, split what is judged on, sample poses of the crystal complexes."""
    crystal = data / "crystal_pdb"
    if limit:
        crystal = work / "crystal_pdb"
        crystal.mkdir(exist_ok=True)
        for folder in sorted(path for path in (data / "crystal_pdb").iterdir() if path.is_dir())[:limit]:
            _link(crystal / folder.name, folder)
    zoo(work / "crystal" / "manifest.json", "index", crystal, "-o", work / "crystal")
    for name, archive, columns in (
        ("csar_pose", "csar_pose", ()),
        ("redock", "redock", ("--columns", "pose_label=label_rmsd_lt2", "--columns", "affinity=")),
        ("posebusters", "posebusters_docked", ()),
    ):
        zoo(work / name / "manifest.json", "index", data / archive, "-o", work / name, *columns)
    table = work / "affinity.csv"
    if not table.exists():
        subprocess.run([sys.executable, HERE / "shipped_affinity.py", data, table], check=True)
    for archive in ("unifep", "fep"):
        _link(work / archive, data / archive)
    zoo(work / "affinity" / "manifest.json", "index", table, "-o", work / "affinity")
    for name, fractions, seed in (("posebusters", "0.7,0.1,0.2", 0), ("affinity", "0.7,0.15,0.15", 1)):
        mark = work / f"{name}.split"
        how = ("--split-by", "sequence", "--identity", IDENTITY, "--fractions", fractions, "--seed", seed)
        zoo(mark, "split", work / name, *how)
        mark.touch()
    sampled = work / "sampled"
    zoo(sampled / "index.csv", "decoys", work / "crystal", "--method", "sample", "-o", sampled)


def training_set(data: Path, work: Path) -> None:
    """Join what is trained on into one table, index it, and take its validation set out of it."""
    source = work / "source"
    source.mkdir(exist_ok=True)
    for name, place in (
        ("sampled", work / "sampled"),
        ("posebusters", data / "posebusters_docked"),
        ("unifep", data / "unifep"),
        ("fep", data / "fep"),
    ):
        _link(source / name, place)
    if not (source / "table.csv").exists():
        with whole(source / "table.csv") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(_rows(data, work))
    zoo(work / "training" / "manifest.json", "index", source / "table.csv", "-o", work / "training")
    _split(work / "training")


def _rows(data: Path, work: Path) -> Iterator[dict[str, Any]]:
    """The rows of all three sources; groups say where a row may go."""
    held_back = Dataset.open(work / "posebusters")
    test = {s for chains in sequences_by_receptor(held_back, held_back.rows("test")).values() for s in chains}
    crystal = Dataset.open(work / "crystal")
    relatives = _related(crystal, test)
    judged_on = {path.name for path in (data / "redock" / "structs").iterdir()}
    with (work / "sampled" / "index.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name = row["id"].rsplit("_", 1)[0]
            if name not in relatives and name.partition("_")[0] not in judged_on:
                files = {name: f"sampled/{row[name]}" for name in ("receptor", "ligand")}
                yield {**row, **files, "group": f"crystal-{row['group'] or row['target']}"}
    yield from _indexed(held_back, "posebusters", "posebusters/", set())
    modelled = Dataset.open(work / "affinity")
    yield from _indexed(modelled, "modelled", "", _related(modelled, test))


def _related(dataset: Dataset, test: set[str]) -> set[str]:
    """Ids of the rows whose receptor has a chain like one of the test set."""
    chains = sequences_by_receptor(dataset, dataset.rows("all"))
    alike = similar_sequences({s for each in chains.values() for s in each}, test, IDENTITY)
    receptors = dataset.receptor_structure.tolist()
    ids = dataset.column("id").tolist()
    return {
        str(name) for name, r in zip(ids, receptors, strict=True) if any(s in alike for s in chains[int(r)])
    }


def _indexed(dataset: Dataset, name: str, folder: str, never: set[str]) -> Iterator[dict[str, Any]]:
    """Training and validation rows of an index as rows of the table."""
    columns = {key: dataset.column(key).tolist() for key in COLUMNS}
    for split in ("train", "validation"):
        for i in dataset.rows(split).tolist():
            row = {key: "" if cells[i] != cells[i] else cells[i] for key, cells in columns.items()}
            if row["id"] in never:
                continue
            files = {key: f"{folder}{row[key]}" for key in ("receptor", "ligand")}
            group = f"{name}-{split}-{row['group'] or row['target']}"
            yield {
                **row,
                **files,
                "id": f"{name}-{row['id']}",
                "record": max(row["record"], 0),
                "group": group,
            }


def _split(index: Path) -> None:
    """Validation: the validation rows of the labelled sets and 4 % of the crystal groups; there is no test set."""
    with (index / "database_index.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = ("id", "pose_label", "ligand", "receptor")
    for split in ("train", "validation", "test"):
        with whole(index / f"{split}_set.csv") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(names)
            writer.writerows(
                [row[name] for name in names] for row in rows if _split_of(row["group"]) == split
            )


def _split_of(group: str) -> str:
    """The part that a group belongs to."""
    if not group.startswith("crystal-"):
        return group.split("-", 2)[1]
    drawn = int(hashlib.sha256(group.encode()).hexdigest(), 16) % 25
    return "validation" if drawn == 0 else "train"


def train(work: Path, seed: int, epochs: int) -> None:
    """Train one seed, or go on with it."""
    run, runs = seed + 1, ("--runs", work / "runs")
    model = work / "runs" / f"{run}_netstate" / "model" / "card.json"
    if (work / "runs" / f"{run}_logs" / "recipe.toml").exists():
        zoo(model, "train", work / "training", "--resume", run, *runs)
    else:
        zoo(model, "train", work / "training", "--recipe", RECIPE, "--epochs", epochs, "--seed", seed, *runs)


def judge(work: Path, seeds: int) -> None:
    """Judge each seed on each benchmark, and the first teacher beside them."""
    runs = ("--runs", work / "runs")
    for name, (index, *which) in BENCHMARKS.items():
        made = work / "runs" / "benchmarks" / f"{name}.json"
        zoo(made, "benchmarks", "add", name, work / index, *which, *runs)
        for run in range(1, seeds + 1):
            result = work / "runs" / f"{run}_logs" / "results" / name / "result.json"
            zoo(result, "evaluate", run, name, *runs)
        result = work / "runs" / "models" / TEACHER / "results" / name / "result.json"
        zoo(result, "evaluate", TEACHER, name, *runs)


def _link(link: Path, target: Path) -> None:
    if not link.exists():
        link.symlink_to(target)


if __name__ == "__main__":
    main()
