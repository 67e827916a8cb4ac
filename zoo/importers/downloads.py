"""Published models by name: find or download the files, check them, and make a model directory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.importers.local_files import Downloaded, Given
from affinity_zoo.zoo.importers.package_index import PackageIndex
from affinity_zoo.zoo.importers.source import Source
from affinity_zoo.zoo.importers.web_address import Address
from affinity_zoo.zoo.models import published
from affinity_zoo.zoo.models.home import models_home

#: sources that need a network, in the order of trial; a new source is one module and one line here
NETWORK: Final[tuple[type[Source], ...]] = (PackageIndex, Address)
FOLDER = "downloads"  #: below a folder of models: the checked files, so that nothing is downloaded twice
OFFLINE = "AFFINITY_ZOO_OFFLINE"  #: environment variable; 1 forbids every download


def get_model(
    name: str,
    out: str | Path | None = None,
    *,
    url: str | None = None,
    source: str | Path | None = None,
    offline: bool = False,
) -> Path:
    """Get a published model or ensemble by name and make a model directory of it.

    Its files are taken from the first of these that has them: ``source``; the download folder; ``url`` or, where none
    is given, the package index and the published address.

    Args:
        name: of the catalogue, such as ``gnina-default``.
        out: folder to write to; the model becomes ``out/<name>``. None: the user's folder of models.
        url: address of a folder with the files, for mirrors.
        source: a folder with the files or the wheel, or such a file.
        offline: download nothing.

    Returns:
        The model or ensemble directory.

    Raises:
        AffinityZooError: no such model, or a file cannot be had or is not the published one.
    """
    wanted = published.get(name)
    folder = models_home() if out is None else Path(out)
    sources: list[Source] = [Given(Path(source))] if source is not None else []
    sources += [Downloaded(one) for one in dict.fromkeys((folder / FOLDER, models_home() / FOLDER))]
    if not offline and not is_offline():
        sources += [Address(url)] if url is not None else [source_class() for source_class in NETWORK]
    files = find_files(wanted, sources, folder / FOLDER)
    from affinity_zoo.zoo.importers.gnina import import_ensemble, import_single

    if wanted.ensemble:
        return import_ensemble(files, folder / wanted.name, wanted.name, wanted.about)
    return import_single(files[0], folder / wanted.name, wanted.name)


def is_offline() -> bool:
    """Return whether the environment forbids downloads."""
    return os.environ.get(OFFLINE, "").strip().lower() not in ("", "0", "false", "no")


def find_files(wanted: published.Published, sources: Sequence[Source], keep: Path) -> list[Path]:
    """Take each file of a model from the first source that has it.

    Args:
        wanted: the model.
        sources: in the order to try.
        keep: folder to write downloaded files to.

    Returns:
        One path a file, in the order of ``wanted.files``.

    Raises:
        AffinityZooError: a file is in none of the sources; the message says why for each.
    """
    found: dict[str, Path] = {}
    reasons: list[str] = []
    for source in sources:
        missing = [file for file in wanted.files if file not in found]
        if not missing:
            break
        had = source.fetch(missing, keep)
        found.update(had.paths)
        reasons += [had.reason] if had.reason else []
    missing = [file for file in wanted.files if file not in found]
    if missing:
        raise AffinityZooError(_not_had(wanted, missing, reasons, keep))
    return [found[file] for file in wanted.files]


def _not_had(wanted: published.Published, missing: Sequence[str], reasons: Sequence[str], keep: Path) -> str:
    names = ", ".join(f"{name}.pt" for name in missing)
    if not reasons:
        return (
            f"{wanted.name}: {names} cannot be had without a network; where there is one, run `affinity-zoo models "
            f"get {wanted.name} -o models` and bring the folder models here, or put the files into {keep}"
        )
    return (
        f"{wanted.name}: {names} cannot be had ({'; '.join(reasons)}); try again, name a mirror's url or a folder "
        f"that has the files, or put them into {keep} by hand"
    )
