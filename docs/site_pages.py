"""Pages of the site that are made from other sources: README, CONTRIBUTING, CHANGELOG, the command line, the API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
#: page -> the file at the root that it shows
SHOWN = {"index.md": "README.md", "contributing.md": "CONTRIBUTING.md", "changes.md": "CHANGELOG.md"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages.

    Args:
        files: pages of the folder.
        config: of mkdocs.

    Returns:
        All pages.
    """
    pages = {page: _shown(ROOT / name) for page, name in SHOWN.items()}
    pages |= {"cli.md": command_reference(), "api.md": api_reference()}
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def _shown(path: Path) -> str:
    """A file of the root with its links as the site has them."""
    text = path.read_text(encoding="utf-8")
    back = {name: page for page, name in SHOWN.items()}
    text = re.sub(r"\]\(docs/", "](", text)
    for name, page in back.items():
        text = text.replace(f"]({name})", f"]({page})")
    return re.sub(r"\[([^\]]+)\]\(LICENSE\)", r"\1", text)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Let links of the docs to files at the root lead to the site's pages.

    Args:
        markdown: a page.
    """
    for page, name in SHOWN.items():
        markdown = markdown.replace(f"](../{name})", f"]({page})")
    return re.sub(r"\[([^\]]+)\]\(\.\./[^)]*\)", r"\1", markdown)


def command_reference() -> str:
    """Every command with its arguments and options, read from the Typer app."""
    from typer.main import get_command

    from affinity_zoo.cli import app

    parts = ["# Command line\n", "Every command, its arguments and its options. `--help` shows the same.\n"]
    for path, command in _commands(get_command(app)):
        parts.append(_section(path, command))
    return "\n".join(parts)


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    inside = getattr(command, "commands", {})
    if path and (not inside or command.invoke_without_command):
        yield path, command
    for name, sub in inside.items():
        yield from _commands(sub, (*path, name))


def _section(path: tuple[str, ...], command: Any) -> str:
    text = (command.help or "").strip()
    about, _, example = text.partition("Example: ")
    lines = [f"## affinity-zoo {' '.join(path)}", "", _cell(about), ""]
    if example:
        lines += ["```console", f"$ {example.strip()}", "```", ""]
    rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
    if rows:
        lines += ["| argument | meaning | default |", "|---|---|---|", *rows, ""]
    return "\n".join(lines)


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = f"`{parameter.metavar or parameter.name.upper()}`"
    else:
        names = [*parameter.opts, *parameter.secondary_opts]
        what = "" if parameter.is_flag or not parameter.metavar else f" {parameter.metavar}"
        name = ", ".join(f"`{one}`" for one in names) + what
    shown = parameter.show_default if isinstance(parameter.show_default, str) else parameter.default
    default = "" if shown is None or shown is False else f"{shown}"
    return f"| {_cell(name)} | {_cell(parameter.help or '')} | {_cell(default)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def api_reference() -> str:
    """The public names of the package, by mkdocstrings."""
    import affinity_zoo

    targets = getattr(affinity_zoo, "_PUBLIC")  # noqa: B009
    parts = ["# Python, every name\n", "What `import affinity_zoo` gives, and the contracts of plugins.\n"]
    parts += [f"::: {target.replace(':', '.')}\n" for target in dict.fromkeys(targets.values())]
    parts += ["::: affinity_zoo.plugins.contracts\n", "::: affinity_zoo.plugins.errors\n"]
    return "\n".join(parts)
