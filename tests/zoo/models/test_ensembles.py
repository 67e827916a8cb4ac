"""Finding models by any name, ensembles and their average."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo import shipped
from affinity_zoo.zoo.models.ensembles import mean_logit, read_ensemble, write_ensemble
from affinity_zoo.zoo.models.folders import find_model_folder, find_model_folders


def fake_model(folder: Path) -> Path:
    """A folder that looks like a model from outside."""
    folder.mkdir(parents=True)
    (folder / "model.keras").touch()
    return folder


@pytest.fixture
def ensemble(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        fake_model(tmp_path / "both" / name)
    write_ensemble(tmp_path / "both", "both", ["two", "one"], about="a pair")
    return tmp_path / "both"


def test_an_ensemble_stands_for_its_members_in_their_order(ensemble: Path, tmp_path: Path) -> None:
    other = fake_model(tmp_path / "other")
    found = find_model_folders([other, ensemble, ensemble / "one"], tmp_path)
    assert found == [other, ensemble / "two", ensemble / "one"]  # `one` came twice and counts once
    assert read_ensemble(ensemble).about == "a pair"
    with pytest.raises(AffinityZooError, match="ensemble of 2 models"):
        find_model_folder(ensemble)


def test_runs_are_found_by_number(tmp_path: Path) -> None:
    (tmp_path / "3_logs").mkdir()
    with pytest.raises(AffinityZooError, match="not finished"):
        find_model_folders(["3"], tmp_path)
    model = fake_model(tmp_path / "3_netstate" / "model")
    assert find_model_folders(["3", 3, tmp_path / "3_logs"], tmp_path) == [model]


def test_shipped_models_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = fake_model(tmp_path / "shipped" / "pose-made")
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "shipped")
    assert find_model_folders(["pose-made"]) == [model]
    with pytest.raises(AffinityZooError, match="did you mean 'pose-made'"):
        find_model_folders(["pose-mode"])
    with pytest.raises(UsageError, match="pose-made"):
        find_model_folders([])


def test_downloaded_models_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AffinityZooError, match="affinity-zoo models get gnina-dense-3"):
        find_model_folders(["dense_3"])
    fake_model(tmp_path / "models" / "gnina-dense-3")
    for name in ("dense_3", "gnina-dense-3"):
        assert find_model_folders([name]) == [Path("models/gnina-dense-3")]


@pytest.mark.parametrize("name", ["../outside", "/etc", "one/../../outside", "C:\\models", "", 3, "."])
def test_a_member_outside_the_folder_is_refused(ensemble: Path, tmp_path: Path, name: object) -> None:
    fake_model(tmp_path / "outside")
    text = f"format = 1\nname = 'x'\nmembers = [{name!r}]\n"
    (ensemble / "ensemble.toml").write_text(text)
    with pytest.raises(AffinityZooError, match="refused|contains no model"):
        read_ensemble(ensemble)


def test_a_link_out_of_the_folder_is_refused(ensemble: Path, tmp_path: Path) -> None:
    (ensemble / "linked").symlink_to(fake_model(tmp_path / "outside"))
    (ensemble / "ensemble.toml").write_text("format = 1\nmembers = ['linked']\n")
    with pytest.raises(AffinityZooError, match="refused"):
        read_ensemble(ensemble)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("members = [", "cannot be read"),
        ("format = 2\nmembers = ['one']", "format 2"),
        ("format = 1\nmembers = ['one']\nrun = 'x'", "unknown key 'run'"),
        ("format = 1\nmembers = []", "must list"),
        ("format = 1\nmembers = ['one', 'one']", "must list"),
        ("format = 1\nmembers = ['three']", "'three' contains no model"),
    ],
)
def test_a_damaged_file_is_told(ensemble: Path, text: str, why: str) -> None:
    (ensemble / "ensemble.toml").write_text(text)
    with pytest.raises(AffinityZooError, match=why):
        read_ensemble(ensemble)


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=6), st.floats(-3, 3))
def test_the_mean_is_that_of_the_probabilities(logits: list[float], correction: float) -> None:
    found = mean_logit(np.array(logits)[:, None], [correction] * len(logits))[0]
    probability = np.mean(1 / (1 + np.exp(-(np.array(logits) + correction))))
    assert 1 / (1 + np.exp(-found)) == pytest.approx(probability, rel=1e-9)


def test_the_mean_ranks_where_probabilities_round_to_one() -> None:
    high = mean_logit(np.array([[50.0, 60.0, 800.0], [50.0, 60.0, 800.0]]), [0.0, 0.0])
    assert high == pytest.approx([50.0, 60.0, 800.0])
