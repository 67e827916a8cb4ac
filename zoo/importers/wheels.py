"""Weight files inside a published wheel."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.importers.source import LARGEST, has_published_hash, keep_file
from affinity_zoo.zoo.models import published
from affinity_zoo.zoo.runtime.archives import Limits, open_archive, read_member


def unpack_wheel(path: Path, files: Sequence[str], keep: Path) -> dict[str, Path]:
    """Unpack weight files of a published wheel, and check the SHA-256 of the wheel and of each file.

    Args:
        path: The wheel.
        files: Names of the wanted files without ``.pt``; names that the wheel does not hold are ignored.
        keep: Folder to write to.

    Returns:
        Path of each unpacked file by its name without ``.pt``.

    Raises:
        AffinityZooError: The wheel or a file in it is not the published one.
    """
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    known = [one for one in published.COLLECTIONS if one.wheel is not None and one.wheel.sha256 == digest]
    if not known:
        raise AffinityZooError(
            f"{path}: refused, its SHA-256 is {digest[:16]}..., not that of a published wheel"
        )
    wheel = known[0].wheel
    assert wheel is not None
    found = {}
    with open_archive(path, Limits(file=256 << 20, members=2_000, unpacked=512 << 20)) as archive:
        for name in archive.namelist():
            member = PurePosixPath(name)
            if str(member.parent) != wheel.folder or member.suffix != ".pt" or member.stem not in files:
                continue
            data = read_member(archive, name, LARGEST)
            if not has_published_hash(member.stem, data):
                raise AffinityZooError(f"{path}: refused, its {name} is not the published file")
            found[member.stem] = keep_file(data, keep / member.name)
    return found
