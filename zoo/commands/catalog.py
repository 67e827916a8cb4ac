"""Commands: list, show, plugins; and the options that choose which plugins are loaded."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from affinity_zoo import __version__
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.commands import completion, options

plugins_app = typer.Typer(no_args_is_help=True, help="List, check and create plugins.")


class Plural(StrEnum):
    """Kinds of parts to list."""

    featurizers = "featurizers"
    architectures = "architectures"
    scorers = "scorers"
    baselines = "baselines"


Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add this family's commands and the global options to the app."""
    app.callback()(global_options)
    app.command("list", rich_help_panel=options.PARTS)(list_names)
    app.command("show", rich_help_panel=options.PARTS)(show)
    app.add_typer(plugins_app, name="plugins", rich_help_panel=options.PARTS)


def _version(asked: bool) -> None:
    if asked:
        from affinity_zoo.zoo.runtime.terminal import say

        say(f"affinity-zoo {__version__}")
        raise typer.Exit


def global_options(
    context: typer.Context,
    no_plugins: Annotated[
        bool, typer.Option("--no-plugins", help="Use built-in parts only; load no plugin.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop if a plugin fails, conflicts or is missing (for CI).")
    ] = False,
    plugin_file: Annotated[
        list[Path] | None,
        typer.Option(
            "--plugin-file", help="Load a single-file plugin. It runs the code in the file.", metavar="FILE"
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train, evaluate and use 3D convolutional networks for protein-ligand complexes."""
    if no_plugins or strict or plugin_file:
        from affinity_zoo.zoo.catalog import registry as catalog

        before = catalog.configure(no_plugins, strict, plugin_file or ())
        context.call_on_close(lambda: catalog.restore(before))


def list_names(
    what: Annotated[Plural, typer.Argument(help="Kind of parts to list.", metavar="|".join(Plural))],
    pattern: Annotated[str, typer.Argument(help="Pattern of names, for example 'atom*'.")] = "*",
    as_json: Json = False,
) -> None:
    """List featurizers, architectures, scorers or baselines.

    Example: affinity-zoo list featurizers
    """
    from affinity_zoo.zoo.catalog import describe
    from affinity_zoo.zoo.catalog.registry import catalog
    from affinity_zoo.zoo.runtime import terminal

    rows = [describe.entry_summary(entry) for entry in catalog().entries(describe.singular(what), pattern)]
    if as_json:
        terminal.print_json(rows)
        return
    body = [[_names(row), _summary(row), f"{row['distribution']} {row['version']}"] for row in rows]
    terminal.table(what, ("name", "summary", "from"), body)
    if any(row["state"] != "loaded" for row in rows):
        terminal.say("Some parts cannot be used: see `affinity-zoo plugins list`.")


def show(
    name: Annotated[
        str,
        typer.Argument(
            help="A name from `affinity-zoo list`, or `columns`.", autocompletion=completion.parts
        ),
    ],
    as_json: Json = False,
) -> None:
    """Show one part and its options, or the columns of a prediction.

    For a class: its options, input, output and origin.

    Example: affinity-zoo show atom-types
    """
    if name == "columns":
        _print_columns(as_json)
        return
    from affinity_zoo.zoo.catalog import describe
    from affinity_zoo.zoo.catalog.registry import catalog
    from affinity_zoo.zoo.runtime import terminal

    found = [describe.entry_details(entry) for entry in _entries_named(catalog(), name)]
    if as_json:
        terminal.print_json(found)
        return
    for shown in found:
        _print_details(shown)


def _print_columns(as_json: bool) -> None:
    """Print the columns of a prediction, as in ``docs/columns.md``."""
    from dataclasses import asdict

    from affinity_zoo.zoo.prediction.columns import COLUMNS
    from affinity_zoo.zoo.runtime import terminal

    rows = [asdict(column) for column in COLUMNS]
    if as_json:
        terminal.print_json(rows)
        return
    body = [list(row.values()) for row in rows]
    terminal.table("columns of a prediction", ("column", "unit", "better", "meaning", "present if"), body)


@plugins_app.command("list")
def list_plugins(
    as_json: Json = False,
    load: Annotated[
        bool, typer.Option(help="Import the plugins; --no-load only lists what is installed.")
    ] = True,
) -> None:
    """List all plugins with their state and its reason, origin and import time.

    Example: affinity-zoo plugins list
    """
    from affinity_zoo.zoo.catalog import describe
    from affinity_zoo.zoo.catalog.registry import catalog
    from affinity_zoo.zoo.runtime import terminal

    rows = [describe.plugin_state(plugin) for plugin in catalog().plugins(load=load)]
    if as_json:
        terminal.print_json(rows)
    else:
        _print_plugins(rows)
    bad = [row["name"] for row in rows if row["state"] in ("failed", "conflict")]
    if bad and _strict():
        raise AffinityZooError(f"`strict=True`: {', '.join(bad)} cannot be used; the table shows the reasons")


class NewKind(StrEnum):
    """Kinds of plugins with a template."""

    featurizer = "featurizer"
    architecture = "architecture"
    scorer = "scorer"


@plugins_app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="Name that users type, for example 'my-featurizer'.")],
    kind: Annotated[
        NewKind, typer.Option("--kind", "-k", help="Kind of plugin: featurizer, architecture or scorer.")
    ] = NewKind.featurizer,
    folder: Annotated[Path, typer.Option("--out", "-o", help="Folder to create the package in.")] = Path("."),
) -> None:
    """Write a new plugin package that can be installed and passes its tests.

    Example: affinity-zoo plugins new my-featurizer --kind featurizer
    """
    from affinity_zoo.zoo.catalog import scaffold
    from affinity_zoo.zoo.runtime import terminal

    made = scaffold.new_plugin(name, kind.value, folder)
    terminal.say(f"wrote {made}")
    terminal.say(f"next: cd {made} && pip install -e '.[test]' && pytest")


@plugins_app.command("check")
def check(
    name: Annotated[
        str | None,
        typer.Argument(help="Plugin to check: its name, its distribution, or a name that it registers."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run the conformance checks on installed plugins, or on one part by name.

    Example: affinity-zoo plugins check atom-types
    """
    from affinity_zoo.zoo.catalog import describe
    from affinity_zoo.zoo.catalog.registry import catalog
    from affinity_zoo.zoo.runtime import terminal
    from affinity_zoo.zoo.runtime.keras import start_keras

    reports = describe.conformance(catalog(), name, start_keras)
    if as_json:
        terminal.print_json(reports)
    else:
        for report in reports:
            body = [(r["check"], r["state"], r["message"]) for r in report["results"]]
            terminal.table(f"{report['kind']} {report['name']}", ("requirement", "", ""), body)
        failed = sum(not report["ok"] for report in reports)
        terminal.say(f"{len(reports)} checked, {failed} failed" if reports else "no plugin is installed")
    if not all(report["ok"] for report in reports):
        raise typer.Exit(1)


def _strict() -> bool:
    from affinity_zoo.plugins.settings import Settings

    return Settings.from_environment().strict


def _entries_named(registry: Any, name: str) -> list[Any]:
    """Return the entries of all kinds with a name or alias."""
    from affinity_zoo.plugins.errors import UsageError
    from affinity_zoo.plugins.kinds import KINDS
    from affinity_zoo.plugins.names import nearest

    entries = [entry for kind in KINDS for entry in registry.entries(kind)]
    found = [entry for entry in entries if name in (entry.name, *entry.aliases)]
    if not found:
        close = nearest(name, [entry.name for entry in entries])
        raise UsageError(
            f"nothing is called {name!r}{close}: `affinity-zoo list featurizers` and so on list the names"
        )
    return found


def _names(row: dict[str, Any]) -> str:
    return row["name"] + (f" ({', '.join(row['aliases'])})" if row["aliases"] else "")


def _summary(row: dict[str, Any]) -> str:
    return row["summary"] if row["state"] == "loaded" else f"{row['state']}: {row['reason']}"


def _print_details(shown: dict[str, Any]) -> None:
    from affinity_zoo.plugins.options import as_text
    from affinity_zoo.zoo.runtime import terminal

    terminal.say(f"{shown['name']} ({shown['kind']})  {_summary(shown)}")
    for key in ("aliases", "input", "output", "reference", "module"):
        if value := shown.get(key):
            terminal.say(f"  {key}: {', '.join(value) if isinstance(value, list) else value}")
    terminal.say(f"  from: {shown['distribution']} {shown['version']}")
    if shown["remedy"]:
        terminal.say(f"  remedy: {shown['remedy']}")
    options = shown.get("options", [])
    if options:
        flag = {"featurizer": "-F", "architecture": "-A"}.get(shown["kind"], "")
        rows = [
            (o["name"], o["type"], "(required)" if o["required"] else as_text(o["default"]), o["help"])
            for o in options
        ]
        terminal.table(
            f"options{f' ({flag} key=value)' if flag else ''}", ("option", "type", "default", ""), rows
        )


def _print_plugins(rows: list[dict[str, Any]]) -> None:
    from affinity_zoo.zoo.runtime import terminal

    body = [
        (
            row["name"],
            row["state"],
            f"{row['distribution']} {row['version']}",
            f"{row['import_seconds'] * 1000:.0f}",
            ", ".join(name for names in row["provides"].values() for name in names),
            "; ".join(filter(None, (row["reason"], row["remedy"], *row["notes"]))),
        )
        for row in rows
    ]
    columns = ("plugin", "state", "from", "import (ms)", "provides", "reason and remedy")
    terminal.table("plugins", columns, body)
