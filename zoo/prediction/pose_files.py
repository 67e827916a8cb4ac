"""Input files of a prediction, checked before heavy imports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from affinity_zoo.plugins.errors import AffinityZooError

#: what a folder of poses may hold
POSE_ENDINGS = (".pdb", ".sdf", ".mol2", ".pdbqt", ".gninatypes", ".mol", ".sd", ".npy")


def pose_files(given: Sequence[str | Path]) -> list[Path]:
    """Expand folders; files in the order given, those of a folder by name.

    Args:
        given: Paths from the user.

    Raises:
        AffinityZooError: a path does not exist, a folder holds no poses, or nothing is given.
    """
    files: list[Path] = []
    for entry in map(Path, given):
        if entry.is_dir():
            inside = sorted(p for p in entry.iterdir() if p.name.removesuffix(".gz").endswith(POSE_ENDINGS))
            if not inside:
                raise AffinityZooError(f"{entry}: no pose files in it ({', '.join(POSE_ENDINGS)}, also .gz)")
            files += inside
        elif entry.is_file():
            files.append(entry)
        else:
            raise AffinityZooError(
                f"{entry}: no such file or folder; give `poses` files or folders that exist"
            )
    if not files:
        raise AffinityZooError("no poses to score: give pose files or folders")
    return files


def receptor_file(given: str | Path) -> Path:
    """Return the path of a receptor.

    Args:
        given: Paths from the user.

    Raises:
        AffinityZooError: there is no such file.
    """
    path = Path(given)
    if not path.is_file():
        raise AffinityZooError(f"{path}: no such file; give `receptor` the structure of the receptor")
    return path
