"""Rows that a model was trained on are marked in its predictions, and boards give a figure without them."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

from sklearn.metrics import roc_auc_score

TINY = ("-f", "element-tag", "-a", "cnn4", "--box", "8x2.0", "--batch-size", 8, "--epochs", 1)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_figure_without_the_rows_that_were_trained_on(  # type: ignore[no-untyped-def]
    small_set: Path,
    tmp_path: Path,
    receptor_pdb: Callable[[int], str],
    ligand_pdb: Callable[[float], str],
    cli,
) -> None:
    source, data, root = tmp_path / "source", tmp_path / "data", tmp_path / "summaries"
    shutil.copytree(small_set, source)
    (source / "receptors" / "other.pdb").write_text(receptor_pdb(0))
    for folder, names in {"crystal_ligands": ("crystal",), "docked_ligands": ("decoy_1", "decoy_2")}.items():
        (source / folder / "other").mkdir()
        for shift, name in enumerate(names):
            path = source / folder / "other" / f"other_{name}.pdb"
            path.write_text(ligand_pdb(shift + (folder == "docked_ligands")))
    assert cli("index", source, "-o", data).code == 0
    rows = _rows(data / "database_index.csv")
    for split in ("train", "validation", "test"):
        with (data / f"{split}_set.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, ["id", "pose_label", "ligand", "receptor"], extrasaction="ignore")
            writer.writeheader()
            known = [row for row in rows if row["target"] != "other"]
            parts = {"train": known[4:], "validation": known[:4]}
            writer.writerows(parts.get(split, [row for row in rows if row["target"] == "other"]))
    assert cli("train", data, *TINY, "--runs", root).code == 0
    assert cli("evaluate", 1, data, "--split", "all", "--views", 1, "--runs", root).code == 0

    [table] = root.glob("1_logs/results/*/predictions.csv")
    marks = {row["id"]: row["seen_in_training"] for row in _rows(table)}
    assert marks == {row["id"]: "0" if row["target"] == "other" else "1" for row in rows}

    page = tmp_path / "board.md"
    assert cli("leaderboard", root, "--markdown", page).code == 0
    lines = [line.split(" | ") for line in page.read_text().splitlines() if line.startswith("| ")]
    row = next(cells for cells in lines if "cnn4" in cells)
    shown = row[lines[0].index("first figure without overlap")]
    kept = [row for row in _rows(table) if row["target"] == "other"]
    expected = roc_auc_score(
        [float(row["pose_label"]) for row in kept], [float(row["score"]) for row in kept]
    )
    assert shown.startswith(f"{expected:.3f} ") and shown.endswith(", all 1 complexes")
