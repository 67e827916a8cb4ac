"""Toy models (not trained) and pose files made of real structures, for the tests of ``predict``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

CARD = {"pose": "logit", "activity": "logit", "affinity": "pK"}
MakeModel = Callable[..., Path]


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> MakeModel:
    """A function that makes a model directory with random weights."""
    root = tmp_path_factory.mktemp("toy-models")

    def make(
        name: str,
        outputs: tuple[str, ...] = ("pose",),
        featurizer: str = "element-tag",
        seed: int = 0,
        side: int = 12,
        read_options: Mapping[str, object] | None = None,
    ) -> Path:
        if (root / name).is_dir():
            return root / name
        import keras

        from affinity_zoo.featurizers import layers
        from affinity_zoo.plugins.contracts import Box
        from affinity_zoo.zoo.models.loading import save_model
        from affinity_zoo.zoo.models.plugin_choice import choose
        from affinity_zoo.zoo.models.recipe import BoxChoice, Data, Recipe
        from affinity_zoo.zoo.models.scoring_model import ScoringModel

        keras.utils.set_random_seed(seed)
        recipe = Recipe()
        chosen_f, made_f = choose("featurizer", recipe.featurizer, featurizer, {})
        chosen_a, made_a = choose("architecture", recipe.architecture, "cnn4", {})
        box = Box(side, 1.5)
        network = made_a.build((side, side, side, len(made_f.channels)), outputs)
        card = {
            "format": 1,
            "name": name,
            "outputs": [{"name": o, "unit": CARD[o], "direction": "higher is better"} for o in outputs],
            "logit_correction": -0.5,
            "threshold": 0.0,
            "epoch": 0,
        }
        recipe = Recipe(chosen_f, chosen_a, BoxChoice(side, 1.5), data=Data(read_options=read_options or {}))
        model = ScoringModel(network, layers.for_featurizer(made_f, box), name="scoring_model")
        save_model(root / name, model, recipe, card, None)
        return root / name

    return make


@pytest.fixture(scope="session")
def receptor(small_set: Path) -> Path:
    """The receptor of 7PBL."""
    return next((small_set / "receptors").glob("7pbl*"))


@pytest.fixture(scope="session")
def block(small_set: Path, receptor: Path) -> str:
    """The crystal ligand of 7PBL as the block of an SDF record."""
    from rdkit import Chem

    pose = next((small_set / "crystal_ligands" / receptor.stem).iterdir())
    molecule = Chem.MolFromPDBFile(str(pose), sanitize=False)
    return Chem.MolToMolBlock(molecule, kekulize=False)


def _moved(block: str, shift: float, name: str) -> str:
    """The block under another name and shifted along x, Å."""
    from rdkit import Chem

    molecule = Chem.MolFromMolBlock(block, sanitize=False, removeHs=False)
    conformer = molecule.GetConformer()
    xyz = conformer.GetPositions() + np.array([shift, 0.0, 0.0])
    for i, place in enumerate(xyz):
        conformer.SetAtomPosition(i, place.tolist())
    molecule.SetProp("_Name", name)
    return Chem.MolToMolBlock(molecule, kekulize=False)


CORRUPT = (
    "broken\n\n\n  3  2  0  0  0  0  0  0  0  0999 V2000\n    1.0 nonsense\nM  END\n",
    "hydrogen\n\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n    1.0000    1.0000    1.0000 H   0  0\nM  END\n",
    "\n\n",
    "no counts\n\n\nthis is no molecule at all\nM  END\n",
)


def _write_sdf(path: Path, block: str, n: int, corrupt: int = 0) -> Path:
    """``n`` records, ``corrupt`` of them damaged in four ways, evenly spread; docking scores in the others."""
    bad = {round(k * n / corrupt): CORRUPT[k % len(CORRUPT)] for k in range(corrupt)}
    pool = [_moved(block, 0.05 * k, f"mol{k % 7}") for k in range(min(n, 28))]
    with path.open("w") as file:
        for i in range(n):
            if i in bad:
                file.write(bad[i] + "$$$$\n")
            else:
                score = f">  <minimizedAffinity>\n{-5 - 0.01 * i:.2f}\n\n"
                file.write(pool[i % len(pool)] + score + "$$$$\n")
    return path


@pytest.fixture(scope="session")
def moved() -> Callable[..., str]:
    """A function: the block under another name and shifted along x, Å."""
    return _moved


@pytest.fixture(scope="session")
def write_sdf() -> Callable[..., Path]:
    """A function that writes an SDF file: path, block, number of records, number of damaged ones."""
    return _write_sdf
