"""How fast batches are made on the host: the feed of a training, with nobody training.

Epochs after the first: structures have been encoded, as in all but the first epoch of a training.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Featurizer
from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.batches.batches import BatchMaker, Imaging, Inputs, Place
from affinity_zoo.zoo.batches.epochs import epoch_order
from affinity_zoo.zoo.batches.pairs import IndexedPairs, Pairs
from affinity_zoo.zoo.catalog.registry import catalog
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.speed.pairs import SyntheticPairs

FEATURIZERS: Final = ("element-tag", "atom-types")
PLACES: Final[tuple[Place, ...]] = ("device", "host")
THREADS: Final = (1, 2)
BATCH: Final = 64
#: what a script reads of each row; the table shows more
FIGURES: Final = ("featurizer", "place", "threads", "poses_per_s")
_MOST: Final = 20_000  #: rows that are used of a larger index


def measure(
    data: Path | None = None,
    seconds: float = 1.5,
    batch_size: int = BATCH,
    say: Callable[[str], None] = lambda line: None,
) -> list[dict[str, Any]]:
    """Measure the feed for each built-in featurizer at its own box, both places, one and two threads.

    Args:
        data: folder of an index; None: synthetic complexes.
        seconds: of each figure.
        batch_size: Poses in a batch.
        say: receives the name of each measurement.

    Returns:
        For each ``featurizer``, ``place`` and ``threads``: ``poses_per_s``; ``poses_per_cpu_s``, by the processor
        time of this process, which other work on the machine does not lower as much; ``bytes_per_pose``, what
        travels to the device.

    Raises:
        UsageError: a number of rows smaller than a batch.
    """
    pairs: Pairs = SyntheticPairs(4096) if data is None else IndexedPairs(Dataset.open(data))
    if len(pairs) < batch_size:
        raise UsageError(f"`data` has {len(pairs)} rows: a batch of {batch_size} needs as many")
    rows = np.arange(min(len(pairs), _MOST))
    found = []
    for name in FEATURIZERS:
        featurizer = catalog().create("featurizer", name, {})
        for place in PLACES:
            say(f"feed {name}, {'atoms' if place == 'device' else 'images'}")
            found += _rates(pairs, rows, featurizer, place, seconds, batch_size)
    return found


def _rates(
    pairs: Pairs, rows: NDArray[np.int64], featurizer: Featurizer, place: Place, seconds: float, size: int
) -> list[dict[str, Any]]:
    maker = BatchMaker(pairs, Imaging(featurizer, featurizer.default_box, place=place), compact=True)
    order = epoch_order(rows, np.zeros(len(rows)), 0, 0, "none")[0]
    steps = [order[first : first + size] for first in range(0, len(order) - size + 1, size)]
    for step in steps:  # the first epoch: encodings
        maker.encoded.many([number for row in step.tolist() for number in pairs.structures(row)])
    sample = maker.training(steps[0], 1)
    found = []
    for threads in THREADS:
        done, wall, processor = _run(maker, steps, threads, seconds)
        found.append(
            {
                "featurizer": featurizer.name,
                "place": place,
                "threads": threads,
                "poses_per_s": round(done / wall),
                "poses_per_cpu_s": round(done / processor),
                "bytes_per_pose": bytes_per_pose(sample),
            }
        )
    return found


def bytes_per_pose(batch: Inputs) -> int:
    """Bytes of one pose of a batch, padding included.

    Args:
        batch: A batch of atoms.
    """
    return sum(array.nbytes for array in batch.values()) // len(next(iter(batch.values())))


def _run(
    maker: BatchMaker, steps: list[NDArray[np.int64]], threads: int, seconds: float
) -> tuple[int, float, float]:
    """Poses made, wall seconds, processor seconds."""

    def work(first: int, until: float) -> int:
        done, number = 0, first
        while time.perf_counter() < until:
            epoch, step = divmod(number, len(steps))
            maker.training(steps[step], 1 + epoch)
            done, number = done + len(steps[step]), number + threads
        return done

    with ThreadPoolExecutor(threads) as pool:
        for until in (0.1 * seconds, seconds):  # threads and memory are warm when it counts
            start, processor = time.perf_counter(), time.process_time()
            total = sum(pool.map(work, range(threads), [start + until] * threads))
    return total, time.perf_counter() - start, time.process_time() - processor
