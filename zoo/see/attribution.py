"""Attribution of a score to atoms: by gradients through the voxelizer, and by occlusion.

Let ``w`` scale the contribution of each atom to the image (1: unchanged, 0: absent).

``gradient x input``
    ``w_i * d score / d w_i`` at ``w = 1``: the relative loss of score when atom i fades slightly.
``integrated gradients`` (Sundararajan et al., ICML 2017)
    the mean of ``d score / d w_i`` while all atoms fade in together from ``w = 0`` to ``w = 1``. Its sum over the
    atoms is ``score(complex) - score(empty box)``: the sum rule. For a network without biases that is piecewise
    linear (ReLU, pooling), gradient x input obeys it too.
``occlusion``
    ``score(complex) - score(complex without the atom or residue)`` in the same box.

A positive number always means that the atom raises the score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.runtime.gradients import value_and_gradient
from affinity_zoo.zoo.see.imaging import WeightedImager, to_numpy

TOLERANCE = 0.01  #: largest relative error of the sum; more steps are taken beyond it
SLACK = 1e-3  #: the same in units of the score, for differences near 0
MOST_STEPS = 512
Advance = Callable[[int], None]


def _silent(n: int = 1) -> None:
    pass


@dataclass(frozen=True, eq=False)
class Gradients:
    """Gradient attributions of ``n`` atoms, receptor first, then ligand; 0 for atoms outside every view."""

    gradient: NDArray[np.float64]  #: (n,) gradient x input
    integrated: NDArray[np.float64]  #: (n,) integrated gradients
    score: float  #: of the complex, mean over the views
    empty: float  #: of an empty box
    steps: int  #: number of points along the path

    @property
    def gap(self) -> float:
        """Difference between the sum of ``integrated`` and ``score - empty``."""
        return float(self.integrated.sum() - (self.score - self.empty))


class OutputScorer:
    """One output of a network on images of one complex.

    Args:
        network: from ``(B, D, D, D, C)`` to ``(B, outputs)``.
        column: column of the output.
        imager: makes the images.
        batch_size: images at once.
    """

    def __init__(self, network: Any, column: int, imager: WeightedImager, batch_size: int = 16) -> None:
        if batch_size < 1:
            raise UsageError(f"`batch_size` must be at least 1, not {batch_size}")
        self.network, self.column, self.imager, self.batch_size = network, column, imager, batch_size

    def of_images(self, images: Any) -> Any:
        """Return the scores of a tensor of images, (B,).

        Args:
            images: (B, D, D, D, C).
        """
        return self.network(images, training=False)[:, self.column]

    def scores(
        self, rotations: NDArray[np.float32], weights: NDArray[np.float32] | None = None
    ) -> NDArray[np.float64]:
        """Return one score for each rotation with its weights, (B,).

        Args:
            rotations: (B, 3, 3).
            weights: (B, n) weights of the atoms; None: all 1.
        """
        found = []
        for start in range(0, len(rotations), self.batch_size):
            part = slice(start, start + self.batch_size)
            images = self.imager.images(rotations[part], None if weights is None else weights[part])
            found.append(to_numpy(self.of_images(images)))
        return np.concatenate(found).astype(np.float64) if found else np.zeros(0)


def gradients(
    scorer: OutputScorer, rotations: NDArray[np.float32], steps: int = 32, advance: Advance = _silent
) -> Gradients:
    """Gradient x input and integrated gradients, averaged over the views.

    Args:
        rotations: (V, 3, 3) of the views.
        steps: points along the path from the empty box; doubled while the sum is off by more than 1 %.
        advance: called with 1 for each view done.

    Raises:
        AffinityZooError: the image is made on the host, or does not depend on the atom values.
    """
    if scorer.imager.how == "host":
        raise AffinityZooError(
            f"featurizer {scorer.imager.featurizer.name!r} makes its image on the host, where there are no gradients: "
            "use `method='occlusion'`"
        )
    if steps < 1:
        raise UsageError(f"`steps` must be at least 1, not {steps}")
    one = _by_kernel if scorer.imager.how == "kernel" else _by_layer
    found = []
    for rotation in rotations:
        found.append(one(scorer, rotation[None], steps))
        advance(1)
    mean = [np.mean([getattr(f, name) for f in found], axis=0) for name in ("gradient", "integrated")]
    score, empty = (float(np.mean([getattr(f, name) for f in found])) for name in ("score", "empty"))
    return Gradients(mean[0], mean[1], score, empty, max(f.steps for f in found))


def _by_kernel(scorer: OutputScorer, rotation: NDArray[np.float32], steps: int) -> Gradients:
    """One view of a linear voxelizer: image(t w) = t image(w).

    The network alone is differentiated along the path, and the voxelizer once, with the mean gradient.
    """
    image = scorer.imager.images(rotation)
    score, at_end = value_and_gradient(scorer.of_images, image)
    empty = float(to_numpy(scorer.of_images(np.zeros_like(image)))[0])
    if at_end is None:
        raise _no_gradient(scorer)

    def slopes(times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum over the times of d score / d image, (D, D, D, C)."""
        total = np.zeros(image.shape[1:])
        for start in range(0, len(times), scorer.batch_size):
            part = times[start : start + scorer.batch_size].astype(np.float32)
            _, slope = value_and_gradient(scorer.of_images, part[:, None, None, None, None] * image)
            assert slope is not None
            total += slope.sum(axis=0, dtype=np.float64)
        return total

    difference = float(score[0]) - empty
    mean, steps = _enough_steps(slopes, steps, difference, lambda slope: float((slope * image[0]).sum()))
    weights = _through_voxelizer(scorer.imager, rotation, np.stack([at_end[0], mean.astype(np.float32)]))
    return Gradients(weights[0], weights[1], float(score[0]), empty, steps)


def _through_voxelizer(
    imager: WeightedImager, rotation: NDArray[np.float32], slopes: NDArray[np.float32]
) -> NDArray[np.float64]:
    """From d score / d image (K, D, D, D, C) to w * d score / d w at w = 1: (K, n)."""
    inputs = imager.inputs(np.repeat(rotation, len(slopes), axis=0))
    ones = np.ones(inputs["radius"].shape, np.float32)
    wanted = ops.convert_to_tensor(slopes)
    _, found = value_and_gradient(lambda w: imager.layer(_scaled(inputs, w)) * wanted, ones)
    return _placed(imager, found)


def _by_layer(scorer: OutputScorer, rotation: NDArray[np.float32], steps: int) -> Gradients:
    """One view of a custom layer of unknown form: layer and network are differentiated along the whole path."""
    imager = scorer.imager
    inputs = imager.inputs(rotation)
    shape = inputs["radius"].shape

    def at(w: NDArray[np.float32]) -> tuple[float, NDArray[np.float64]]:
        # one sample at a time: the memory use of such a layer is not known
        score, slope = value_and_gradient(lambda x: scorer.of_images(imager.layer(_scaled(inputs, x))), w)
        return float(score[0]), _placed(imager, slope)[0]

    def slopes(times: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sum([at(np.full(shape, t, np.float32))[1] for t in times], axis=0)

    score, at_end = at(np.ones(shape, np.float32))
    empty = float(scorer.scores(rotation, np.zeros((1, imager.n), np.float32))[0])
    if not at_end.any():
        raise _no_gradient(scorer)
    mean, steps = _enough_steps(slopes, steps, score - empty, lambda slope: float(slope.sum()))
    return Gradients(at_end, mean, score, empty, steps)


def _enough_steps(
    slopes: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    steps: int,
    difference: float,
    total: Callable[[NDArray[np.float64]], float],
) -> tuple[NDArray[np.float64], int]:
    """Return the mean gradient along the path by the midpoint rule; triple the points until the sum rule holds."""
    mean = slopes((np.arange(steps) + 0.5) / steps) / steps
    enough = TOLERANCE * abs(difference) + SLACK
    while abs(total(mean) - difference) > enough and 3 * steps <= MOST_STEPS:
        times = (np.arange(3 * steps) + 0.5) / (3 * steps)
        new = slopes(times[np.arange(3 * steps) % 3 != 1])
        mean, steps = (mean * steps + new) / (3 * steps), 3 * steps
    return mean, steps


def _scaled(inputs: dict[str, NDArray[Any]], w: Any) -> dict[str, Any]:
    """The layer's inputs with what each atom puts into the image scaled by w (B, N)."""
    tensors = {name: ops.convert_to_tensor(column) for name, column in inputs.items()}
    if "values" in inputs:
        return {**tensors, "values": tensors["values"] * w[..., None]}
    return {**tensors, "value": tensors["value"] * w}


def _placed(imager: WeightedImager, slope: NDArray[np.float32] | None) -> NDArray[np.float64]:
    """Gradients of padded atoms (K, N) as those of all atoms (K, n)."""
    if slope is None:
        return np.zeros((1, imager.n))
    found = np.zeros((len(slope), imager.n))
    found[:, imager.seen] = slope[:, : len(imager.seen)]
    return found


def _no_gradient(scorer: OutputScorer) -> AffinityZooError:
    return AffinityZooError(
        f"the image of featurizer {scorer.imager.featurizer.name!r} does not depend on the atoms' values in a way "
        "that can be differentiated: use `method='occlusion'`"
    )


def occlusion(
    scorer: OutputScorer,
    rotations: NDArray[np.float32],
    groups: Sequence[NDArray[np.int64]],
    advance: Advance = _silent,
) -> tuple[NDArray[np.float64], float]:
    """Return the loss of score without each group of atoms, averaged over the views.

    Args:
        rotations: (V, 3, 3) of the views.
        groups: atom numbers (receptor first, then ligand) that are left out together.
        advance: called with the number of images done.

    Returns:
        (groups,) score drops, and the score of the whole complex.
    """
    whole = scorer.scores(rotations)
    drops = np.zeros(len(groups))
    seen = np.zeros(scorer.imager.n, bool)
    seen[scorer.imager.seen] = True
    tasks = [(g, v) for g, group in enumerate(groups) if seen[group].any() for v in range(len(rotations))]
    for start in range(0, len(tasks), scorer.batch_size):
        part = tasks[start : start + scorer.batch_size]
        weights = np.ones((len(part), scorer.imager.n), np.float32)
        for row, (g, _) in zip(weights, part, strict=True):
            row[groups[g]] = 0.0
        views = [v for _, v in part]
        lost = whole[views] - scorer.scores(rotations[views], weights)
        np.add.at(drops, [g for g, _ in part], lost / len(rotations))
        advance(len(part))
    return drops, float(whole.mean())
