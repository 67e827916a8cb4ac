"""Scores of another program on a benchmark: a row of the board like any other."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.board.baseline_results import write_baseline_results
from affinity_zoo.zoo.board.results import Result, command_line, load_result, write_result
from affinity_zoo.zoo.board.verify import check_name
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.evaluation.data import judged_rows, named_scorers, with_defaults
from affinity_zoo.zoo.evaluation.score_files import ExternalScore, read_scores
from affinity_zoo.zoo.evaluation.score_formats import Direction
from affinity_zoo.zoo.judging.predictions import from_dataset
from affinity_zoo.zoo.models.run_folder import DEFAULT_ROOT
from affinity_zoo.zoo.runtime.files import file_hash
from affinity_zoo.zoo.runtime.terminal import warn

Array: TypeAlias = NDArray[Any]

FOLDER = "external"


class DirectionUnknownError(UsageError):
    """The direction of a column is not known."""


def evaluate_scores(
    scores: Any,
    benchmark: str | Path,
    *,
    name: str,
    direction: Direction | None = None,
    column: str | None = None,
    id_column: str | None = None,
    split: str = "test",
    sources: tuple[str, ...] = (),
    scorers: tuple[str, ...] = (),
    runs: str | Path = DEFAULT_ROOT,
) -> Result:
    """Judge scores that another program gave to the pairs of a benchmark.

    Args:
        scores: a file or folder (:func:`~affinity_zoo.zoo.evaluation.score_files.read_scores`), a mapping from id to
            score, or a DataFrame with the columns ``id`` and ``score`` (or those named below).
        benchmark: name of a benchmark below ``runs``, or a folder made by ``affinity-zoo index``.
        name: name of the row.
        direction: which end is better, ``higher`` or ``lower``; None: as the known program writes it.
        column: column or property that holds the score.
        id_column: column or property that holds the id.
        split: of a folder: ``test``, ``validation``, ``train`` or ``all``.
        sources: of a folder: judge only poses from these sources; empty: all.
        scorers: names of scorers in addition to those of every board.
        runs: Folder that holds ``x_logs`` and ``x_netstate`` of each run.

    Returns:
        The result; a pair without a score counts as last, an affinity as the mean of the scores.

    Raises:
        UsageError: the direction is not known, or a column is missing.
        AffinityZooError: no score belongs to a pair, or two belong to one.
    """
    if not name.strip():
        raise UsageError("the scores need a name for their row on the board")
    check_name(name, "these scores")
    named = named_scorers(scorers)
    rows, about = _read(scores, column, id_column)
    known = about.pop("known", None)
    if direction is None and known is None:
        raise DirectionUnknownError(
            f"the direction of {about['column']} is not known: give higher or lower (`direction`)"
        )
    chosen = direction or known.direction
    if chosen not in ("higher", "lower"):
        raise UsageError(f"the direction is higher or lower, not {chosen!r}")
    dataset, numbers, entry = judged_rows(benchmark, split, sources, Path(runs))
    given = matched(rows, dataset, numbers)
    predictions = from_dataset(dataset, numbers, given if chosen == "higher" else -given)
    missing = int(np.isnan(given).sum())
    if missing:
        warn(f"{missing:,} of {len(given):,} pairs have no score of {name}: they rank last")
    model = {
        "name": name,
        "kind": FOLDER,
        "direction": chosen,
        "program": known.program if known else "",
        **about,
    }
    path = write_result(
        Path(runs) / FOLDER / folder_name(name) / "results" / str(entry["name"]),
        model=model,
        predictions=predictions,
        benchmark=entry,
        command=command_line(),
        overlap={"verdict": "cannot know"},
        scorers=with_defaults(named, predictions, None, calibrated=False),
    )
    write_baseline_results(Path(runs) / "baselines", dataset, numbers, predictions, entry)
    return load_result(path)


def _read(
    scores: Any, column: str | None, id_column: str | None
) -> tuple[list[ExternalScore], dict[str, Any]]:
    """Return the scores and a description of their origin."""
    if isinstance(scores, str | Path):
        path = Path(scores)
        found = read_scores(path, column, id_column)
        about = {"file": path.name, "column": found.column, "known": found.known}
        return found.rows, about | ({"file_sha256": file_hash(path)} if path.is_file() else {})
    if isinstance(scores, Mapping):
        pairs = list(scores.items())
    else:
        ids, values = id_column or "id", column or "score"
        try:
            pairs = list(zip(scores[ids], scores[values], strict=True))
        except (KeyError, TypeError) as error:
            raise UsageError(f"the scores need the columns {ids!r} and {values!r}: {error}") from error
    return [_from_python(key, value) for key, value in pairs], {"column": column or "score"}


def _from_python(key: Any, value: Any) -> ExternalScore:
    try:
        number = math.nan if value is None else float(value)
    except (TypeError, ValueError):
        raise AffinityZooError(f"the score of {key} is {value!r}, which is not a number") from None
    if math.isinf(number):
        raise AffinityZooError(f"the score of {key} is infinite: give NaN where there is no score")
    return ExternalScore(str(key), "", 0, number, f"the score of {key}")


def matched(
    rows: Sequence[ExternalScore], dataset: Dataset, numbers: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Match scores to the pairs of an index: by id, else by the pose's file name and record.

    Args:
        rows: the scores.
        dataset: the index.
        numbers: (N,) its rows.

    Returns:
        (N,) scores, NaN if missing.

    Raises:
        AffinityZooError: no score belongs to a pair, two belong to one, or one may belong to two.
    """
    ids = {str(name): i for i, name in enumerate(dataset.column("id")[numbers].tolist())}
    places: list[int | None] = [ids.get(row.id) for row in rows]
    if not any(place is not None for place in places) and any(row.file for row in rows):
        files = dataset.column("ligand")[numbers].tolist()
        records = dataset.column("record")[numbers].tolist()
        by_file: dict[tuple[str, int], list[int]] = {}
        for i, (file, record) in enumerate(zip(files, records, strict=True)):
            by_file.setdefault((Path(file).name, int(record)), []).append(i)
        found_by_file = [by_file.get((row.file, row.record), []) for row in rows]
        for row, pairs in zip(rows, found_by_file, strict=True):
            if len(pairs) > 1:
                first, second = (dataset.column("id")[numbers[pairs[k]]] for k in (0, 1))
                raise AffinityZooError(
                    f"{row.where}: {len(pairs)} pairs have a pose file of this name and record, such as {first} and "
                    f"{second}: give the records the ids of the pairs (property id)"
                )
        places = [pairs[0] if pairs else None for pairs in found_by_file]
    found = np.full(len(numbers), np.nan)
    owner: dict[int, ExternalScore] = {}
    foreign: list[ExternalScore] = []
    for row, place in zip(rows, places, strict=True):
        if place is None:
            foreign.append(row)
            continue
        if place in owner:
            raise AffinityZooError(
                f"{row.where}: the pair {row.id} has a score already ({owner[place].where})"
            )
        owner[place] = row
        found[place] = row.score
    if not owner:
        mine, theirs = next(iter(ids), "none"), rows[0].id if rows else "none"
        raise AffinityZooError(
            f"no score belongs to a pair of {dataset.path}: its ids look like {mine!r}, the given ids like {theirs!r}"
        )
    if foreign:
        warn(
            f"{len(foreign):,} of {len(rows):,} scores belong to pairs that are not evaluated (such as {foreign[0].id})"
        )
    return found


def folder_name(name: str) -> str:
    """A folder for a row's results: the name's letters, and a hash where others were replaced.

    Args:
        name: Name of the row, any text.
    """
    import hashlib

    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "scores"
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
