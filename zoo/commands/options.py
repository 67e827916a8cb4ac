"""Options that several commands share: one name, one meaning, one help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from affinity_zoo.zoo.commands import completion

Names = list[str] | None

#: headings of the help page, in the order of zoo/commands/__init__.py
START, DATA, TRAIN, USE, PARTS = "Start here", "Data", "Train and evaluate", "Use models", "Parts and speed"

Model = Annotated[
    str,
    typer.Argument(
        help="Model directory, run (number or folder), or a name from `models list`.",
        metavar="MODEL",
        autocompletion=completion.models,
    ),
]
Words = Annotated[
    list[str],
    typer.Argument(
        help="Model (directory, run, or name from `models list`), structure of the receptor, and pose files or "
        "folders of them.",
        metavar="MODEL RECEPTOR POSES...",
        show_default=False,
        autocompletion=completion.models_and_files,
    ),
]
Receptor = Annotated[
    Path | None,
    typer.Option(
        "--receptor",
        "-r",
        help="File of the receptor structure, as an option.",
        metavar="FILE",
        show_default=False,
    ),
]
Poses = Annotated[
    Names,
    typer.Option(
        "--ligand",
        "-l",
        help="Pose file or folder, as an option; may be repeated.",
        metavar="FILE",
        show_default=False,
    ),
]
Record = Annotated[
    int, typer.Option(help="Number of the record in the pose file, from 0.", min=0, metavar="N")
]
ModelOutput = Annotated[
    str | None,
    typer.Option(
        help="Output of the model to use: pose, affinity, ...", show_default="the first", metavar="NAME"
    ),
]
Views = Annotated[
    int | None,
    typer.Option(
        help="Rotations to average; 1: the original orientation only.",
        show_default="as the model's card says",
        min=1,
        metavar="N",
    ),
]
Seed = Annotated[int, typer.Option(help="Random seed of the rotations.", min=0, metavar="N")]
Runs = Annotated[Path, typer.Option(help="Folder of the runs.", metavar="FOLDER")]
Voxelize = Annotated[
    str, typer.Option(help="Place where images are made: auto, host or device.", metavar="PLACE")
]
BatchSize = Annotated[int, typer.Option(help="Number of images per batch.", min=1, metavar="N")]
#: where a command has many options
RareVoxelize = Annotated[
    str, typer.Option(help="Place where images are made: auto, host or device.", metavar="PLACE", hidden=True)
]
RareBatchSize = Annotated[
    int, typer.Option(help="Number of images per batch.", min=1, metavar="N", hidden=True)
]
Threads = Annotated[int, typer.Option(help="Number of threads that make images.", min=1, metavar="N")]
Processes = Annotated[
    int | None,
    typer.Option(help="Number of worker processes; 0: none.", show_default="one per processor", metavar="N"),
]
Dask = Annotated[str, typer.Option("--dask", help="Address of the Dask scheduler to use.", metavar="ADDRESS")]
Offline = Annotated[bool, typer.Option("--offline", help="Do not download models.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Featurizer = Annotated[
    str | None,
    typer.Option(
        "--featurizer",
        "-f",
        help="Name of the featurizer.",
        metavar="NAME",
        autocompletion=completion.featurizers,
    ),
]
Architecture = Annotated[
    str | None,
    typer.Option(
        "--architecture",
        "-a",
        help="Name of the architecture.",
        metavar="NAME",
        autocompletion=completion.architectures,
    ),
]
FeaturizerOptions = Annotated[
    Names, typer.Option("-F", help="Option of the featurizer; may be repeated.", metavar="KEY=VALUE")
]
ArchitectureOptions = Annotated[
    Names, typer.Option("-A", help="Option of the architecture; may be repeated.", metavar="KEY=VALUE")
]
Box = Annotated[
    str | None,
    typer.Option(
        help="Voxels along an edge x spacing in Å, such as 40x0.5.",
        metavar="BOX",
    ),
]
