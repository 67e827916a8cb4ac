"""Standard input as a file, kept beside the output during a prediction."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.prediction.inputs import blocks, spooled


class Pipes:
    """Files for finished chunks and standard input, kept until the prediction is written.

    Args:
        output: the CSV; None: it goes to standard output, and nothing is kept.
        resume: whether a stopped prediction is continued.

    Raises:
        UsageError: nothing is kept that could be continued.
    """

    def __init__(self, output: Path | None, resume: bool) -> None:
        if output is None and resume:
            raise UsageError("`resume` needs a file to write to: give `output` a file")
        self.parts = None if output is None else output.with_name(f"{output.name}.parts")
        self._stack = ExitStack()
        self.piped: list[str] = []  #: files that hold standard input

    def __enter__(self) -> Pipes:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def poses(self, given: Sequence[str]) -> list[str | Path]:
        """Pose files, with standard input for ``-``.

        Args:
            given: Paths from the user.
        """
        return [self._standard_input("standard-input.sdf") if name == "-" else name for name in given]

    def table(self, given: str) -> tuple[Path, Path | None]:
        """A table, and what its paths are relative to (None: its folder).

        Args:
            given: Paths from the user.
        """
        if given != "-":
            return Path(given), None
        return self._standard_input("standard-input.csv"), Path()

    def _standard_input(self, name: str) -> Path:
        if self.piped:
            raise UsageError("standard input can be read only once: give - once")
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="affinity-zoo-"))
        self.piped.append(str(spooled(blocks(sys.stdin.buffer), Path(folder) / name)))
        return Path(self.piped[0])
