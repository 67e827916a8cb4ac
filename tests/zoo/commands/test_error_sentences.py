"""Every error of the command line's own says which file (or record, or name) is wrong, why, and what to do."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from affinity_zoo.zoo import shipped
from affinity_zoo.zoo.runtime import keras as keras_start

MOL = "pose\n  made\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n    0.0000    0.0000    0.0000 C   0  0\nM  END\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receptor_pdb) -> Path:  # type: ignore[no-untyped-def]
    """A folder with a good receptor and pose, and with files as they go wrong; Keras must not start."""

    def refuse() -> None:
        raise AssertionError("Keras was started")

    monkeypatch.setattr(keras_start, "_import_backend", refuse)
    monkeypatch.chdir(tmp_path)
    files = {
        "rec.pdb": receptor_pdb(0),
        "a.sdf": MOL + "$$$$\n",
        "page.pdb": "<html><body>404 Not Found</body></html>\n",  # a download that failed
        "cut.sdf": MOL[:40],
        "empty.sdf": "",
        "no_rows.csv": "receptor,ligand\n",
        "no_ligand.csv": "receptor,colour\nrec.pdb,red\n",
        "scores.csv": "id,value\np0,1\n",
        "bad.toml": "epochs = \n",
        "space.toml": "[search]\ncolour = ['red']\n",
        "bad.json": "{",
        "plugin.py": "this is no Python\n",
        "cut.zip": "PK",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "empty").mkdir()
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("poem.txt", "roses")
    folder = tmp_path / "weightless"
    folder.mkdir()
    small = shipped.find("zoo-small")
    assert small is not None
    for name in ("card.json", "recipe.toml"):
        shutil.copy(small / name, folder)
    return tmp_path


#: what is typed; then what the message must hold: the file or name, the cause, the remedy
WRONG = [
    ("explain zoo-small page.pdb a.sdf", "page.pdb", "no ATOM or HETATM line", "PDB or mmCIF file"),
    ("predict zoo-small rec.pdb empty", "empty", "no pose files", "give files or folders"),
    ("predict zoo-small -t no_rows.csv", "no_rows.csv", "has no rows", "a row for each pose"),
    ("predict zoo-small -t no_ligand.csv", "no_ligand.csv", "ligand", "column"),
    ("predict zoo-smal rec.pdb a.sdf", "zoo-smal", "is not a model", "zoo-small"),
    (
        "predict weightless rec.pdb a.sdf",
        "weightless",
        "without its weights (model.keras)",
        "get the model again",
    ),
    ("predict zoo-small rec.pdb a.sdf --shard 3/2", "3/2", "K from 1 to N", "such as 3/64"),
    ("predict zoo-small rec.pdb a.sdf --abstain 2", "2", "--abstain", "from 0 to 1"),
    ("predict zoo-small rec.pdb a.sdf --rank-by size", "size", "--rank-by is one of", "affinity"),
    ("predict zoo-small rec.pdb a.sdf -o empty", "empty", "is a folder", "give the name of a file"),
    ("merge scores.csv -o x.csv", "scores.csv", "is not a part of a divided prediction", "give the outputs"),
    ("label a.sdf -r cut.sdf", "cut.sdf", "no readable molecule", "give the crystal ligand"),
    ("index empty -o d", "empty", "is empty", "give the folder"),
    ("index no_rows.csv -o d", "no_rows.csv", "has no rows", "a row for each pose"),
    ("split empty", "empty", "is not an index", "affinity-zoo index"),
    ("check away", "away", "does not exist", "give the folder"),
    ("fetch 12 -o f", "12", "is not a PDB id", "such as 1abc"),
    ("decoys empty -o f", "empty", "is not an index", "affinity-zoo index"),
    ("train empty -f atom-types -a resnet3d", "empty", "is not an index", "affinity-zoo index"),
    ("evaluate zoo-small empty", "empty", "is not an index", "affinity-zoo index"),
    ("evaluate empty --scores scores.csv --name x", "scores.csv", "no known column of scores", "--column"),
    ("leaderboard bad.json", "bad.json", "cannot be read as a result", "run evaluate again"),
    ("leaderboard empty", "empty", "no usable result", "affinity-zoo evaluate"),
    ("leaderboard away", "away", "does not exist", "give a run folder"),
    ("compare 1 2", "1 is not a run", "summaries does not exist", "train and evaluate a model first"),
    ("report 1", "run 1 in summaries", "there is no run", "affinity-zoo train"),
    ("benchmarks show csar", "csar", "there is no benchmark", "benchmarks add"),
    ("benchmarks add csar cut.zip", "cut.zip", "not a whole ZIP archive", "get the file again"),
    ("results add other.zip", "other.zip", "no member", "get the file again"),
    ("results pack 1 -o x.zip", "run 1", "there is no run", "affinity-zoo train"),
    ("show resnet4d", "resnet4d", "nothing is called", "affinity-zoo list"),
    ("plugins check nothing", "nothing", "no plugin is called", "affinity-zoo plugins list"),
    ("plugins new Bad_Name", "Bad_Name", "is not a plugin name", "lower-case letters"),
    ("models show nothing", "nothing", "there is no model", "affinity-zoo models list"),
    ("models get gnina-nothing", "gnina-nothing", "", "affinity-zoo models list"),
    ("models test nothing", "nothing", "is not a model", "give a folder"),
    ("export nothing -o x.onnx", "nothing", "is not a model", "give a folder"),
    ("view rec.pdb cut.sdf -f atom-types", "cut.sdf", "", "give"),
    ("view rec.pdb a.sdf -f atom-typs", "atom-typs", "", "atom-types"),
    ("explain zoo-small rec.pdb a.sdf --record 5", "a.sdf", "has no record 5", "0"),
    ("refine zoo-small rec.pdb a.sdf --max-move 0", "0", "--max-move", "above 0"),
    ("--strict --plugin-file away.py list featurizers", "away.py", "No such file", "plugins list"),
    ("--strict --plugin-file plugin.py list featurizers", "plugin.py", "SyntaxError", "plugins list"),
]


@pytest.mark.parametrize(("words", "what", "cause", "remedy"), WRONG, ids=[one[0] for one in WRONG])
def test_an_error_names_file_cause_and_remedy(
    here: Path,
    cli,  # type: ignore[no-untyped-def]
    words: str,
    what: str,
    cause: str,
    remedy: str,
) -> None:
    code, out, err = cli(*words.split())
    assert code in (1, 2), out
    text = " ".join(err.split())
    assert text.startswith("error: ") and "Traceback" not in text
    assert [part for part in (what, cause, remedy) if part not in text] == []
    assert text.count("error: ") == 1
