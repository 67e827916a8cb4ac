"""Commands that show what a network looks at: explain, view, refine."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from affinity_zoo.zoo.quiet import start_keras

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
    views: Annotated[int, typer.Option(help="Rotations averaged.", min=1)] = 4,
    steps: Annotated[int, typer.Option(help="Of the integrated gradients, at least.", min=1)] = 32,
    seed: Annotated[int, typer.Option(help="Of the views.", min=0)] = 0,
    batch_size: Annotated[int, typer.Option(help="Images at once.", min=1)] = 16,
    page: Annotated[bool, typer.Option(help="Write the page that turns in 3D (needs plotly).")] = True,
    runs: Runs = Path("summaries"),
    json_output: Annotated[bool, typer.Option("--json", help="Print residues and atoms as JSON.")] = False,
) -> None:
    """Say which atoms of ligand and receptor a model's score comes from, in tables, PDB, SDF and a 3D page."""
    from affinity_zoo.zoo.files import check_folder
    from affinity_zoo.zoo.models import find_model_folder, load_model
    from affinity_zoo.zoo.pose_files import pose_files, receptor_file
    from affinity_zoo.zoo.see.page import needs_plotly

    folder = find_model_folder(model, runs)
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


def command() -> str:
    """The command as it was given, for the foot of a page."""
    return shlex.join(["affinity-zoo", *map(str, sys.argv[1:])])
