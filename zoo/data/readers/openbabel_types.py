"""gnina's atom types from Open Babel, as in libmolgrid, for atoms of a reader.

The reader chooses the atoms (alternate locations, waters, hydrogens) as ever; Open Babel sees the file or record as it
stands, and its types are given to the atoms in the same places.
"""

from __future__ import annotations

import atexit
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import AtomFlag, Atoms
from affinity_zoo.zoo.data.readers import mol2
from affinity_zoo.zoo.data.readers.base import PoseRecord, ReadOptions, Receptor
from affinity_zoo.zoo.data.readers.pdb_records import pose_blocks
from affinity_zoo.zoo.data.readers.sdf_records import split_records
from affinity_zoo.zoo.runtime.terminal import warn

#: suffix of a file -> Open Babel's name of the format
_FORMATS: Final = {
    ".pdb": "pdb", ".ent": "pdb", ".cif": "mmcif", ".mmcif": "mmcif", ".mol2": "mol2", ".sdf": "sdf", ".sd": "sdf",
    ".mol": "mol", ".pdbqt": "pdbqt",
}  # fmt: skip
_SAME_PLACE: Final = 0.02  #: Å
_LONGEST: Final = 120.0  #: seconds for a molecule
_ATOM: Final = np.dtype([("xyz", "<f4", 3), ("type", "<i4")])


@cache
def available() -> bool:
    """Return whether Open Babel is installed; if it is not, warn once."""
    if find_spec("openbabel") is not None:
        return True
    warn(
        "atoms are typed by this package's rules, not by Open Babel as gnina's are, so scores differ a little; for "
        "gnina's own types install Open Babel: pip install 'affinity-zoo[openbabel]'"
    )
    return False


def with_openbabel_types(atoms: Atoms, data: bytes, suffix: str) -> tuple[Atoms, str]:
    """Set atom types to Open Babel's.

    Args:
        atoms: as read.
        data: the file or record that they were read from.
        suffix: of the file, which names the format.

    Returns:
        The atoms, and a note where some or all kept the types of this package's rules (else empty).
    """
    kind = _FORMATS.get(suffix)
    if kind is None or not available():
        return atoms, ""
    found = _worker().types(kind, data)
    if found is None or not len(found):
        return atoms, "Open Babel cannot read it: typed by this package's rules"
    from scipy.spatial import cKDTree

    distance, place = cKDTree(found["xyz"]).query(atoms.xyz, distance_upper_bound=_SAME_PLACE)
    same = np.isfinite(distance)
    types, flags = atoms.atom_type.copy(), atoms.flags.copy()
    types[same] = found["type"][place[same]]
    flags[same] |= np.uint16(AtomFlag.OPENBABEL)
    missing = int(len(same) - same.sum())
    note = f"{missing} atoms that Open Babel does not see: typed by this package's rules" if missing else ""
    return replace(atoms, atom_type=types, flags=flags), note


def retyped_receptor(receptor: Receptor, data: bytes, suffix: str, options: ReadOptions) -> Receptor:
    """Set the atom types of a receptor to Open Babel's if the options request it.

    Args:
        receptor: as read.
        data: the whole file.
        suffix: of the file.
        options: of the reading.

    Returns:
        The receptor, with a note where atoms kept their types.
    """
    if options.typing != "openbabel":
        return receptor
    texts = record_texts(data, suffix)
    text = texts[options.model - 1] if options.model <= len(texts) else data
    atoms, note = with_openbabel_types(receptor.atoms, text, suffix)
    return replace(receptor, atoms=atoms, notes=[*receptor.notes, note] if note else receptor.notes)


def retyped_pose(pose: PoseRecord, texts: Sequence[bytes], suffix: str) -> PoseRecord:
    """Set the atom types of a pose to Open Babel's.

    Args:
        pose: as read.
        texts: of the file's records; empty: the pose keeps its types.
        suffix: of the file.

    Returns:
        The pose, with a note where atoms kept their types.
    """
    if pose.atoms is None or pose.record >= len(texts):
        return pose
    atoms, note = with_openbabel_types(pose.atoms, texts[pose.record], suffix)
    return replace(pose, atoms=atoms, notes=[*pose.notes, note] if note else pose.notes)


def record_texts(data: bytes, suffix: str) -> list[bytes]:
    """Split a file into records for Open Babel.

    Args:
        data: the file.
        suffix: which names the format.

    Returns:
        One text a record; of an unknown format none.
    """
    if suffix in (".sdf", ".sd"):
        return list(split_records(data))
    if suffix == ".mol2":
        return [b"@<TRIPOS>MOLECULE\n" + text for text in mol2.split_records(data)]
    if suffix in (".pdb", ".ent", ".pdbqt"):
        blocks = pose_blocks(data)
        return [b"\n".join([*block.lines, b"END\n"]) for block in blocks] if len(blocks) > 1 else [data]
    return [data] if suffix in _FORMATS else []


class _Worker:
    """The typing process; started at the first molecule, and again after it dies."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def types(self, kind: str, data: bytes) -> NDArray[Any] | None:
        """Positions and types of the heavy atoms; None where Open Babel cannot read the molecule."""
        with self._lock:
            process = self._started()
            assert process.stdin is not None and process.stdout is not None
            watch = threading.Timer(_LONGEST, process.kill)
            watch.start()
            try:
                name = kind.encode()
                process.stdin.write(struct.pack("<II", len(name), len(data)) + name + data)
                process.stdin.flush()
                (count,) = struct.unpack("<i", process.stdout.read(4))
                table = process.stdout.read(max(count, 0) * _ATOM.itemsize)
                return None if count < 0 else np.frombuffer(table, _ATOM, count)
            except (OSError, struct.error, ValueError):  # it died on this molecule
                self._end()
                return None
            finally:
                watch.cancel()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            script = Path(__file__).with_name("openbabel_worker.py")
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            atexit.register(self._end)
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()


_workers: dict[int, _Worker] = {}


def _worker() -> _Worker:
    """Return the worker of this process; a forked child starts its own."""
    return _workers.setdefault(os.getpid(), _Worker())
