"""Options of the command train, in the order of its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from affinity_zoo.zoo.commands import completion

Data = Annotated[Path, typer.Argument(help="Folder made by `affinity-zoo index`.", metavar="DATA")]
Recipe = Annotated[
    str | None, typer.Option(help="Recipe: a TOML file, or the preset ancestor.", metavar="FILE")
]
Epochs = Annotated[int | None, typer.Option(help="Total number of epochs.", show_default="10", metavar="N")]
BatchSize = Annotated[
    int | None, typer.Option(help="Batch size: poses per step.", show_default="32", metavar="N")
]
LearningRate = Annotated[float | None, typer.Option(help="Learning rate.", show_default="3e-4", metavar="X")]
Seed = Annotated[
    int | None,
    typer.Option(help="Seed of the training.", show_default="0", metavar="N"),
]
FalsePositiveWeight = Annotated[
    float | None,
    typer.Option(help="Weight of negative poses in the loss.", show_default="1", metavar="X"),
]
Balance = Annotated[
    str | None,
    typer.Option(
        help="Balancing of the labels: oversample or none.", show_default="oversample", metavar="HOW"
    ),
]
Monitor = Annotated[
    str | None,
    typer.Option(
        help="Validation metric that chooses the epoch.",
        metavar="NAME",
    ),
]
EarlyStopping = Annotated[
    int | None,
    typer.Option(
        help="Stop after N epochs without improvement; 0: never.",
        metavar="N",
    ),
]
Task = Annotated[
    str | None,
    typer.Option(
        help="Tasks to train: pose,activity,affinity,rmsd.",
        show_default="pose",
        metavar="NAMES",
    ),
]
TaskWeights = Annotated[
    str | None,
    typer.Option(help="Weight of each task in the loss.", show_default="1 each", metavar="X,X"),
]
AffinityLoss = Annotated[
    str | None,
    typer.Option(
        help="Loss of affinity and RMSD: huber (linear beyond 1 pK or Å) or mse.",
        show_default="huber",
        metavar="NAME",
        hidden=True,
    ),
]
AffinityOnWrongPoses = Annotated[
    str | None,
    typer.Option(
        help="Affinity of wrong poses: masked (not trained) or one-sided (upper bound).",
        show_default="masked",
        metavar="HOW",
        hidden=True,
    ),
]
Sources = Annotated[
    str | None,
    typer.Option(
        help="Sources of training poses: crystal,docked,...",
        show_default="all",
        metavar="NAMES",
    ),
]
MixedPrecision = Annotated[
    bool | None,
    typer.Option("--mixed-precision", help="Compute the network in half precision."),
]
ShuffleLabels = Annotated[
    bool | None,
    typer.Option("--shuffle-labels", help="Shuffle the labels, as a control run."),
]
Teacher = Annotated[
    list[str] | None,
    typer.Option(
        help="Teacher model to distil; may be repeated.",
        metavar="MODEL",
        autocompletion=completion.models,
    ),
]
TeacherViews = Annotated[
    int | None,
    typer.Option(
        help="Number of rotations to average the teachers' outputs over.",
        show_default="1",
        metavar="N",
        hidden=True,
    ),
]
TruthShare = Annotated[
    float | None,
    typer.Option(
        help="Weight of a known label beside the teachers' output, 0 to 1.",
        show_default="0.5",
        metavar="X",
        hidden=True,
    ),
]
Optimizer = Annotated[
    str | None, typer.Option(help="Optimizer: adam or adamw.", show_default="adam", metavar="NAME")
]
WeightDecay = Annotated[
    float | None,
    typer.Option(help="Weight decay of adamw.", show_default="0", metavar="X", hidden=True),
]
Schedule = Annotated[
    str | None,
    typer.Option(help="Learning rate: constant, or cosine with warm-up.", metavar="NAME"),
]
WarmUp = Annotated[
    float | None,
    typer.Option(
        help="Fraction of the steps used for warm-up.",
        show_default="0.05",
        metavar="X",
        hidden=True,
    ),
]
Start = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="Model to fine-tune; sets the architecture.",
        metavar="MODEL",
        autocompletion=completion.models,
    ),
]
Freeze = Annotated[
    int,
    typer.Option(
        help="With --from: number of first layers to freeze.",
        min=0,
        metavar="N",
        show_default=False,
    ),
]
Resume = Annotated[
    str | None,
    typer.Option(
        help="Run to resume (number or folder).",
        metavar="RUN",
        autocompletion=completion.runs,
    ),
]
LogicalCpus = Annotated[
    int,
    typer.Option(
        help="Number of logical CPU devices to train on, to test distribution.", metavar="N", hidden=True
    ),
]
Distributed = Annotated[
    bool,
    typer.Option("--distributed", help="Train with the other tasks of this Slurm step."),
]
Tracker = Annotated[
    list[str] | None,
    typer.Option(
        help="Copy recipe and curves to a tracker: mlflow, or package.module:Class; may be repeated.",
        metavar="NAME",
        hidden=True,
    ),
]
