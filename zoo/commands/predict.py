"""Commands: predict."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from affinity_zoo.plugins.errors import UsageError

Names = list[str] | None


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    app.command(rich_help_panel="Train and use")(predict)


def predict(
    model: Annotated[
        Names,
        typer.Argument(
            help="A model directory, a run, or a name from `models list`; several: an ensemble. A published model is "
            "fetched at its first use."
        ),
    ] = None,
    named: Annotated[
        Names, typer.Option("--model", "-m", help="The same as an option; may be repeated.")
    ] = None,
    receptor: Annotated[
        Path | None, typer.Option("--receptor", "-r", help="Structure of the receptor.")
    ] = None,
    ligand: Annotated[
        Names,
        typer.Option(
            "--ligand", "-l", help="Pose file or folder; may be repeated; -: SDF on standard input."
        ),
    ] = None,
    table: Annotated[
        str | None,
        typer.Option(
            "--table",
            "-t",
            help="Instead of -r and -l: CSV with columns receptor, ligand (files), optionally id, record, target, "
            "molecule; -: on standard input.",
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            help="Table of the ranking: CSV, or by its ending .parquet or .arrow; -: CSV on standard output.",
        ),
    ] = "predictions.csv",
    sdf: Annotated[
        Path | None, typer.Option(help="Write the ranked poses there, scores as properties.")
    ] = None,
    views: Annotated[
        int | None,
        typer.Option(
            help="Rotations averaged for each pose, the file's own first. [default: what the model's card says]",
            min=1,
        ),
    ] = None,
    rank_by: Annotated[
        str | None,
        typer.Option(
            help="pose, activity, affinity, rmsd or product (probability x affinity). "
            "[default: the first that the model gives]"
        ),
    ] = None,
    best_per: Annotated[
        str | None, typer.Option(help="molecule: only the best pose of each molecule of a target.")
    ] = None,
    top: Annotated[int, typer.Option(help="Rows to print; the CSV has all.", min=0)] = 20,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a prediction that was stopped: same inputs, same -o.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the views.", min=0)] = 0,
    batch_size: Annotated[int, typer.Option(help="Images at once.", min=1)] = 32,
    chunk: Annotated[int, typer.Option(help="Poses of a piece of work.", min=1)] = 256,
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("summaries"),
    voxelize: Annotated[str, typer.Option(help="Where images are made: auto, host or device.")] = "auto",
    workers: Annotated[int, typer.Option(help="Threads that make images.", min=1)] = 2,
    processes: Annotated[
        int, typer.Option(help="Processes that score, each with the model; 0: this one.", min=0)
    ] = 0,
    dask: Annotated[str, typer.Option("--dask", help="Address of a Dask scheduler to score on.")] = "",
    offline: Annotated[
        bool, typer.Option("--offline", help="Download no model (AFFINITY_ZOO_OFFLINE=1 does the same).")
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print all rows as JSON.")] = False,
) -> None:
    """Rank unlabelled poses, best first, with one model or an ensemble."""
    from affinity_zoo.zoo.importers.first_use import model_folders
    from affinity_zoo.zoo.prediction.inputs import from_files, from_table
    from affinity_zoo.zoo.prediction.output import check_format
    from affinity_zoo.zoo.prediction.pipes import Pipes
    from affinity_zoo.zoo.runtime.files import check_output

    # what is not there is said at once, not after Keras has started
    to_stdout = output == "-"
    if to_stdout and json_output:
        raise UsageError("-o - and --json both write to standard output: give one of them")
    folders = model_folders([*(model or ()), *(named or ())], runs, offline=offline)
    if not to_stdout:
        check_output(Path(output))
        check_format(Path(output))
    if sdf is not None:
        check_output(sdf)
    with Pipes(None if to_stdout else Path(output), resume) as pipes:
        if table is not None:
            if receptor is not None or ligand:
                raise UsageError("-t names receptors and poses itself: leave out -r and -l")
            inputs = from_table(*pipes.table(table))
        else:
            if receptor is None or not ligand:
                raise UsageError("give the receptor with -r and poses with -l, or a table with -t")
            inputs = from_files(receptor, pipes.poses(ligand), pipes.piped)
        if not dask and not processes:
            from affinity_zoo.zoo.runtime.keras import start_keras

            start_keras()
        from affinity_zoo.zoo.inference.choices import ScoringChoices
        from affinity_zoo.zoo.prediction import output as writing
        from affinity_zoo.zoo.prediction.choices import Choices
        from affinity_zoo.zoo.prediction.report import print_ranking
        from affinity_zoo.zoo.prediction.run import run
        from affinity_zoo.zoo.runtime.terminal import print_json

        choices = Choices(
            ScoringChoices(views, seed, batch_size, voxelize, workers),
            rank_by,
            best_per,
            chunk,
            processes,
            dask,
        )
        found = run(
            inputs,
            folders,
            choices,
            parts=pipes.parts,
            resume=resume,
            sdf=sdf,
            write=(lambda rows, columns: writing.write_csv(sys.stdout, rows, columns))
            if to_stdout
            else (lambda rows, columns: writing.write_predictions(Path(output), rows, columns)),
            one_receptor=table is None,
        )
    if json_output:
        print_json(writing.as_dicts(found.rows, found.columns))
    where = "standard output" if to_stdout else output
    if sdf is not None:
        where += f"; {found.structures} poses: {sdf}"
    print_ranking(found, where, top, best_per, quiet=to_stdout or json_output)
    raise typer.Exit(1 if found.failed == found.poses else 3 if found.failed else 0)
