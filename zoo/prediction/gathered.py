"""The rows of finished chunks in the order of the input, with an id each."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import NamedTuple

from affinity_zoo.zoo.data.readers.records import unique
from affinity_zoo.zoo.prediction import reading
from affinity_zoo.zoo.prediction.chunks import Cutter
from affinity_zoo.zoo.prediction.finished_chunks import FinishedChunks
from affinity_zoo.zoo.prediction.inputs import PredictionInputs
from affinity_zoo.zoo.prediction.rows import PosePrediction
from affinity_zoo.zoo.prediction.shards import InputShard, Place


class Stored(NamedTuple):
    """Position of a row and its structure in the finished chunks."""

    place: Place
    first: int = 0  #: byte of the chunk's structures
    length: int = 0


def gathered(
    inputs: PredictionInputs, parts: FinishedChunks, shard: InputShard, chunk: int
) -> tuple[list[PosePrediction], list[Stored]]:
    """Return all rows in the order of the input, and the location of each.

    Args:
        inputs: of the prediction.
        parts: its finished chunks.
        shard: which part of the prediction.
        chunk: poses of a chunk.
    """
    rows: list[PosePrediction] = []
    places: list[Stored] = []
    for number in parts.finished():
        found, lengths = parts.rows(number)
        start = 0
        for i, values in enumerate(found):
            length = lengths[i] if lengths else 0
            rows.append(PosePrediction.from_dict(values))
            places.append(Stored((number, i), start, length))
            start += length
    rows = _with_unique_ids(inputs, rows, places, shard, Cutter(parts.spool, chunk))
    if shard.number == 1:  # lines of a table that name no pose come after all others
        for i, wrong in enumerate(inputs.wrong):
            rows.append(
                PosePrediction(file=wrong.file, record=wrong.record, status="failed", reason=wrong.reason)
            )
            places.append(Stored((sys.maxsize, i)))
    return rows, places


def _with_unique_ids(
    inputs: PredictionInputs,
    rows: list[PosePrediction],
    places: list[Stored],
    shard: InputShard,
    cutter: Cutter,
) -> list[PosePrediction]:
    """The rows with an id each; ids of the user are not changed.

    Other parts of a divided prediction count too: the ids of their rows follow from the pieces, without reading.
    """
    given = {entry.id for entry in inputs.entries if entry.id}
    ids: dict[Place, str] = {stored.place: row.id for row, stored in zip(rows, places, strict=True)}
    if shard.count > 1:
        for number, pieces in enumerate(cutter.chunks(inputs.entries)):
            if not shard.holds(number):
                names = (name for piece in pieces for name in reading.expected_ids(piece))
                ids |= {(number, i): name for i, name in enumerate(names)}
    made = [place for place in sorted(ids) if ids[place] not in given]
    ids |= dict(zip(made, unique(ids[place] for place in made), strict=True))
    return [replace(row, id=ids[stored.place]) for row, stored in zip(rows, places, strict=True)]


def structure_of(parts: FinishedChunks, places: list[Stored], i: int) -> bytes:
    """The SDF text of a row; empty where it has none.

    Args:
        parts: finished chunks.
        places: of the rows.
        i: number of the row.
    """
    stored = places[i]
    return parts.structure(stored.place[0], stored.first, stored.length) if stored.length else b""
