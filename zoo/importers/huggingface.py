"""Model hubs: ``hf://USER/REPO`` handles, through ``huggingface_hub`` and the user's own settings of it."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.importers.downloads import is_offline
from affinity_zoo.zoo.models.ensembles import ENSEMBLE_FILE, read_ensemble
from affinity_zoo.zoo.models.folders import FILES
from affinity_zoo.zoo.models.home import models_home
from affinity_zoo.zoo.models.loading import check_files, read_card
from affinity_zoo.zoo.models.readme import README, readme_text
from affinity_zoo.zoo.runtime.files import whole_folder

PREFIX: Final = "hf://"
#: what a model directory holds; nothing else is fetched or uploaded
_OF_A_MODEL: Final = (*FILES, "reference.json", "training_pairs.csv", "training_ligands.npz", "training_sequences.txt",
              README)  # fmt: skip
_PATTERNS: Final = [ENSEMBLE_FILE, *_OF_A_MODEL, *(f"*/{name}" for name in _OF_A_MODEL)]
_LARGEST: Final = 4 << 30  #: bytes of a model on a hub
_HANDLE: Final = re.compile(r"hf://([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@([\w./-]+))?")


@dataclass(frozen=True)
class Handle:
    """A model on a hub.

    Attributes:
        repository: ``USER/REPO``.
        revision: branch, tag or commit; None: the newest.
    """

    repository: str
    revision: str | None = None

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.repository.partition("/")[2]


def parse(handle: str) -> Handle:
    """Read ``hf://USER/REPO`` or ``hf://USER/REPO@REVISION``.

    Args:
        handle: the text.

    Returns:
        Its parts.

    Raises:
        UsageError: it is none.
    """
    found = _HANDLE.fullmatch(handle)
    if found is None:
        raise UsageError(f"{handle!r} is not a hub handle: write hf://USER/REPO or hf://USER/REPO@REVISION")
    return Handle(found[1], found[2])


def get_from_hub(handle: str, out: str | Path | None = None) -> Path:
    """Download a model or ensemble from a hub and check it as untrusted.

    Args:
        handle: ``hf://USER/REPO``, with ``@REVISION`` where a certain one is wanted.
        out: folder to write to; the model becomes ``out/<REPO>``. None: the user's folder of models.

    Returns:
        The model directory.

    Raises:
        UsageError: the handle is none.
        AffinityZooError: it cannot be had, is too large, or is no model that can be trusted.
    """
    wanted = parse(handle)
    hub = _library()
    folder = (models_home() if out is None else Path(out)) / wanted.name
    with whole_folder(folder) as temporary:
        try:
            told = hub.HfApi().model_info(wanted.repository, revision=wanted.revision, files_metadata=True)
            size = sum(one.size or 0 for one in told.siblings or ())
            if size > _LARGEST:
                raise AffinityZooError(f"{handle}: refused, it has {size:,} bytes, more than {_LARGEST:,}")
            hub.snapshot_download(
                wanted.repository,
                revision=told.sha,
                local_dir=temporary,
                allow_patterns=_PATTERNS,
                max_workers=2,
            )
        except AffinityZooError:
            raise
        except Exception as error:  # the library raises many kinds, its own and those of its HTTP client
            raise AffinityZooError(
                f"{handle}: cannot be downloaded ({_first_line(error)}); see `hf auth login`"
            ) from error
        shutil.rmtree(temporary / ".cache", ignore_errors=True)
        _check(temporary, handle)
    return folder


def push_to_hub(folder: Path, handle: str, *, private: bool = False) -> str:
    """Upload a model or ensemble directory to a hub.

    Args:
        folder: the model or ensemble directory.
        handle: ``hf://USER/REPO``; the repository is made where it is missing.
        private: make it a private one.

    Returns:
        Address of the upload.

    Raises:
        UsageError: the handle is none, or names a revision.
        AffinityZooError: the folder is no model, or the hub does not take it.
    """
    wanted = parse(handle)
    if wanted.revision is not None:
        raise UsageError(
            f"{handle}: a model can only be uploaded as the newest revision: leave out @{wanted.revision}"
        )
    hub = _library()
    _check(folder, str(folder))
    _write_readme(folder)
    api = hub.HfApi()
    try:
        api.create_repo(wanted.repository, private=private, exist_ok=True)
        done = api.upload_folder(
            repo_id=wanted.repository,
            folder_path=folder,
            allow_patterns=_PATTERNS,
            commit_message="Upload a model of affinity-zoo",
        )
    except Exception as error:
        raise AffinityZooError(
            f"{handle}: the hub refused the model ({_first_line(error)}); see `hf auth login`"
        ) from error
    return str(done.commit_url)


def _check(folder: Path, where: str) -> None:
    """Check each model of a folder before its use."""
    if (folder / ENSEMBLE_FILE).is_file():
        members = read_ensemble(folder).members
    elif (folder / "model.keras").is_file():
        members = (folder,)
    else:
        raise AffinityZooError(f"{where}: contains no model of affinity-zoo ({', '.join(FILES)})")
    for member in members:
        check_files(member)


def _write_readme(folder: Path) -> None:
    """Write the README if it does not exist."""
    if not (folder / README).is_file():
        card = read_card(folder if (folder / "card.json").is_file() else read_ensemble(folder).members[0])
        (folder / README).write_text(readme_text(card), encoding="utf-8")


def _library() -> Any:
    if is_offline():
        raise AffinityZooError("hubs need internet access, but AFFINITY_ZOO_OFFLINE forbids it")
    if find_spec("huggingface_hub") is None:
        raise AffinityZooError("hf:// handles need huggingface_hub: pip install 'affinity-zoo[hub]'")
    import huggingface_hub

    return huggingface_hub


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
