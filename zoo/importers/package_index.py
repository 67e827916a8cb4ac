"""Weight files from the Python package index."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from affinity_zoo.zoo.importers.source import Found, Source
from affinity_zoo.zoo.importers.wheels import unpack_wheel
from affinity_zoo.zoo.models import published

_TIMEOUT = 900.0  #: seconds for a download of 37 MB by pip


@dataclass(frozen=True)
class PackageIndex(Source):
    """The wheel of the Python package index, downloaded by pip with the user's own settings, never installed."""

    def fetch(self, files: Sequence[str], keep: Path) -> Found:
        """Download the wheel where it holds one of the files, and unpack all its weights; see :meth:`Source.fetch`."""
        wheels = {published.collection_of(name).wheel for name in files} - {None}
        if not wheels:
            return Found()
        if find_spec("pip") is None:
            return Found(reason="package index: pip is not installed here")
        found: dict[str, Path] = {}
        for wheel in wheels:
            assert wheel is not None
            with tempfile.TemporaryDirectory(prefix="affinity-zoo-") as folder:
                reason = _pip_download(wheel, Path(folder))
                path = next(Path(folder).glob("*.whl"), None)
                if reason or path is None:
                    return Found(found, f"package index: {reason or 'pip wrote no wheel'}")
                found.update(unpack_wheel(path, list(published.HASHES), keep))
        return Found({name: path for name, path in found.items() if name in files})


def _pip_download(wheel: published.Wheel, folder: Path) -> str:
    """Download a wheel with pip; returns what went wrong, or an empty text."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--only-binary=:all:", "--ignore-requires-python", f"--dest={folder}"]
    command.append(f"{wheel.project}=={wheel.version}")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"pip did not finish ({type(error).__name__})"
    if done.returncode == 0:
        return ""
    said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
    return said[-1] if said else f"pip ended with exit code {done.returncode}"
