"""Callbacks of a training: seeds, checks, validation, checkpoints, display."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.runtime.backends import active_backend
from affinity_zoo.zoo.training import checkpoints
from affinity_zoo.zoo.training.history import History
from affinity_zoo.zoo.training.watch import Watcher


class SeedDropout(keras.callbacks.Callback):
    """Set every layer's seed state from (seed, epoch, layer): dropout does not depend on restarts."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Reset the seed states. The state counts up within the epoch: the step is in it."""
        for number, generator in enumerate(_seed_generators(self.model)):
            words = np.random.SeedSequence([self._seed, epoch, number]).generate_state(2)
            generator.state.assign(words.astype(generator.state.dtype))
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Seed the backend's own generator before the first step of an epoch."""
        if batch == 0:
            # not when the epoch begins: opening the data takes a number from PyTorch's generator, once in each `fit`
            words = np.random.SeedSequence([self._seed, self._epoch]).generate_state(1)
            active_backend().seed(int(words[0]))


def _seed_generators(model: keras.Model) -> list[Any]:
    # `_flatten_layers` is how Keras itself walks nested models; the order is that of construction
    return [g for layer in model._flatten_layers() for g in getattr(layer, "_seed_generators", [])]


class StopOnNonFinite(keras.callbacks.Callback):
    """Stop with a message as soon as the loss is NaN or infinite, before anything is saved."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Store the number of the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Check the running loss."""
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise diverged("the loss", self._epoch)


def diverged(what: str, epoch: int) -> AffinityZooError:
    """Return the error that stops a training whose numbers are no longer finite.

    Args:
        what: Name of the value.
        epoch: Epoch of the training, from 0 (the log counts from 1).
    """
    return AffinityZooError(
        f"{what} became NaN or infinite in epoch {epoch + 1}, so training stopped; try a smaller `learning_rate`, "
        "or leave out `mixed_precision=True`" + ("; the epochs before are saved in the run" if epoch else "")
    )


class Display(keras.callbacks.Callback):
    """A bar with images/s and time left on a terminal; one line an epoch everywhere."""

    def __init__(
        self,
        epochs: int,
        steps: int,
        batch_size: int,
        history: History,
        shown: bool = True,
    ) -> None:
        super().__init__()
        self._epochs, self._steps, self._batch_size = epochs, steps, batch_size
        self._history = history
        self._shown = shown  # of several workers the chief alone shows a bar
        self._context: Any = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Open the bar."""
        from affinity_zoo.zoo.runtime.terminal import progress

        self._started = time.perf_counter()
        images = self._steps * self._batch_size
        if self._shown:
            self._context = progress(f"epoch {epoch + 1}/{self._epochs}", images, "images")
        else:
            self._context = contextlib.nullcontext(lambda _images: None)
        self._advance = self._context.__enter__()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Advance the bar."""
        self._advance(self._batch_size)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Close the bar; the line is printed by :class:`EpochEnd` when validation is done."""
        self.close()
        self._history.images_per_s = self._steps * self._batch_size / (time.perf_counter() - self._started)

    def close(self) -> None:
        """Close the bar, also when training stops by an error."""
        if self._context is not None:
            self._context.__exit__(None, None, None)
            self._context = None


class EpochEnd(keras.callbacks.Callback):
    """Validate, write the curves, save the checkpoint, and decide whether to continue, in this order.

    Args:
        validate: from the model to the validation scores of this epoch (may be empty).
        history: what is remembered from epoch to epoch; saved in the checkpoint.
        netstate: folder of the checkpoints; None: another worker writes checkpoints and curves.
        patience: epochs without improvement before stopping; 0: never.
        curves: called with (epoch, training scalars, validation scalars).
        say: prints one line.
    """

    def __init__(
        self,
        validate: Callable[[int], dict[str, float]],
        history: History,
        netstate: Path | None,
        patience: int,
        curves: Callable[[int, dict[str, float], dict[str, float]], None],
        say: Callable[[str], None],
        watchers: Sequence[Watcher] = (),
    ) -> None:
        super().__init__()
        self._validate, self._history, self._netstate = validate, history, netstate
        self._patience, self._curves, self._say = patience, curves, say
        self._watchers = watchers

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Finish an epoch; afterwards it is complete on disk."""
        train = {"loss": float((logs or {})["loss"])}
        validation = self._validate(epoch)
        self._history.add(epoch + 1, train, validation)
        if self._netstate is not None:
            self._curves(epoch + 1, train, validation)
            checkpoints.save(
                self._netstate, epoch + 1, self.model, self._history.state(), keep={self._history.best_epoch}
            )
        shown = ", ".join(f"{name} {value:.4f}" for name, value in validation.items())
        self._say(
            f"epoch {epoch + 1}: loss {train['loss']:.4f}; validation {shown or 'none'}; "
            f"{self._history.images_per_s:,.0f} images/s"
        )
        if self._patience and epoch + 1 - self._history.best_epoch >= self._patience:
            self._say(
                f"stopped: no better {self._history.monitor} on validation for {self._patience} epochs "
                f"(best: epoch {self._history.best_epoch})"
            )
            self.model.stop_training = True
        for watcher in self._watchers:
            if reason := watcher.epoch(epoch + 1, train, validation):
                self._say(f"stopped after epoch {epoch + 1}: {reason}")
                self.model.stop_training = True


class TensorBoardCurves:
    """TensorBoard scalars in the ancestor's two folders, ``x_train`` and ``x_test``."""

    def __init__(self, train: Path, test: Path) -> None:
        self._folders = (train, test)
        self._writers: list[Any] = []

    def __call__(self, epoch: int, train: dict[str, float], validation: dict[str, float]) -> None:
        """Add one point to each curve."""
        if not self._writers:
            from tensorboard.summary import Writer

            self._writers = [Writer(str(folder)) for folder in self._folders]
        for writer, scalars in zip(self._writers, (train, validation), strict=True):
            for name, value in scalars.items():
                if math.isfinite(value):
                    writer.add_scalar(name, value, step=epoch)
            writer.flush()


def shuffled(labels: NDArray[Any], seed: int, epoch: int) -> NDArray[Any]:
    """Permute labels for the control curve, whose loss must not fall below chance.

    Args:
        labels: (n,) labels.
        seed: Seed of the training.
        epoch: Epoch of the training, from 0 (the log counts from 1).
    """
    return np.random.default_rng([seed, epoch, 1]).permutation(labels)
