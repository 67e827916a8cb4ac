"""Peak memory of the input pipeline over one epoch, in a separate process for each number of rows.

``python -m affinity_zoo.zoo.speed.memory ROWS`` prints the peak of this process in MiB.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import Any

from affinity_zoo.plugins.errors import AffinityZooError

FEATURIZER = "element-tag"


def measure(rows: tuple[int, ...] = (1_000, 100_000)) -> list[dict[str, Any]]:
    """Peak resident memory for each number of rows, MiB, and its ratio to the first.

    Args:
        rows: Rows of the generated index.
    """
    found: list[dict[str, Any]] = []
    for count in rows:
        done = subprocess.run(
            [sys.executable, "-m", "affinity_zoo.zoo.speed.memory", str(count)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise AffinityZooError(f"measuring the memory of {count} rows failed: {last}")
        peak = float(done.stdout.split()[-1])
        found.append(
            {
                "rows": count,
                "peak_mib": peak,
                "ratio": round(peak / (found[0]["peak_mib"] if found else peak), 2),
            }
        )
    return found


def run_epoch(rows: int, batch_size: int = 32, workers: int = 2) -> float:
    """Make every batch of one epoch, each row once; the peak of this process so far, MiB.

    Args:
        rows: Rows of the generated index.
        batch_size: Poses in a batch.
        workers: Threads that make batches.
    """
    import numpy as np

    from affinity_zoo.zoo.batches.batches import BatchMaker, Imaging
    from affinity_zoo.zoo.batches.pipeline import TrainingBatches, TrainingPlan, training_data
    from affinity_zoo.zoo.catalog.registry import catalog
    from affinity_zoo.zoo.speed.pairs import SyntheticPairs

    featurizer = catalog().create("featurizer", FEATURIZER, {})
    imaging = Imaging(featurizer, featurizer.default_box)
    labels = (np.arange(rows) % 11 == 0).astype(np.float64)
    plan = TrainingPlan(np.arange(rows), labels, batch_size, 0, "none")
    batches = TrainingBatches(BatchMaker(SyntheticPairs(rows), imaging), plan)
    for _ in training_data(batches, 0, batches.steps, workers):
        pass
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20, 1)


def main() -> None:
    """Print the peak for the number of rows given."""
    from affinity_zoo.zoo.runtime.keras import start_keras

    start_keras()
    sys.stdout.write(f"{run_epoch(int(sys.argv[1]))}\n")


if __name__ == "__main__":
    main()
