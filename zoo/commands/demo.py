"""Command: demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from affinity_zoo.zoo.commands import options

NEXT_STEPS = """
This was a demonstration on {structures} structures, most of them with nucleotides, and {complexes} complexes: it
shows how the parts fit together, not how good a model can be. Compare each row with the baselines.
Its decoys are moved crystal poses, matched on contacts and burial. What one number tells apart here (AUC of
crystal against decoy, pooled): {baselines};
on the test structure alone, within complexes: {tested}.

Everything is in {root}:
  complexes and decoys   {root_structures}
  index and split        {root_data}
  runs and models        {root_summaries}   (curves: tensorboard --logdir {root_summaries})

With your own data:
  affinity-zoo index FOLDER -o DATA                     read your complexes
  affinity-zoo train DATA -f atom-types -a resnet3d     train a combination (affinity-zoo list featurizers)
  affinity-zoo evaluate 1                               judge run 1 on its test set
  affinity-zoo predict 1 receptor.pdb poses.sdf   rank unlabelled poses
  affinity-zoo predict pose-resnet3d receptor.pdb poses.sdf   the same with the model that comes along
  affinity-zoo leaderboard                              compare all runs"""


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    app.command(rich_help_panel=options.START)(demo)


def demo(
    output: Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")] = Path("affinity-zoo-demo"),
    epochs: Annotated[int, typer.Option(help="Epochs of each training.", min=1)] = 8,
    seed: Annotated[int, typer.Option(help="Seed of decoys, weights and rotations.", min=0)] = 0,
    workers: Annotated[int, typer.Option(help="Number of threads.", min=1)] = 2,
) -> None:
    """Run a demonstration from crystal structures to a leaderboard in a few minutes.

    Example: affinity-zoo demo -o affinity-zoo-demo
    """
    from affinity_zoo.zoo.runtime.keras import start_keras

    start_keras()
    from affinity_zoo.zoo.commands.board import leaderboard
    from affinity_zoo.zoo.demo.run import run_demo
    from affinity_zoo.zoo.runtime import terminal

    done = run_demo(output, epochs, seed, workers, terminal.say)
    leaderboard([done.folders.summaries])
    numbers = ", ".join(f"{name} {aucs['pooled']:.2f}" for name, aucs in done.made.auc.items())
    tested = ", ".join(
        f"{name} {auc:.2f}"
        for structure in done.made.splits["test"]
        for name, auc in done.made.auc_by_structure[structure].items()
    )
    terminal.say(
        NEXT_STEPS.format(
            structures=len(done.made.copies),
            complexes=done.made.complexes,
            baselines=numbers,
            tested=tested,
            root=output,
            root_structures=done.folders.structures,
            root_data=done.folders.data,
            root_summaries=done.folders.summaries,
        )
    )
    terminal.say(f"Done in {done.seconds:.0f} s.")
