"""Read options given to ``predict``: waters that are imaged, a note, and what is wrong with an option."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.zoo.data.readers import read_poses


@pytest.fixture
def wet(small_set: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A receptor with ten waters around its ligand, and the ligand."""
    receptor = sorted((small_set / "receptors").iterdir())[0]
    ligand = next(iter(sorted((small_set / "crystal_ligands" / receptor.stem).iterdir())))
    pose = next(iter(read_poses(ligand)))
    assert pose.atoms is not None
    places = pose.atoms.xyz.mean(axis=0) + np.random.default_rng(0).normal(0, 2, (10, 3))
    waters = [
        f"HETATM{9000 + i:5d}  O   HOH W{i + 1:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00           O"
        for i, (x, y, z) in enumerate(places)
    ]
    lines = [line for line in receptor.read_text().splitlines() if not line.startswith("END")]
    path = tmp_path / "wet.pdb"
    path.write_text("\n".join([*lines, *waters, "END"]) + "\n")
    return path, ligand


def _score(path: Path) -> float:
    with path.open() as file:
        names, values = list(csv.reader(line for line in file if not line.startswith("#")))[:2]
    row = {name.split(" ")[0]: value for name, value in zip(names, values, strict=True)}
    return float(row["pose_logit"])


def test_waters_are_read_where_they_are_asked_for(
    wet: tuple[Path, Path],
    toy_model: Path,
    tmp_path: Path,
    cli,  # type: ignore[no-untyped-def]
) -> None:
    command = ("predict", toy_model, "-r", wet[0], "-l", wet[1], "--views", "1", "-o")
    assert cli(*command, tmp_path / "dry.csv").code == 0
    done = cli(*command, tmp_path / "wet.csv", "--read", "waters=keep")
    assert done.code == 0
    assert "poses are read with waters=keep, model was made with waters=drop" in done.out + done.err
    assert abs(_score(tmp_path / "dry.csv") - _score(tmp_path / "wet.csv")) > 1e-4


@pytest.mark.parametrize("option", ["waters", "waters=some", "colour=red", "model=0"])
def test_a_wrong_option_is_a_sentence(option: str, toy_model: Path, cli) -> None:  # type: ignore[no-untyped-def]
    done = cli("predict", toy_model, "-r", "r.pdb", "-l", "p.sdf", "--read", option)
    assert done.code == 2 and "read option" in done.err
