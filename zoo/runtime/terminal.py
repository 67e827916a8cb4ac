"""What the commands print: one console, progress bars with rate and time left, tables, JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

WIDTH_OF_A_FILE = 140  #: columns, where the output is not a terminal


#: how lines name arguments: as they are for a Python caller, as options on the command line
_spelling: list[Callable[[str], str]] = [str]


class Advance(Protocol):
    """What a long task calls when ``n`` more items are done."""

    def __call__(self, n: int = 1) -> None:
        """Count ``n`` items as done."""


def console(stderr: bool = False) -> Any:
    """A rich console; progress and warnings go to stderr, results to stdout."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    # a pipe or file has no width: wide enough that no name is broken; text is shown as it is,
    # for to rich the [nH] of a SMILES is a style and the :b: of a chain a picture
    return Console(
        stderr=stderr, width=None if stream.isatty() else WIDTH_OF_A_FILE, markup=False, emoji=False
    )


@contextmanager
def spelled(spelling: Callable[[str], str]) -> Iterator[None]:
    """Print every line as ``spelling`` writes it: the command line puts options in the place of arguments.

    Args:
        spelling: a function from a line to what is printed.
    """
    _spelling.append(spelling)
    try:
        yield
    finally:
        _spelling.pop()


def say(message: str) -> None:
    """Print one line of result, as it is: brackets are no markup."""
    console().print(_spelling[-1](message), highlight=False, soft_wrap=True)


def warn(message: str) -> None:
    """Print one line of warning to stderr."""
    _marked("warning:", "yellow", message)


def error(message: str) -> None:
    """Print the line that a command fails with to stderr."""
    _marked("error:", "red", message)


def note(message: str) -> None:
    """Print one line to stderr: something the user should know that is no warning."""
    console(stderr=True).print(_spelling[-1](message), highlight=False, soft_wrap=True)


def _marked(mark: str, style: str, message: str) -> None:
    from rich.text import Text

    line = Text.assemble((mark, style), f" {_spelling[-1](message)}")
    console(stderr=True).print(line, highlight=False, soft_wrap=True)


@contextmanager
def progress(description: str, total: int | None, unit: str = "items") -> Iterator[Advance]:
    """Show a bar with rate and time left on stderr; silent where stderr is not a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    shown = console(stderr=True)
    with Progress(*columns, console=shown, disable=not shown.is_terminal) as bars:
        task = bars.add_task(description, total=total, rate="")

        def advance(n: int = 1) -> None:
            bars.advance(task, n)
            speed = bars.tasks[task].speed
            bars.update(task, rate=f"{speed:,.0f} {unit}/s" if speed else "")

        yield advance


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    caption: str = "",
    unbroken: bool = False,
) -> None:
    """Print a table; numbers are right-aligned, a column without entries is left out.

    Args:
        title: above it.
        columns: headings.
        rows: cells.
        caption: below it.
        unbroken: break no cell; the table may be wider than the terminal.
    """
    from rich.table import Table

    body = [[_text(cell) for cell in row] for row in rows]
    filled = [i for i in range(len(columns)) if not body or any(row[i] for row in body)]
    columns, body = [columns[i] for i in filled], [[row[i] for i in filled] for row in body]
    shown = Table(title=title, caption=caption or None, title_justify="left", caption_justify="left")
    for i, name in enumerate(columns):
        numeric = bool(body) and all(_is_number(row[i]) for row in body)
        shown.add_column(name, justify="right" if numeric else "left", overflow="fold", no_wrap=unbroken)
    for row in body:
        shown.add_row(*row)
    screen = console()
    if unbroken:
        wide = screen.options.update(max_width=100_000)
        screen.width = max(screen.width, screen.measure(shown, options=wide).maximum)
    screen.print(shown)


def print_json(value: Any) -> None:
    """Print JSON on stdout, without colours or wrapping."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def _is_number(text: str) -> bool:
    if not text:
        return True
    try:
        float(text.replace(",", "").rstrip("%"))
    except ValueError:
        return False
    return True
