"""Files of scores that could be read in two ways: refused with a sentence, never guessed."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.evaluation.external import matched
from affinity_zoo.zoo.evaluation.score_files import read_scores

_BLOCK = (
    "{}\n  made\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n    0.0000    0.0000    0.0000 C   0  0\nM  END\n"
)


def record(title: str, score: float) -> str:
    return _BLOCK.format(title) + f">  <vina_score>\n{score}\n\n"


def index(ids: list[str], ligands: list[str], records: list[int]) -> SimpleNamespace:
    columns = {"id": np.array(ids), "ligand": np.array(ligands), "record": np.array(records)}
    return SimpleNamespace(column=columns.__getitem__, path=Path("data"))


def test_a_record_without_a_delimiter_is_a_record(tmp_path: Path) -> None:
    """The readers of structures cut there too: else all scores behind it belong to other poses."""
    path = tmp_path / "a.sdf"
    text = record("a", -7) + record("b", -8) + "$$$$\n" + record("c", -9) + "$$$$\n"
    for written in (text, text.replace("\n", "\r\n")):
        path.write_bytes(written.encode())
        rows = read_scores(path).rows
        assert [(row.id, row.record, row.score) for row in rows] == [("a", 0, -7), ("b", 1, -8), ("c", 2, -9)]


@pytest.mark.parametrize("name", ["a.sdf.gz", "A.SDF.GZ"])
def test_a_packed_file_is_unpacked_in_any_case_and_a_damaged_one_is_said(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    text = "".join(record(f"m{i}", -i) + "$$$$\n" for i in range(50))
    packed = gzip.compress(text.encode())
    path.write_bytes(packed)
    assert len(read_scores(path).rows) == 50
    for damaged in (packed[: len(packed) // 2], packed[:40] + bytes(20) + packed[60:]):
        path.write_bytes(damaged)
        with pytest.raises(AffinityZooError, match="cannot be read as an SDF file"):
            read_scores(path)


@pytest.mark.parametrize("text", ["id,score,score\np0,1,2\n", "id,id,score\np0,p1,2\n"])
def test_two_columns_of_one_name_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(AffinityZooError, match="two columns"):
        read_scores(tmp_path / "s.csv")


@pytest.mark.parametrize("value", ["Infinity", "1e999"])
def test_an_infinite_score_of_boltz_is_refused(tmp_path: Path, value: str) -> None:
    (tmp_path / "affinity_a.json").write_text(json.dumps({"affinity_pred_value": 1}).replace("1", value))
    with pytest.raises(AffinityZooError, match="is infinite"):
        read_scores(tmp_path)


def test_a_file_name_of_two_pairs_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "docked.sdf").write_text(record("", -7) + "$$$$\n" + record("", -8) + "$$$$\n")
    rows = read_scores(tmp_path / "docked.sdf").rows
    numbers = np.arange(3)
    apart = index(["p", "q", "r"], ["x/docked.sdf", "x/docked.sdf", "y/other.sdf"], [0, 1, 0])
    np.testing.assert_array_equal(matched(rows, apart, numbers), [-7, -8, np.nan])  # type: ignore[arg-type]
    both = index(["p", "q", "r"], ["x/docked.sdf", "x/docked.sdf", "y/docked.sdf"], [0, 1, 0])
    with pytest.raises(
        AffinityZooError, match="2 pairs have a pose file of this name and record, such as p and r"
    ):
        matched(rows, both, numbers)  # type: ignore[arg-type]
