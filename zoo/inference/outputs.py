"""Running a model over many pairs: batches are made in threads while the network computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.batches.batches import BatchMaker, Inputs


def outputs(
    model: keras.Model,
    maker: BatchMaker,
    rows: NDArray[np.int64],
    n_views: int = 1,
    batch_size: int = 32,
    workers: int = 2,
    done: Callable[[int], None] = lambda n: None,
) -> NDArray[np.float32]:
    """Run the model over ``rows`` in fixed views.

    Args:
        model: a :class:`~affinity_zoo.zoo.models.scoring_model.ScoringModel`.
        maker: what makes the batches.
        rows: (n,) row numbers of the maker's pairs.
        n_views: fixed orientations of each pair; the first is that of the file.
        batch_size: rows at once; the last batch is filled up, so that nothing is compiled twice.
        workers: threads that make batches.
        done: called with the number of rows finished (each view counts).

    Returns:
        ``(n, n_views, outputs)`` float32.

    Raises:
        UsageError: views, batch size or workers below 1.
    """
    for name, number in (("views", n_views), ("batch_size", batch_size), ("workers", workers)):
        if number < 1:
            raise UsageError(f"`{name}` must be at least 1, not {number}")
    tasks = [(view, start) for view in range(n_views) for start in range(0, len(rows), batch_size)]
    pieces: list[list[NDArray[Any]]] = [[] for _ in range(n_views)]
    if len(rows) == 0:
        return np.zeros((0, n_views, int(model.network.output_shape[-1])), np.float32)

    def make(task: tuple[int, int]) -> tuple[int, int, Inputs]:
        view, start = task
        part = rows[start : start + batch_size]
        filled = np.concatenate([part, np.repeat(part[:1], min(batch_size, len(rows)) - len(part))])
        return view, len(part), maker.evaluation(filled, view)

    for view, n, inputs in _ahead(make, tasks, workers):
        pieces[view].append(np.asarray(model.predict_on_batch(inputs))[:n])
        done(n)
    return np.stack([np.concatenate(piece) for piece in pieces], axis=1)


def _ahead(make: Callable[[Any], Any], tasks: list[Any], workers: int) -> Iterator[Any]:
    """Yield ``make(task)`` in order, at most ``workers + 1`` tasks ahead, so that memory stays flat."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Any]] = deque()
        todo = iter(tasks)
        for task in todo:
            waiting.append(pool.submit(make, task))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
