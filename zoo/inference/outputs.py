"""Running a network over many pairs: batches are made in threads while the network computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers.views import AS_GIVEN, View
from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.batches.batches import BatchMaker, Inputs
from affinity_zoo.zoo.runtime.backends import active_backend

if TYPE_CHECKING:
    import keras

Done: TypeAlias = Callable[[int], None]

#: Fewest images that a network gets at once. On a CPU a batch of one takes other arithmetic (matrix times vector) and
#: differs in the last digit; from two on, every size and place in a batch gives the same bits.
LEAST: Final = 2


def nothing_done(n: int) -> None:
    """Progress callback that does nothing.

    Args:
        n: Number of finished images.
    """


def outputs(
    model: keras.Model,
    maker: BatchMaker,
    rows: NDArray[np.int64],
    views: Sequence[View] = (AS_GIVEN,),
    batch_size: int = 32,
    threads: int = 2,
    done: Done = nothing_done,
) -> NDArray[np.float32]:
    """Run a model over ``rows`` in each of the views.

    Args:
        model: a :class:`~affinity_zoo.zoo.models.scoring_model.ScoringModel`.
        maker: what makes the batches.
        rows: (n,) row numbers of the maker's pairs.
        views: how every row is turned.
        batch_size: rows at once. Batches are filled up to one of few sizes, so that little is compiled.
        threads: threads that make batches.
        done: called with the number of images finished.

    Returns:
        ``(n, views, outputs)`` float32. A row's outputs do not depend on the other rows.

    Raises:
        UsageError: no view, or a batch size or number of threads below 1.
    """
    return outputs_of_networks([model], maker, rows, views, batch_size, threads, done)[0]


def outputs_of_networks(
    models: Sequence[keras.Model],
    maker: BatchMaker,
    rows: NDArray[np.int64],
    views: Sequence[View] = (AS_GIVEN,),
    batch_size: int = 32,
    threads: int = 2,
    done: Done = nothing_done,
) -> list[NDArray[np.float32]]:
    """Run several models that take the same batches over ``rows`` in each of the views; a batch is made once.

    Args:
        models: as :func:`outputs` takes one.
        maker: what makes the batches.
        rows: (n,) row numbers of the maker's pairs.
        views: how every row is turned.
        batch_size: rows at once.
        threads: threads that make batches.
        done: called with the number of images that a model has finished.

    Returns:
        Of each model ``(n, views, outputs)`` float32.

    Raises:
        UsageError: no view, or a batch size or number of threads below 1.
    """
    for name, number in (("views", len(views)), ("batch_size", batch_size), ("threads", threads)):
        if number < 1:
            raise UsageError(f"`{name}` must be at least 1, not {number}")
    if len(rows) == 0:
        return [np.zeros((0, len(views), int(m.network.output_shape[-1])), np.float32) for m in models]
    tasks = [(view, start) for view in range(len(views)) for start in range(0, len(rows), batch_size)]
    pieces: list[list[list[NDArray[Any]]]] = [[[] for _ in views] for _ in models]
    shared = active_backend().shared

    def make(task: tuple[int, int]) -> tuple[int, int, Inputs]:
        view, start = task
        part = rows[start : start + batch_size]
        size = call_size(len(part), batch_size)
        filled = np.concatenate([part, np.repeat(part[:1], size - len(part))])
        return view, len(part), maker.evaluation(filled, views[view])

    for view, n, inputs in _ahead(make, tasks, threads):
        tensors = {name: shared(array) for name, array in inputs.items()}
        for model, found in zip(models, pieces, strict=True):
            found[view].append(np.asarray(model.predict_on_batch(tensors))[:n])
            done(n)
    return [np.stack([np.concatenate(piece) for piece in found], axis=1) for found in pieces]


def call_size(n: int, batch_size: int) -> int:
    """The number of images that a network gets at once for n rows.

    Args:
        n: rows, at most ``batch_size``.
        batch_size: the largest batch.

    Returns:
        The next power of two, at least :data:`LEAST` and otherwise at most ``batch_size``.
    """
    return max(LEAST, min(batch_size, 1 << (n - 1).bit_length()))


def _ahead(make: Callable[[Any], Any], tasks: list[Any], threads: int) -> Iterator[Any]:
    """Yield ``make(task)`` in order, at most ``threads + 1`` tasks ahead, so that memory stays flat."""
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Any]] = deque()
        todo = iter(tasks)
        for task in todo:
            waiting.append(pool.submit(make, task))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
