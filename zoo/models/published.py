"""Published models that can be downloaded by name: gnina's networks, each file with its SHA-256.

Source of files and hashes: repository RMeli/gnina-torch (MIT licence), folder ``gninatorch/weights``, at the
commit in :data:`BASE_URL`. They hold the same numbers as the models built into gnina 1.0.
"""

from __future__ import annotations

from dataclasses import dataclass

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.plugins.names import canonical, nearest

BASE_URL = (
    "https://raw.githubusercontent.com/RMeli/gnina-torch/"
    "8b1136114448dc19f3162f0a169f0b8c1438c7cb/gninatorch/weights"
)
LICENCE = "MIT (files of RMeli/gnina-torch); gnina itself: Apache-2.0 or GPL-2.0"

#: file name without ``.pt`` -> SHA-256
HASHES: dict[str, str] = {
    "crossdock_default2018": "56990c0a31a7aa0a57c5445de64c3d59002bc23de9947a8d028548d89ca803b4",
    "crossdock_default2018_1": "b4613eb9085125973951f614ecd86b6fe74d2f3d15244ae9b3cfed06ccca0841",
    "crossdock_default2018_2": "cd581bedc21952000612a439ea24a033090450033174cefccb770a8d8aaf3043",
    "crossdock_default2018_3": "1c19fc36cf8e55bc9a758203845cdd4b70b7a576cbf324bad95a760c2001a691",
    "crossdock_default2018_4": "b8e18e86cf500256e01d75fcb845f6322af4ddfe482e79fcdd444659e67b4010",
    "default2017": "38892bc0dce861508594b36d2e1537c31a8f46dbef6ba96d81588bce5ed21a47",
    "dense": "76bd4a930b9133be5a4eb41b6024df3cc313174998d6a6080877118bc3e7d8c4",
    "dense_1": "89059c61d9d1a73d0e1deaf2b0094b897a7e12a52a0f771bdcbee41e3089c5a8",
    "dense_2": "ae2d1880d55bd24eeabecbcdab6767663600fc29bc146dfab30b82cee56683a5",
    "dense_3": "9091582c40f07e842222a639434987e66492c6875b9366c92e6fb3c3d389c318",
    "dense_4": "93560bad671c65e7fa3abf32266e91c7bc312e15ecdb85d578c926b25b006d81",
    "general_default2018": "762072015181074114c9234b9389d6bef45907e2734651704adfa0c0b6d1095a",
    "general_default2018_1": "38a75047630fabe4d08f9d88c0f8ee8e9b06d25b8735d9e99f1b7a955cf5bd09",
    "general_default2018_2": "2723f05e57b9c9b7b84e2a9a3261cdbb57ad1bd6106b4d0b9700041e35d46a87",
    "general_default2018_3": "e57a2b210bc0070dcb8f5475dae5e3ccaa7491f568a57816bda5db80e362e816",
    "general_default2018_4": "a6ae8381c6f679c6de1f60c1d093aba0a177dd2d142f213dc024beed4bca2df0",
    "redock_default2018": "1263472435239c111125bf26d790d849004c218f29cf43a7675f543a519697ae",
    "redock_default2018_1": "0554f4a580fce2dc8abd9683a3451a886d1de363b2159208996229086689b57b",
    "redock_default2018_2": "df9d51abf6af21b9ebad9ed70ea836b699ac33c3225ec2f0c930230e2c647944",
    "redock_default2018_3": "bef1a9c2385ccc021339c6f0b7c96aa3ea003a010ba8480fa8b38bc8204fedee",
    "redock_default2018_4": "12350ca9d8e1c4bab9605a0ab85f7a055be2522ff97fa33b016ae98d7f031ba8",
}
BY_HASH: dict[str, str] = {digest: name for name, digest in HASHES.items()}

_GNINA_1 = "McNutt et al., GNINA 1.0: molecular docking with deep learning, J. Cheminform. 2021, 13, 43"
_CROSS = "Francoeur et al., Three-dimensional convolutional neural networks and a cross-docked data set for "
_CROSS += "structure-based drug design, J. Chem. Inf. Model. 2020, 60, 4200"
_2017 = "Ragoza et al., Protein-ligand scoring with convolutional neural networks, J. Chem. Inf. Model. 2017, 57, 942"


@dataclass(frozen=True)
class Family:
    """What is known of the files whose name starts alike."""

    about: str
    trained_on: str
    overlap: str
    cite: tuple[str, ...]


_PDB = (
    "cannot know by id, for no ids are published with the weights. Expect most PDB complexes of before 2020 with a "
    "known affinity to be in it, those of CSAR, PDBbind and its core set, and redocking sets among them; entries "
    "released later (such as those of PoseBusters) cannot be, but proteins alike can"
)
FAMILIES: dict[str, Family] = {
    "default2017": Family(
        "gnina's network of 2017: three convolutions, 35 channels",
        "docked poses of PDBbind complexes; the published files do not say which",
        _PDB,
        (_2017, _GNINA_1),
    ),
    "general_default2018": Family(
        "gnina's network of 2018, trained on redocked poses of the PDBbind General set",
        "PDBbind General set 2016, redocked poses",
        _PDB,
        (_CROSS, _GNINA_1),
    ),
    "redock_default2018": Family(
        "gnina's network of 2018, trained on the redocked part of CrossDocked2020",
        "CrossDocked2020, redocked poses only; complexes of the PDB, grouped by pocket (Pocketome)",
        _PDB,
        (_CROSS, _GNINA_1),
    ),
    "crossdock_default2018": Family(
        "gnina's network of 2018, trained on cross-docked poses",
        "CrossDocked2020; complexes of the PDB, grouped by pocket (Pocketome)",
        _PDB,
        (_CROSS, _GNINA_1),
    ),
    "dense": Family(
        "gnina's densely connected network, trained on cross-docked poses",
        "CrossDocked2020; complexes of the PDB, grouped by pocket (Pocketome)",
        _PDB,
        (_CROSS, _GNINA_1),
    ),
}


@dataclass(frozen=True)
class Published:
    """A model, or an ensemble of several, that can be had by name."""

    name: str
    files: tuple[str, ...]  #: names without ``.pt``
    about: str

    @property
    def ensemble(self) -> bool:
        """Whether it stands for several models."""
        return len(self.files) > 1

    @property
    def families(self) -> list[Family]:
        """What is known of its files, each family once."""
        return list(dict.fromkeys(family_of(file) for file in self.files))


def family_of(file: str) -> Family:
    """Return what is known of a file, by its name without ``.pt``."""
    return next(family for start, family in FAMILIES.items() if file.startswith(start))


def _catalogue() -> dict[str, Published]:
    default = ("dense", "general_default2018_3", "dense_3", "crossdock_default2018", "redock_default2018_2")
    made = [Published("gnina-default", default, "the ensemble that gnina 1.0 scores with: five networks")]
    for start, family in FAMILIES.items():
        files = tuple(name for name in HASHES if name == start or name.startswith(f"{start}_"))
        dashed = f"gnina-{start.replace('_', '-')}"
        if len(files) > 1:
            about = f"ensemble of {len(files)}: {family.about}"
            made.append(Published(f"{dashed}-ensemble", files, about))
        made += [Published(f"gnina-{file.replace('_', '-')}", (file,), family.about) for file in files]
    return {one.name: one for one in sorted(made, key=lambda one: one.name)}


CATALOGUE: dict[str, Published] = _catalogue()


def find(name: str) -> Published | None:
    """Return a published model by name: with or without ``gnina-``, with dashes or gnina's underscores."""
    plain = canonical(name)
    return CATALOGUE.get(plain) or CATALOGUE.get(f"gnina-{plain}")


def get(name: str) -> Published:
    """Return a published model by name.

    Raises:
        AffinityZooError: there is none; the message names those alike.
    """
    found = find(name)
    if found is None:
        raise AffinityZooError(
            f"no model {name!r} can be downloaded{nearest(name, CATALOGUE)}; `affinity-zoo models list` names them"
        )
    return found
