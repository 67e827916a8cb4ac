"""Command: search."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.commands import options
from affinity_zoo.zoo.runtime.keras import start_keras


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    app.command(rich_help_panel=options.TRAIN)(search)


def search(
    data: Annotated[Path, typer.Argument(help="Folder made by `affinity-zoo index`.")],
    space: Annotated[
        Path, typer.Option(help="TOML file with the choices and ranges to search; see docs/search.md.")
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder of the search; an existing search is continued.")
    ],
    trials: Annotated[
        int, typer.Option(help="Total number of trials, including those of earlier calls.", min=1)
    ] = 20,
    timeout: Annotated[
        float | None,
        typer.Option(help="Time after which no new trial starts, seconds.", show_default="no limit"),
    ] = None,
    grid: Annotated[bool, typer.Option("--grid", help="Try every combination of the lists.")] = False,
    seeds: Annotated[str, typer.Option(help="Training seeds of a grid, comma-separated.")] = "0",
    seed: Annotated[int, typer.Option(help="Random seed of the sampler.", min=0)] = 0,
    prune: Annotated[
        bool, typer.Option("--prune/--no-prune", help="Stop trials early if they are below the median.")
    ] = True,
    workers: Annotated[int, typer.Option(help="Number of threads that make batches.", min=1)] = 2,
    json_output: Annotated[bool, typer.Option("--json", help="Print all trials as JSON.")] = False,
) -> None:
    """Search featurizers, architectures, options and training settings with Optuna.

    Example: affinity-zoo search DATA --space space.toml -o search --trials 20
    """
    try:
        numbers = tuple(int(part) for part in seeds.split(","))
    except ValueError:
        raise UsageError(f"--seeds is {seeds!r}: give whole numbers such as 0,1,2") from None
    if not space.is_file():
        raise UsageError(f"{space} does not exist: give a TOML file with --space, see docs/search.md")
    start_keras()
    from affinity_zoo.zoo.runtime import terminal
    from affinity_zoo.zoo.search.page import write_page
    from affinity_zoo.zoo.search.run import search as run_search

    found = run_search(
        data, space, out, trials=trials, timeout=timeout, grid=grid, seeds=numbers, seed=seed, prune=prune,
        workers=workers,
    )  # fmt: skip
    page = write_page(found, out / "search.html")
    if json_output:
        terminal.print_json(
            {"best": found.best, "monitor": found.monitor, "trials": found.trials, "page": page}
        )
        return
    rows = [
        (
            r["trial"],
            r["state"],
            r["run"],
            r["value"],
            ", ".join(f"{k}={v}" for k, v in r["parameters"].items()),
        )
        for r in found.trials
    ]
    terminal.table(str(out), ["trial", "state", "run", found.monitor, "parameters"], rows, found.note)
    terminal.say(f"page: {page}; study: {out / 'study.db'}")
    if found.best is not None:
        terminal.say(
            f"next: affinity-zoo evaluate {found.best} --runs {out / 'summaries'}   (the test set, once)"
        )
