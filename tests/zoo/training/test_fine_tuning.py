"""Fine-tuning: what is copied, what is frozen, what the last line says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.architectures.gnina import GninaDefault2018
from affinity_zoo.zoo.architectures.resnet3d import ResNet3D
from affinity_zoo.zoo.judging.predictions import make_predictions
from affinity_zoo.zoo.models.recipe import Head
from affinity_zoo.zoo.training import fine_tuning as start
from affinity_zoo.zoo.training.fine_tuning_report import verdict
from affinity_zoo.zoo.training.output_scales import with_head

SHAPE = (8, 8, 8, 3)


def _resnet(*tasks: str, filters: int = 2, head: Head = Head()):  # type: ignore[no-untyped-def]
    return with_head(ResNet3D(filters=filters).build(SHAPE, tasks), tasks, head)


def _image() -> np.ndarray:
    return np.random.default_rng(0).random((4, *SHAPE), np.float32)


def test_the_same_tasks_give_the_same_scores() -> None:
    before, now = (_resnet("pose", "affinity", head=Head(6.5, 1.5)) for _ in range(2))
    assert not np.allclose(before(_image()), now(_image()))
    assert start.take_weights(now, before, ("pose", "affinity"), ("pose", "affinity")) == (
        "keeps its outputs pose, affinity"
    )
    assert np.array_equal(before(_image()), now(_image()))


def test_a_shared_task_keeps_its_column_and_a_new_one_starts_at_the_mean() -> None:
    before, now = _resnet("pose"), _resnet("affinity", "pose", head=Head(6.5, 1.5))
    said = start.take_weights(now, before, ("affinity", "pose"), ("pose",))
    assert said == "keeps its output pose; new output affinity"
    outputs = np.asarray(now(_image()))
    assert np.allclose(outputs[:, 1], np.asarray(before(_image()))[:, 0], atol=1e-6)
    assert np.array_equal(outputs[:, 0], np.full(4, 6.5, np.float32))


def test_gninas_affinity_head_is_found_by_its_name() -> None:
    shape = (48, 48, 48, 2)
    before, now = (GninaDefault2018().build(shape, tasks) for tasks in (("pose", "affinity"), ("affinity",)))
    assert [layer.name for layer in start.heads(before)] == ["affinity_output", "pose_output"] or [
        layer.name for layer in start.heads(before)
    ] == ["pose_output", "affinity_output"]
    said = start.take_weights(now, before, ("affinity",), ("pose", "affinity"))
    assert said == "keeps its output affinity; without its output pose"
    image = np.random.default_rng(0).random((1, *shape), np.float32)
    assert np.allclose(np.asarray(now(image))[:, 0], np.asarray(before(image))[:, 1], atol=1e-6)


def test_another_network_is_refused() -> None:
    with pytest.raises(AffinityZooError, match="differs from that of the model to start from"):
        start.take_weights(_resnet("pose"), _resnet("pose", filters=3), ("pose",), ("pose",))


def test_frozen_layers_do_not_move_and_normalise_as_stored() -> None:
    network = _resnet("pose")
    names = start.freeze_layers(network, 3)
    assert names[0] == "stem_conv" and len(names) == 3
    frozen = [layer for layer in start.weighted(network) if not layer.trainable]
    moving = [layer for layer in start.weighted(network) if layer.trainable]
    assert "stem_bn" in [layer.name for layer in frozen] and "outputs" in [layer.name for layer in moving]
    before = {layer.name: layer.get_weights() for layer in start.weighted(network)}
    network.compile("sgd", "mse", jit_compile=False)
    network.fit(_image(), np.arange(4.0)[:, None], epochs=2, verbose=0)
    for layer in frozen:
        assert all(np.array_equal(a, b) for a, b in zip(before[layer.name], layer.get_weights(), strict=True))
    assert any(
        not np.array_equal(a, b)
        for layer in moving
        for a, b in zip(before[layer.name], layer.get_weights(), strict=True)
    )


def test_more_layers_than_there_are_cannot_be_frozen() -> None:
    network = _resnet("pose")
    assert start.freeze_layers(network, 0) == []
    with pytest.raises(UsageError, match=r"`freeze=99`: the network has \d+ layers before its head"):
        start.freeze_layers(network, 99)


def _table(score: np.ndarray, truth: np.ndarray):  # type: ignore[no-untyped-def]
    n = len(truth)
    return make_predictions(
        id=[f"p{i:03}" for i in range(n)],
        target=[f"t{i // 8:02}" for i in range(n)],
        affinity=truth,
        score=score,
    )


def test_the_last_line_says_better_worse_or_not_shown() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(7, 1.5, 160)
    good, noise = truth + rng.normal(0, 0.3, 160), rng.normal(0, 1, 160)
    said = verdict(
        {"now": _table(good, truth), "before": _table(noise, truth), "size": _table(-truth, truth)},
        "affinity",
        "zoo-affinity",
    )
    assert said.startswith("on 160 held-out rows, kendall-per-series 0.")
    assert re.search(r"better than zoo-affinity before \(.*95 % \[0\.\d+, .*20 groups\)", said)
    assert "; better than ligand size (" in said
    worse = verdict(
        {"now": _table(noise, truth), "before": _table(good, truth), "size": _table(noise, truth)},
        "affinity",
        "x",
    )
    assert "WORSE than x before" in worse and "not shown better than ligand size" in worse
    few = {name: _table(noise[:2], truth[:2]) for name in ("now", "before", "size")}
    assert verdict(few, "affinity", "x").startswith("not compared by affinity: 2 held-out rows")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--from", "zoo-none"), "is not a model"),
        (("--freeze", "2"), "give the model with --from"),
        (("--from", "1", "-a", "cnn4"), "leave these out"),
        (("--from", "1", "--resume", "1"), "leave out --from"),
        (("--task", "pose,pk"), "pose, activity, affinity"),
        (("--task", "affinity"), "no affinity among its poses"),
        (("--task", "pose,affinity", "--task-weights", "1,x"), "give numbers such as 1,0.5"),
        (("--affinity-loss", "l1"), "huber, mse"),
    ],
)
def test_mistakes_are_said_in_a_sentence(  # type: ignore[no-untyped-def]
    arguments: tuple[str, ...], says: str, small_data: Path, tmp_path: Path, cli
) -> None:
    code, _, err = cli("train", small_data, "--runs", tmp_path / "runs", *arguments)
    assert code in (1, 2) and says in " ".join(err.split()), err
    assert not (tmp_path / "runs").exists()
