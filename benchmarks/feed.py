"""The feed of a training before and after a change, in turns on the same machine.

    git worktree add /tmp/before/affinity_zoo REVISION
    python benchmarks/feed.py INDEX --before /tmp/before

prints a Markdown table: poses per second of wall and of processor time, medians of the rounds. Both sides make the same
batches of 64 in epochs after the first; the child process that measures knows only what both have.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

FEATURIZERS, PLACES, THREADS = ("element-tag", "atom-types"), ("device", "host"), (1, 2)
BATCH = 64


def measure(data: str, seconds: float) -> list[dict[str, Any]]:
    """Measure the package that this process imports."""
    import numpy as np

    from affinity_zoo.zoo.batches.batches import BatchMaker, Imaging
    from affinity_zoo.zoo.batches.pairs import IndexedPairs
    from affinity_zoo.zoo.catalog.registry import catalog
    from affinity_zoo.zoo.data.store.dataset import Dataset

    pairs = IndexedPairs(Dataset.open(data))
    order = np.random.default_rng(0).permutation(len(pairs))
    steps = [order[first : first + BATCH] for first in range(0, len(order) - BATCH + 1, BATCH)]
    found = []
    for name in FEATURIZERS:
        featurizer = catalog().create("featurizer", name, {})
        for place in PLACES:
            # as a training on one device makes them; the older side may not know the form
            form = {"compact": True} if "compact" in inspect.signature(BatchMaker).parameters else {}
            maker = BatchMaker(pairs, Imaging(featurizer, featurizer.default_box, place=place), **form)  # type: ignore
            for row in order.tolist():  # the first epoch: encodings
                for number in pairs.structures(row):
                    maker.encoded[number]
            for threads in THREADS:
                until = time.perf_counter() + seconds

                def work(first: int, maker: Any = maker, step: int = threads, until: float = until) -> int:
                    done, number = 0, first
                    while time.perf_counter() < until:
                        maker.training(steps[number % len(steps)], 1 + number // len(steps))
                        done, number = done + BATCH, number + step
                    return done

                start, processor = time.perf_counter(), time.process_time()
                with ThreadPoolExecutor(threads) as pool:
                    done = sum(pool.map(work, range(threads)))
                found.append(
                    {
                        "what": (name, place, threads),
                        "wall": done / (time.perf_counter() - start),
                        "processor": done / (time.process_time() - processor),
                    }
                )
    return found


def main() -> None:
    """Compare, or measure one side (``--one``)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="folder of an index")
    parser.add_argument("--before", type=Path, help="folder that holds the other affinity_zoo")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        sys.stdout.write(json.dumps(measure(options.data, options.seconds)))
        return
    sides = {"before": str(options.before), "after": ""}
    rates: dict[tuple[str, ...], list[float]] = {}
    for _ in range(options.rounds):
        for side, path in sides.items():
            command = [sys.executable, __file__, options.data, "--one", "--seconds", str(options.seconds)]
            child = subprocess.run(
                command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=True
            )
            for row in json.loads(child.stdout):
                for kind in ("wall", "processor"):
                    rates.setdefault((*map(str, row["what"]), side, kind), []).append(row[kind])
    load = os.getloadavg()[0]
    sys.stdout.write(f"load {load:.1f}; poses/s of wall time, of processor time\n\n")
    sys.stdout.write(
        "| featurizer | makes | threads | before | after | before, processor | after, processor | ratio |\n"
    )
    sys.stdout.write("|---|---|---:|---:|---:|---:|---:|---:|\n")
    for name in FEATURIZERS:
        for place in PLACES:
            for threads in THREADS:
                value = {
                    (side, kind): statistics.median(rates[name, place, str(threads), side, kind])
                    for side in sides
                    for kind in ("wall", "processor")
                }
                cells = [
                    f"`{name}`", "atoms" if place == "device" else "images", str(threads),
                    *(f"{value[side, kind]:,.0f}" for kind in ("wall", "processor") for side in sides),
                    f"{value['after', 'processor'] / value['before', 'processor']:.1f}",
                ]  # fmt: skip
                sys.stdout.write(f"| {' | '.join(cells)} |\n")


if __name__ == "__main__":
    main()
