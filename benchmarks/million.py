"""What an index of N rows costs to open, split, feed and rank: time and memory for N = 10^4, 10^5, 10^6.

    python benchmarks/million.py SOURCE FOLDER --rows 10000 100000 1000000 --json million.json

SOURCE is an index of real structures; its rows are repeated until there are N of them, each copy with an id, a target
and a group of its own, so that the hard work (reading files) is done once and everything after it is not spared. Each
stage runs in a process of its own. Memory is what the process allocated (RssAnon) at its peak: pages of mapped files
come and go as the system likes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from affinity_zoo.zoo.data.index.build import RECEPTORS_PER_SHARD, ROWS_PER_SHARD
from affinity_zoo.zoo.data.index.run import split_dataset
from affinity_zoo.zoo.data.store.columns import write_columns
from affinity_zoo.zoo.data.store.dataset import INDEX_FILE, INTEGERS, MANIFEST_FILE, NUMBERS, Dataset
from affinity_zoo.zoo.data.store.shards import write_shard
from affinity_zoo.zoo.runtime.files import cell, file_hash, whole, write_json
from affinity_zoo.zoo.runtime.terminal import say

STAGES = ("open", "split", "epoch", "rank")


def make(source: Path, out: Path, rows: int) -> None:
    """Make an index of ``rows`` rows that are those of another one, again and again."""
    import csv

    from_ = Dataset.open(source)
    columns = {name: from_.column(name).tolist() for name in from_.columns}
    n, receptors = len(from_), from_.store.receptors
    (out / "store").mkdir(parents=True)
    parts: dict[str, list[dict[str, Any]]] = {"receptors": [], "ligands": []}

    def shard(kind: str, structures: list[int]) -> None:
        name = f"{kind}-{len(parts[kind]):05d}.shard"
        write_shard(out / "store" / name, [from_.store.atoms(i) for i in structures])
        digest = file_hash(out / "store" / name)
        parts[kind].append({"file": name, "structures": len(structures), "sha256": digest})

    for first in range(0, receptors, RECEPTORS_PER_SHARD):
        shard("receptors", list(range(first, min(first + RECEPTORS_PER_SHARD, receptors))))
    ligands = columns["ligand_structure"]
    for first in range(0, rows, ROWS_PER_SHARD):
        shard("ligands", [ligands[i % n] for i in range(first, min(first + ROWS_PER_SHARD, rows))])
    with whole(out / INDEX_FILE) as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(columns)
        for i in range(rows):
            copy, row = divmod(i, n)
            values = {name: column[row] for name, column in columns.items()}
            values["ligand_structure"] = receptors + i
            if copy:
                for name in ("id", "target", "group"):
                    values[name] = f"{values[name]}~{copy}"
            writer.writerow([cell(value) for value in values.values()])
    write_columns(out, out / INDEX_FILE, INTEGERS, NUMBERS)
    write_json(out / MANIFEST_FILE, from_.manifest | {"rows": rows, "store": parts})


def open_index(folder: Path, work: Path) -> dict[str, float]:
    """Open it, with all that a training asks of it, and a thousand structures from anywhere."""
    started = time.perf_counter()
    data = Dataset.open(folder)
    opened = time.perf_counter()
    for name in ("receptor_structure", "ligand_structure", "pose_label"):
        data.column(name)
    columns = time.perf_counter()
    chosen = np.random.default_rng(0).integers(0, len(data), 1000)
    atoms = sum(len(data.store.atoms(int(i))) for i in data.ligand_structure[chosen])
    return {
        "open s": opened - started,
        "with columns s": columns - started,
        "1,000 structures s": time.perf_counter() - columns,
        "atoms": atoms,
    }


def split_index(folder: Path, work: Path) -> dict[str, float]:
    """Split it by receptor, and read the sets again."""
    data = Dataset.open(folder)
    started = time.perf_counter()
    split_dataset(data)
    made = time.perf_counter()
    again = Dataset.open(folder)
    train = len(again.rows("train"))
    return {"split s": made - started, "rows of a set s": time.perf_counter() - made, "train": train}


def one_epoch(folder: Path, work: Path) -> dict[str, float]:
    """Every batch of one epoch, without a network: element-tag, 40^3 at 0.5 Å, 32 rows, 2 threads."""
    from affinity_zoo.zoo.batches.batches import BatchMaker, Imaging
    from affinity_zoo.zoo.batches.pairs import IndexedPairs
    from affinity_zoo.zoo.batches.pipeline import TrainingBatches, TrainingPlan
    from affinity_zoo.zoo.catalog.registry import catalog

    data = Dataset.open(folder)
    featurizer = catalog().create("featurizer", "element-tag", {})
    maker = BatchMaker(IndexedPairs(data), Imaging(featurizer, featurizer.default_box))
    labels = np.nan_to_num(data.column("pose_label"))
    batches = TrainingBatches(maker, TrainingPlan(np.arange(len(data)), labels, 32, 0, "none"))
    batches(0)  # compiled before the clock runs
    shown = 0
    started = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        waiting: deque[Any] = deque()
        for step in range(batches.steps):
            waiting.append(pool.submit(batches, step))
            if len(waiting) > 4:
                shown += int(waiting.popleft().result()[2].sum())
        shown += sum(int(w.result()[2].sum()) for w in waiting)
    seconds = time.perf_counter() - started
    return {"epoch s": seconds, "rows shown": shown, "images/s": shown / seconds}


def rank(folder: Path, work: Path) -> dict[str, float]:
    """Judge a score (the docking score of the file) by every standing scorer, with intervals, onto a leaderboard."""
    from affinity_zoo.zoo.board.leaderboard import build_boards
    from affinity_zoo.zoo.board.results import write_result
    from affinity_zoo.zoo.judging.predictions import from_dataset

    data = Dataset.open(folder)
    started = time.perf_counter()
    score = -np.nan_to_num(data.column("docking_score"), nan=0.0)
    predictions = from_dataset(data, np.arange(len(data)), score)
    gathered = time.perf_counter()
    path = write_result(
        work / "result",
        model={"name": "docking score of the file", "kind": "external"},
        predictions=predictions,
        benchmark={"name": folder.name, "hash": data.content_hash, "path": str(folder), "split": "all"},
        seeds=[0],
        views=1,
        command="benchmarks/million.py",
        wall_time_s=0.0,
    )
    judged = time.perf_counter()
    build_boards([path.parent])
    return {
        "gather s": gathered - started,
        "judge and write s": judged - gathered,
        "board s": time.perf_counter() - judged,
        "rank s": time.perf_counter() - started,
    }


DO: dict[str, Callable[[Path, Path], dict[str, float]]] = dict(
    zip(STAGES, (open_index, split_index, one_epoch, rank), strict=True)
)


class Peak(threading.Thread):
    """The most memory that this process had allocated, MiB, looked at 50 times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.mib = 0.0

    def run(self) -> None:
        while True:
            self.look()
            time.sleep(0.02)

    def look(self) -> float:
        with open("/proc/self/status", encoding="ascii") as status:
            line = next(line for line in status if line.startswith("RssAnon"))
        self.mib = max(self.mib, int(line.split()[1]) / 1024)
        return self.mib


def stage(name: str, folder: Path) -> dict[str, float]:
    """Run a stage in this process and say what it took."""
    peak = Peak()
    before = peak.look()
    peak.start()
    cpu = time.process_time()
    with tempfile.TemporaryDirectory() as work:
        found = DO[name](folder, Path(work))
    return {k: round(v, 4) for k, v in found.items()} | {
        "processor s": round(time.process_time() - cpu, 2),
        "peak MiB": round(peak.look(), 1),
        "at start MiB": round(before, 1),
    }


def main() -> None:
    """Make what is missing, run every stage in a fresh process, print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="an index of real structures")
    parser.add_argument("folder", type=Path, help="where the large ones are made, and kept")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--stages", nargs="+", default=list(STAGES), choices=STAGES)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        say(json.dumps(stage(given.stage, given.folder)))
        return
    found: list[dict[str, Any]] = []
    for rows in given.rows:
        data = given.folder / f"rows-{rows}"
        if not (data / MANIFEST_FILE).is_file():
            started = time.perf_counter()
            make(given.source, data, rows)
            size = {p.name: sum(f.stat().st_size for f in p.rglob("*")) for p in data.iterdir() if p.is_dir()}
            entry = {"rows": rows, "stage": "make", "make s": round(time.perf_counter() - started, 1)}
            found.append(entry | {f"{k} bytes a row": round(v / rows) for k, v in size.items()})
            found[-1]["table bytes a row"] = round((data / INDEX_FILE).stat().st_size / rows)
            say(json.dumps(found[-1]))
        for name in given.stages:
            command = [sys.executable, __file__, str(given.source), str(data), "--stage", name]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(done.stderr)
            found.append({"rows": rows, "stage": name} | json.loads(done.stdout))
            say(json.dumps(found[-1]))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
