"""Splits by receptor, sequence, scaffold, time, at random and in folds; what the leak report says of them."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from affinity_zoo.cli import app
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data.index.run import build_index
from affinity_zoo.zoo.data.splits.grouping import Grouping, SplitTask
from affinity_zoo.zoo.data.splits.groups import fold_groups, split_groups
from affinity_zoo.zoo.data.splits.rules import RULES
from affinity_zoo.zoo.data.splits.run import split
from affinity_zoo.zoo.data.splits.sequences import alike, identity
from affinity_zoo.zoo.data.store.dataset import Dataset

UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"
LYSOZYME = "KVFGRCELAAAMKRHGLDNYRGYSLGNWVCAAKFESNFNTQATNRNTDGSTDYGILQINSRWWCNDGRTPGSRNLCNIPCSALLSSDITASVNCAKK"
NEDD8 = "MLIKVKTLTGKEIEIDIEPTDKVERIKERVEEKEGIPPQQQRLIYSGKQMNDEKTAADYKILGGSVLHLVLALRGG"
_ONE = {"A": "ALA", "R": "ARG", "N": "ASN", "D": "ASP", "C": "CYS", "Q": "GLN", "E": "GLU", "G": "GLY", "H": "HIS",
        "I": "ILE", "L": "LEU", "K": "LYS", "M": "MET", "F": "PHE", "P": "PRO", "S": "SER", "T": "THR", "W": "TRP",
        "Y": "TYR", "V": "VAL"}  # fmt: skip


def test_identity_of_relatives_and_strangers() -> None:
    assert identity(UBIQUITIN, UBIQUITIN) == 1
    assert identity(UBIQUITIN, NEDD8) == pytest.approx(
        0.57, abs=0.03
    )  # NEDD8 is 55-60 % identical to ubiquitin
    assert identity(UBIQUITIN, LYSOZYME) == 0
    assert identity(UBIQUITIN[:40], UBIQUITIN) == 1
    assert [(p.first, p.second) for p in alike([UBIQUITIN, LYSOZYME, NEDD8])] == [(0, 2)]


def _ca_trace(sequence: str) -> str:
    lines = []
    for i, letter in enumerate(sequence):
        x, y = 3.8 * (i % 10), 3.8 * (i // 10)
        lines.append(
            f"ATOM  {i + 1:5d}  CA  {_ONE[letter]} A{i + 1:4d}    {x:8.3f}{y:8.3f}{0.0:8.3f}  1.00  0.00           C"
        )
    return "\n".join([*lines, "END", ""])


@pytest.fixture
def relatives(tmp_path: Path, ligand_pdb: Callable[[float], str]) -> Dataset:
    """Twelve receptors: three of the ubiquitin family under different names, nine that are related to nothing."""
    random = np.random.default_rng(0)
    root = tmp_path / "source"
    rows = []
    sequences = {"ubi": UBIQUITIN, "nedd": NEDD8, "ubi2": UBIQUITIN[3:]}
    sequences |= {f"x{i}": "".join(random.choice(list(_ONE), 80)) for i in range(9)}
    root.mkdir()
    for year, (name, sequence) in enumerate(sequences.items(), 2001):
        (root / f"{name}.pdb").write_text(_ca_trace(sequence))
        (root / f"{name}_l.pdb").write_text(ligand_pdb(0.0))
        rows.append(
            {
                "receptor": f"{name}.pdb",
                "ligand": f"{name}_l.pdb",
                "target": name,
                "pose_label": 1,
                "year": year,
            }
        )
    with open(root / "index.csv", "w", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    build_index(root, tmp_path / "data", workers=0, progress=False)
    return Dataset.open(tmp_path / "data")


def _sets(data: Dataset) -> dict[str, set[str]]:
    return {n: set(data.column("target")[data.rows(n)]) for n in ("train", "validation", "test")}


@pytest.mark.parametrize("seed", range(4))
def test_relatives_stay_together(relatives: Dataset, seed: int) -> None:
    summary = split(relatives, "sequence", seed=seed, fractions=(0.6, 0.2, 0.2), workers=0)
    assert summary.groups == 10
    assert any({"ubi", "nedd", "ubi2"} <= members for members in _sets(relatives).values())
    for border in summary.leaks.values():
        assert (
            border["shared_receptors"] == 0
            and border["highest_identity"] < 0.3
            and border["verdict"] == "molecules only"
        )
        assert border["identical_molecules"] == 1 and border["highest_similarity"] == 1


def test_a_split_that_cuts_relatives_is_said_to_leak(relatives: Dataset) -> None:
    found = set()
    for seed in range(12):
        summary = split(relatives, "receptor", seed=seed, fractions=(0.5, 0.25, 0.25), workers=0)
        sets = _sets(relatives)
        for other in ("validation", "test"):
            border = summary.leaks[f"train / {other}"]
            cut = ("ubi" in sets["train"] and "ubi2" in sets[other]) or (
                "ubi2" in sets["train"] and "ubi" in sets[other]
            )
            assert (border["verdict"] == "found") == cut
            found.add(cut)
    assert found == {True, False}
    report = json.loads((relatives.path / "splits.json").read_text())
    assert report["by"] == "receptor" and report["leaks"]


def test_a_split_by_time_trains_on_the_old(relatives: Dataset) -> None:
    split(relatives, "time", fractions=(0.5, 0.25, 0.25), workers=0)
    year = relatives.column("year").astype(int)
    rows = {n: relatives.rows(n) for n in ("train", "validation", "test")}
    assert year[rows["train"]].max() < year[rows["validation"]].min()
    assert year[rows["validation"]].max() < year[rows["test"]].min()
    with pytest.raises(AffinityZooError, match="no column 'date'"):
        split(relatives, "time", column="date", workers=0)


def test_one_scaffold_is_one_group(relatives: Dataset) -> None:
    summary = split(relatives, "scaffold", workers=0)
    assert summary.groups == 1 and summary.rows["train"] == 12
    assert any("too few groups" in note for note in summary.notes)


def test_folds_hold_every_row_once(relatives: Dataset) -> None:
    seen: list[str] = []
    for fold in range(3):
        split(relatives, "sequence", folds=3, fold=fold, workers=0)
        seen += relatives.column("id")[relatives.rows("test")].tolist()
    assert sorted(seen) == sorted(relatives.column("id").tolist())
    with open(relatives.path / "folds.csv", newline="") as handle:
        assert len(list(csv.DictReader(handle))) == 12


def _by_name_length(task: SplitTask) -> Grouping:
    return Grouping([str(len(t)) for t in task.data.column("target")], options={"measured": "letters"})


def test_a_rule_of_the_table_is_on_the_command_line(
    relatives: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CONTRIBUTING's walk: a function and a line in the table, and the command takes the name."""
    monkeypatch.setitem(RULES, "letters", _by_name_length)
    command = ["split", str(relatives.path), "--split-by", "letters", "--fractions", "0.5,0.25,0.25"]
    result = CliRunner().invoke(app, [*command, "--workers", "0", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["groups"] == 3  # names of two, three and four letters
    report = json.loads((relatives.path / "splits.json").read_text())
    assert report["by"] == "letters" and report["measured"] == "letters" and report["leaks"]
    for one, other in itertools.combinations(_sets(relatives).values(), 2):
        assert not {len(t) for t in one} & {len(t) for t in other}
    refused = CliRunner().invoke(app, ["split", str(relatives.path), "--split-by", "colour"])
    assert refused.exit_code != 0


def test_the_help_lists_every_rule() -> None:
    text = " ".join(CliRunner(env={"COLUMNS": "200"}).invoke(app, ["split", "--help"]).output.split())
    assert ", ".join(RULES) in text


def test_folds_are_not_ordered_by_time(relatives: Dataset) -> None:
    with pytest.raises(UsageError, match="no order in time"):
        split(relatives, "time", folds=3, workers=0)


def test_wrong_numbers_are_usage_errors(relatives: Dataset) -> None:
    for options in (
        {"by": "colour"},
        {"identity": 30.0},
        {"folds": 1},
        {"folds": 3, "fold": 3},
        {"fractions": (1, 1, 1)},
    ):
        with pytest.raises(UsageError):
            split(relatives, **options)  # type: ignore[arg-type]


@settings(max_examples=50, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 20), min_size=1, max_size=40),
    seed=st.integers(0, 9),
    folds=st.integers(2, 6),
)
def test_no_group_is_ever_cut(sizes: list[int], seed: int, folds: int) -> None:
    groups = [f"g{i}" for i, n in enumerate(sizes) for _ in range(n)]
    for places in (split_groups(groups, seed=seed), fold_groups(groups, folds, seed)):
        assert len(set(zip(groups, places, strict=True))) == len(sizes)
    if len(sizes) >= 3:
        assert set(split_groups(groups, seed=seed)) == {"train", "validation", "test"}


def test_ids_are_what_is_stored(relatives: Dataset) -> None:
    split(relatives, "receptor", workers=0)
    before = set(relatives.column("id")[relatives.rows("test")])
    path = relatives.path / "database_index.csv"
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header, *reversed(lines)]) + "\n")
    again = Dataset.open(relatives.path)
    assert set(again.column("id")[again.rows("test")]) == before


def test_the_hash_of_ids_does_not_depend_on_how_many_are_held_at_once() -> None:
    import hashlib
    import random

    from affinity_zoo.zoo.data.splits.groups import _SortedHash

    texts = [f"é{random.Random(i).random()}".encode() for i in range(300)] + [b"", b"a\nb"]
    expected = hashlib.sha256("\n".join(sorted(t.decode() for t in texts)).encode()).hexdigest()
    for at_once in (1, 7, 1000):
        with _SortedHash(at_once) as total:
            for text in texts:
                total.add(text)
            assert total.hexdigest() == expected
