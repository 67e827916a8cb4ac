"""What a resumed run may do otherwise, and what it may not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.models.recipe import BoxChoice, Choice, Data, Recipe, read_recipe
from affinity_zoo.zoo.models.run_folder import RunFolder
from affinity_zoo.zoo.runtime.backends.base import Backend
from affinity_zoo.zoo.training.resolve import choose_precision, refuse_changes

RECIPE = replace(
    Recipe(),
    architecture=Choice("cnn4", {"strides": (2, 2, 1, 1), "dropout": 0.5}, "affinity-zoo", "0.1.0"),
    data=Data("set", "abc", 12, 3, 4, "def", {"altloc": "highest"}),
)


def test_more_epochs_and_patience_are_fine(tmp_path: Path) -> None:
    RECIPE.write(tmp_path / "recipe.toml")
    before = read_recipe(tmp_path / "recipe.toml")  # lists where the new one has tuples
    refuse_changes(before, RECIPE.with_training(epochs=99, early_stopping=3), 1)
    refuse_changes(before, replace(RECIPE, architecture=replace(RECIPE.architecture, version="0.2.0")), 1)


@pytest.mark.parametrize(
    ("now", "names"),
    [
        (RECIPE.with_training(learning_rate=1e-5), "training.learning_rate = 0.0003, not 1e-05"),
        (RECIPE.with_training(seed=4), "training.seed"),
        (replace(RECIPE, box=BoxChoice(24, 1.0)), "box.side"),
        (replace(RECIPE, architecture=Choice("resnet3d")), "architecture"),
        (
            replace(RECIPE, featurizer=replace(RECIPE.featurizer, encoding_hash="x")),
            "featurizer.encoding_hash",
        ),
    ],
)
def test_another_choice_is_refused(now: Recipe, names: str) -> None:
    with pytest.raises(UsageError, match="`epochs` and `early_stopping` only") as raised:
        refuse_changes(RECIPE, now, 7)
    assert names in str(raised.value) and "run 7" in str(raised.value)


def test_another_split_is_refused() -> None:
    with pytest.raises(AffinityZooError, match="other poses .data.ids_hash differs."):
        refuse_changes(RECIPE, replace(RECIPE, data=replace(RECIPE.data, ids_hash="other")), 1)


def test_options_of_the_api_are_checked_like_those_of_the_command_line() -> None:
    assert Recipe().with_training(epochs=np.int64(3), sources=["docked"]).training.sources == ("docked",)
    with pytest.raises(UsageError, match=r"no option 'epoch'.*epochs"):
        Recipe().with_training(epoch=3)
    with pytest.raises(UsageError, match="`monitor` is 'auc': expected one of"):
        Recipe().with_training(monitor="auc")
    with pytest.raises(UsageError, match="`epochs` is '3': expected int"):
        Recipe().with_training(epochs="3")
    with pytest.raises(UsageError, match="`sources` is 'docked': expected array"):
        Recipe().with_training(sources="docked")


def test_a_run_with_nothing_but_its_recipe_is_taken_away(tmp_path: Path) -> None:
    root = tmp_path / "summaries"
    run = RunFolder.create(root)
    RECIPE.write(run.logs / "recipe.toml")
    run.remove_if_empty()
    assert not root.exists()
    kept, other = RunFolder.create(root), RunFolder.create(root)
    (kept.netstate / "epoch-00001.npz").touch()
    kept.remove_if_empty()
    other.remove_if_empty()
    assert kept.logs.is_dir() and not other.logs.exists() and kept.x == 1


def test_a_run_is_given_as_it_is(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path)
    assert RunFolder.find(run, tmp_path / "elsewhere") == RunFolder(tmp_path.resolve(), 1)
    assert RunFolder.find(1, tmp_path) == run


class BFloat16(Backend):
    def half_precision(self):  # type: ignore[no-untyped-def]
        return "bfloat16"


@pytest.mark.parametrize(
    ("wanted", "before", "chosen"),
    [
        (False, None, False),
        (True, None, "bfloat16"),
        ("float16", None, "float16"),
        (True, "float16", "float16"),  # resumed: the type of the run
        (True, True, True),  # a run of an earlier version, which was float16
        (True, False, "bfloat16"),  # another choice, which is refused
    ],
)
def test_half_precision_is_chosen_once(
    wanted: bool | str, before: bool | str | None, chosen: bool | str
) -> None:
    run = None if before is None else RECIPE.with_training(mixed_precision=before)
    assert choose_precision(wanted, BFloat16("other"), run) == chosen  # type: ignore[arg-type]


def test_the_type_of_half_precision_is_written_and_read(tmp_path: Path) -> None:
    for value in (False, True, "bfloat16", "float16"):
        RECIPE.with_training(mixed_precision=value).write(tmp_path / "recipe.toml")
        assert read_recipe(tmp_path / "recipe.toml").training.mixed_precision == value
    with pytest.raises(UsageError, match="mixed_precision"):
        RECIPE.with_training(mixed_precision="half")
