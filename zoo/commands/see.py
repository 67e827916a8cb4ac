"""Commands that show what a network looks at: explain, view, refine."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from affinity_zoo.zoo.commands import completion, options
from affinity_zoo.zoo.runtime.keras import start_keras


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    app.command(rich_help_panel=options.USE)(explain)
    app.command(rich_help_panel=options.USE)(view)
    app.command(rich_help_panel=options.USE)(refine)


def explain(
    words: options.Words,
    receptor: options.Receptor = None,
    ligand: options.Poses = None,
    record: options.Record = 0,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write.", metavar="FOLDER")] = Path(
        "explanation"
    ),
    method: Annotated[
        str,
        typer.Option(
            help="Method: gradient, occlusion (removes atoms and residues; slower), or both.", metavar="NAME"
        ),
    ] = "both",
    model_output: options.ModelOutput = None,
    views: options.Views = None,
    steps: Annotated[
        int, typer.Option(help="Smallest number of steps of the integrated gradients.", min=1, metavar="N")
    ] = 32,
    seed: options.Seed = 0,
    batch_size: options.BatchSize = 16,
    page: Annotated[bool, typer.Option(help="Write the interactive 3D page.")] = True,
    runs: options.Runs = Path("summaries"),
    json_output: options.Json = False,
) -> None:
    """Attribute a model's score to the atoms of ligand and receptor.

    Example: affinity-zoo explain zoo-small receptor.pdb poses.sdf --record 2 -o why
    """
    from affinity_zoo.zoo.commands.positional import one_model, one_pose, sort_words
    from affinity_zoo.zoo.data.readers.records import receptor_file
    from affinity_zoo.zoo.importers.first_use import model_folder
    from affinity_zoo.zoo.models.loading import load_model
    from affinity_zoo.zoo.runtime.files import check_folder
    from affinity_zoo.zoo.see.checks import check_complex, check_method

    given = sort_words(words, receptor=receptor, poses=ligand or (), command="explain MODEL RECEPTOR POSE")
    pose, record = one_pose(given, "explain", record)
    protein = receptor_file(given.receptor or "")
    check_method(method)
    check_folder(out)
    folder = model_folder(one_model(given, "explain"), runs)
    check_complex(folder, protein, pose, record, model_output)
    start_keras()
    from affinity_zoo.zoo.see.explain import explain as explain_pose
    from affinity_zoo.zoo.see.explain_report import print_explanation, write_all

    found = explain_pose(
        load_model(folder), protein, pose, record=record, method=method, output=model_output, views=views,
        seed=seed, steps=steps, batch_size=batch_size,
    )  # fmt: skip
    written = write_all(found, out, page, command())
    print_explanation(found, written, json_output)


def view(
    words: Annotated[
        options.Names,
        typer.Argument(
            help="Model whose featurizer and box are used (or none, with -f), receptor file, and pose file.",
            metavar="[MODEL] RECEPTOR POSE",
            show_default=False,
            autocompletion=completion.models_and_files,
        ),
    ] = None,
    receptor: options.Receptor = None,
    ligand: options.Poses = None,
    featurizer: options.Featurizer = None,
    featurizer_option: options.FeaturizerOptions = None,
    box: options.Box = None,
    number: Annotated[
        int,
        typer.Option(
            "--view", help="Number of the rotation; 0: the original orientation.", min=0, metavar="N"
        ),
    ] = 0,
    record: options.Record = 0,
    seed: options.Seed = 0,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Page (.html) or picture (.png) to write.", metavar="FILE")
    ] = Path("view.html"),
    runs: options.Runs = Path("summaries"),
    json_output: options.Json = False,
) -> None:
    """Show the image of a complex that a network gets, channel by channel.

    Example: affinity-zoo view receptor.pdb poses.sdf -f atom-types -o view.html
    """
    from affinity_zoo.plugins.errors import UsageError
    from affinity_zoo.zoo.commands.parsing import key_values, parse_box
    from affinity_zoo.zoo.commands.positional import one_model, one_pose, sort_words
    from affinity_zoo.zoo.data.readers.records import receptor_file
    from affinity_zoo.zoo.runtime.files import check_output
    from affinity_zoo.zoo.see.view_picture import needs_matplotlib

    given = sort_words(
        words or (), receptor=receptor, poses=ligand or (), command="view [MODEL] RECEPTOR POSE", model=False
    )
    if bool(given.models) == (featurizer is not None):
        raise UsageError("give either a model or a featurizer (-f)")
    pose, record = one_pose(given, "view", record)
    protein = receptor_file(given.receptor or "")
    if out.suffix.lower() not in (".html", ".png"):
        raise UsageError(f"-o is {out}: give a page (.html) or a picture (.png)")
    picture = out.suffix.lower() == ".png"
    if picture:
        needs_matplotlib()
    check_output(out)
    from affinity_zoo.zoo.see import view_report

    made = view_report.viewed(
        protein, pose, model=one_model(given, "view") if given.models else None, featurizer=featurizer,
        options=key_values(featurizer_option, "-F"), box=parse_box(box), record=record, number=number, seed=seed,
        runs=runs,
    )  # fmt: skip
    view_report.write(made, out, command())
    view_report.report(made, out, json_output)


def refine(
    words: options.Words,
    receptor: options.Receptor = None,
    ligand: options.Poses = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="SDF file to write.", metavar="FILE")] = Path(
        "refined.sdf"
    ),
    table: Annotated[
        Path | None,
        typer.Option(help="CSV file with a row for every record, failed ones too.", metavar="FILE"),
    ] = None,
    model_output: options.ModelOutput = None,
    steps: Annotated[int, typer.Option(help="Largest number of gradient steps.", min=1, metavar="N")] = 40,
    torsions: Annotated[bool, typer.Option(help="Also rotate rotatable bonds.")] = True,
    max_move: Annotated[
        float, typer.Option(help="Largest RMSD from the original pose, Å.", metavar="Å")
    ] = 2.0,
    views: options.Views = None,
    search_views: Annotated[
        int,
        typer.Option(help="Number of other rotations to average in the search.", min=1, metavar="N"),
    ] = 8,
    seed: options.Seed = 0,
    runs: options.Runs = Path("summaries"),
    json_output: options.Json = False,
) -> None:
    """Move poses along the gradient of a score, without new clashes.

    Example: affinity-zoo refine zoo-small receptor.pdb poses.sdf -o better.sdf
    """
    from affinity_zoo.plugins.errors import UsageError
    from affinity_zoo.zoo.commands.positional import one_model, sort_words
    from affinity_zoo.zoo.data.readers.records import pose_files, receptor_file
    from affinity_zoo.zoo.importers.first_use import model_folder
    from affinity_zoo.zoo.models.loading import load_model, read_card
    from affinity_zoo.zoo.runtime.files import check_output
    from affinity_zoo.zoo.see.checks import output_column

    given = sort_words(words, receptor=receptor, poses=ligand or (), command="refine MODEL RECEPTOR POSES...")
    protein = receptor_file(given.receptor or "")
    files = pose_files(given.poses, but=[protein])
    if not max_move > 0:
        raise UsageError(f"--max-move must be above 0 Å, not {max_move}")
    check_output(out)
    if table is not None:
        check_output(table)
    folder = model_folder(one_model(given, "refine"), runs)
    output_column(read_card(folder), model_output)
    start_keras()
    from affinity_zoo.zoo.refine import run
    from affinity_zoo.zoo.refine.refine import Options
    from affinity_zoo.zoo.runtime.terminal import print_json, say, warn
    from affinity_zoo.zoo.runtime.terminal import table as print_table

    rows = run.refine(
        load_model(folder), protein, files, out, output=model_output, table=table,
        options=Options(steps, torsions, views, search_views, max_move, seed),
    )  # fmt: skip
    if json_output:
        print_json([row.as_dict() for row in rows])
    else:
        columns = ["file", "record", "name", "status", "before", "after", "moved (Å)"]
        print_table(f"first of {len(rows)} poses", columns, run.listed(rows, 20))
        for row in [row for row in rows if row.status == "failed"][:20]:
            warn(f"{row.file}, record {row.record}: not refined ({row.reason})")
        found = run.counts(rows)
        say(
            f"{len(rows)} poses in: " + ", ".join(f"{n} {status}" for status, n in found.items()) + f": {out}"
        )
    raise typer.Exit(run.exit_code(rows))


def command() -> str:
    """The command as it was given, for the foot of a page."""
    return shlex.join(["affinity-zoo", *map(str, sys.argv[1:])])
