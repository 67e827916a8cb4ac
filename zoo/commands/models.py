"""Commands: import gnina; models list, show, get, push, test, ship; export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from affinity_zoo.zoo.commands import completion, options

Folder = Annotated[
    Path | None,
    typer.Option(
        help="Folder of downloaded and imported models.", show_default="models, then the user's folder"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    importing = typer.Typer(help="Import models of other programs.", no_args_is_help=True)
    importing.callback()(_group)
    importing.command("gnina")(gnina)
    app.add_typer(importing, name="import", rich_help_panel=options.USE)
    models = typer.Typer(help="List, download and ship trained models.", no_args_is_help=True)
    models.command("list")(list_models)
    models.command("show")(show)
    models.command("get")(get)
    models.command("push")(push)
    models.command("test")(test)
    models.command("ship")(ship)
    app.add_typer(models, name="models", rich_help_panel=options.USE)
    app.command(rich_help_panel=options.USE)(export)


def _group() -> None:
    """Import models of other programs."""


def gnina(
    files: Annotated[list[Path], typer.Argument(help="Weight files of gnina's networks (.pt).")],
    output: Annotated[
        Path, typer.Option("--out", "-o", help="Output folder, with one model directory per file.")
    ] = Path("models"),
    ensemble: Annotated[
        str | None, typer.Option(help="Combine all files into one ensemble of this name.")
    ] = None,
) -> None:
    """Convert gnina's published networks to model directories.

    Example: affinity-zoo import gnina default2018.pt -o models
    """
    from affinity_zoo.zoo.runtime.keras import start_keras

    start_keras()
    from affinity_zoo.zoo.importers.gnina import import_gnina

    for folder in import_gnina(files, output, ensemble=ensemble):
        _say_use(folder)


def list_models(
    pattern: Annotated[str, typer.Argument(help="Pattern of names, for example 'gnina*'.")] = "*",
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """List trained models: shipped, local and downloadable.

    Example: affinity-zoo models list 'gnina*'
    """
    from affinity_zoo.zoo.models.cards import listing
    from affinity_zoo.zoo.runtime import terminal

    rows = listing(pattern, folder)
    if as_json:
        terminal.print_json(rows)
        return
    body = [[row["name"], row["where"], row["outputs"], row["about"]] for row in rows]
    terminal.table("models", ("name", "where", "outputs", ""), body)
    if not rows:
        terminal.say(f"no model is called {pattern!r}; `affinity-zoo models list` lists all models")


def show(
    name: Annotated[
        str,
        typer.Argument(
            help="A name from `models list`, a model directory, or a run.", autocompletion=completion.models
        ),
    ],
    folder: Folder = None,
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("summaries"),
    full: Annotated[bool, typer.Option("--full", help="Show every benchmark with every baseline.")] = False,
    as_json: Json = False,
) -> None:
    """Show a model's card: metrics with intervals, limits, licence, how to cite.

    Example: affinity-zoo models show zoo-small
    """
    from affinity_zoo.zoo.models.card_text import print_card
    from affinity_zoo.zoo.models.cards import card_of
    from affinity_zoo.zoo.runtime import terminal

    card = card_of(name, folder, runs)
    if as_json:
        terminal.print_json(card)
    else:
        print_card(card, full)


def get(
    name: Annotated[
        str,
        typer.Argument(
            help="A name from `models list`, such as gnina-default, or hf://USER/REPO.",
            autocompletion=completion.models,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder to write.", show_default="the user's folder of models"),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="Local weight file or wheel, or a folder of them; tried first.",
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="Address of a mirror folder, used instead of the package index."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not download anything.")] = False,
) -> None:
    """Get a published model by name, check each file's SHA-256 and convert it.

    Files are searched in this order: --from; the folder of downloads; --url or, without it, the Python package
    index (with pip's settings) and the published address.

    Example: affinity-zoo models get gnina-default
    """
    from affinity_zoo.zoo.importers.hubs import hub_of, is_handle
    from affinity_zoo.zoo.models import published

    if is_handle(name):
        _say_use(hub_of(name).get_from_hub(name, output))
        return
    published.get(name)  # a wrong name is reported before Keras starts
    from affinity_zoo.zoo.runtime.keras import start_keras

    start_keras()
    from affinity_zoo.zoo.importers.downloads import get_model

    _say_use(get_model(name, output, url=url, source=source, offline=offline))


def push(
    model: Annotated[
        str,
        typer.Argument(
            help="A model or ensemble directory, or a name from `models list`.",
            autocompletion=completion.models,
        ),
    ],
    handle: Annotated[str, typer.Argument(help="Repository hf://USER/REPO; it is created if missing.")],
    private: Annotated[bool, typer.Option("--private", help="Create a private repository.")] = False,
) -> None:
    """Upload a model to a hub, with a README.md that the hub reads.

    Example: affinity-zoo models push my-model hf://USER/REPO
    """
    from affinity_zoo.plugins.errors import AffinityZooError
    from affinity_zoo.zoo.importers.hubs import hub_of
    from affinity_zoo.zoo.models.folders import model_path
    from affinity_zoo.zoo.runtime.terminal import say

    folder = model_path(model)
    if folder is None:
        raise AffinityZooError(
            f"there is no model {model!r} here; `affinity-zoo models list` lists the models"
        )
    say(hub_of(handle).push_to_hub(folder, handle, private=private))


def test(
    model: Annotated[
        str,
        typer.Argument(
            help="A model or ensemble directory, a run, or a name from `models list`.",
            autocompletion=completion.models,
        ),
    ],
    export: Annotated[
        Path | None,
        typer.Option(help="Exported model to test too: an ONNX file or a SavedModel folder."),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("summaries"),
    as_json: Json = False,
) -> None:
    """Score the reference complex of a model, and compare with the stored output.

    Example: affinity-zoo models test zoo-small
    """
    from affinity_zoo.zoo.importers.first_use import model_folders

    folders = model_folders([model], runs)
    from affinity_zoo.zoo.runtime.keras import start_keras

    start_keras()
    from affinity_zoo.zoo.export.export import check_export_file
    from affinity_zoo.zoo.inference.reference import TOLERANCE, check_reference
    from affinity_zoo.zoo.judging.outputs import outputs_of
    from affinity_zoo.zoo.models.loading import load_model
    from affinity_zoo.zoo.runtime import terminal

    rows: list[list[Any]] = []
    good = True
    for folder in folders:
        loaded = load_model(folder)
        names = outputs_of(loaded.card)
        found = check_reference(folder, loaded.network, loaded.featurizer, loaded.box, names)
        found += check_export_file(loaded, export) if export is not None else []
        good = good and all(one.ok for one in found)
        rows += [[folder.name, one.output, one.way, one.expected, one.found, one.difference] for one in found]
    columns = ("model", "output", "from", "expected", "found", "difference")
    if as_json:
        terminal.print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        terminal.table("reference complex", columns, rows)
        terminal.say(
            "all outputs equal the stored ones"
            if good
            else f"an output differs from the stored one by more than {TOLERANCE:g}"
        )
    raise typer.Exit(0 if good else 1)


def ship(
    trainings: Annotated[
        list[str],
        typer.Argument(
            help="Evaluated runs of one recipe that differ only in their seed.",
            autocompletion=completion.runs,
        ),
    ],
    output: Annotated[
        Path, typer.Option("--out", "-o", help="Model directory to make; its name is the model's.")
    ],
    notes: Annotated[Path, typer.Option(help="TOML file: about, licences, limits, how to cite, commands.")],
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("summaries"),
) -> None:
    """Ship a model: choose the best of several trainings and write its card.

    Example: affinity-zoo models ship 1 2 3 -o my-model --notes notes.toml
    """
    from affinity_zoo.zoo.runtime.keras import start_keras

    start_keras()
    from affinity_zoo.zoo.runtime.terminal import say
    from affinity_zoo.zoo.shipping.notes import read_notes
    from affinity_zoo.zoo.shipping.ship import ship as ship_model

    folder = ship_model(trainings, output, read_notes(notes), runs=runs)
    say(f"{folder}: `affinity-zoo models show {folder}` shows its card")


def export(
    model: Annotated[
        str,
        typer.Argument(
            help="A model directory, a shipped model, or a run.", autocompletion=completion.models
        ),
    ],
    output: Annotated[Path, typer.Option("--out", "-o", help="ONNX file or SavedModel folder to write.")],
    format: Annotated[str, typer.Option(help="Export format: onnx or savedmodel.")] = "onnx",
    source: Annotated[
        str,
        typer.Option(
            "--from",
            help="Input of the exported model: image, or atoms (with the voxelizer; savedmodel only).",
        ),
    ] = "image",
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("summaries"),
    as_json: Json = False,
) -> None:
    """Export a model to ONNX or SavedModel, and compare it with Keras.

    Example: affinity-zoo export zoo-small -o pose.onnx
    """
    from affinity_zoo.zoo.importers.first_use import model_folder

    folder = model_folder(model, runs)
    from affinity_zoo.zoo.runtime.keras import start_keras

    start_keras()
    from dataclasses import asdict

    from affinity_zoo.zoo.export.export import export as export_model
    from affinity_zoo.zoo.models.loading import load_model
    from affinity_zoo.zoo.runtime.terminal import print_json, say

    told = export_model(load_model(folder), output, format=format, source=source)
    if as_json:
        print_json(asdict(told))
        return
    say(f"{output}: {told.format} from {told.source}, differs from Keras by {told.difference:.1g} at most")
    say(f"{output}.json: its inputs, outputs, box and channels")


def _say_use(folder: Path) -> None:
    from affinity_zoo.zoo.models.folders import model_path
    from affinity_zoo.zoo.runtime.terminal import say

    here = model_path(folder.name)
    # the name is enough in folders that commands search
    name = folder.name if here is not None and here.resolve() == folder.resolve() else str(folder)
    say(f"{folder.name} is in {folder}; use it: `affinity-zoo predict {name} receptor.pdb poses.sdf`")
