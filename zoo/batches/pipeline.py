"""Input of ``fit`` from batches of atoms: a ``tf.data.Dataset``, or a ``PyDataset`` without TensorFlow.

The one module of the data path that imports TensorFlow.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.batches.ahead import Ahead
from affinity_zoo.zoo.batches.batches import BatchMaker, Inputs
from affinity_zoo.zoo.batches.epochs import Balance, epoch_order, steps_per_epoch

#: bytes of batches that may exist at a time
MAX_IN_FLIGHT = 2**30

#: (inputs, targets (B, 1) or (B, T, 3), weights (B,)); weights are 0 in rows that pad the last batch
Batch = tuple[Inputs, NDArray[np.float32], NDArray[np.float32]]


class Step(NamedTuple):
    """A training step: B rows, some of weight 0 at the end of an epoch."""

    epoch: int
    rows: NDArray[np.int64]  #: (B,)
    copies: NDArray[np.int64]  #: (B,) how often each row was shown before in this epoch
    weights: NDArray[np.float32]  #: (B,) 1, or 0 in padding rows

    def part(self, number: int, of: int) -> Step:
        """Return one of ``of`` equal parts, the share of one replica. ``of`` divides the batch size.

        Args:
            number: Number of the part, from 0.
            of: Number of parts.
        """
        size = len(self.rows) // of
        here = slice(number * size, (number + 1) * size)
        return Step(self.epoch, self.rows[here], self.copies[here], self.weights[here])


class Share(NamedTuple):
    """Parts of every batch that this process makes, one for each of its replicas."""

    first: int = 0
    parts: int = 1
    of: int = 1


@dataclass(frozen=True, eq=False)
class TrainingPlan:
    """Rows of each training step: a pure function of the step number."""

    rows: NDArray[np.int64]  #: (n,) row numbers of the index
    labels: NDArray[np.float64]  #: (n,) classes to balance, 0 or 1; NaN: neither
    batch_size: int
    seed: int
    balance: Balance

    @property
    def steps(self) -> int:
        """Steps of one epoch."""
        return steps_per_epoch(len(self.order(0)[0]), self.batch_size)

    def order(self, epoch: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of an epoch in the order in which they are shown, and the number of each copy.

        Args:
            epoch: Epoch of the training, from 0 (the log counts from 1).
        """
        return epoch_order(self.rows, self.labels, self.seed, epoch, self.balance)

    def step(self, step: int, steps: int) -> Step:
        """Return the rows of a step counted over all epochs; the last step of an epoch is padded.

        The padding consists of other rows of the epoch, in new views and with weight 0. Batch normalisation takes
        its moments over all rows of a batch; copies of one row would distort them right before validation.

        Args:
            step: Number of the step, counted over all epochs.
            steps: Steps of an epoch.
        """
        epoch, within = divmod(step, steps)
        order, copies = self._order_of(epoch)
        part = slice(within * self.batch_size, (within + 1) * self.batch_size)
        n = len(order[part])
        fill = np.arange(self.batch_size - n) % len(order)
        weights = np.concatenate([np.ones(n, np.float32), np.zeros(len(fill), np.float32)])
        rows = np.concatenate([order[part], order[fill]])
        return Step(epoch, rows, np.concatenate([copies[part], copies[fill] + 1]), weights)

    def _order_of(self, epoch: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        # the order is needed in every step: keep the last one (any thread may replace it)
        kept = getattr(self, "_kept", None)
        if kept is None or kept[0] != epoch:
            kept = (epoch, self.order(epoch))
            object.__setattr__(self, "_kept", kept)
        return kept[1]


class TrainingBatches:
    """Batch number ``step`` of a training, counted over all epochs; callable from any thread.

    Args:
        maker: maker of the images.
        plan: rows of each step.
        targets: (n, ...) training targets of the rows of the plan; None: the labels, (n, 1).
    """

    def __init__(
        self, maker: BatchMaker, plan: TrainingPlan, targets: NDArray[np.float32] | None = None
    ) -> None:
        self._maker = maker
        self._plan = plan
        self.steps = plan.steps
        taught = plan.labels[:, None] if targets is None else targets
        self._taught = np.zeros((int(plan.rows.max()) + 1, *taught.shape[1:]), np.float32)
        self._taught[plan.rows] = taught
        #: the first error of a batch; TensorFlow would hide it in an error of its own
        self.failure: AffinityZooError | None = None

    def __call__(self, step: int, part: int = 0, parts: int = 1) -> Batch:
        """Make one of ``parts`` equal parts of a batch."""
        shown = self._plan.step(step, self.steps).part(part, parts)
        try:
            inputs = self._maker.training(shown.rows, shown.epoch, shown.copies)
            return inputs, self._taught[shown.rows], shown.weights
        except AffinityZooError as error:
            self.failure = self.failure or error
            raise


def has_tensorflow() -> bool:
    """Whether TensorFlow is installed."""
    return importlib.util.find_spec("tensorflow") is not None


def training_data(
    batches: TrainingBatches, first_step: int, last_step: int, workers: int, share: Share = Share()
) -> Any:
    """Return the input of ``fit`` for the steps ``first_step`` to ``last_step``, in order, prefetched.

    Args:
        batches: function from step number to batch.
        workers: threads that make batches; the kernels release the interpreter lock.
        share: parts of each batch to make, one element each; TensorFlow only.
    """
    if has_tensorflow():
        return _tf_dataset(batches, first_step, last_step, workers, share)
    return _py_dataset(batches, first_step, last_step, workers)


def _tf_dataset(batches: TrainingBatches, first_step: int, last_step: int, workers: int, share: Share) -> Any:
    import tensorflow as tf

    inputs, labels, weights = batches(first_step, share.first, share.of)
    names = list(inputs)
    types = [tf.as_dtype(inputs[name].dtype) for name in names] + [tf.float32, tf.float32]

    def make(number: Any) -> list[NDArray[Any]]:
        step, part = divmod(int(number), share.parts)
        made, y, w = batches(step, share.first + part, share.of)
        return [*(made[name] for name in names), y, w]

    def as_batch(number: Any) -> Any:
        *arrays, y, w = tf.numpy_function(make, [number], types, stateful=False)
        for name, array in zip(names, arrays, strict=True):
            # the number of padded atoms differs from batch to batch, everything else is fixed
            shape = list(inputs[name].shape)
            if name in ("xyz", "kind", "radius", "channel", "value", "values"):
                shape[1] = None
            array.set_shape(shape)
        y.set_shape(labels.shape)
        w.set_shape(weights.shape)
        return dict(zip(names, arrays, strict=True)), y, w

    workers, ready = in_flight(sum(a.nbytes for a in inputs.values()), workers)
    data = tf.data.Dataset.range(first_step * share.parts, last_step * share.parts)
    data = data.map(as_batch, num_parallel_calls=workers, deterministic=True)
    options = tf.data.Options()
    # one process reads all batches: the replicas share each batch and none skips one
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    data = data.with_options(options)
    gpus = tf.config.list_logical_devices("GPU")
    if len(gpus) == 1 and not tf.distribute.has_strategy():
        return data.apply(tf.data.experimental.prefetch_to_device(gpus[0].name, ready))
    return data.prefetch(ready)


def in_flight(batch_bytes: int, workers: int, max_bytes: int = MAX_IN_FLIGHT) -> tuple[int, int]:
    """Bound the batches that exist at a time: those being made, those ready, and the one in use.

    Args:
        batch_bytes: size of one batch; 32 images of 48^3 and 28 channels are 400 MB.
        workers: threads wanted.

    Returns:
        Threads, and batches kept ready: at least one each, also if the bound is lower.
    """
    allowed = max_bytes // max(batch_bytes, 1) - 1
    workers = max(1, min(workers, allowed - 1))
    return workers, max(1, min(2, allowed - workers))


def _py_dataset(batches: TrainingBatches, first_step: int, last_step: int, workers: int) -> Any:
    import keras

    size = sum(array.nbytes for array in batches(first_step)[0].values())
    made = Ahead(batches, first_step, last_step, *in_flight(size, workers))

    class Steps(keras.utils.PyDataset):
        """All steps in one stream; `fit` gets the length of an epoch.

        Keras's own threads would not do: they start anew with each epoch, and what they had made when `fit` looked at
        a first batch comes a second time. How often `fit` ends an epoch differs between backends, so that nothing
        may hang on it.
        """

        num_batches = None

        def __getitem__(self, index: int) -> Batch:
            return made[index]

    return Steps()
