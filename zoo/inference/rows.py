"""Scores of the rows of an index, in fixed views, here or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers.views import ViewOptions
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.batches.batches import BatchMaker, Imaging, choose_place
from affinity_zoo.zoo.batches.pairs import IndexedPairs
from affinity_zoo.zoo.data.store.dataset import MANIFEST_FILE, Dataset
from affinity_zoo.zoo.inference import outputs as inference
from affinity_zoo.zoo.models import loading as models
from affinity_zoo.zoo.runtime.device import find_device
from affinity_zoo.zoo.runtime.files import file_hash
from affinity_zoo.zoo.runtime.parallel import DaskCluster, Lost, ordered_map
from affinity_zoo.zoo.runtime.terminal import progress

BATCHES: Final = (
    32  #: of one piece of work. Its last batch is filled up, so pieces are the same wherever they are done
)


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows to be scored by one worker: all it needs to know."""

    model: str  #: model directory
    data: str  #: folder of the index
    mark: str  #: hash of its manifest: a worker must not go on with an index that was replaced
    rows: NDArray[np.int64]
    views: int
    seed: int
    batch_size: int
    voxelize: str
    threads: int


def score_rows(
    model: models.Model,
    dataset: Dataset,
    rows: NDArray[np.int64],
    views: int,
    seed: int = 0,
    batch_size: int = 32,
    voxelize: str = "auto",
    workers: int = 2,
    cluster: DaskCluster | None = None,
) -> NDArray[np.float64]:
    """Score rows of an index in fixed views: ``(n, views, outputs)`` logits and pK.

    Args:
        workers: threads that make batches.
        cluster: score there; its workers see the same folders, and each loads the model once.

    Raises:
        AffinityZooError: a worker could not score.
    """
    size = max(1, batch_size) * BATCHES
    parts = [rows[first : first + size] for first in range(0, len(rows), size)] or [rows]
    with progress("scoring", len(rows) * views, "images") as advance:
        if cluster is None:
            maker = _maker(model, dataset, voxelize, seed)
            found = [
                inference.outputs(model.network, maker, part, views, batch_size, workers, advance)
                for part in parts
            ]
        else:
            mark = file_hash(dataset.path / MANIFEST_FILE)
            pieces = (
                Piece(
                    str(model.folder.resolve()), str(dataset.path.resolve()), mark,
                    part, views, seed, batch_size, voxelize, workers,
                )
                for part in parts
            )  # fmt: skip
            found = list(_far(pieces, cluster, advance))
    return np.concatenate(found).astype(np.float64)


def _far(
    pieces: Iterator[Piece], cluster: DaskCluster, advance: Callable[[int], None]
) -> Iterator[NDArray[np.float32]]:
    for done in ordered_map(score_piece, pieces, chunk=1, make_executor=cluster):
        if isinstance(done.value, Lost):
            raise AffinityZooError(f"a worker could not score: {done.value.reason}")
        advance(len(done.item.rows) * done.item.views)
        yield done.value


def score_piece(piece: Piece) -> NDArray[np.float32]:
    """Score a piece: ``(n, views, outputs)``. What a worker of a cluster does."""
    maker = _kept_maker(piece.model, piece.data, piece.mark, piece.voxelize, piece.seed)
    network = _model(piece.model).network
    return inference.outputs(network, maker, piece.rows, piece.views, piece.batch_size, piece.threads)


def _maker(model: models.Model, dataset: Dataset, voxelize: str, seed: int) -> BatchMaker:
    place = choose_place(model.featurizer, model.box, voxelize, find_device().accelerator)
    return BatchMaker(IndexedPairs(dataset), Imaging(model.featurizer, model.box, ViewOptions(), place), seed)


@lru_cache(maxsize=8)
def _kept_maker(model: str, data: str, mark: str, voxelize: str, seed: int) -> BatchMaker:
    return _maker(_model(model), _dataset(data, mark), voxelize, seed)


@lru_cache(maxsize=8)
def _model(folder: str) -> models.Model:
    return models.load_model(Path(folder))


@lru_cache(maxsize=2)
def _dataset(folder: str, mark: str) -> Dataset:
    dataset = Dataset.open(folder)
    if file_hash(dataset.path / MANIFEST_FILE) != mark:
        raise AffinityZooError(f"{folder} is another index on this worker")
    return dataset
