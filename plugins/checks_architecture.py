"""Conformance of an architecture: the network it builds."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affinity_zoo.plugins.checks import SHARED, fingerprint, require, same
from affinity_zoo.plugins.checks_featurizer import check_registered
from affinity_zoo.plugins.contracts import Architecture
from affinity_zoo.plugins.imaging import to_numpy

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray

CHANNELS = 3
SIDE = 16  #: voxels; small, so that checks are quick
OUTPUTS = ("pose", "affinity")


@dataclass(frozen=True, eq=False)
class ArchitectureUnderTest:
    """An architecture under test, with a network and test images."""

    instance: Architecture
    kind: str = "architecture"

    @property
    def cls(self) -> type[Architecture]:
        """Class of the instance under test."""
        return type(self.instance)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The image shape: the architecture's own box, or a small one."""
        box = self.instance.default_box
        side = SIDE if box is None else box.side
        return side, side, side, CHANNELS

    @cached_property
    def network(self) -> keras.Model:
        """A network with one output."""
        return seeded(self.instance, self.shape)

    @cached_property
    def images(self) -> NDArray[np.float32]:
        """Three images."""
        return images(self.shape, 3)


def seeded(
    architecture: Architecture, shape: tuple[int, int, int, int], outputs: tuple[str, ...] = ("pose",)
) -> keras.Model:
    """Build a network from a fixed seed.

    Args:
        architecture: Architecture, class or instance.
        shape: (D, D, D, C), shape of the image.
        outputs: Names of the outputs.
    """
    import keras

    keras.utils.set_random_seed(0)
    return architecture.build(shape, outputs)


def images(shape: tuple[int, int, int, int], n: int, seed: int = 0) -> NDArray[np.float32]:
    """Return n sparse images, read-only.

    Args:
        shape: (D, D, D, C), shape of the image.
        n: Number of images.
        seed: Seed of the random numbers.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    made = random.random((n, *shape), np.float32) * (random.random((n, *shape)) < 0.1)
    made = made.astype(np.float32)
    made.setflags(write=False)
    return made


def network_has_its_shapes(subject: ArchitectureUnderTest) -> None:
    """The network maps (batch, D, D, D, C) to (batch, outputs) float32, finite."""
    import keras
    import numpy as np

    require(isinstance(subject.network, keras.Model), f"build returned {type(subject.network).__name__}")
    tensor = subject.network(subject.images, training=False)
    kind = keras.backend.standardize_dtype(tensor.dtype)
    require(kind == "float32", f"its dtype is {kind}")
    found = to_numpy(tensor)
    require(found.shape == (3, 1), f"one output: its shape is {found.shape}, not (3, 1)")
    require(np.isfinite(found).all(), "its output is not finite")
    two = to_numpy(seeded(subject.instance, subject.shape, OUTPUTS)(subject.images, training=False))
    require(two.shape == (3, 2), f"two outputs: its shape is {two.shape}, not (3, 2)")


def any_box_and_channels(subject: ArchitectureUnderTest) -> None:
    """It accepts other boxes (odd sides too) and other numbers of channels."""
    import numpy as np

    shapes = [(*subject.shape[:3], 1), (*subject.shape[:3], 28)]
    if subject.instance.default_box is None:
        shapes += [(SIDE + 1,) * 3 + (2,), (24, 24, 24, 1)]
    for shape in shapes:
        found = to_numpy(seeded(subject.instance, shape)(images(shape, 2), training=False))  # type: ignore[arg-type]
        require(found.shape == (2, 1) and np.isfinite(found).all(), f"image {shape}: output {found.shape}")


def output_is_a_logit(subject: ArchitectureUnderTest) -> None:
    """The output is a logit: the last layer has no sigmoid or other activation."""
    layers = [layer for layer in subject.network.layers if hasattr(layer, "activation")]
    last = subject.network.layers[-1]
    if last in layers:
        name = getattr(last.activation, "__name__", str(last.activation))
        require(name == "linear", f"the last layer has the activation {name}")
    require("Activation" not in type(last).__name__, f"the last layer is {type(last).__name__}")


def inference_is_repeatable(subject: ArchitectureUnderTest) -> None:
    """In inference an image gives the same output in any batch."""
    first = to_numpy(subject.network(subject.images, training=False))
    same(first, to_numpy(subject.network(subject.images, training=False)), 1e-6, "twice")
    alone = to_numpy(subject.network(subject.images[1:2], training=False))
    same(first[1:2], alone, 1e-4, "alone and in a batch")


def building_is_repeatable(subject: ArchitectureUnderTest) -> None:
    """The same seed builds the same weights."""
    other = seeded(subject.instance, subject.shape)
    require(len(other.weights) == len(subject.network.weights), "the number of weights differs")
    for a, b in zip(subject.network.get_weights(), other.get_weights(), strict=True):
        same(a, b, 0.0, "weights of two builds")


def input_is_left_alone(subject: ArchitectureUnderTest) -> None:
    """The input images are not changed."""
    before = fingerprint([subject.images])
    subject.network(subject.images, training=False)
    require(before == fingerprint([subject.images]), "the images were changed")


def every_weight_learns(subject: ArchitectureUnderTest) -> None:
    """Two training steps give a finite loss and change every trainable weight."""
    import keras
    import numpy as np

    network = seeded(subject.instance, subject.shape)
    before = [to_numpy(w) for w in network.trainable_weights]
    network.compile(
        keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True), jit_compile=False
    )
    labels = np.array([[0.0], [1.0], [0.0]], np.float32)
    # two steps: a zero-initialised last factor lets the layers below it learn from the second on
    losses = [network.train_on_batch(subject.images, labels) for _ in range(2)]
    require(np.isfinite(losses).all(), f"the losses are {losses}")
    still = [
        w.path
        for w, old in zip(network.trainable_weights, before, strict=True)
        if np.array_equal(to_numpy(w), old)
    ]
    require(not still, f"no gradient reaches {', '.join(still[:3])}")


def model_survives_saving(subject: ArchitectureUnderTest) -> None:
    """A saved network loads in safe mode and gives the same output."""
    import keras

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        subject.network.save(path)
        objects = subject.instance.custom_objects()
        again = keras.saving.load_model(path, custom_objects=objects, compile=False, safe_mode=True)
    first = to_numpy(subject.network(subject.images, training=False))
    same(first, to_numpy(again(subject.images, training=False)), 1e-5, "restored")


def layers_are_registered(subject: ArchitectureUnderTest) -> None:
    """Custom layers are registered under its distribution's name and listed by custom_objects."""
    objects = subject.instance.custom_objects()
    for layer in subject.network._flatten_layers(include_self=False):
        check_registered(type(layer), objects)


def runs_compiled(subject: ArchitectureUnderTest) -> None:
    """A compiled prediction agrees with a direct one."""
    import numpy as np

    direct = to_numpy(subject.network(subject.images, training=False))
    same(direct, np.asarray(subject.network.predict_on_batch(subject.images)), 1e-3, "compiled")


def runs_in_mixed_precision(subject: ArchitectureUnderTest) -> None:
    """It runs under mixed precision with a finite float32 output."""
    import keras
    import numpy as np

    with _policy("mixed_bfloat16"):
        network = seeded(subject.instance, subject.shape)
        found = network(subject.images, training=False)
    kind = keras.backend.standardize_dtype(found.dtype)
    require(kind == "float32", f"its output is {kind}: give the last layer dtype='float32'")
    require(np.isfinite(to_numpy(found)).all(), "its output is not finite")


CHECKS: tuple[Callable[[Any], None], ...] = (
    *SHARED,
    network_has_its_shapes,
    any_box_and_channels,
    output_is_a_logit,
    inference_is_repeatable,
    building_is_repeatable,
    input_is_left_alone,
    every_weight_learns,
    model_survives_saving,
    layers_are_registered,
    runs_compiled,
    runs_in_mixed_precision,
)


@contextlib.contextmanager
def _policy(name: str) -> Iterator[None]:
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
