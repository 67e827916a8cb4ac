"""What the words of ``predict MODEL RECEPTOR POSES...`` are, in every way that they can be given."""

from __future__ import annotations

from pathlib import Path

import pytest

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.commands.positional import Words, one_model, one_pose, sort_words

USE = "predict MODEL RECEPTOR POSES..."
OLD = {"receptor": Path("rec.pdb"), "poses": ["a.sdf"]}  #: -r rec.pdb -l a.sdf


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a receptor, poses, a table, a model and a run."""
    for name in ("rec.pdb", "a.sdf", "b.sdf", "t.csv", "poses/c.sdf", "poses/d.SDF.gz", "mine/model.keras"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "3_logs").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "options", "found"),
    [
        ("gnina-default rec.pdb a.sdf b.sdf", {}, Words(["gnina-default"], Path("rec.pdb"), ["a.sdf", "b.sdf"])),
        ("gnina-1.3-fast rec.pdb poses", {}, Words(["gnina-1.3-fast"], Path("rec.pdb"), ["poses"])),
        ("mine 3_logs rec.pdb poses/*.sdf", {}, Words(["mine", "3_logs"], Path("rec.pdb"), ["poses/c.sdf"])),
        ("3 t.csv", {}, Words(["3"], table="t.csv")),
        ("3", {"table": "t.csv"}, Words(["3"], table="t.csv")),
        ("3", OLD, Words(["3"], Path("rec.pdb"), ["a.sdf"])),
        ("3 b.sdf", OLD, Words(["3"], Path("rec.pdb"), ["a.sdf", "b.sdf"])),
        ("b.sdf 3", OLD, Words(["3"], Path("rec.pdb"), ["a.sdf", "b.sdf"])),
        ("rec.pdb -", {"models": ["mine"]}, Words(["mine"], Path("rec.pdb"), ["-"])),
        ("mine poses", {"receptor": Path("rec.pdb")}, Words(["mine"], Path("rec.pdb"), ["poses"])),
        ("mine away.pdb a.sdf", {}, Words(["mine"], Path("away.pdb"), ["a.sdf"])),
    ],
)  # fmt: skip
def test_positional_are_sorted(here: Path, words: str, options: dict, found: Words) -> None:
    assert sort_words(words.split(), command=USE, **options) == found


@pytest.mark.parametrize(
    ("words", "options", "told"),
    [
        ("gnina-default", {}, "no receptor given: affinity-zoo predict MODEL RECEPTOR POSES"),
        ("gnina-default rec.pdb", {}, "no pose given"),
        ("3 rec.pdb nothing/*.sdf", {}, "nothing/*.sdf: no file matches this pattern"),
        ("3 a.sdf", {"table": "t.csv"}, "a table already names receptors and poses:"),
    ],
)
def test_what_is_missing_is_said(here: Path, words: str, options: dict, told: str) -> None:
    with pytest.raises(AffinityZooError) as raised:
        sort_words(words.split(), command=USE, **options)
    assert told in str(raised.value)


def test_where_one_is_needed_several_are_refused(here: Path) -> None:
    several = sort_words(["mine", "other", "rec.pdb", "a.sdf", "b.sdf"], command=USE)
    with pytest.raises(AffinityZooError, match="one model, but these look like models: mine, other"):
        one_model(several, "explain")
    with pytest.raises(AffinityZooError, match="2 files have 2 records"):
        one_pose(several, "explain", 5)
    one = sort_words(["mine", "rec.pdb", "a.sdf"], command=USE)
    assert one_model(one, "explain") == "mine" and one_pose(one, "explain", 3) == (Path("a.sdf"), 3)
