"""Locks that assign trials to running processes; a lock ends with its process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Claim:
    """A trial that this process works on, as long as it lives.

    Args:
        folder: of the locks of one search.
        number: of the trial.
    """

    def __init__(self, folder: Path, number: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT, 0o644)

    def take(self) -> bool:
        """Claim the trial; False: another living process has it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def release(self) -> None:
        """Release the trial."""
        os.close(self._file)
