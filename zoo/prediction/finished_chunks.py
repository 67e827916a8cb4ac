"""Finished chunks on disk, reused by a resumed prediction."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.prediction.scoring import Scored
from affinity_zoo.zoo.runtime.files import write_bytes, write_json

_PLAN = "plan.json"


class FinishedChunks:
    """A folder with one file per finished chunk.

    Args:
        folder: made where it is missing.
        fingerprint: of inputs, models and options; parts of another one are never used.
        resume: use the existing chunks; otherwise the folder is emptied first.

    Raises:
        UsageError: ``resume`` is asked for, and the folder belongs to another prediction, or to nobody.
    """

    def __init__(self, folder: Path, fingerprint: str, resume: bool) -> None:
        self.folder = folder
        found = _fingerprint(folder)
        #: pieces of a stopped prediction that were thrown away, because ``resume`` was not asked for
        self.discarded = 0 if found is None or resume else len(list(folder.glob("part-*.json")))
        if folder.exists() and found is None and any(folder.iterdir()):
            raise UsageError(f"{folder} exists but was not made by a prediction: move it, or change `output`")
        if found is not None and found != fingerprint and resume:
            raise UsageError(
                f"{folder} belongs to a prediction with other inputs, models or options: give the same ones, or "
                "leave out `resume` to start again"
            )
        if found is not None and not resume:
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / _PLAN, {"format": 1, "fingerprint": fingerprint})

    @property
    def spool(self) -> Path:
        """Folder of unpacked files."""
        return self.folder / "files"

    def has(self, number: int) -> bool:
        """Whether a chunk is finished.

        Args:
            number: Chunk of the prediction, from 0.
        """
        return self._rows(number).is_file()

    def save(self, number: int, scored: Scored) -> None:
        """Write a finished chunk atomically.

        Args:
            number: Chunk of the prediction, from 0.
            scored: The scored chunk.
        """
        if scored.structures:
            write_bytes(self._structures(number), b"".join(scored.structures))
        write_json(
            self._rows(number), {"rows": scored.rows, "lengths": [len(text) for text in scored.structures]}
        )

    def rows(self, number: int) -> tuple[list[dict[str, object]], list[int]]:
        """The rows of a chunk, and the lengths of their structures (none where none were asked for).

        Args:
            number: Chunk of the prediction, from 0.
        """
        found = json.loads(self._rows(number).read_text(encoding="utf-8"))
        return found["rows"], found["lengths"]

    def structure(self, number: int, start: int, length: int) -> bytes:
        """Part of a chunk's structures.

        Args:
            number: Chunk of the prediction, from 0.
            start: First byte.
            length: Number of bytes.
        """
        with self._structures(number).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def finished(self) -> Iterator[int]:
        """The numbers of the finished chunks, ascending."""
        for path in sorted(self.folder.glob("part-*.json")):
            yield int(path.stem.removeprefix("part-"))

    def remove(self) -> None:
        """Delete the folder: the prediction is written."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _rows(self, number: int) -> Path:
        return self.folder / f"part-{number:07d}.json"

    def _structures(self, number: int) -> Path:
        return self.folder / f"part-{number:07d}.sdf"


def _fingerprint(folder: Path) -> str | None:
    try:
        return str(json.loads((folder / _PLAN).read_text(encoding="utf-8"))["fingerprint"])
    except (OSError, ValueError, KeyError):
        return None
