"""Readers of all file formats. An unreadable record is a failure, never an exception."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from affinity_zoo.zoo.data.readers.base import Failure, PoseRecord, ReadError, ReadOptions, Receptor
from affinity_zoo.zoo.data.readers.formats import format_of, read_bytes, suffix_of
from affinity_zoo.zoo.data.readers.openbabel_types import record_texts, retyped_pose, retyped_receptor

__all__ = ["Failure", "PoseRecord", "ReadError", "ReadOptions", "Receptor", "read_poses", "read_receptor"]


def read_receptor(path: str | Path, options: ReadOptions | None = None) -> Receptor:
    """Read a receptor.

    Args:
        path: The file.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.

    Raises:
        ReadError: the file cannot be read, with the reason; the message names the file.
    """
    options = options or ReadOptions()
    file = Path(path)
    try:
        reader = format_of(file).receptor
        if reader is None:
            raise ReadError("this format holds no receptor")
        data = read_bytes(file)
        found = reader(data, options)
        return retyped_receptor(found, data, suffix_of(file), options)
    except ReadError as error:
        raise ReadError(f"{file}: {error.reason}", error.stage) from error
    except MemoryError:
        raise
    except Exception as error:  # an exception of a parser counts as a failure of the file
        raise ReadError(f"{file}: not readable ({type(error).__name__}: {error})") from error


def read_poses(
    path: str | Path, options: ReadOptions | None = None, first: int = 0, last: float = math.inf
) -> Iterator[PoseRecord]:
    """Read the ligands of a file, one record after the other; an unreadable record has a ``failure``.

    Args:
        path: any format of ``docs/formats.md``.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.
        first, last: only the records ``first <= record < last``.
    """
    options = options or ReadOptions()
    file = Path(path)
    record = first - 1
    try:
        reader = format_of(file).poses
        if reader is None:
            raise ReadError("this format holds no ligand poses")
        data = read_bytes(file)
        texts = record_texts(data, suffix_of(file)) if options.typing == "openbabel" else []
        for pose in reader(data, str(file), options, first, last):
            record = pose.record
            yield retyped_pose(pose, texts, suffix_of(file))
        if record < 0 and first == 0:
            raise ReadError("the file holds no molecule")
    except ReadError as error:
        yield _failed(file, record + 1, error.stage, error.reason)
    except MemoryError:
        raise
    except Exception as error:
        yield _failed(file, record + 1, "parse", f"not readable ({type(error).__name__}: {error})")


def _failed(file: Path, record: int, stage: str, reason: str) -> PoseRecord:
    return PoseRecord(record, file.stem, failure=Failure(str(file), record, stage, reason))
