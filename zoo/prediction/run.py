"""Ranking unlabelled poses: the functions behind ``affinity-zoo predict``."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.data.readers import ReadOptions
from affinity_zoo.zoo.models.cards import default_views
from affinity_zoo.zoo.models.folders import FILES, Name, find_model_folders
from affinity_zoo.zoo.models.loading import Model, read_card, read_model_recipe
from affinity_zoo.zoo.prediction import checks, members, output, ranking, reading
from affinity_zoo.zoo.prediction.choices import Choices
from affinity_zoo.zoo.prediction.chunks import Cutter, Task
from affinity_zoo.zoo.prediction.execute import scored_chunks
from affinity_zoo.zoo.prediction.inputs import Inputs, from_files, from_table
from affinity_zoo.zoo.prediction.parts import Parts
from affinity_zoo.zoo.prediction.rows import PosePrediction
from affinity_zoo.zoo.runtime.files import file_hash
from affinity_zoo.zoo.runtime.terminal import progress, warn


@dataclass(frozen=True, eq=False)
class Ranking:
    """A finished prediction."""

    rows: list[PosePrediction]  #: best first; those without a score last
    poses: int  #: that were given
    failed: int  #: of them without a score
    ranked_by: str
    notes: tuple[str, ...] = ()  #: what the user should know of all of them
    structures: int = 0  #: poses written as SDF
    failures: dict[str, tuple[int, str]] = field(default_factory=dict)  #: reason -> how many, and the first


def predict(
    model: Model | Name | Sequence[Model | Name],
    receptor: str | Path | None = None,
    poses: Sequence[str | Path] | str | Path = (),
    *,
    table: str | Path | None = None,
    runs: str | Path = "summaries",
    **options: Any,
) -> list[PosePrediction]:
    """Score and rank poses of one receptor, or of the rows of a table.

    Args:
        model: from :func:`affinity_zoo.load_model`, or what it takes; several are an ensemble.
        receptor: a structure file; it is read as the training data were.
        poses: pose files or folders of them; every record of every file gives one row.
        table: instead of both: a CSV with columns receptor and ligand.
        runs: folder of the runs, for a run's number.
        options: fields of :class:`Choices`: ``views``, ``seed``, ``rank_by``, ``best_per`` and others.

    Returns:
        One row a record (or a molecule, with ``best_per``), best first, failed ones last.

    Raises:
        UsageError: an option is out of its range, or no model gives what to rank by.
        AffinityZooError: the receptor cannot be read, or there are no pose files.
    """
    if table is not None:
        inputs = from_table(Path(table))
    elif receptor is not None:
        inputs = from_files(receptor, [poses] if isinstance(poses, (str, Path)) else list(poses))
    else:
        raise UsageError("give a receptor and poses, or a table")
    if "workers" in options:  # the name of the command line
        options["threads"] = options.pop("workers")
    given = [model] if isinstance(model, (Model, str, int, Path)) else list(model)  # type: ignore[arg-type]
    folders: list[Path] = []
    for one in given:
        if isinstance(one, Model):
            folders.append(Path(members.keep(one)))
        else:
            named = find_model_folders([one], runs)
            for folder in named:
                members.release(folder)
            folders += named
    return run(inputs, folders, Choices(**options), one_receptor=table is None).rows


def run(
    inputs: Inputs,
    folders: Sequence[Path],
    choices: Choices,
    *,
    parts: Path | None = None,
    resume: bool = False,
    sdf: Path | None = None,
    write: Callable[[list[PosePrediction]], None] = lambda rows: None,
    one_receptor: bool = False,
) -> Ranking:
    """Score, rank and write.

    Args:
        folders: model directories.
        parts: folder of finished chunks; it is removed at the end. None: a temporary one.
        resume: use the chunks that are there.
        sdf: write the ranked poses there.
        write: called with the ranked rows, before the chunks are removed.
        one_receptor: a receptor that cannot be read is an error, not a failure of each row.

    Raises:
        UsageError: no model gives what to rank by, or ``parts`` belongs to another prediction.
        AffinityZooError: a model or the receptor cannot be read.
    """
    names = tuple(dict.fromkeys(str(folder.resolve()) for folder in folders))
    cards = [read_card(Path(name)) for name in names]
    by = ranking.choose_ranking(choices.rank_by, cards)
    if choices.views is None:
        choices = replace(choices, views=default_views(cards))
    readings = {Path(name): read_model_recipe(Path(name)).data.read_options for name in names}
    if not choices.dask and not choices.processes:
        members.members(names)  # what is wrong with a model is said before anything is read
    if one_receptor and inputs.entries:
        reading.protein(inputs.entries[0].receptor, ReadOptions.from_dict(readings[Path(names[0])]))
    notes = [
        *inputs.notes,
        checks.other_reading({k: ReadOptions.from_dict(v).as_dict() for k, v in readings.items()}),
    ]
    kept = parts is not None
    with ExitStack() as stack:
        if parts is None:
            parts = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="affinity-zoo-"))) / "parts"
        done = Parts(parts, _fingerprint(inputs, names, choices, sdf is not None), resume)
        if done.discarded:
            notes.append(
                f"{done.discarded} pieces of a stopped prediction were not used: `resume=True` goes on with them"
            )
        try:
            _score_all(inputs, names, choices, done, sdf is not None)
        except KeyboardInterrupt:
            if kept:
                warn(f"what is finished is kept in {parts}: the same call with `resume=True` goes on")
            raise
        rows, places = _gathered(inputs, done)
        order = ranking.ranked(rows, by, choices.best_per)
        best = [row for _, row in order]
        write(best)
        written = 0
        if sdf is not None:
            written = output.write_sdf(sdf, ((row, _structure(done, places, i)) for i, row in order))
        done.remove()
    failed = [row for row in rows if row.status != "ok"]
    return Ranking(best, len(rows), len(failed), by, tuple(n for n in notes if n), written, _reasons(failed))


def _score_all(
    inputs: Inputs, models: tuple[str, ...], choices: Choices, parts: Parts, structures: bool
) -> None:
    cutter = Cutter(parts.spool, choices.chunk)
    total = 0
    views = choices.views or 1

    def tasks() -> Iterator[Task]:
        for number, pieces in enumerate(cutter.chunks(inputs.entries)):
            if not parts.has(number):
                yield Task(
                    number, pieces, models, views, choices.seed, choices.batch_size, choices.voxelize,
                    choices.threads, structures,
                )  # fmt: skip

    for pieces in cutter.chunks(inputs.entries):
        total += sum(len(p.wanted) or (p.last or p.first + 1) - p.first for p in pieces)
    with progress("scoring", total * views * len(models), "images") as advance:
        for task, scored in scored_chunks(tasks(), choices, advance):
            parts.save(task.number, scored)


def _gathered(inputs: Inputs, parts: Parts) -> tuple[list[PosePrediction], list[tuple[int, int, int]]]:
    """All rows in the order of the input, and where the structure of each lies."""
    rows: list[PosePrediction] = []
    places: list[tuple[int, int, int]] = []
    for number in parts.finished():
        found, lengths = parts.rows(number)
        start = 0
        for i, values in enumerate(found):
            length = lengths[i] if lengths else 0
            rows.append(PosePrediction.from_dict(values))
            places.append((number, start, length))
            start += length
    for wrong in inputs.wrong:
        rows.append(
            PosePrediction(file=wrong.file, record=wrong.record, status="failed", reason=wrong.reason)
        )
        places.append((0, 0, 0))
    return rows, places


def _structure(parts: Parts, places: list[tuple[int, int, int]], i: int) -> bytes:
    number, start, length = places[i]
    return parts.structure(number, start, length) if length else b""


def _reasons(failed: Sequence[PosePrediction]) -> dict[str, tuple[int, str]]:
    found: dict[str, tuple[int, str]] = {}
    for row in failed:
        count, first = found.get(row.reason, (0, f"{row.file}, record {row.record}"))
        found[row.reason] = count + 1, first
    return found


def _fingerprint(inputs: Inputs, models: tuple[str, ...], choices: Choices, structures: bool) -> str:
    total = hashlib.sha256(inputs.stamp().encode())
    for model in models:
        for name in FILES:
            total.update(file_hash(Path(model) / name).encode())
    # what decides the scores; how they are ranked and where they are computed does not matter
    left_out = ("rank_by", "best_per", "processes", "dask", "threads")
    decisive = {k: v for k, v in asdict(choices).items() if k not in left_out}
    total.update(repr((models, sorted(decisive.items()), structures)).encode())
    return total.hexdigest()
