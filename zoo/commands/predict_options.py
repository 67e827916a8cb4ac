"""Options of the command predict, in the order of its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from affinity_zoo.zoo.commands import completion
from affinity_zoo.zoo.commands.options import Names

Words = Annotated[
    Names,
    typer.Argument(
        help="Model (directory, run, or name from `models list`; several: an ensemble), receptor, and pose files "
        "or folders. A published model is fetched at its first use.",
        metavar="MODEL RECEPTOR POSES...",
        show_default=False,
        autocompletion=completion.models_and_files,
    ),
]
Model = Annotated[
    Names,
    typer.Option(
        "--model",
        "-m",
        help="Model, as an option; may be repeated.",
        metavar="NAME",
        autocompletion=completion.models,
    ),
]
Table = Annotated[
    str | None,
    typer.Option(
        "--table",
        "-t",
        metavar="FILE",
        help="CSV of receptors and ligands; see docs/predict.md.",
    ),
]
Out = Annotated[
    str,
    typer.Option(
        "--out",
        "-o",
        help="Table to write: .csv, .parquet, .arrow; -: print CSV.",
        metavar="FILE",
    ),
]
Sdf = Annotated[
    Path | None,
    typer.Option(help="SDF file of the ranked poses to write.", metavar="FILE"),
]
RankBy = Annotated[
    str | None,
    typer.Option(
        help="Rank by pose, activity, affinity, rmsd, product (pose x pK), consensus, consensus-rank.",
        show_default="consensus, or the first output",
        metavar="WHAT",
    ),
]
BestPer = Annotated[
    str | None, typer.Option(help="molecule: keep the best pose of each molecule.", metavar="WHAT")
]
Top = Annotated[int, typer.Option(help="Number of printed rows.", min=0, metavar="N")]
Abstain = Annotated[
    float | None,
    typer.Option(
        help="Do not rank poses with a higher risk (0 to 1).",
        metavar="RISK",
    ),
]
Validity = Annotated[bool, typer.Option("--validity", help="Check geometry, strain and clashes of poses.")]
Similarity = Annotated[
    bool, typer.Option("--similarity", help="Add the similarity to training ligands and proteins.")
]
Consensus = Annotated[
    str,
    typer.Option(
        help="Combine with docking-score, outputs or other models.",
        metavar="NAMES",
        show_default=False,
    ),
]
ConsensusWithin = Annotated[
    str | None,
    typer.Option(
        help="Poses among which the consensus ranks: molecule, target or all.",
        metavar="WHAT",
        hidden=True,
        show_default="molecule; for activities target, for affinities all",
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Resume a stopped prediction.")]
Shard = Annotated[
    str,
    typer.Option(
        "--shard",
        help="Score part K of N only; see `merge`.",
        metavar="K/N",
        show_default=False,
    ),
]
DropBoundLigand = Annotated[
    bool,
    typer.Option("--drop-bound-ligand", help="Remove receptor residues that overlap with a pose."),
]
Chunk = Annotated[
    int, typer.Option(help="Number of poses per chunk of work.", min=1, metavar="N", hidden=True)
]
Processes = Annotated[
    int,
    typer.Option(help="Number of scoring processes; 0: this one.", min=0, metavar="N"),
]
MixedPrecision = Annotated[
    bool,
    typer.Option("--mixed-precision", help="Compute in bfloat16; scores differ slightly."),
]
Read = Annotated[
    list[str] | None,
    typer.Option("--read", help="Read option instead of the model's: waters=keep.", metavar="NAME=VALUE"),
]
