"""Commands that show what a network looks at: explain, view, refine."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from affinity_zoo.zoo.runtime.keras import start_keras

Receptor = Annotated[Path, typer.Option("--receptor", "-r", help="Structure of the receptor.")]
Record = Annotated[int, typer.Option(help="Which record of the pose file, from 0.", min=0)]
Runs = Annotated[Path, typer.Option(help="Folder of the runs.")]
ModelName = Annotated[
    str, typer.Argument(help="A model directory, the number of a run, or one of its folders.")
]


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    panel = "See and improve"
    app.command(rich_help_panel=panel)(explain)
    app.command(rich_help_panel=panel)(view)
    app.command(rich_help_panel=panel)(refine)


def explain(
    model: ModelName,
    receptor: Receptor,
    ligand: Annotated[Path, typer.Option("--ligand", "-l", help="Pose file.")],
    record: Record = 0,
    output_folder: Annotated[
        Path, typer.Option("--output-folder", "-o", help="Folder for the files.")
    ] = Path("explanation"),
    method: Annotated[
        str, typer.Option(help="gradient, occlusion (slower: leaves atoms and residues out), or both.")
    ] = "both",
    output: Annotated[
        str | None, typer.Option(help="Which output of the model: pose, affinity, ... [default: the first]")
    ] = None,
    views: Annotated[
        int | None,
        typer.Option(help="Rotations averaged. [default: what the model's card says]", min=1),
    ] = None,
    steps: Annotated[int, typer.Option(help="Of the integrated gradients, at least.", min=1)] = 32,
    seed: Annotated[int, typer.Option(help="Of the views.", min=0)] = 0,
    batch_size: Annotated[int, typer.Option(help="Images at once.", min=1)] = 16,
    page: Annotated[bool, typer.Option(help="Write the page that turns in 3D (needs plotly).")] = True,
    runs: Runs = Path("summaries"),
    json_output: Annotated[bool, typer.Option("--json", help="Print residues and atoms as JSON.")] = False,
) -> None:
    """Say which atoms of ligand and receptor a model's score comes from, in tables, PDB, SDF and a 3D page."""
    from affinity_zoo.zoo.importers.first_use import model_folder
    from affinity_zoo.zoo.models.loading import load_model
    from affinity_zoo.zoo.prediction.pose_files import pose_files, receptor_file
    from affinity_zoo.zoo.runtime.files import check_folder
    from affinity_zoo.zoo.see.page import needs_plotly

    folder = model_folder(model, runs)
    pose_files([ligand])
    receptor_file(receptor)
    if page:
        needs_plotly()
    check_folder(output_folder)
    start_keras()
    from affinity_zoo.zoo.see.explain import explain as explain_pose
    from affinity_zoo.zoo.see.explain_report import print_explanation, write_all

    found = explain_pose(
        load_model(folder), receptor, ligand, record=record, method=method, output=output, views=views,
        seed=seed, steps=steps, batch_size=batch_size,
    )  # fmt: skip
    written = write_all(found, output_folder, page, command())
    print_explanation(found, written, json_output)


def view(
    model: Annotated[
        str | None, typer.Argument(help="A model or run, for its featurizer and box; or give -f.")
    ] = None,
    receptor: Annotated[
        Path | None, typer.Option("--receptor", "-r", help="Structure of the receptor.")
    ] = None,
    ligand: Annotated[Path | None, typer.Option("--ligand", "-l", help="Pose file.")] = None,
    featurizer: Annotated[
        str | None, typer.Option("--featurizer", "-f", help="Name of a featurizer, also a plugin's.")
    ] = None,
    featurizer_option: Annotated[
        list[str] | None, typer.Option("-F", help="Option of the featurizer, key=value.")
    ] = None,
    box: Annotated[
        str | None,
        typer.Option(help="Voxels x spacing in Å, such as 24x1.0. [default: the model's or featurizer's]"),
    ] = None,
    number: Annotated[int, typer.Option("--view", help="Which view; 0 is as the files lie.", min=0)] = 0,
    record: Record = 0,
    seed: Annotated[int, typer.Option(help="Of the views.", min=0)] = 0,
    out: Annotated[Path, typer.Option("--out", "-o", help="A page (.html) or a picture (.png).")] = Path(
        "view.html"
    ),
    runs: Runs = Path("summaries"),
    json_output: Annotated[
        bool, typer.Option("--json", help="Print what each channel holds as JSON.")
    ] = False,
) -> None:
    """Show a complex and its image as a network gets it, channel by channel, for any featurizer."""
    from affinity_zoo.plugins.errors import UsageError
    from affinity_zoo.zoo.commands.training import key_values, parse_box
    from affinity_zoo.zoo.prediction.pose_files import pose_files, receptor_file
    from affinity_zoo.zoo.runtime.files import check_output
    from affinity_zoo.zoo.see.page import needs_plotly
    from affinity_zoo.zoo.see.view_picture import needs_matplotlib

    if receptor is None or ligand is None:
        raise UsageError("view needs a receptor (-r) and a pose (-l)")
    if (model is None) == (featurizer is None):
        raise UsageError("give either a model or a featurizer (-f)")
    pose_files([ligand])
    receptor_file(receptor)
    if out.suffix.lower() not in (".html", ".png"):
        raise UsageError(f"-o is {out}: give a page (.html) or a picture (.png)")
    picture = out.suffix.lower() == ".png"
    needs_matplotlib() if picture else needs_plotly()
    check_output(out)
    from affinity_zoo.zoo.see import view_report

    made = view_report.viewed(
        receptor, ligand, model=model, featurizer=featurizer, options=key_values(featurizer_option, "-F"),
        box=parse_box(box), record=record, number=number, seed=seed, runs=runs,
    )  # fmt: skip
    view_report.write(made, out, command())
    view_report.report(made, out, json_output)


def refine(
    model: ModelName,
    receptor: Receptor,
    ligand: Annotated[
        list[Path], typer.Option("--ligand", "-l", help="Pose file or folder; may be repeated.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="SDF file to write.")] = Path("refined.sdf"),
    table: Annotated[
        Path | None, typer.Option(help="CSV with a row for every record, failed ones too.")
    ] = None,
    output: Annotated[
        str | None, typer.Option(help="Which output to raise: pose, affinity, ... [default: the first]")
    ] = None,
    steps: Annotated[int, typer.Option(help="Gradients taken at most.", min=1)] = 40,
    torsions: Annotated[bool, typer.Option(help="Turn rotatable bonds too.")] = True,
    max_move: Annotated[float, typer.Option(help="RMSD from the start that is not passed, Å.")] = 2.0,
    views: Annotated[
        int | None,
        typer.Option(
            help="Rotations by which a pose is scored, as in predict. [default: what the model's card says]",
            min=1,
        ),
    ] = None,
    search_views: Annotated[int, typer.Option(help="Other rotations that show the way.", min=1)] = 8,
    seed: Annotated[int, typer.Option(help="Of the views.", min=0)] = 0,
    runs: Runs = Path("summaries"),
    json_output: Annotated[bool, typer.Option("--json", help="Print all rows as JSON.")] = False,
) -> None:
    """Move poses to where the model likes them better: rigid, then torsions; no new clash, never a worse score."""
    from affinity_zoo.zoo.importers.first_use import model_folder
    from affinity_zoo.zoo.models.loading import load_model
    from affinity_zoo.zoo.prediction.pose_files import pose_files, receptor_file
    from affinity_zoo.zoo.runtime.files import check_output

    folder = model_folder(model, runs)
    files = pose_files(ligand)
    receptor_file(receptor)
    check_output(out)
    if table is not None:
        check_output(table)
    start_keras()
    from affinity_zoo.zoo.refine import run
    from affinity_zoo.zoo.refine.refine import Options
    from affinity_zoo.zoo.runtime.terminal import print_json, say, warn
    from affinity_zoo.zoo.runtime.terminal import table as print_table

    rows = run.refine(
        load_model(folder), receptor, files, out, output=output, table=table,
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
