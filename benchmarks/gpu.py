"""What an accelerator reaches, in one short run; on a CPU a dry run with small numbers.

    KERAS_BACKEND=jax python benchmarks/gpu.py --out gpu.json
    python benchmarks/gpu.py --batch-size 4 --steps 2 --epoch-rows 64 --out dry.json

images/s of the device voxelizers; training images/s of `cnn4` on 40^3 x 1, `resnet3d` on 24^3 x 28 and 48^3 x 28 in
mixed precision, with the share of a step in which the device waits (to reach: below 10 %); and one epoch of the
ancestor's size (330,000 images; 25 minutes on its K80; to reach: below 60 s) after one in which structures are encoded.
It needs nothing but this package and the backend: atoms are synthetic.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from affinity_zoo.plugins.contracts import Box
from affinity_zoo.zoo.runtime.keras import start_keras

TRAININGS = (
    ("element-tag", "cnn4", Box(40, 0.5)),
    ("atom-types", "resnet3d", Box(24, 1.0)),
    ("atom-types", "resnet3d", Box(48, 0.5)),
)


def one_epoch(rows: int, batch_size: int, workers: int, mixed_precision: bool) -> dict[str, Any]:
    """Time two epochs of `element-tag` and `cnn4`; the second one is what later epochs take."""
    from affinity_zoo.zoo.batches.pipeline import training_data
    from affinity_zoo.zoo.speed import training as rates

    one = rates.setup(
        "element-tag", "cnn4", rows=rows, batch_size=batch_size, workers=workers, voxelize="device",
        mixed_precision=mixed_precision, balance="none", cache_bytes=2 * 2**30,
    )  # fmt: skip
    steps, seconds = one.batches.steps, []
    data = training_data(one.batches, 0, 2 * steps, workers)
    for epoch in range(2):
        start = time.perf_counter()
        one.model.fit(
            data, initial_epoch=epoch, epochs=epoch + 1, steps_per_epoch=steps, verbose=0, shuffle=False
        )
        seconds.append(time.perf_counter() - start)
    return {"rows": rows, "first_s": round(seconds[0], 1), "second_s": round(seconds[1], 1)}


def main() -> None:
    """Measure and write a JSON report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--epoch-rows", type=int, default=330_000)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    start_keras()
    from affinity_zoo.zoo.runtime.device import find_device
    from affinity_zoo.zoo.speed import device
    from affinity_zoo.zoo.speed.suite import libraries, machine

    found = find_device()
    report: dict[str, Any] = {"device": found.description, "machine": machine(), "libraries": libraries()}
    options.out.parent.mkdir(parents=True, exist_ok=True)

    def keep(name: str, value: Any) -> None:
        # each figure is kept at once: device time may end before the script does
        report[name] = value
        options.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        sys.stdout.write(f"{name}: {json.dumps(value)}\n")
        sys.stdout.flush()

    keep("voxelizers", device.voxelizers(options.batch_size, options.steps))
    for featurizer, architecture, box in TRAININGS:
        rates = device.training(
            featurizer,
            architecture,
            options.batch_size,
            options.steps,
            found.accelerator,
            box,
            options.workers,
        )
        keep(f"{featurizer} {architecture} {box.side}^3", rates)
    keep("epoch", one_epoch(options.epoch_rows, options.batch_size, options.workers, found.accelerator))


if __name__ == "__main__":
    main()
