"""Commands: predict, merge."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.commands import options, predict_options

USE = "predict MODEL RECEPTOR POSES..."


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    app.command(rich_help_panel=options.USE)(predict)
    app.command(rich_help_panel=options.USE)(merge)


def predict(
    words: predict_options.Words = None,
    model: predict_options.Model = None,
    receptor: options.Receptor = None,
    ligand: options.Poses = None,
    table: predict_options.Table = None,
    out: predict_options.Out = "predictions.csv",
    sdf: predict_options.Sdf = None,
    views: options.Views = None,
    rank_by: predict_options.RankBy = None,
    best_per: predict_options.BestPer = None,
    top: predict_options.Top = 20,
    abstain: predict_options.Abstain = None,
    validity: predict_options.Validity = False,
    similarity: predict_options.Similarity = False,
    consensus: predict_options.Consensus = "",
    consensus_within: predict_options.ConsensusWithin = None,
    resume: predict_options.Resume = False,
    shard: predict_options.Shard = "",
    seed: options.Seed = 0,
    batch_size: options.RareBatchSize = 32,
    drop_bound_ligand: predict_options.DropBoundLigand = False,
    chunk: predict_options.Chunk = 256,
    runs: options.Runs = Path("summaries"),
    voxelize: options.RareVoxelize = "auto",
    workers: options.Threads = 2,
    processes: predict_options.Processes = 0,
    mixed_precision: predict_options.MixedPrecision = False,
    dask: options.Dask = "",
    read: predict_options.Read = None,
    offline: options.Offline = False,
    json_output: options.Json = False,
) -> None:
    """Rank unlabelled poses, best first, with one model or an ensemble.

    Example: affinity-zoo predict gnina-default receptor.pdb poses/*.sdf -o ranked.csv
    """  # fmt: skip
    from affinity_zoo.zoo.commands.positional import sort_words
    from affinity_zoo.zoo.data.readers.base import parse_read_options
    from affinity_zoo.zoo.importers.first_use import model_folders
    from affinity_zoo.zoo.inference.choices import ScoringChoices
    from affinity_zoo.zoo.prediction.choices import Choices
    from affinity_zoo.zoo.prediction.consensus import members_of
    from affinity_zoo.zoo.prediction.inputs import from_files, from_table
    from affinity_zoo.zoo.prediction.output import check_format
    from affinity_zoo.zoo.prediction.pipes import Pipes
    from affinity_zoo.zoo.prediction.shards import InputShard, shard_file
    from affinity_zoo.zoo.runtime.files import check_output

    # errors are reported before Keras starts or a model is fetched
    given = sort_words(
        words or (), models=model or (), receptor=receptor, poses=ligand or (), table=table, command=USE
    )
    to_stdout = out == "-"
    if to_stdout and json_output:
        raise UsageError("-o - and --json both write to standard output: give one of them")
    for path in (None if to_stdout else Path(out), sdf):
        if path is not None:
            check_output(path)
    if not to_stdout:
        check_format(Path(out))
    members = members_of(
        consensus, lambda name: model_folders([name], runs, offline=offline)
    ) if consensus else ()  # fmt: skip
    scoring = ScoringChoices(views, seed, batch_size, voxelize, workers, mixed_precision)
    choices = Choices(
        scoring, rank_by, best_per, chunk, processes, dask, parse_read_options(read or []), abstain,
        validity, similarity, members, consensus_within, InputShard.parse(shard) if shard else InputShard(),
    )  # fmt: skip
    if shard and to_stdout:
        raise UsageError("--shard needs a file to write to: give -o FILE")
    with Pipes(None if to_stdout else Path(out), resume) as pipes:
        if given.table is not None:
            inputs = from_table(*pipes.table(given.table), drop_bound_ligand)
        else:
            assert given.receptor is not None
            inputs = from_files(given.receptor, pipes.poses(given.poses), pipes.piped, drop_bound_ligand)
        inputs.check_outputs(
            None if to_stdout else Path(out), sdf, table=Path(given.table) if given.table else None
        )
        folders = model_folders(given.models, runs, offline=offline)
        if not dask and not processes:
            from affinity_zoo.zoo.runtime.keras import start_keras

            start_keras()
        from affinity_zoo.zoo.prediction import output as writing
        from affinity_zoo.zoo.prediction.report import print_ranking
        from affinity_zoo.zoo.prediction.run import run
        from affinity_zoo.zoo.runtime.terminal import print_json

        found = run(
            inputs,
            folders,
            choices,
            parts=pipes.parts,
            resume=resume,
            sdf=sdf,
            shard=shard_file(Path(out)) if shard else None,
            write=(lambda rows, columns: writing.write_csv(sys.stdout, rows, columns))
            if to_stdout
            else (lambda rows, columns: writing.write_predictions(Path(out), rows, columns)),
            one_receptor=given.table is None,
        )
    if json_output:
        print_json(writing.as_dicts(found.rows, found.columns))
    where = "standard output" if to_stdout else out
    if sdf is not None:
        where += f"; {found.structures} poses: {sdf}"
    print_ranking(found, where, top, best_per, quiet=to_stdout or json_output)
    raise typer.Exit(_exit_code(found.failed, found.poses))


def _exit_code(failed: int, poses: int) -> int:
    """0: all have a score; 3: some failed; 1: all failed. A part of a divided prediction may have no pose at all."""
    return 0 if not failed else 1 if failed == poses else 3


def merge(
    parts: Annotated[
        list[Path], typer.Argument(help="Outputs of all parts, in any order.", metavar="PARTS...")
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Table to write: CSV, .parquet or .arrow.", metavar="FILE"),
    ] = Path("predictions.csv"),
    sdf: Annotated[
        Path | None, typer.Option(help="SDF file of the ranked poses to write.", metavar="FILE")
    ] = None,
) -> None:
    """Merge the parts of a prediction that was divided with `predict --shard K/N`.

    The output has the bytes of an undivided prediction.

    Example: affinity-zoo merge parts/*.csv -o ranked.csv
    """
    from affinity_zoo.zoo.prediction.merge import merge as merge_parts
    from affinity_zoo.zoo.prediction.output import check_format
    from affinity_zoo.zoo.runtime.files import check_output
    from affinity_zoo.zoo.runtime.terminal import say

    for path in (out, sdf):
        if path is not None:
            check_output(path)
    check_format(out)
    found = merge_parts(parts, out, sdf)
    where = str(out) if sdf is None else f"{out}; {found.structures} poses: {sdf}"
    say(
        f"{found.parts} parts, {found.poses} poses in, {found.rows} rows out, {found.failed} without a score: {where}"
    )
    raise typer.Exit(_exit_code(found.failed, found.poses))
