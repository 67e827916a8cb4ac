"""Leaderboards in Python: :func:`affinity_zoo.leaderboard`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.api.shown import boards_html
from affinity_zoo.zoo.board.leaderboard import Board, build_boards
from affinity_zoo.zoo.board.leaderboard_text import as_csv, as_markdown, as_records
from affinity_zoo.zoo.models.run_folder import DEFAULT_ROOT
from affinity_zoo.zoo.runtime.files import whole

if TYPE_CHECKING:
    import pandas

Place = str | os.PathLike[str]


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """All results, one board a benchmark; a notebook shows it as tables and plots.

    Attributes:
        boards: one :class:`~affinity_zoo.zoo.board.leaderboard.Board` a benchmark.
    """

    boards: tuple[Board, ...]

    def __len__(self) -> int:
        """Return the number of benchmarks."""
        return len(self.boards)

    def __iter__(self) -> Iterator[Board]:
        """Yield the board of each benchmark."""
        return iter(self.boards)

    def __getitem__(self, benchmark: int | str) -> Board:
        """Return a board by its position or by the name of its benchmark."""
        if isinstance(benchmark, int):
            return self.boards[benchmark]
        found = next((board for board in self.boards if board.benchmark == benchmark), None)
        if found is None:
            known = ", ".join(board.benchmark for board in self.boards)
            raise UsageError(f"there is no board of the benchmark {benchmark!r}; the boards are: {known}")
        return found

    def to_pandas(self) -> pandas.DataFrame:
        """Return one row per benchmark, model and metric as a data frame. Needs pandas."""
        import pandas

        return pandas.DataFrame(as_records(self.boards))

    def write(self, path: str | Path) -> Path:
        """Write the boards: a page (.html), Markdown (.md) or CSV (.csv) by the ending.

        Args:
            path: the file.

        Returns:
            The path.

        Raises:
            UsageError: the ending is another one.
        """
        file = Path(path)
        if file.suffix == ".html":
            from affinity_zoo.zoo.reports.page import write_report

            return write_report(file, self.boards)
        writers = {".md": as_markdown, ".csv": as_csv}
        if file.suffix not in writers:
            raise UsageError(f"`path` is {file}: give a name that ends in .html, .md or .csv")
        with whole(file) as opened:
            opened.write(writers[file.suffix](self.boards))
        return file

    def __repr__(self) -> str:
        rows = sum(len(board.rows) for board in self.boards)
        return f"<leaderboard of {rows} rows on {', '.join(board.benchmark for board in self.boards)}>"

    def _repr_html_(self) -> str:
        """Return HTML of the boards, for a notebook."""
        return boards_html(self.boards)


def leaderboard(
    paths: Place | Iterable[Place] = DEFAULT_ROOT,
    *,
    benchmark: str | None = None,
    sort_by: str | None = None,
    verify: bool = False,
) -> Leaderboard:
    """Compare all results: best first, with 95 % intervals and the baselines.

    Args:
        paths: run folders, folders of runs, or result files; one or several.
        benchmark: this one only, by name or by the start of its hash.
        sort_by: a metric; None: the first.
        verify: compute every metric again from the scores.

    Returns:
        One board for each benchmark.

    Raises:
        AffinityZooError: no result was found, or none is usable, or the benchmark or metric is unknown.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    boards = build_boards(
        [Path(path) for path in given], benchmark=benchmark, sort_by=sort_by, recompute=verify
    )
    return Leaderboard(tuple(boards))
