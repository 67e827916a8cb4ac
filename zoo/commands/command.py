"""How every command parses its words and writes its usage; names of options of version 0.1.0 still work."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand

#: option of version 0.1.0 -> the names it has now; the first one that a command has counts
RENAMED: dict[str, tuple[str, ...]] = {
    "--output": ("--model-output", "--out"),
    "--output-folder": ("--out",),
}

EVERY = "--help-all"


class Command(TyperCommand):
    """A command that takes options by their old names too, and shows words of several kinds plainly."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if any(getattr(parameter, "hidden", False) for parameter in self.params):
            self.epilog = f"{EVERY} shows the rarely used options too."

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words after the command.

        Args:
            ctx: of click.
            args: the words.

        Returns:
            What is left of them.
        """
        if EVERY in args:
            for parameter in self.params:
                setattr(parameter, "hidden", False)  # noqa: B010  of options only
            args = ["--help"]
        known = {name for parameter in self.params for name in parameter.opts}
        return super().parse_args(ctx, [_renamed(word, known) for word in args])

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Write ``MODEL RECEPTOR POSES...`` instead of ``{MODEL RECEPTOR POSES...}...``."""
        return [_plain(piece) for piece in super().collect_usage_pieces(ctx)]


def use_everywhere(app: typer.Typer) -> None:
    """Make every command of an app, those of its groups too, a :class:`Command`."""
    for info in app.registered_commands:
        info.cls = Command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            use_everywhere(group.typer_instance)


def _renamed(word: str, known: set[str]) -> str:
    name, equals, value = word.partition("=")
    if name in known:
        return word
    return next((f"{new}{equals}{value}" for new in RENAMED.get(name, ()) if new in known), word)


def _plain(piece: str) -> str:
    inner = piece.removesuffix("...")
    ends = inner[:1] + inner[-1:]
    return inner[1:-1] if ends == "{}" or (ends == "[]" and " " in inner) else piece
