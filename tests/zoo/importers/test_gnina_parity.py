"""gnina's numbers from typed input: 56 pairs, seven networks and two ensembles, through the command line."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

GNINA = Path(__file__).resolve().parents[4] / "shared" / "gnina"
WITHIN = 1e-4  #: of CNNscore, CNNaffinity and CNNvariance


def _references(file: str) -> dict[str, dict[str, str]]:
    with (GNINA / file).open() as opened:
        return {row["id"]: row for row in csv.DictReader(opened)}


@pytest.fixture(scope="module")
def table(unpacked: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of the 56 pairs, for ``predict -t``."""
    root = unpacked("redock")
    path = tmp_path_factory.mktemp("pairs") / "table.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "receptor", "ligand"])
        for name, row in _references("reference_scores.csv").items():
            writer.writerow([name, root / row["receptor"], root / row["ligand"]])
    return path


def _predicted(cli, model: object, table: Path, out: Path) -> dict[str, dict[str, str]]:  # type: ignore[no-untyped-def]
    done = cli("predict", model, "-t", table, "-o", out)
    assert done.code == 0, done.err
    with out.open() as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert len(rows) == 56
    return rows


def _compare(rows: dict[str, dict[str, str]], references: dict[str, dict[str, str]], name: str) -> None:
    for key, reference in references.items():
        row = {name: float(rows[key][name]) for name in ("pose_probability", "affinity_pk")}
        found = {"CNNscore": row["pose_probability"], "CNNaffinity": row["affinity_pk"]}
        if "affinity_sd" in rows[key]:
            found["CNNvariance"] = float(rows[key]["affinity_sd"]) ** 2
        for wanted, value in found.items():
            if f"{name}_{wanted}" in reference:
                expected = pytest.approx(float(reference[f"{name}_{wanted}"]), abs=WITHIN)
                assert value == expected, f"{key} {name} {wanted}"


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("path", sorted(GNINA.glob("*.pt")), ids=lambda path: path.stem)
def test_each_network(cli, table: Path, tmp_path: Path, path: Path) -> None:  # type: ignore[no-untyped-def]
    assert cli("import", "gnina", path, "-o", tmp_path).code == 0
    assert cli("models", "test", tmp_path / path.stem).code == 0
    rows = _predicted(cli, tmp_path / path.stem, table, tmp_path / "scores.csv")
    references = {
        name: {**row, **_references("reference_scores.csv")[name]}
        for name, row in _references("reference_scores_1.3.csv").items()
    }
    assert f"{path.stem}_CNNscore" in next(iter(references.values()))
    _compare(rows, references, path.stem)


@pytest.mark.slow
@pytest.mark.shared
def test_the_ensemble_of_gnina_1_3(cli, table: Path, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("AFFINITY_ZOO_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert cli("models", "get", "gnina-1.3-default", "--from", GNINA, "--offline").code == 0
    rows = _predicted(cli, "gnina-1.3-default", table, tmp_path / "scores.csv")
    _compare(rows, _references("reference_scores_1.3.csv"), "gnina13_default_ens")


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.network
def test_the_ensemble_of_gnina_1_0(cli, table: Path, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """The five files come from the package index."""
    monkeypatch.setenv("AFFINITY_ZOO_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert cli("models", "get", "gnina-default").code == 0
    rows = _predicted(cli, "gnina-default", table, tmp_path / "scores.csv")
    _compare(rows, _references("reference_scores_1.3.csv"), "default_ens")
