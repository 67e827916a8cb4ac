"""Scores of the rows of an index, in fixed views."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers.views import ViewOptions
from affinity_zoo.zoo import inference, models
from affinity_zoo.zoo.data.batches import BatchMaker, Imaging, choose_place
from affinity_zoo.zoo.data.dataset import Dataset
from affinity_zoo.zoo.data.pairs import IndexedPairs
from affinity_zoo.zoo.terminal import progress
from affinity_zoo.zoo.training.device import find_device


def score_rows(
    model: models.Model,
    dataset: Dataset,
    rows: NDArray[np.int64],
    views: int,
    seed: int = 0,
    batch_size: int = 32,
    voxelize: str = "auto",
    workers: int = 2,
) -> NDArray[np.float64]:
    """Score rows of an index in fixed views: ``(n, views, outputs)`` logits and pK."""
    place = choose_place(model.featurizer, model.box, voxelize, find_device().accelerator)
    imaging = Imaging(model.featurizer, model.box, ViewOptions(), place)
    maker = BatchMaker(IndexedPairs(dataset), imaging, seed)
    with progress("scoring", len(rows) * views, "images") as advance:
        outputs = inference.outputs(model.network, maker, rows, views, batch_size, workers, advance)
    return outputs.astype(np.float64)
