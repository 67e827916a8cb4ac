"""Command: demo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affinity_zoo.zoo.commands import options

if TYPE_CHECKING:
    from affinity_zoo.zoo.board.rows import BoardRow
    from affinity_zoo.zoo.demo.run import Demo

LESSONS = """
What this shows, and what it does not:
 1. A complex becomes an image by a featurizer, a network by an architecture: any two can be combined by name.
 2. Poses are labelled by their RMSD to the crystal pose; the decoys here are crystal poses moved and turned.
 3. Train, validation and test hold different structures: a random split would look better and mean less.
 4. Every figure has a 95 % interval; with this few complexes they overlap, so the order of the rows proves little.
 5. Baselines are shown beside the models: a network must beat such single numbers before it has learnt chemistry.
 6. Two small networks after minutes of training lose to such a number; that is to be expected, and it is shown.
 7. {best} was trained on many more complexes; see `affinity-zoo models show {best}` for where it loses.
 8. Fine-tuning starts from it; the lines above show whether it helped on this data.
 9. The test structure is one of {structures}, most of them with nucleotides: judge on your own data.
10. The board and the explanation are pages without a server: open them in a browser, send them by mail."""

NEXT_STEPS = """
  board                  {board}
  explanation            {explained}
  complexes and decoys   {structures}
  index and split        {data}
  runs and models        {summaries}   (curves: tensorboard --logdir {summaries})

With your own data:"""

#: commands that a newcomer types next, and what each is for
COMMANDS = (
    ("predict {best} receptor.pdb poses.sdf", "rank unlabelled poses"),
    ("index FOLDER -o DATA", "read your complexes"),
    ("train DATA -f atom-types -a resnet3d", "train a combination (affinity-zoo list featurizers)"),
    ("train DATA --from {best}", "or fine-tune what comes along"),
    ("evaluate 1", "judge run 1 on its test set"),
    ("leaderboard", "compare all runs"),
)


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    app.command(rich_help_panel=options.START)(demo)


def demo(
    output: Annotated[Path, typer.Option("--out", "-o", help="Folder to write.", metavar="FOLDER")] = Path(
        "affinity-zoo-demo"
    ),
    epochs: Annotated[int, typer.Option(help="Epochs of each training.", min=1, metavar="N")] = 8,
    seed: Annotated[int, typer.Option(help="Seed of decoys, weights and rotations.", min=0, metavar="N")] = 0,
    workers: Annotated[int, typer.Option(help="Number of threads.", min=1, metavar="N")] = 2,
) -> None:
    """Run a demonstration from crystal structures to a leaderboard in a few minutes.

    Example: affinity-zoo demo -o affinity-zoo-demo
    """
    from affinity_zoo.zoo.runtime.keras import start_keras

    start_keras()
    from affinity_zoo.zoo.board.leaderboard import build_boards
    from affinity_zoo.zoo.demo.run import run_demo
    from affinity_zoo.zoo.reports.page import write_report
    from affinity_zoo.zoo.runtime import terminal

    done = run_demo(output, epochs, seed, workers, terminal.say)
    boards = build_boards([done.folders.summaries])
    explained = _explained(done, output / "explanation")
    page = write_report(output / "board.html", boards)
    board = boards[0]
    key = board.columns[0].key
    terminal.table(
        f"{board.pairs} poses of the test structure, best first by {key}",
        ("model", "what it is", "AUC within complexes", "95 % interval", "overlap with its training"),
        [
            (
                _name(row),
                _what(row, done),
                f"{row.metrics[key].value:.2f}",
                _interval(row, key),
                _overlap(row),
            )
            for row in _few(board.rows)
            if key in row.metrics
        ],
        f"(name): a baseline without a network; the page has all {len(board.rows)} rows and "
        f"{len(board.columns)} metrics",
    )
    terminal.say(LESSONS.format(best=done.best, structures=len(done.made.copies)))
    terminal.say(
        NEXT_STEPS.format(
            board=page,
            explained=explained,
            structures=done.folders.structures,
            data=done.folders.data,
            summaries=done.folders.summaries,
        )
    )
    commands = [(f"affinity-zoo {command.format(best=done.best)}", about) for command, about in COMMANDS]
    width = max(len(command) for command, _ in commands)
    for command, about in commands:
        terminal.say(f"  {command:<{width}}    {about}")
    terminal.say(f"Done in {done.seconds:.0f} s.")


def _few(rows: list[BoardRow]) -> list[BoardRow]:
    """The models, the best baseline that could be known beforehand, and chance."""
    known = [row for row in rows if row.baseline and row.name.strip("()") != "best-possible"]
    chosen = {id(row) for row in [*known[:1], *(row for row in known if row.name.strip("()") == "random")]}
    return [row for row in rows if not row.baseline or id(row) in chosen]


def _what(row: BoardRow, done: Demo) -> str:
    if row.baseline:
        return "chance" if row.name.strip("()") == "random" else "the best single number"
    if row.name == done.best:
        return "comes with the package"
    # by its name: a demonstration that is given again makes the same weights, and they are one row with its first run
    return f"{done.best}, fine-tuned here" if done.best in row.name else "trained here from random weights"


def _name(row: BoardRow) -> str:
    return f"({row.name.strip('()')})" if row.baseline else row.name


def _overlap(row: BoardRow) -> str:
    return row.overlap.partition(";")[0].partition(" (")[0]


def _interval(row: BoardRow, key: str) -> str:
    return f"{row.metrics[key].low:.2f} to {row.metrics[key].high:.2f}"


def _explained(done: Demo, folder: Path) -> str:
    """Explain a crystal pose of the test structure, and print where the page is."""
    from affinity_zoo.zoo import shipped
    from affinity_zoo.zoo.commands.see import command
    from affinity_zoo.zoo.data.store.dataset import Dataset
    from affinity_zoo.zoo.models.loading import load_model
    from affinity_zoo.zoo.see.explain import explain
    from affinity_zoo.zoo.see.explain_report import write_all

    dataset = Dataset.open(done.folders.data)
    row = next(int(r) for r in dataset.rows("test") if dataset.column("pose_label")[r] == 1)
    found = explain(
        load_model(shipped.FOLDER / done.best),
        done.folders.structures / str(dataset.column("receptor")[row]),
        done.folders.structures / str(dataset.column("ligand")[row]),
        method="gradient",
        views=1,
    )
    write_all(found, folder, True, command())
    return str(folder / "explain.html")
