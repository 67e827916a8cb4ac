"""The reference complex of a model folder: written with every model, and it tells a changed model from the same one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.inference.reference import (
    FILE,
    check_reference,
    read_reference,
    reference_complex,
    write_reference,
)
from affinity_zoo.zoo.judging.outputs import outputs_of
from affinity_zoo.zoo.models.loading import Model, load_model
from affinity_zoo.zoo.shipped import FOLDER, names


def _write(model: Model) -> None:
    write_reference(model.folder, model.network, model.featurizer, model.box, outputs_of(model.card))


@pytest.fixture
def toy(toy_model: Path, tmp_path: Path) -> Model:
    """A copy of the toy model, with its reference."""
    shutil.copytree(toy_model, tmp_path / "toy")
    model = load_model(tmp_path / "toy")
    _write(model)
    return model


def test_the_complex_is_a_ligand_in_its_pocket() -> None:
    pair = reference_complex()
    receptor, ligand = pair.atoms(0), pair.atoms(1)
    assert len(ligand) == 27 and len(receptor) > 100
    assert set(ligand.residue_name) == {b"ADP"} and (ligand.element == 15).sum() == 2
    distances = ((receptor.xyz[:, None] - ligand.xyz[None]) ** 2).sum(axis=2) ** 0.5
    assert distances.min() > 2.0 and distances.min(axis=1).max() <= 8.01


@pytest.mark.parametrize("name", names())
def test_shipped_models_give_what_they_gave(name: str, cli) -> None:  # type: ignore[no-untyped-def]
    assert (FOLDER / name / FILE).is_file()
    done = cli("models", "test", name, "--json")
    assert done.code == 0
    rows = json.loads(done.out)
    assert {row["from"] for row in rows} == {"image", "atoms"} and all(row["model"] == name for row in rows)


def test_a_changed_weight_is_seen(toy: Model, cli) -> None:  # type: ignore[no-untyped-def]
    assert cli("models", "test", toy.folder).code == 0
    for weight in toy.network.network.trainable_weights:
        weight.assign(weight * 1.05)
    toy.network.save(toy.folder / "model.keras")
    done = cli("models", "test", toy.folder)
    assert done.code == 1 and "differs from the stored one by more than" in done.out


def test_a_moved_atom_is_seen(toy: Model) -> None:
    table = json.loads((toy.folder / FILE).read_text())
    x, y, z = table["ligand"]["xyz"][0]
    table["ligand"]["xyz"][0] = [x + 3, y, z]
    (toy.folder / FILE).write_text(json.dumps(table))
    found = check_reference(toy.folder, toy.network, toy.featurizer, toy.box, outputs_of(toy.card))
    assert not all(one.ok for one in found)


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.clear(),
        lambda table: table.update(outputs={}),
        lambda table: table.update(outputs={"pose": "high"}),
        lambda table: table.update(outputs={"affinity": 1.0}),
        lambda table: table.update(ligand=3),
        lambda table: table["ligand"].update(xyz=[[0, 0]]),
        lambda table: table["ligand"].update(element=[6] * 50_000),
        lambda table: table["receptor"].update(charge=[10**9]),
    ],
)
def test_damaged_references_are_a_sentence(toy: Model, change) -> None:  # type: ignore[no-untyped-def]
    table = read_reference(toy.folder)
    change(table)
    (toy.folder / FILE).write_text(json.dumps(table))
    with pytest.raises(AffinityZooError, match="get the model again"):
        check_reference(toy.folder, toy.network, toy.featurizer, toy.box, outputs_of(toy.card))


def test_a_model_without_one_says_so(toy_model: Path, cli) -> None:  # type: ignore[no-untyped-def]
    done = cli("models", "test", toy_model)
    assert done.code == 1 and f"has no {FILE}" in done.err
