"""The folders of a run: ``summaries/x_logs``, ``x_netstate``, ``x_train``, ``x_test``; x is its number."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.runtime.notebook import ShownInNotebooks

DEFAULT_ROOT = Path("summaries")


@dataclass(frozen=True)
class RunFolder(ShownInNotebooks):
    """The four folders of run number ``x`` below ``root``, named as the ancestor named them."""

    root: Path
    x: int

    @property
    def logs(self) -> Path:
        """Recipe, history, predictions, scores, result."""
        return self.root / f"{self.x}_logs"

    @property
    def netstate(self) -> Path:
        """Checkpoints and the model directory."""
        return self.root / f"{self.x}_netstate"

    @property
    def train(self) -> Path:
        """TensorBoard curves of the training rows."""
        return self.root / f"{self.x}_train"

    @property
    def test(self) -> Path:
        """TensorBoard curves of the validation rows."""
        return self.root / f"{self.x}_test"

    @property
    def model(self) -> Path:
        """The model directory."""
        return self.netstate / "model"

    def __fspath__(self) -> str:
        """Return the path of :attr:`logs`: a run can be given instead of one of its folders."""
        return str(self.logs)

    def remove_if_empty(self) -> None:
        """Remove the run if it holds only its recipe."""
        if any(any(folder.iterdir()) for folder in (self.netstate, self.train, self.test)):
            return
        if {entry.name for entry in self.logs.iterdir()} <= {"recipe.toml"}:
            for folder in (self.netstate, self.train, self.test, self.logs):
                shutil.rmtree(folder)
            with suppress(OSError):  # other runs are in it
                self.root.rmdir()

    @classmethod
    def create(cls, root: Path) -> RunFolder:
        """Create a run with the next free number; an exclusive ``mkdir`` prevents duplicates.

        Args:
            root: Folder of the runs.
        """
        root = Path(root)
        root.mkdir(parents=True, exist_ok=True)
        x = max((run.x for run in all_runs(root)), default=0) + 1
        while True:
            run = cls(root, x)
            try:
                run.logs.mkdir()
            except FileExistsError:
                x += 1
                continue
            for folder in (run.netstate, run.train, run.test):
                folder.mkdir(exist_ok=True)
            return run

    @classmethod
    def find(cls, run: str | int | os.PathLike[str], root: Path = DEFAULT_ROOT) -> RunFolder:
        """Find a run by its number below ``root``, or by one of its folders.

        Args:
            run: Run, model directory or name.
            root: Folder of the runs.

        Raises:
            AffinityZooError: there is none; the message says which there are.
        """
        text = os.fspath(run) if isinstance(run, os.PathLike) else str(run)
        if text.isdigit():
            found = cls(Path(root), int(text))
            if found.logs.is_dir():
                return found
            known = ", ".join(str(r.x) for r in all_runs(Path(root))) or "none yet"
            raise AffinityZooError(
                f"there is no run {text} in {root} (runs: {known}); `affinity-zoo train` makes one"
            )
        path = Path(text)
        match = re.fullmatch(r"(\d+)_(logs|netstate|train|test)", path.resolve().name)
        if match and path.is_dir():
            return cls(path.resolve().parent, int(match[1]))
        raise AffinityZooError(
            f"{text} is not a run: give its number, or one of its folders such as {root}/1_logs"
        )


def all_runs(root: Path) -> list[RunFolder]:
    """Every run below ``root``, by number.

    Args:
        root: Folder of the runs.
    """
    if not root.is_dir():
        return []
    numbers = [re.fullmatch(r"(\d+)_logs", p.name) for p in root.iterdir() if p.is_dir()]
    return [RunFolder(root, x) for x in sorted(int(m[1]) for m in numbers if m)]
