"""Options of the command evaluate, in the order of its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from affinity_zoo.zoo.commands import completion
from affinity_zoo.zoo.commands.options import Names

Run = Annotated[
    str,
    typer.Argument(
        help="Run (number or folder), model or ensemble directory, or name of a model; with --scores: the data.",
        metavar="MODEL",
        autocompletion=completion.models,
    ),
]
Data = Annotated[
    Path | None,
    typer.Argument(
        help="Folder made by `affinity-zoo index`, or name of a benchmark.",
        metavar="DATA",
        show_default="the run's own data",
        autocompletion=completion.data_or_benchmarks,
    ),
]
Scores = Annotated[
    Path | None,
    typer.Option(
        help="Scores of another program: CSV with id and score, SDF, output of Boltz or DiffDock.",
        metavar="FILE",
    ),
]
Name = Annotated[str | None, typer.Option(help="Name of the row for --scores.", metavar="NAME")]
Direction = Annotated[
    str | None, typer.Option(help="Better values of --scores: higher or lower.", metavar="END")
]
Column = Annotated[str | None, typer.Option(help="Column or SDF property of the score.", metavar="NAME")]
IdColumn = Annotated[
    str | None,
    typer.Option(
        help="Column or SDF property of the pair's id.",
        metavar="NAME",
        hidden=True,
    ),
]
Consensus = Annotated[
    str | None,
    typer.Option(
        help="Evaluate a consensus of these rows of the board, comma-separated; MODEL is the benchmark.",
        metavar="NAMES",
    ),
]
Method = Annotated[
    str, typer.Option(help="Methods of --consensus: rank, z, stack; comma-separated.", metavar="NAMES")
]
LearnFrom = Annotated[
    str | None,
    typer.Option(
        help="Fit the stacked model on this benchmark.",
        show_default="cross-validated over groups",
        metavar="NAME",
        hidden=True,
    ),
]
Split = Annotated[str, typer.Option(help="Rows to evaluate: test, validation, train or all.", metavar="NAME")]
Sources = Annotated[
    str | None,
    typer.Option(
        help="Sources of the poses to evaluate, comma-separated.",
        show_default="all",
        metavar="NAMES",
    ),
]
Scorer = Annotated[
    Names,
    typer.Option(
        "--scorer",
        "-s",
        help="Scorer (metric) to print; may be repeated.",
        show_default="all",
        metavar="NAME",
        autocompletion=completion.scorers,
    ),
]
Submission = Annotated[Path | None, typer.Option(help="Kaggle file (Id,Expected) to write.", metavar="FILE")]
ModelOutput = Annotated[
    str | None,
    typer.Option(
        help="Output to compare with all true values: pose, activity, affinity, rmsd or product (probability x pK).",
        show_default="the matching output",
        metavar="NAME",
    ),
]
