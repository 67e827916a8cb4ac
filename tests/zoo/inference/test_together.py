"""Models that score together: an image is made once for those that look at it alike, and no score changes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.zoo.batches.batches import BatchMaker
from affinity_zoo.zoo.batches.pairs import PosesOfReceptor
from affinity_zoo.zoo.inference.choices import ScoringChoices
from affinity_zoo.zoo.inference.ready import ReadyModel, ready
from affinity_zoo.zoo.inference.reference import reference_complex
from affinity_zoo.zoo.inference.together import outputs_together
from affinity_zoo.zoo.models.loading import load_model

CHOICES = ScoringChoices(views=2, batch_size=4)


@pytest.fixture
def toys(toy_model: Path) -> list[ReadyModel]:
    """Three models: two that differ in a weight, and one of another box."""
    first, second = (load_model(toy_model) for _ in range(2))
    for weight in second.network.network.trainable_weights:
        weight.assign(weight * 1.1)
    third = dataclasses.replace(second, box=dataclasses.replace(second.box, spacing=1.0))
    return [ready(model) for model in (first, third, second)]


@pytest.fixture
def pairs() -> PosesOfReceptor:
    """Six poses of the reference complex."""
    pair = reference_complex()
    ligand = pair.atoms(1)
    moved = [dataclasses.replace(ligand, xyz=ligand.xyz + np.float32(0.3 * i)) for i in range(6)]
    return PosesOfReceptor(pair.atoms(0), moved)


def test_images_are_shared_and_scores_are_those_of_each_alone(
    toys: list[ReadyModel], pairs: PosesOfReceptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    original = BatchMaker.evaluation

    def counted(self, rows, *view):  # type: ignore[no-untyped-def]
        made.append(len(rows))
        return original(self, rows, *view)

    rows = np.arange(6)
    alone = [model.outputs(model.batches(pairs), rows, CHOICES) for model in toys]
    monkeypatch.setattr(BatchMaker, "evaluation", counted)
    done: list[int] = []
    together = outputs_together(toys, lambda _: pairs, rows, CHOICES, done.append)
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(together[0], together[2])
    # two views of six rows in batches of at most four, for two kinds of image instead of three models
    assert sum(made) == 2 * 2 * 6 and sum(done) == 3 * 2 * 6


def test_models_that_read_in_other_ways_share_nothing(toys: list[ReadyModel], pairs: PosesOfReceptor) -> None:
    other = PosesOfReceptor(pairs.receptor, [dataclasses.replace(p, xyz=p.xyz + 1) for p in pairs.poses])
    first, _, second = toys
    found = outputs_together(
        [first, second], lambda model: pairs if model is first else other, np.arange(6), CHOICES
    )
    np.testing.assert_array_equal(found[1], second.outputs(second.batches(other), np.arange(6), CHOICES))
