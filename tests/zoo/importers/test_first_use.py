"""Published models are fetched at their first use, unless that is forbidden; where they are looked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.importers import first_use
from affinity_zoo.zoo.models.ensembles import write_ensemble
from affinity_zoo.zoo.models.folders import model_path
from affinity_zoo.zoo.models.home import models_home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toy_model: Path) -> Path:
    """An empty folder of models; what is fetched is the toy model, twice in an ensemble."""
    monkeypatch.setenv("AFFINITY_ZOO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AFFINITY_ZOO_OFFLINE", raising=False)
    monkeypatch.chdir(tmp_path)

    def get(name: str) -> Path:
        folder = models_home() / name
        if name == "gnina-default":
            shutil.copytree(toy_model, folder / "a")
            shutil.copytree(toy_model, folder / "b")
            write_ensemble(folder, name, ["a", "b"])
        else:
            shutil.copytree(toy_model, folder)
        return folder

    monkeypatch.setattr(first_use, "get_model", get)
    return tmp_path / "home" / "models"


def test_a_published_model_is_fetched_once_and_announced(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert first_use.model_folders(["dense_3"]) == [home / "gnina-dense-3"]
    said = capsys.readouterr().err
    assert "gnina-dense-3 is fetched once" in said and "about 37 MB" in said and "MIT" in said
    assert first_use.model_folders(["gnina-dense-3"]) == [home / "gnina-dense-3"]
    assert capsys.readouterr().err == ""
    first_use.fetch_missing("gnina-1.3-fast")
    said = capsys.readouterr().err
    assert "about 2 MB (gnina/gnina)" in said and "Apache-2.0 or GPL-2.0" in said


def test_loading_by_name_gives_the_model_or_the_ensemble(home: Path) -> None:
    import affinity_zoo

    single = affinity_zoo.load_model("gnina-dense")
    assert single.folder == home / "gnina-dense"
    ensemble = affinity_zoo.load_model("gnina-default")
    assert ensemble.name == "gnina-default" and [m.folder.name for m in ensemble] == ["a", "b"]
    assert len(affinity_zoo.load_models("gnina-default")) == 2


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_offline_forbids_it(home: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "environment":
        monkeypatch.setenv("AFFINITY_ZOO_OFFLINE", "1")
    with pytest.raises(AffinityZooError, match=r"run `affinity-zoo models get gnina-default -o models`"):
        first_use.model_folders(["gnina-default"], offline=how == "argument")
    assert not home.exists()


def test_offline_on_the_command_line(home: Path, cli, small_set: Path) -> None:  # type: ignore[no-untyped-def]
    receptor = next((small_set / "receptors").iterdir())
    poses = small_set / "crystal_ligands" / receptor.stem
    done = cli("predict", "gnina-default", "-r", receptor, "-l", poses, "--offline")
    assert done.code == 1 and "downloads are forbidden" in done.err and not home.exists()


def test_a_folder_beside_is_found_first(home: Path, toy_model: Path, tmp_path: Path) -> None:
    shutil.copytree(toy_model, home / "mine")
    assert model_path("mine") == home / "mine"
    shutil.copytree(toy_model, tmp_path / "models" / "mine")
    assert model_path("mine") == Path("models/mine")
    assert model_path("nothing") is None


def test_the_platforms_cache_folder_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AFFINITY_ZOO_HOME", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name, appauthor: tmp_path / name)
    assert models_home() == tmp_path / "affinity-zoo" / "models"
