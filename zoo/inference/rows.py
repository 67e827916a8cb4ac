"""Outputs of models for the rows of an index, here or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.batches.batches import BatchMaker
from affinity_zoo.zoo.batches.pairs import IndexedPairs
from affinity_zoo.zoo.data.store.dataset import MANIFEST_FILE, Dataset
from affinity_zoo.zoo.inference.choices import ScoringChoices
from affinity_zoo.zoo.inference.held import held_model
from affinity_zoo.zoo.inference.ready import ReadyModel
from affinity_zoo.zoo.inference.together import outputs_together
from affinity_zoo.zoo.runtime.dask_cluster import DaskCluster
from affinity_zoo.zoo.runtime.files import file_hash
from affinity_zoo.zoo.runtime.parallel import Lost, ordered_map
from affinity_zoo.zoo.runtime.terminal import progress

BATCHES: Final = 32  #: batches of one piece of work


@dataclass(frozen=True, eq=False)
class RowChunk:
    """Rows to be scored by one worker, with model, index and options."""

    model: str  #: model directory
    data: str  #: folder of the index
    mark: str  #: hash of its manifest: a worker must not continue with an index that was replaced
    rows: NDArray[np.int64]
    choices: ScoringChoices


def score_rows(
    model: ReadyModel,
    dataset: Dataset,
    rows: NDArray[np.int64],
    choices: ScoringChoices,
    cluster: DaskCluster | None = None,
) -> NDArray[np.float64]:
    """Outputs of a model for rows of an index in fixed views.

    Args:
        model: ready to score.
        dataset: the index.
        rows: (n,) row numbers.
        choices: how to score; an open number of views is the model's own.
        cluster: score there; its workers see the same folders, and each loads the model once.

    Returns:
        (n, views, outputs) float64, as :func:`affinity_zoo.zoo.inference.combine.combine` takes them.

    Raises:
        AffinityZooError: a worker could not score.
    """
    choices = choices.resolved([model.model.card])
    size = choices.batch_size * BATCHES
    parts = [rows[first : first + size] for first in range(0, len(rows), size)] or [rows]
    with progress("scoring", len(rows) * choices.n_views, "images") as advance:
        if cluster is None:
            maker = model.batches(IndexedPairs(dataset), choices.voxelize)
            found = [model.outputs(maker, part, choices, advance) for part in parts]
        else:
            folder, data = str(model.model.folder.resolve()), str(dataset.path.resolve())
            mark = file_hash(dataset.path / MANIFEST_FILE)
            found = list(
                _far((RowChunk(folder, data, mark, part, choices) for part in parts), cluster, advance)
            )
    return np.concatenate(found)


def score_rows_together(
    models: Sequence[ReadyModel],
    dataset: Dataset,
    rows: NDArray[np.int64],
    choices: ScoringChoices,
    cluster: DaskCluster | None = None,
) -> list[NDArray[np.float64]]:
    """Outputs of several models for rows of an index; here, models with equal images share them.

    Args:
        models: ready to score.
        dataset: the index.
        rows: (n,) row numbers.
        choices: how to score, with a number of views.
        cluster: score there, one model after the other.

    Returns:
        Of each model what :func:`score_rows` gives.

    Raises:
        AffinityZooError: a worker could not score.
    """
    if cluster is not None or len(models) == 1:
        return [score_rows(model, dataset, rows, choices, cluster) for model in models]
    pairs = IndexedPairs(dataset)
    with progress("scoring", len(rows) * choices.n_views * len(models), "images") as advance:
        return outputs_together(models, lambda _: pairs, rows, choices, advance)


def _far(
    pieces: Iterator[RowChunk], cluster: DaskCluster, advance: Callable[[int], None]
) -> Iterator[NDArray[np.float64]]:
    for done in ordered_map(score_piece, pieces, chunk=1, make_executor=cluster):
        if isinstance(done.value, Lost):
            raise AffinityZooError(f"a worker could not score: {done.value.reason}")
        advance(len(done.item.rows) * done.item.choices.n_views)
        yield done.value


def score_piece(piece: RowChunk) -> NDArray[np.float64]:
    """Score rows in a worker of a cluster.

    Args:
        piece: the rows and how to score them.

    Returns:
        (n, views, outputs) float64.
    """
    model = held_model(piece.model)
    maker = _kept_batches(model, _dataset(piece.data, piece.mark), piece.choices.voxelize)
    return model.outputs(maker, piece.rows, piece.choices)


@lru_cache(maxsize=8)
def _kept_batches(model: ReadyModel, dataset: Dataset, voxelize: str) -> BatchMaker:
    """Return the encoded structures of an index, cached in a worker."""
    return model.batches(IndexedPairs(dataset), voxelize)


@lru_cache(maxsize=2)
def _dataset(folder: str, mark: str) -> Dataset:
    dataset = Dataset.open(folder)
    if file_hash(dataset.path / MANIFEST_FILE) != mark:
        raise AffinityZooError(f"{folder} is another index on this worker")
    return dataset
