"""Terminal output of the commands: console, progress bars, tables, JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

WIDTH_OF_A_FILE = 140  #: columns, where the output is not a terminal


LINE_EVERY = 30.0  #: seconds between lines of progress, where the output is not a terminal
#: stack of functions that rewrite argument names: unchanged for Python callers, options on the command line
_spelling: list[Callable[[str], str]] = [str]


class Advance(Protocol):
    """Callback of a long task: ``n`` more items are done."""

    def __call__(self, n: int = 1) -> None:
        """Count ``n`` items as done."""


def console(stderr: bool = False) -> Any:
    """Return a rich console; results go to stdout, progress and warnings to stderr.

    Args:
        stderr: Write to stderr instead of stdout.
    """
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    # a pipe or file has no width: use one that breaks no name. Markup is off, because rich would
    # read the [nH] of a SMILES as a style and the :b: of a chain as an emoji
    return Console(
        stderr=stderr, width=None if stream.isatty() else WIDTH_OF_A_FILE, markup=False, emoji=False
    )


@contextmanager
def spelled(spelling: Callable[[str], str]) -> Iterator[None]:
    """Rewrite every printed line: the command line replaces arguments by options.

    Args:
        spelling: function from a line to the printed line.
    """
    _spelling.append(spelling)
    try:
        yield
    finally:
        _spelling.pop()


def say(message: str) -> None:
    """Print one line of results, without interpretation of markup.

    Args:
        message: The line, without its line break.
    """
    console().print(_spelling[-1](message), highlight=False, soft_wrap=True)


def warn(message: str) -> None:
    """Print a warning to stderr.

    Args:
        message: The line, without its line break.
    """
    _marked("warning:", "yellow", message)


def error(message: str) -> None:
    """Print the error message of a command to stderr.

    Args:
        message: The line, without its line break.
    """
    _marked("error:", "red", message)


def note(message: str) -> None:
    """Print a note to stderr, for information that is not a warning.

    Args:
        message: The line, without its line break.
    """
    console(stderr=True).print(_spelling[-1](message), highlight=False, soft_wrap=True)


def _marked(mark: str, style: str, message: str) -> None:
    from rich.text import Text

    line = Text.assemble((mark, style), f" {_spelling[-1](message)}")
    console(stderr=True).print(line, highlight=False, soft_wrap=True)


@contextmanager
def progress(description: str, total: int | None, unit: str = "items") -> Iterator[Advance]:
    """Show a progress bar with rate and time left on stderr; elsewhere a line every half minute.

    Args:
        description: Text before the bar.
        total: Number of items; None: unknown.
        unit: Name of the items.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    shown = console(stderr=True)
    if not shown.is_terminal:
        yield _Lines(description, total, unit)
        return
    with Progress(*columns, console=shown) as bars:
        task = bars.add_task(description, total=total, rate="")

        def advance(n: int = 1) -> None:
            bars.advance(task, n)
            speed = bars.tasks[task].speed
            bars.update(task, rate=f"{speed:,.0f} {unit}/s" if speed else "")

        yield advance


class _Lines:
    """Progress as a line every :data:`LINE_EVERY` seconds: for log files and batch jobs."""

    def __init__(self, description: str, total: int | None, unit: str) -> None:
        self._what, self._total, self._unit = description, total, unit
        self._begun = self._said = time.monotonic()
        self._done = 0

    def __call__(self, n: int = 1) -> None:
        """Count ``n`` items as done, and print a line if the last one is long ago."""
        self._done += n
        now = time.monotonic()
        if now - self._said < LINE_EVERY:
            return
        self._said = now
        rate = self._done / (now - self._begun)
        of_all = "" if self._total is None else f" of {self._total:,}"
        left = "" if self._total is None or not rate else f", {_span((self._total - self._done) / rate)} left"
        note(f"{self._what}: {self._done:,}{of_all} {self._unit}, {rate:,.1f} {self._unit}/s{left}")


def _span(seconds: float) -> str:
    minutes = round(max(seconds, 0.0) / 60)
    return (
        f"{minutes // 60} h {minutes % 60} min"
        if minutes >= 60
        else f"{minutes} min"
        if minutes
        else "under 1 min"
    )


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
        unbroken: do not wrap cells; the table may be wider than the terminal.
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
    """Print JSON on stdout, without colours or wrapping.

    Args:
        value: JSON-ready value.
    """
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
