"""Shipped models score out of the box: by name, without preparation."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo import shipped
from affinity_zoo.zoo.models.loading import load_model, load_models

NAMES = shipped.names()


def test_there_is_a_model_for_poses_and_all_are_small() -> None:
    assert "zoo-small" in NAMES
    assert sum(path.stat().st_size for path in shipped.FOLDER.rglob("*") if path.is_file()) < 8 * 2**20


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_model_loads_and_is_what_its_card_says(name: str) -> None:
    model = load_model(name)
    assert model.card["name"] == name
    assert model.network.network.output_shape[-1] == len(model.card["outputs"])
    assert {weight.dtype for weight in model.network.weights} == {"float32"}
    assert [one.folder for one in load_models([name, name])] == [model.folder]


@pytest.mark.parametrize("name", NAMES)
def test_predict_works_at_once(name: str, small_set: Path, tmp_path: Path, cli) -> None:  # type: ignore[no-untyped-def]
    receptor = next((small_set / "receptors").glob("*7pbl*"))
    poses = sorted(small_set.glob(f"*_ligands/{receptor.stem}/*.pdb"))
    out = tmp_path / "ranked.csv"
    ligands = [part for pose in poses for part in ("-l", pose)]
    done = cli("predict", name, "-r", receptor, *ligands, "-o", out, "--views", 2)
    assert done.code == 0, done.err
    with out.open() as file:
        assert len(list(csv.DictReader(file))) == len(poses) > 3


def test_the_list_says_shipped(cli) -> None:  # type: ignore[no-untyped-def]
    rows = json.loads(cli("models", "list", "--json").out)
    assert [row["name"] for row in rows if row["where"] == "shipped"] == NAMES


@pytest.mark.parametrize("name", sorted(shipped.REPLACED))
def test_a_model_of_an_earlier_version_names_its_successor(name: str, cli) -> None:  # type: ignore[no-untyped-def]
    successor, why = shipped.REPLACED[name]
    assert successor in NAMES and name not in NAMES
    with pytest.raises(AffinityZooError, match=f"use {successor}"):
        load_model(name)
    done = cli("models", "show", name)
    assert done.code == 1 and why in " ".join(done.err.split())
