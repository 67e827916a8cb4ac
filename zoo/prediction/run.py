"""Ranking of unlabelled poses: the functions behind ``affinity-zoo predict``."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.data.readers import ReadOptions
from affinity_zoo.zoo.inference.half_precision import check_half_precision
from affinity_zoo.zoo.inference.held import held_model
from affinity_zoo.zoo.inference.ready import ReadyModel, ready
from affinity_zoo.zoo.models.calibration import FILE as CALIBRATION
from affinity_zoo.zoo.models.folders import FILES, Name, find_model_folders
from affinity_zoo.zoo.models.loading import Model, read_card, read_model_recipe
from affinity_zoo.zoo.prediction import checks, consensus, output, ranking, reading, similarity
from affinity_zoo.zoo.prediction.choices import Choices
from affinity_zoo.zoo.prediction.chunks import Chunk, Cutter
from affinity_zoo.zoo.prediction.columns import columns_of
from affinity_zoo.zoo.prediction.execute import scored_chunks
from affinity_zoo.zoo.prediction.extras import Extras
from affinity_zoo.zoo.prediction.finished_chunks import FinishedChunks
from affinity_zoo.zoo.prediction.gathered import gathered, structure_of
from affinity_zoo.zoo.prediction.inputs import PredictionInputs, from_files, from_table
from affinity_zoo.zoo.prediction.rows import RANKINGS, PosePrediction
from affinity_zoo.zoo.prediction.shards import Header, write_part
from affinity_zoo.zoo.prediction.trust import abstained, calibrated_folder, calibration_for, in_range, trusted
from affinity_zoo.zoo.runtime.files import file_hash, text_hash
from affinity_zoo.zoo.runtime.memory import give_back
from affinity_zoo.zoo.runtime.terminal import progress, warn
from affinity_zoo.zoo.validity.check import method_of, note_of


@dataclass(frozen=True, eq=False)
class Ranking:
    """A finished prediction."""

    rows: list[PosePrediction]  #: best first; those without a score last
    poses: int  #: that were given
    failed: int  #: of them without a score
    ranked_by: str
    columns: tuple[str, ...]  #: that the models can fill, see :mod:`affinity_zoo.zoo.prediction.columns`
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
    drop_bound_ligand: bool = False,
    **options: Any,
) -> list[PosePrediction]:
    """Score and rank poses of one receptor, or of the rows of a table.

    Args:
        model: from :func:`affinity_zoo.load_model`, or what it takes; several are an ensemble.
        receptor: a structure file; it is read as the training data were.
        poses: pose files or folders of them; every record of every file gives one row.
        table: instead of both: a CSV with columns receptor and ligand.
        runs: folder of the runs, for a run's number.
        drop_bound_ligand: leave residues of the receptor out that lie where a pose lies.
        options: what :meth:`Choices.of` takes: ``views``, ``seed``, ``rank_by``, ``best_per``, ``consensus`` (names, as
            :func:`affinity_zoo.zoo.prediction.consensus.members_of` takes them) and others.

    Returns:
        One row a record (or a molecule, with ``best_per``), best first, failed ones last.

    Raises:
        UsageError: an option is out of its range, or no model gives what to rank by.
        AffinityZooError: the receptor cannot be read, or there are no pose files.
    """
    if table is not None:
        inputs = from_table(Path(table), drop_bound_ligand=drop_bound_ligand)
    elif receptor is not None:
        given_poses = [poses] if isinstance(poses, (str, Path)) else list(poses)
        inputs = from_files(receptor, given_poses, drop_bound_ligand=drop_bound_ligand)
    else:
        raise UsageError("give a receptor and poses, or a table")
    given = [model] if isinstance(model, (Model, str, int, Path)) else list(model)  # type: ignore[arg-type]
    if wanted := options.get("consensus"):
        options["consensus"] = consensus.members_of(wanted, lambda name: find_model_folders([name], runs))
    choices = Choices.of(**options)
    models: list[Model | Path] = []
    for one in given:
        models += [one] if isinstance(one, Model) else find_model_folders([one], runs)
    return run(inputs, models, choices, one_receptor=table is None).rows


def run(
    inputs: PredictionInputs,
    models: Sequence[Model | Path],
    choices: Choices,
    *,
    parts: Path | None = None,
    resume: bool = False,
    sdf: Path | None = None,
    shard: Path | None = None,
    write: Callable[[list[PosePrediction], tuple[str, ...]], None] = lambda rows, columns: None,
    one_receptor: bool = False,
) -> Ranking:
    """Score, rank and write.

    Args:
        inputs: what to score.
        models: loaded models, or model directories. Processes and clusters load from the directory.
        choices: how to score, rank and compute.
        parts: folder of finished chunks; it is removed at the end. None: a temporary one.
        resume: use the chunks that are there.
        sdf: write the ranked poses there.
        shard: write what a merge of the parts of a divided prediction needs there.
        write: called with the ranked rows and the columns to write, before the chunks are removed.
        one_receptor: a receptor that cannot be read is an error, not a failure of each row.

    Raises:
        UsageError: no model gives what to rank by, or ``parts`` belongs to another prediction.
        AffinityZooError: a model or the receptor cannot be read.
    """
    given = {str(_folder(model).resolve()): model for model in models}
    names = tuple(given)
    cards = [read_card(Path(name)) for name in names]
    by, members = consensus.plan(choices.consensus, choices.rank_by, cards, names)
    asked = choices
    choices = replace(choices, scoring=choices.scoring.resolved(cards))
    calibration = calibration_for(names, choices.abstain)
    extras = Extras.asked(choices.validity, choices.similarity)
    columns = columns_of(
        [[str(output["name"]) for output in card["outputs"]] for card in cards],
        choices.scoring.n_views,
        choices.best_per,
        calibration is not None,
        (*(consensus.COLUMNS if members else ()), *extras.columns),
    )
    own = {
        Path(name): ReadOptions.from_dict(read_model_recipe(Path(name)).data.read_options) for name in names
    }
    readings = {name: options.changed(choices.read) for name, options in own.items()}
    loaded = _loaded(
        given.values(), members, choices
    )  # errors of a model are reported before anything is read
    if one_receptor and inputs.entries:
        reading.protein(inputs.entries[0].receptor, readings[Path(names[0])])
    notes = [
        *inputs.notes,
        checks.other_reading({name: options.as_dict() for name, options in readings.items()}),
        checks.changed_reading(own, choices.read),
        checks.partial_outputs(
            {
                Path(name): [str(output["name"]) for output in card["outputs"]]
                for name, card in zip(names, cards, strict=True)
            }
        ),
        note_of(extras.validity),
        similarity.note_of(choices.similarity, names),
        "the network was computed in bfloat16" if choices.scoring.mixed_precision else "",
    ]
    kept = parts is not None
    with ExitStack() as stack:
        if parts is None:
            parts = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="affinity-zoo-"))) / "parts"
        hashes = _hashes(inputs, names, choices, sdf is not None)
        done = FinishedChunks(parts, text_hash(repr((hashes, str(choices.shard)))), resume)
        if done.discarded:
            notes.append(
                f"{done.discarded} pieces of a stopped prediction were not used: `resume=True` continues with them"
            )
        try:
            _score_all(inputs, names, loaded, choices, done, sdf is not None)
        except KeyboardInterrupt:
            if kept:
                warn(f"finished chunks are kept in {parts}: the same call with `resume=True` continues")
            raise
        rows, places = gathered(inputs, done, choices.shard, choices.chunk)
        if members:
            rows, said = consensus.with_consensus(
                rows,
                by,
                members,
                _other_scores(inputs, members, asked, parts, resume),
                choices.consensus_within,
            )
            notes += said
        rows = abstained(in_range(trusted(rows, calibration), cards), choices.abstain)
        order = ranking.ranked(rows, by, choices.best_per)
        best = [row for _, row in order]
        write(best, columns)
        spans = [(0, 0)] * len(best)
        if sdf is not None:
            spans = output.write_sdf(sdf, ((row, structure_of(done, places, i)) for i, row in order), columns)
        done.remove()
    give_back()
    failed = [row for row in rows if row.status == "failed"]
    if unranked := sum(row.status == "abstained" for row in rows):
        notes.append(
            f"{unranked} of {len(rows)} poses are left unranked: their risk is above {choices.abstain:g}"
        )
    if shard is not None:
        header = Header(
            shard=choices.shard, models=hashes[0], inputs=hashes[1], options=hashes[2], ranked_by=by,
            best_per=choices.best_per or "", abstain=choices.abstain, columns=columns, rows=0,
            poses=len(rows), failed=len(failed), sdf="" if sdf is None else str(sdf.resolve()),
            sdf_bytes=0 if sdf is None else sdf.stat().st_size,
        )  # fmt: skip
        write_part(
            shard,
            header,
            rows,
            [one.place for one in places],
            dict(zip((i for i, _ in order), spans, strict=True)),
        )
    return Ranking(
        best,
        len(rows),
        len(failed),
        by,
        columns,
        tuple(n for n in notes if n),
        sum(length > 0 for _, length in spans),
        _reasons(failed),
    )


def _other_scores(
    inputs: PredictionInputs,
    members: Sequence[consensus.Member],
    choices: Choices,
    parts: Path,
    resume: bool,
) -> dict[str, dict[consensus.RowKey, float]]:
    """The scores of the members of a consensus that are other models: name -> key of a row -> score."""
    alone = replace(
        choices,
        rank_by=None,
        best_per=None,
        abstain=None,
        validity=False,
        similarity=False,
        consensus=(),
        consensus_within=None,
    )
    found = {}
    for number, member in enumerate(members):
        if member.models:
            where = parts.with_name(f"{parts.name}.{number}")
            other = run(inputs, member.models, alone, parts=where, resume=resume)
            field, sign = RANKINGS[other.ranked_by]
            found[member.name] = {consensus.key_of(row): sign * float(row.value(field)) for row in other.rows}
    return found


def _loaded(
    models: Iterable[Model | Path], members: Sequence[consensus.Member], choices: Choices
) -> list[ReadyModel]:
    """The models, where this process scores; they and those of a consensus can score as it is wanted."""
    if choices.dask or choices.processes:
        return []
    loaded = [ready(m) if isinstance(m, Model) else held_model(m) for m in models]
    if choices.scoring.mixed_precision:
        for one in (*loaded, *(held_model(m) for member in members for m in member.models)):
            check_half_precision(one.model.network, one.model.folder.name)
    return loaded


def _folder(model: Model | Path) -> Path:
    return model.folder if isinstance(model, Model) else Path(model)


def _score_all(
    inputs: PredictionInputs,
    names: tuple[str, ...],
    models: Sequence[ReadyModel],
    choices: Choices,
    parts: FinishedChunks,
    structures: bool,
) -> None:
    cutter = Cutter(parts.spool, choices.chunk)
    total = 0

    def tasks() -> Iterator[Chunk]:
        for number, pieces in enumerate(cutter.chunks(inputs.entries)):
            if choices.shard.holds(number) and not parts.has(number):
                yield Chunk(
                    number,
                    pieces,
                    names,
                    choices.scoring,
                    structures,
                    choices.read,
                    method_of(choices.validity),
                    choices.similarity,
                )

    for number, pieces in enumerate(cutter.chunks(inputs.entries)):
        if not choices.shard.holds(number):
            continue
        total += sum(len(p.wanted) or (p.last or p.first + 1) - p.first for p in pieces)
    with progress("scoring", total * choices.scoring.n_views * len(names), "images") as advance:
        for task, scored in scored_chunks(tasks(), models, choices, advance):
            parts.save(task.number, scored)


def _reasons(failed: Sequence[PosePrediction]) -> dict[str, tuple[int, str]]:
    found: dict[str, tuple[int, str]] = {}
    for row in failed:
        count, first = found.get(row.reason, (0, f"{row.file}, record {row.record}"))
        found[row.reason] = count + 1, first
    return found


def _hashes(
    inputs: PredictionInputs, models: tuple[str, ...], choices: Choices, structures: bool
) -> tuple[str, str, str]:
    """Hashes of models, inputs, and options that decide the scores; ranking and computing do not matter."""
    files = [Path(model) / name for model in models for name in (*FILES, CALIBRATION)]
    if len(models) > 1 and (ensemble := calibrated_folder(models)):
        files.append(ensemble / CALIBRATION)
    of_models = [file_hash(file) for file in files if file.is_file()]
    decisive = {k: v for k, v in asdict(choices.scoring).items() if k != "threads"}
    read = sorted(choices.read.items())
    options = repr(
        (
            sorted(decisive.items()),
            read,
            choices.chunk,
            structures,
            method_of(choices.validity),
            choices.similarity,
        )
    )
    return text_hash(repr((models, of_models))), inputs.stamp(), text_hash(options)
