"""`calibrate` and `predict` with an ensemble, through the command line, against scikit-learn's own fits."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import zscore
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from affinity_zoo import load_model
from affinity_zoo.zoo import shipped
from affinity_zoo.zoo.models.ensembles import ensemble_of, write_ensemble

NEAR = 2.0


@pytest.fixture(scope="module")
def poses(small_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of five complexes: the crystal pose, shifted along x."""
    from rdkit import Chem

    folder = tmp_path_factory.mktemp("poses")
    rng = np.random.default_rng(3)
    rows = []
    for receptor in sorted((small_set / "receptors").iterdir()):
        crystal = next((small_set / "crystal_ligands" / receptor.stem).iterdir())
        with Chem.SDWriter(str(folder / f"{receptor.stem}.sdf")) as writer:
            for record, shift in enumerate(rng.uniform(0.0, 5.0, 14)):
                molecule = Chem.MolFromPDBFile(str(crystal), sanitize=False)
                place = molecule.GetConformer()
                for i, point in enumerate(place.GetPositions() + [shift, 0.0, 0.0]):
                    place.SetAtomPosition(i, point.tolist())
                molecule.SetProp("_Name", receptor.stem)
                writer.SetKekulize(False)
                writer.write(molecule)
                name = f"{receptor.stem}-{record}"
                rows.append((name, receptor, f"{receptor.stem}.sdf", record, receptor.stem))
    _write(folder / "table.csv", ("id", "receptor", "ligand", "record", "target"), rows)
    return folder / "table.csv"


@pytest.fixture(scope="module")
def ensemble(toy_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """zoo-small and a network with random weights."""
    folder = tmp_path_factory.mktemp("ensembles") / "two"
    found = shipped.find("zoo-small")
    assert found is not None
    shutil.copytree(found, folder / "small")
    shutil.copytree(toy_model, folder / "random")
    write_ensemble(folder, "two", ["small", "random"])
    return folder


Fit = Callable[[NDArray[Any], NDArray[Any]], Callable[[NDArray[Any]], NDArray[Any]]]


def _isotonic(x: NDArray[Any], y: NDArray[Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    fitted = IsotonicRegression(out_of_bounds="clip").fit(x, y)
    return cast(Any, fitted.predict)


def _platt(x: NDArray[Any], y: NDArray[Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    fitted = LogisticRegression(C=np.inf, max_iter=1000).fit(x[:, None], y)
    return lambda new: fitted.predict_proba(new[:, None])[:, 1]


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def _read(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_an_ensemble_is_calibrated_as_scikit_learn_does_it(
    poses: Path, ensemble: Path, tmp_path: Path, cli: Callable[..., Any]
) -> None:
    data, runs, out = tmp_path / "data", tmp_path / "runs", tmp_path / "out.csv"
    predict = ("predict", ensemble, "-t", poses, "--views", 1, "-o", out)
    assert cli(*predict).code == 0
    before = {row["id"]: row for row in _read(out)}
    assert "near_native_probability" not in next(iter(before.values()))
    rows = _read(poses)
    logit = np.array([float(before[row["id"]]["pose_logit"]) for row in rows])
    # RMSDs that fall with the logit, with noise: what a model of some worth would be calibrated on
    rmsd = np.maximum(2.5 - zscore(logit) + np.random.default_rng(4).normal(size=len(rows)), 0.1)
    near = (rmsd < NEAR).astype(float)
    labelled = [(*row.values(), value) for row, value in zip(rows, rmsd.tolist(), strict=True)]
    _write(poses.with_name("labelled.csv"), (*rows[0], "rmsd"), labelled)
    assert cli("index", poses.with_name("labelled.csv"), "-o", data, "--workers", 0).code == 0
    groups = [row["target"] for row in rows]
    ways: tuple[tuple[str, Fit, float], ...] = (("isotonic", _isotonic, 1e-6), ("platt", _platt, 1e-3))
    for method, fit, tolerance in ways:
        done = cli("calibrate", ensemble, data, "--method", method, "--views", 1, "--runs", runs)
        assert done.code == 0, done.err
        about = json.loads((ensemble / "calibration.json").read_text())["about"]
        assert not list(ensemble.glob("*/calibration.json"))
        assert cli(*predict).code == 0
        after = {row["id"]: row for row in _read(out)}
        found = np.array([float(after[row["id"]]["near_native_probability"]) for row in rows])
        np.testing.assert_allclose(found, fit(logit, near)(logit), atol=tolerance)
        unseen = np.full(len(rows), np.nan)
        for learnt, judged in GroupKFold(5).split(logit, near, groups):
            unseen[judged] = fit(logit[learnt], near[learnt])(logit[judged])
        brier = float(np.mean((unseen - near) ** 2))
        assert about["reliability"]["brier"] == pytest.approx(brier, abs=tolerance)
        assert (about["rows"], about["groups"]) == (70, 5)
    done = cli(*predict, "--abstain", "0.5")
    left = {row["id"]: row["status"] for row in _read(out)}
    assert {name for name, status in left.items() if status == "abstained"} == {
        row["id"] for row, p in zip(rows, found, strict=True) if 1 - p > 0.5
    }
    model = load_model(ensemble)
    again = model.score(rows[0]["receptor"], poses.with_name(rows[0]["ligand"]), views=1)
    np.testing.assert_allclose([row.near_native_probability for row in again], found[: len(again)], atol=1e-5)
    # a member alone, or other members, have no calibration
    assert (
        "near_native_probability"
        not in load_model(ensemble / "small")
        .score(rows[0]["receptor"], poses.with_name(rows[0]["ligand"]), views=1)
        .columns
    )


def test_only_the_ensemble_of_exactly_these_members_is_found(ensemble: Path, toy_model: Path) -> None:
    small, random = ensemble / "small", ensemble / "random"
    found = ensemble_of([random, small])
    assert found is not None and found.folder.samefile(ensemble)
    assert (
        ensemble_of([small]) is None and ensemble_of([small, toy_model]) is None and ensemble_of([]) is None
    )
