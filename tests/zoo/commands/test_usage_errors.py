"""A wrong call is refused at once: nothing heavy is loaded, and nothing is left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from affinity_zoo.zoo.runtime import keras as keras_start

SDF = """pose
  made

  1  0  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 C   0  0
M  END
$$$$
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receptor_pdb) -> Path:  # type: ignore[no-untyped-def]
    """A working folder with a receptor and poses, where Keras must not start."""

    def refuse() -> None:
        raise AssertionError("Keras was started")

    monkeypatch.setattr(keras_start, "_import_backend", refuse)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rec.pdb").write_text(receptor_pdb(0))
    (tmp_path / "poses").mkdir()
    for name in ("a.sdf", "b.sdf", "poses/a.sdf", "poses/b.sdf"):
        (tmp_path / name).write_text(SDF)
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("predict zoo-small", "no receptor given"),
        ("predict zoo-small away.pdb a.sdf", "away.pdb: no such file"),
        ("predict zoo-small rec.pdb away.sdf", "away.sdf: no such file"),
        ("predict zoo-small rec.pdb empty", "empty: no pose files"),
        ("predict zoo-small rec.pdb a.sdf -o poses", "poses is a folder"),
        ("predict zoo-small rec.pdb a.sdf --sdf rec.pdb/x.sdf", "rec.pdb is a file"),
        ("predict zoo-small rec.pdb a.sdf --rank-by size", "--rank-by is one of"),
        ("predict zoo-small rec.pdb a.sdf --best-per size", "--best-per is"),
        ("predict zoo-small rec.pdb a.sdf --voxelize gpu", "--voxelize must be one of"),
        ("predict pose-resnet33d rec.pdb a.sdf", "pose-resnet33d"),
        ("predict gnina-nothing rec.pdb a.sdf --offline", "gnina-nothing"),
        ("predict zoo-small -t away.csv", "away.csv: no such file"),
        ("predict 7 rec.pdb a.sdf", "7"),
        ("explain zoo-small rec.pdb poses --record 99", "there is no record 99"),
        ("explain zoo-small -r rec.pdb -l - -o why", "cannot read a pose from standard input"),
        ("explain zoo-small rec.pdb a.sdf --record 5", "a.sdf has no record 5"),
        ("explain zoo-small rec.pdb a.sdf --method guess", "--method is one of"),
        ("explain zoo-small rec.pdb a.sdf --model-output activity", "this model has pose"),
        ("explain zoo-small rec.pdb a.sdf -o rec.pdb", "rec.pdb is a file"),
        ("refine zoo-small rec.pdb a.sdf --max-move 0", "--max-move must be above 0"),
        ("refine zoo-small rec.pdb a.sdf --model-output activity", "this model has pose"),
        ("refine zoo-small rec.pdb", "no pose given"),
        ("view rec.pdb a.sdf", "give either a model"),
        ("view rec.pdb a.sdf -f atom-typs", "atom-typs"),
        ("view rec.pdb a.sdf -f atom-types -o view.txt", "give a page (.html) or a picture (.png)"),
        ("train empty -f atom-types -a resnet3d", "empty is not an index"),
        ("train away -f atom-types -a resnet3d", "away does not exist"),
        ("train . -f atom-typs -a resnet3d", "is not an index"),
        (
            "train . --resume 3 --recipe ancestor",
            "--resume continues with the run's own recipe: leave out --recipe",
        ),
        ("train . --from zoo-small -f atom-types", "--from takes --featurizer from the model"),
        ("train . --freeze 2", "--freeze freezes layers of a trained model: give the model with --from"),
        ("train . --box 40", "--box is '40'"),
        ("evaluate 7", "7"),
        ("evaluate zoo-small away", "away does not exist"),
        ("evaluate zoo-small --split every", "--split is one of"),
        ("evaluate zoo-small --scorer rocauc", "rocauc"),
        ("export pose-resnet33d -o x.onnx", "pose-resnet33d"),
        ("models get gnina-nothing", "gnina-nothing"),
    ],
)
def test_a_wrong_call_is_refused_before_anything_is_done(here: Path, cli, words: str, told: str) -> None:  # type: ignore[no-untyped-def]
    before = sorted(here.rglob("*"))
    code, out, err = cli(*words.split())
    assert code in (1, 2), out
    assert told in err and err.startswith("error: ") and "Traceback" not in err
    assert sorted(here.rglob("*")) == before
