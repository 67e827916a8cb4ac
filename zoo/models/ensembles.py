"""Ensembles: a folder with ``ensemble.toml`` that names the model directories in it, and how they are averaged.

The rule is gnina's: the mean of the probabilities, the mean of the affinities; the spread of an affinity is
the population variance over the models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.models.safe_files import read_toml
from affinity_zoo.zoo.runtime.files import whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENSEMBLE_FILE = "ensemble.toml"
MOST = 1000  #: members; more is a damaged file
_KEYS = {"format", "name", "members", "about", "cite"}


@dataclass(frozen=True)
class Ensemble:
    """Several models that score as one."""

    name: str
    folder: Path
    members: tuple[Path, ...]  #: model directories, in the file's order
    about: str = ""
    cite: str = ""


def read_ensemble(folder: Path) -> Ensemble:
    """Read ``folder/ensemble.toml``.

    Args:
        folder: The model directory.

    Raises:
        AffinityZooError: it is damaged, a member is missing, or a member lies outside the folder.
    """
    path = folder / ENSEMBLE_FILE
    table = read_toml(path)
    strange = sorted(set(table) - _KEYS)
    if strange or table.get("format") != 1:
        what = f"an unknown key {strange[0]!r}" if strange else f"format {table.get('format')!r}"
        raise AffinityZooError(f"{path}: has {what}; this affinity-zoo reads format 1: upgrade it")
    members = table.get("members")
    if (
        not isinstance(members, list)
        or not 1 <= len(members) <= MOST
        or len({*map(str, members)}) < len(members)
    ):
        raise AffinityZooError(f"{path}: `members` must list each model folder once; correct the file")
    texts = {key: str(table.get(key, "")) for key in ("about", "cite")}
    return Ensemble(
        str(table.get("name") or folder.resolve().name),
        folder,
        tuple(_member(folder, name, path) for name in members),
        **texts,
    )


def ensemble_of(members: Sequence[Path]) -> Ensemble | None:
    """The ensemble that has exactly these members; None: there is none in the folders above them.

    Args:
        members: model directories, in any order.
    """
    given = {member.resolve() for member in members}
    for folder in next(iter(given)).parents if given else ():
        if (folder / ENSEMBLE_FILE).is_file():
            try:
                found = read_ensemble(folder)
            except AffinityZooError:  # of an ensemble that nobody asked for
                return None
            return found if {member.resolve() for member in found.members} == given else None
    return None


def _member(folder: Path, name: Any, file: Path) -> Path:
    """Return a member's folder, which must lie inside, links followed."""
    inside = PurePosixPath(str(name))
    plain = (
        isinstance(name, str) and name and not inside.is_absolute() and "\\" not in name and ":" not in name
    )
    member = folder / inside
    if not plain or ".." in inside.parts or not member.resolve().is_relative_to(folder.resolve()):
        raise AffinityZooError(
            f"{file}: refused, the member {name!r} is not a folder inside {folder}; get the ensemble again, and "
            "from people you trust"
        )
    if not (member / "model.keras").is_file():
        raise AffinityZooError(
            f"{file}: its member {name!r} contains no model; get or make the ensemble again"
        )
    return member


def write_ensemble(
    folder: Path, name: str, members: Sequence[str], about: str = "", cite: str = ""
) -> Ensemble:
    """Write ``folder/ensemble.toml`` over model directories that lie in the folder already.

    Args:
        members: paths relative to the folder.
    """
    import tomli_w

    table = {"format": 1, "name": name, "members": list(members), "about": about, "cite": cite}
    with whole(folder / ENSEMBLE_FILE) as file:
        file.write(tomli_w.dumps(table))
    return read_ensemble(folder)


def mean_logit(logits: NDArray[np.float64], corrections: Sequence[float]) -> NDArray[np.float64]:
    """The logit of the mean probability over models, exact also where every probability rounds to 1.

    Args:
        logits: (models, n), each model's own.
        corrections: (models,) ``logit_correction`` of each card: what turns its logit into a probability's.

    Returns:
        (n,) float64. Of one model: its corrected logit.
    """
    import numpy as np

    corrected = np.asarray(logits, np.float64) + np.asarray(corrections, np.float64)[:, None]
    # log p = -log(1 + e^-x), log (1 - p) = -log(1 + e^x)
    yes = np.logaddexp.reduce(-np.logaddexp(0.0, -corrected), axis=0)
    no = np.logaddexp.reduce(-np.logaddexp(0.0, corrected), axis=0)
    mean: NDArray[np.float64] = yes - no
    return mean
