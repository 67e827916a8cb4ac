"""The space of a search: what it refuses, what a trial draws, what a grid holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.search.space import Range, grid_points, read_space

optuna = pytest.importorskip("optuna", reason="Optuna (the extra search) is not installed")

SPACE = """
featurizers = ["atom-types", "element-tag"]
architectures = ["cnn4", "resnet3d"]

[resnet3d]
filters = [4, 8]

[training]
learning_rate = {low = 1e-4, high = 1e-2, log = true}
batch_size = {low = 16, high = 32, step = 16}
epochs = 2
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "space.toml"
    path.write_text(text)
    return path


def test_a_trial_draws_only_options_of_its_parts(tmp_path: Path) -> None:
    space = read_space(_write(tmp_path, SPACE))
    assert space.training["learning_rate"] == Range(1e-4, 1e-2, True)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(20):
        trial = study.ask()
        point = space.draw(trial)
        assert ("filters" in point.architecture_options) == (point.architecture == "resnet3d")
        assert 1e-4 <= point.training["learning_rate"] <= 1e-2
        assert point.training["batch_size"] in (16, 32) and point.training["epochs"] == 2
        study.tell(trial, 0.0)


def test_a_grid_has_each_combination_once(tmp_path: Path) -> None:
    listed = SPACE.replace("{low = 1e-4, high = 1e-2, log = true}", "[1e-4, 1e-3]")
    points = list(grid_points(read_space(_write(tmp_path, listed))))
    # 2 featurizers x (cnn4 + resnet3d x 2 filters) x 2 rates x 2 batch sizes
    assert len(points) == 2 * 3 * 2 * 2
    assert len({repr(sorted(point.items())) for point in points}) == len(points)
    with pytest.raises(UsageError, match="learning_rate is a range without a step"):
        list(grid_points(read_space(_write(tmp_path, SPACE))))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("featurizers = 3", "featurizers is a list of names"),
        ('featurizers = ["atom-types"]\narchitectures = ["resnet4d"]', "resnet4d"),
        (SPACE + "\n[cnn5]\nx = 1", "[cnn5] is not one of"),
        (SPACE.replace("filters", "filter"), "has no 'filter'"),
        (SPACE.replace("low = 1e-4, high = 1e-2", "low = 1e-2, high = 1e-4"), "low <= high"),
        (SPACE.replace("[4, 8]", "[]"), "empty list"),
        (SPACE.replace("low = 1e-4", "lowest = 1e-4"), "a range with low and high"),
        ("featurizers = [", "cannot be read"),
    ],
)
def test_a_wrong_space_is_refused_with_a_sentence(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(AffinityZooError) as caught:
        read_space(_write(tmp_path, text))
    assert told in str(caught.value)
