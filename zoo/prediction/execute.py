"""Execution of chunks: in this process, in several, or on a cluster."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.inference.ready import ReadyModel
from affinity_zoo.zoo.prediction.chunks import Chunk, RecordRange
from affinity_zoo.zoo.prediction.rows import PosePrediction
from affinity_zoo.zoo.prediction.scoring import Scored, prepare, score, score_chunk
from affinity_zoo.zoo.runtime.terminal import Advance

if TYPE_CHECKING:
    from affinity_zoo.zoo.prediction.choices import Choices


def scored_chunks(
    tasks: Iterator[Chunk], models: Sequence[ReadyModel], choices: Choices, advance: Advance
) -> Iterator[tuple[Chunk, Scored]]:
    """Score chunks in this process, in several or on a cluster; results are in the order of the chunks.

    Args:
        tasks: the chunks.
        models: for scoring here; processes and clusters load those that a task names.
        choices: where to score.
        advance: called with the number of images scored.

    Raises:
        AffinityZooError: a worker cannot score at all.
    """
    if not choices.dask and not choices.processes:
        yield from _here(tasks, models, advance)
        return
    from affinity_zoo.zoo.runtime.dask_cluster import dask_cluster
    from affinity_zoo.zoo.runtime.parallel import Lost, ordered_map

    def mapped(some: Iterator[Chunk]) -> Iterator[Any]:
        return ordered_map(
            score_chunk,
            some,
            workers=choices.processes or None,
            chunk=1,
            make_executor=dask_cluster(choices.dask) if choices.dask else None,
        )

    for result in mapped(tasks):
        task, value = result.item, result.value
        if isinstance(value, Lost):
            if value.stage == "error":
                raise AffinityZooError(f"a worker could not score: {value.reason}")
            # which pose did it is not known: one by one, and the one that does it again has no score
            value = Scored([], [])
            for single in mapped(_singles(task)):
                lost = isinstance(single.value, Lost)
                part = _lost(single.item, single.value.reason) if lost else single.value
                value.rows.extend(part.rows)
                value.structures.extend(part.structures)
        advance(len(value.rows) * task.scoring.n_views * len(task.models))
        yield task, value


def _here(
    tasks: Iterator[Chunk], models: Sequence[ReadyModel], advance: Advance
) -> Iterator[tuple[Chunk, Scored]]:
    """Score in this process; the next chunk is read while the network computes."""
    with ThreadPoolExecutor(1) as reader:
        waiting: deque[tuple[Chunk, Future[Any]]] = deque()
        for task in chain(tasks, (None,)):
            if task is not None:
                waiting.append((task, reader.submit(prepare, task, models)))
            while len(waiting) > (1 if task is not None else 0):
                first, future = waiting.popleft()
                yield first, score(future.result(), advance)


def _singles(task: Chunk) -> Iterator[Chunk]:
    """Each record of a chunk as a chunk of its own, where their number is known."""
    for piece in task.pieces:
        for single in _records(piece):
            yield replace(task, pieces=(single,))


def _records(piece: RecordRange) -> Iterator[RecordRange]:
    if piece.wanted:
        for one in piece.wanted:
            yield replace(piece, first=one[0], last=one[0] + 1, start=-1, stop=-1, wanted=(one,))
    elif piece.last is not None:
        for record in range(piece.first, piece.last):
            yield replace(piece, first=record, last=record + 1, start=-1, stop=-1)
    else:
        yield piece


def _lost(task: Chunk, reason: str) -> Scored:
    piece = task.pieces[0]
    row = PosePrediction(
        id=piece.wanted[0][1] if piece.wanted else piece.id, target=piece.target,
        molecule=piece.wanted[0][2] if piece.wanted else piece.molecule, file=piece.shown, record=piece.first,
        docking_score=piece.wanted[0][3] if piece.wanted else piece.docking_score,
        receptor=piece.receptor, status="failed", reason=reason,
    )  # fmt: skip
    return Scored([row.as_dict()], [b""] if task.structures else [])
