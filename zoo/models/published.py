"""Published models that can be downloaded by name: gnina's networks, each file with its SHA-256."""

from __future__ import annotations

import re
from dataclasses import dataclass

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.plugins.names import canonical, nearest
from affinity_zoo.zoo.models.published_hashes import GNINA_1_3, STATE_DICTS, TORCH_SCRIPT


@dataclass(frozen=True)
class Wheel:
    """A file of the Python package index that holds published weights.

    Attributes:
        project, version: what to ask the index for.
        sha256: of the wheel.
        size: bytes.
        folder: where in the wheel the weights lie.
    """

    project: str
    version: str
    sha256: str
    size: int
    folder: str


@dataclass(frozen=True)
class Collection:
    """Files published in one place, under one licence.

    Attributes:
        repository: where the files come from.
        base_url: folder of the files, at a fixed commit.
        licence: of the files.
        hashes: file name without ``.pt`` -> SHA-256.
        wheel: the wheel of the package index that holds the same files; None: there is none.
    """

    repository: str
    base_url: str
    licence: str
    hashes: dict[str, str]
    wheel: Wheel | None = None


GNINA_TORCH = Collection(
    "RMeli/gnina-torch",
    "https://raw.githubusercontent.com/RMeli/gnina-torch/"
    "8b1136114448dc19f3162f0a169f0b8c1438c7cb/gninatorch/weights",
    "MIT (files of RMeli/gnina-torch); gnina itself: Apache-2.0 or GPL-2.0",
    STATE_DICTS,
    Wheel(
        "gninatorch",
        "0.0.2",
        "1eb697799bba38b7b741688aec4445e7d144f6d7a91ebd035fb41ad42560bbe6",
        37_053_478,
        "gninatorch/weights",
    ),
)
GNINA = Collection(
    "gnina/gnina",
    "https://raw.githubusercontent.com/gnina/gnina/"
    "25e64dafe2171ad44a655528748dbc38b0a3dfb6/gninasrc/lib/models",
    "Apache-2.0 or GPL-2.0 (gnina/gnina)",
    GNINA_1_3,
)
COLLECTIONS = (GNINA_TORCH, GNINA)
#: file name without ``.pt`` -> SHA-256
HASHES: dict[str, str] = {name: digest for one in COLLECTIONS for name, digest in one.hashes.items()}
BY_HASH: dict[str, str] = {digest: name for name, digest in [*TORCH_SCRIPT.items(), *HASHES.items()]}

_GNINA_1 = "McNutt et al., GNINA 1.0: molecular docking with deep learning, J. Cheminform. 2021, 13, 43"
_GNINA_13 = "McNutt et al., GNINA 1.3: the next increment in molecular docking with deep learning, "
_GNINA_13 += "J. Cheminform. 2025, 17, 28"
_DISTILLED = "McNutt et al., Condensing Molecular Docking CNNs via Knowledge Distillation, ChemRxiv 2024"
_CROSS = "Francoeur et al., Three-dimensional convolutional neural networks and a cross-docked data set for "
_CROSS += "structure-based drug design, J. Chem. Inf. Model. 2020, 60, 4200"
_2017 = "Ragoza et al., Protein-ligand scoring with convolutional neural networks, J. Chem. Inf. Model. 2017, 57, 942"
_PDB = (
    "cannot know by id, for no ids are published with the weights. Expect most PDB complexes of before 2020 with a "
    "known affinity to be in it, those of CSAR, PDBbind and its core set, and redocking sets among them; entries "
    "released later (such as those of PoseBusters) cannot be, but proteins alike can"
)
_CROSSDOCKED = "CrossDocked2020; complexes of the PDB, grouped by pocket (Pocketome)"
_CROSSDOCKED_13 = "CrossDocked2020 version 1.3; complexes of the PDB, grouped by pocket (Pocketome)"


@dataclass(frozen=True)
class Family:
    """Description of files with a common prefix.

    Attributes:
        about: a sentence.
        trained_on: the training set, as far as it is published.
        cite: what to cite.
        size: bytes of a file, about.
        overlap: what is known of the overlap with benchmarks.
    """

    about: str
    trained_on: str
    cite: tuple[str, ...]
    size: int = 1_600_000
    overlap: str = _PDB


_DENSE_SIZE = 2_800_000
#: the start of a file's name -> what is known of it; the longest start counts
FAMILIES: dict[str, Family] = {
    "default2017": Family(
        "gnina's network of 2017: three convolutions, 35 channels",
        "docked poses of PDBbind complexes; the published files do not say which",
        (_2017, _GNINA_1),
    ),
    "general_default2018": Family(
        "gnina's network of 2018, trained on redocked poses of the PDBbind General set",
        "PDBbind General set 2016, redocked poses",
        (_CROSS, _GNINA_1),
    ),
    "redock_default2018": Family(
        "gnina's network of 2018, trained on the redocked part of CrossDocked2020",
        "CrossDocked2020, redocked poses only; complexes of the PDB, grouped by pocket (Pocketome)",
        (_CROSS, _GNINA_1),
    ),
    "crossdock_default2018": Family(
        "gnina's network of 2018, trained on cross-docked poses", _CROSSDOCKED, (_CROSS, _GNINA_1)
    ),
    "dense": Family(
        "gnina's densely connected network, trained on cross-docked poses",
        _CROSSDOCKED,
        (_CROSS, _GNINA_1),
        _DENSE_SIZE,
    ),
    "redock_default2018_1.3": Family(
        "gnina 1.3's network of 2018, trained on redocked poses",
        f"{_CROSSDOCKED_13}, redocked poses only",
        (_GNINA_13, _CROSS),
    ),
    "crossdock_default2018_1.3": Family(
        "gnina 1.3's network of 2018, trained on cross-docked poses", _CROSSDOCKED_13, (_GNINA_13, _CROSS)
    ),
    "dense_1.3": Family(
        "gnina 1.3's densely connected network", _CROSSDOCKED_13, (_GNINA_13, _CROSS), _DENSE_SIZE
    ),
    "general_default2018_KD": Family(
        "gnina 1.3's network of 2018, distilled from an ensemble of general_default2018",
        "PDBbind General set 2016, redocked poses, and the scores of the ensemble",
        (_GNINA_13, _DISTILLED),
    ),
    "redock_default2018_KD": Family(
        "gnina 1.3's network of 2018, distilled from an ensemble of redock_default2018",
        "CrossDocked2020, redocked poses only, and the scores of the ensemble",
        (_GNINA_13, _DISTILLED),
    ),
    "crossdock_default2018_KD": Family(
        "gnina 1.3's network of 2018, distilled from an ensemble of crossdock_default2018",
        f"{_CROSSDOCKED}; and the scores of the ensemble",
        (_GNINA_13, _DISTILLED),
    ),
    "dense_1.3_PT_KD": Family(
        "gnina 1.3's densely connected network, distilled from an ensemble",
        f"{_CROSSDOCKED_13}; and the scores of the ensemble",
        (_GNINA_13, _DISTILLED),
        _DENSE_SIZE,
    ),
    "dense_1.3_PT_KD_def2018": Family(
        "gnina 1.3's network of 2018, distilled from an ensemble of dense networks",
        f"{_CROSSDOCKED_13}; and the scores of the ensemble",
        (_GNINA_13, _DISTILLED),
    ),
    "all_default_to_default_1.3": Family(
        "gnina 1.3's fast network: one network of 2018, distilled from an ensemble of networks of 2018",
        f"{_CROSSDOCKED_13}; and the scores of the ensemble",
        (_GNINA_13, _DISTILLED),
    ),
}


@dataclass(frozen=True)
class Published:
    """A published model or ensemble.

    Attributes:
        name: as `models list` shows it.
        files: names without ``.pt``.
        about: a sentence.
    """

    name: str
    files: tuple[str, ...]
    about: str

    @property
    def ensemble(self) -> bool:
        """Whether it is an ensemble."""
        return len(self.files) > 1

    @property
    def families(self) -> list[Family]:
        """Families of its files, without duplicates."""
        return list(dict.fromkeys(family_of(file) for file in self.files))

    @property
    def collections(self) -> list[Collection]:
        """Collections of its files, without duplicates."""
        return [one for one in COLLECTIONS if any(file in one.hashes for file in self.files)]

    @property
    def licence(self) -> str:
        """Licences of its files."""
        return "; ".join(one.licence for one in self.collections)

    @property
    def size(self) -> int:
        """Bytes of its files together, about."""
        return sum(family_of(file).size for file in self.files)


def family_of(file: str) -> Family:
    """Return the family of a file.

    Args:
        file: Name without ``.pt``.
    """
    return FAMILIES[max((start for start in FAMILIES if file.startswith(start)), key=len)]


def collection_of(file: str) -> Collection:
    """Return the collection of a file.

    Args:
        file: Name without ``.pt``.
    """
    return next(one for one in COLLECTIONS if file in one.hashes)


def _catalogue() -> dict[str, Published]:
    default = ("dense", "general_default2018_3", "dense_3", "crossdock_default2018", "redock_default2018_2")
    default_13 = ("dense_1.3", "dense_1.3_PT_KD_3", "crossdock_default2018_KD_4")
    fast = "all_default_to_default_1.3_1"
    made = [
        Published("gnina-default", default, "the ensemble that gnina 1.0 scores with: five networks"),
        Published("gnina-1.3-default", default_13, "the ensemble that gnina 1.3 scores with: three networks"),
        Published("gnina-1.3-fast", (fast,), f"{FAMILIES[fast[:-2]].about}; gnina calls it fast"),
    ]
    for start, family in FAMILIES.items():
        files = tuple(name for name in HASHES if re.fullmatch(rf"{re.escape(start)}(_\d)?", name))
        if len(files) > 1:
            about = f"ensemble of {len(files)}: {family.about}"
            made.append(Published(f"{_shown(start)}-ensemble", files, about))
        made += [Published(_shown(file), (file,), family.about) for file in files]
    return {one.name: one for one in sorted(made, key=lambda one: one.name)}


def _shown(file: str) -> str:
    """The name of a single network in the catalogue."""
    return f"gnina-{file.replace('_', '-').lower()}"


CATALOGUE: dict[str, Published] = _catalogue()
_BY_CANONICAL = {canonical(name): one for name, one in CATALOGUE.items()}


def find(name: str) -> Published | None:
    """Return a published model by name: with or without ``gnina-``, with dashes or gnina's underscores.

    Args:
        name: Name of a model.
    """
    plain = canonical(name)
    return _BY_CANONICAL.get(plain) or _BY_CANONICAL.get(f"gnina-{plain}")


def get(name: str) -> Published:
    """Return a published model by name.

    Args:
        name: Name of a model.

    Raises:
        AffinityZooError: there is none; the message names similar ones.
    """
    found = find(name)
    if found is None:
        raise AffinityZooError(
            f"no model {name!r} can be downloaded{nearest(name, CATALOGUE)}; `affinity-zoo models list` "
            "lists the models"
        )
    return found
