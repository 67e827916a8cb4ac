"""Commands: import gnina."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    group = typer.Typer(help="Bring models of other programs in.", no_args_is_help=True)
    group.callback()(_group)
    group.command("gnina")(gnina)
    app.add_typer(group, name="import", rich_help_panel="Train and use")


def _group() -> None:
    """Bring models of other programs in."""


def gnina(
    files: Annotated[list[Path], typer.Argument(help="Published state dicts of gnina's networks (.pt).")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder; one model directory a file.")
    ] = Path("models"),
    ensemble: Annotated[
        str | None, typer.Option(help="Make one ensemble of this name out of all files.")
    ] = None,
) -> None:
    """Convert gnina's published networks to model directories. Needs PyTorch for this command alone."""
    from affinity_zoo.zoo.quiet import start_keras

    start_keras()
    from affinity_zoo.zoo.gnina_import import import_gnina
    from affinity_zoo.zoo.terminal import say

    for folder in import_gnina(files, output, ensemble=ensemble):
        say(f"{folder}: use it with `affinity-zoo predict {folder} -r receptor.pdb -l poses.sdf`")
