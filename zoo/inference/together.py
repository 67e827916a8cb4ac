"""Several models on the same pairs: models with equal images share them.

Models share images where featurizer (with its options), box and the place of making are the same, and where their
networks take the same image: whole, or pooled already (:mod:`affinity_zoo.zoo.inference.pooled`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.inference.outputs import Done, nothing_done, outputs_of_networks
from affinity_zoo.zoo.inference.ready import ReadyModel

if TYPE_CHECKING:
    from affinity_zoo.zoo.batches.pairs import Pairs
    from affinity_zoo.zoo.inference.choices import ScoringChoices


def outputs_together(
    models: Sequence[ReadyModel],
    pairs_of: Callable[[ReadyModel], Pairs],
    rows: NDArray[np.int64],
    choices: ScoringChoices,
    done: Done = nothing_done,
) -> list[NDArray[np.float64]]:
    """Run several models over the rows of their pairs; models with equal images share them.

    Args:
        models: ready to score.
        pairs_of: the pairs of a model, as it reads them; the same object where models read alike.
        rows: (n,) row numbers, in the pairs of each.
        choices: with a number of views.
        done: called with the number of images that a model has scored.

    Returns:
        Of each model, in order, (n, views, outputs) float64, equal to :meth:`ReadyModel.outputs` of it alone.
    """
    groups: dict[Hashable, list[int]] = {}
    for i, model in enumerate(models):
        groups.setdefault((id(pairs_of(model)), _image_of(model)), []).append(i)
    found: dict[int, NDArray[np.float64]] = {}
    for members in groups.values():
        first = models[members[0]]
        maker = first.batches(pairs_of(first), choices.voxelize)
        if len(members) == 1:
            found[members[0]] = first.outputs(maker, rows, choices, done)
            continue
        networks = [models[i].network(maker, choices) for i in members]
        answers = outputs_of_networks(
            networks, maker, rows, choices.fixed_views(), choices.batch_size, choices.threads, done
        )
        found |= {i: answer.astype(np.float64) for i, answer in zip(members, answers, strict=True)}
    return [found[i] for i in range(len(models))]


def _image_of(model: ReadyModel) -> Hashable:
    """Settings that determine a model's images, besides the atoms."""
    featurizer = model.model.featurizer
    return (
        type(featurizer),
        repr(sorted(featurizer.options().items())),
        model.model.box,
        model.pooled is not None,
    )
