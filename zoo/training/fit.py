"""Training loop: build the model, run the epochs, save the chosen one."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.batches.batches import CACHE_BYTES, LARGE_CACHE_BYTES, BatchMaker
from affinity_zoo.zoo.batches.pairs import IndexedPairs
from affinity_zoo.zoo.batches.pipeline import TrainingBatches, TrainingPlan, training_data
from affinity_zoo.zoo.inference import outputs as inference
from affinity_zoo.zoo.inference.reference import write_reference
from affinity_zoo.zoo.models import loading as models
from affinity_zoo.zoo.models.provenance import coordinates_hash
from affinity_zoo.zoo.models.scoring_model import ScoringModel
from affinity_zoo.zoo.models.training_ligands import write_training_ligands
from affinity_zoo.zoo.models.training_sequences import write_training_sequences
from affinity_zoo.zoo.runtime.files import whole
from affinity_zoo.zoo.training import callbacks, checkpoints, distributed
from affinity_zoo.zoo.training.building import build_model, compile_model
from affinity_zoo.zoo.training.fine_tuning import freeze_layers, load_start, start_folder, take_weights
from affinity_zoo.zoo.training.history import History
from affinity_zoo.zoo.training.job import Job
from affinity_zoo.zoo.training.losses import logit_correction
from affinity_zoo.zoo.training.resolve import Rows
from affinity_zoo.zoo.training.targets import entry_weights, one_label, output_entry
from affinity_zoo.zoo.training.validation import best_threshold, validation_scores


def fit(job: Job) -> None:
    """Train the remaining epochs, then write the model directory of the chosen epoch.

    Args:
        job: The training.
    """
    run = job.run
    try:
        model = _compiled_model(job)
    except Exception:
        if job.device.chief:
            run.remove_if_empty()
        raise
    with distributed.ending_together(job.device.cluster, run.x):
        history = _train(job, model)
        if job.device.chief:
            # one of several hosts finishes alone, the others wait
            alone = replace(job, device=job.device.alone())
            _finish(alone, distributed.local_copy(job.device.cluster, model), history)
        distributed.wait(job.device.cluster)


def _train(job: Job, model: ScoringModel) -> History:
    """Continue after the last complete epoch until all epochs are trained."""
    t, run = job.recipe.training, job.run
    history, done = History(t.monitor), checkpoints.latest(run.netstate) or 0
    if job.device.cluster is not None:
        job.device.cluster.agree("the last checkpoint", str(done))
    if done:
        with job.device.scope():  # the optimizer's variables are made here
            history = History.from_state(checkpoints.load(run.netstate, done, model))
        job.say(f"continuing after epoch {done}")
    stopped = bool(t.early_stopping) and done - history.best_epoch >= t.early_stopping
    if done >= t.epochs or stopped:
        job.say(f"all {done} epochs are already trained")
    else:
        _fit_epochs(job, model, history, done)
    return history


def _finish(job: Job, model: ScoringModel, history: History) -> None:
    """Write the model directory of the chosen epoch."""
    t, run = job.recipe.training, job.run
    best = (
        history.best_epoch if t.keep == "best" and len(job.validation) else checkpoints.latest(run.netstate)
    )
    assert best is not None
    checkpoints.load(run.netstate, best, model, optimizer=False)
    distributed.synchronise(model, False)  # a model is used on one device
    _save(job, _in_float32(job, model), history, best)


def _in_float32(job: Job, model: ScoringModel) -> ScoringModel:
    """Return a model that computes in float32, with the same weights: its scores do not depend on the device."""
    if not job.recipe.training.mixed_precision:
        return model
    same = build_model(
        job.featurizer, job.architecture, job.imaging, job.recipe.training.tasks, job.recipe.head
    )
    same.network.set_weights(model.network.get_weights())  # the weights of mixed precision are float32
    return same


def _compiled_model(job: Job) -> ScoringModel:
    """Build the model from the recipe's seed, in its precision, on all of its devices."""
    t = job.recipe.training
    keras.utils.set_random_seed(t.seed)
    policy = keras.config.dtype_policy()
    if t.mixed_precision:
        keras.config.set_dtype_policy(
            f"mixed_{'float16' if t.mixed_precision is True else t.mixed_precision}"
        )
    try:
        with job.device.scope():
            model = build_model(job.featurizer, job.architecture, job.imaging, t.tasks, job.recipe.head)
            if job.recipe.start.model:
                _start(job, model)
            compile_model(model, job.recipe, t.epochs * _plan(job).steps)
            distributed.synchronise(model, job.device.replicas > 1)
    finally:
        keras.config.set_dtype_policy(policy)
    return model


def _start(job: Job, model: ScoringModel) -> None:
    """Load the start weights into a new model, and freeze layers."""
    start, t = job.recipe.start, job.recipe.training
    if checkpoints.latest(job.run.netstate) is None:
        before = load_start(start)
        head = take_weights(model.network, before.network.network, t.tasks, start.outputs)
        job.say(f"starts from {start.name}: {head}")
    frozen = freeze_layers(model.network, start.freeze)
    if frozen:
        job.say(f"frozen: {len(frozen)} layers up to {frozen[-1]}")


def _fit_epochs(job: Job, model: ScoringModel, history: History, done: int) -> None:
    t, run = job.recipe.training, job.run
    cache = LARGE_CACHE_BYTES if job.device.accelerator else CACHE_BYTES
    maker = BatchMaker(
        IndexedPairs(job.dataset), job.imaging, t.seed, cache, compact=job.device.strategy is None
    )
    batches = training_batches(job, maker)
    display = callbacks.Display(t.epochs, batches.steps, t.batch_size, history, job.device.chief)
    end = callbacks.EpochEnd(
        lambda epoch: _validate(job, model, maker, epoch)[0],
        history,
        run.netstate if job.device.chief else None,
        t.early_stopping,
        callbacks.TensorBoardCurves(run.train, run.test),
        job.say,
        job.watchers,
    )
    # checks first, the display closes its bar before validation begins
    watchers = [callbacks.SeedDropout(t.seed), callbacks.StopOnNonFinite(), display, end]
    try:
        if job.device.cluster is not None:
            distributed.run_epochs(
                job.device.cluster, model, batches, range(done, t.epochs), watchers, job.workers
            )
        else:
            model.fit(
                training_data(batches, done * batches.steps, t.epochs * batches.steps, job.workers),
                epochs=t.epochs,
                initial_epoch=done,
                steps_per_epoch=batches.steps,
                callbacks=watchers,
                verbose=0,
                shuffle=False,
            )
    except Exception:
        # TensorFlow wraps what a batch raised; the cause is the sentence for the user
        if batches.failure is not None:
            raise batches.failure from None
        raise
    finally:
        display.close()


def training_batches(job: Job, maker: BatchMaker) -> TrainingBatches:
    """Return the batches of a training: rows, their order and targets.

    Args:
        job: The training.
        maker: Maker of the batches.
    """
    t, train = job.recipe.training, job.train
    plan = _plan(job)
    if one_label(t.tasks):
        return TrainingBatches(maker, plan)
    # in the order of an epoch: the share of shown rows that know a task decides what an entry weighs
    place = np.zeros(int(train.rows.max()) + 1, np.int64)
    place[train.rows] = np.arange(len(train))
    order = place[plan.order(0)[0]]
    weights = entry_weights(train.targets, order, t.batch_size, t.task_weights)
    return TrainingBatches(maker, plan, train.targets.arrays(weights))


def _plan(job: Job) -> TrainingPlan:
    t, train = job.recipe.training, job.train
    return TrainingPlan(train.rows, train.labels, t.batch_size, t.seed, t.balance)


def _validate(
    job: Job, model: ScoringModel, maker: BatchMaker, epoch: int
) -> tuple[dict[str, float], NDArray[np.float64]]:
    """Scores and (n, tasks) outputs of the validation rows."""
    t = job.recipe.training

    def judge(rows: NDArray[np.int64], model: keras.Model) -> NDArray[np.float64]:
        found = inference.outputs(model, maker, rows, batch_size=t.batch_size, threads=job.workers)
        return found[:, 0].astype(np.float64)

    outputs = distributed.shared_out(job.device.cluster, judge, job.validation.rows, model)
    if not np.isfinite(outputs).all():
        raise callbacks.diverged("the network's output on validation", epoch)
    return validation_scores(outputs, job.validation.targets, validation_groups(job), t, epoch), outputs


def validation_groups(job: Job) -> NDArray[np.str_]:
    """Return the group of each validation row for AUCs, (n,): the receptor's file.

    Args:
        job: The training.
    """
    return job.dataset.column("receptor")[job.validation.rows]


def _save(job: Job, model: ScoringModel, history: History, best: int) -> None:
    """Write the model directory: network and voxelizer of the chosen epoch, without the optimizer."""
    t, rows = job.recipe.training, job.train
    maker = BatchMaker(IndexedPairs(job.dataset), job.imaging, t.seed)
    scores, outputs = _validate(job, model, maker, best)
    card = {
        "format": 1,
        "name": f"{job.recipe.featurizer.name}+{job.recipe.architecture.name} run {job.run.x}",
        "outputs": [output_entry(name) for name in t.tasks],
        **_of_labels(job, rows, outputs),
        "epoch": best,
        "validation": {name: None if np.isnan(value) else value for name, value in scores.items()},
        "output_ranges": {
            name: [float(column.min()), float(column.max())]
            for name, column in zip(t.tasks, outputs.T, strict=True)
            if len(column)
        },
        "training_ids_hash": job.recipe.data.ids_hash,
        "shuffled_labels": t.shuffle_labels,
        "device": job.device.description,
    }
    start = job.recipe.start
    if start.model:
        card["name"] = f"{card['name']} from {start.name}"
        card["started_from"] = {"name": start.name, "weights": start.weights, "frozen_layers": start.freeze}
    models.save_model(
        job.run.model, ScoringModel(model.network, model.voxelizer, name="scoring_model"), job.recipe, card,
        _all_training_pairs(job),
    )  # fmt: skip
    before = start_folder(start) if start.model else None
    write_training_ligands(job.run.model, job.dataset, rows.rows, before)
    write_training_sequences(job.run.model, job.dataset, rows.rows, before)
    write_reference(job.run.model, model, job.imaging.featurizer, job.imaging.box, t.tasks)
    with whole(job.run.logs / "history.json") as file:
        json.dump(history.state(), file, indent=2)


def _of_labels(job: Job, rows: Rows, outputs: NDArray[np.float64]) -> dict[str, Any]:
    """Return the correction and the threshold of a logit; an affinity has neither."""
    t, task = job.recipe.training, rows.targets.label_task
    if task is None:
        return {"logit_correction": 0.0, "threshold": None, "threshold_from": ""}
    copies = rows.negatives / rows.positives if t.balance == "oversample" and rows.positives else 1.0
    known = np.isfinite(job.validation.labels)
    threshold = best_threshold(outputs[known, t.tasks.index(task)], job.validation.labels[known])
    return {
        "logit_correction": logit_correction(t.false_positive_weight, copies),
        "threshold": None if np.isnan(threshold) else threshold,
        "threshold_from": "validation, largest TPR - FPR",
    }


def _all_training_pairs(job: Job) -> list[dict[str, str]] | None:
    """Return the training data of this and earlier trainings; None if those of the first model are not known."""
    if not job.recipe.start.model:
        return list(_training_pairs(job))
    seen = start_folder(job.recipe.start) / "training_pairs.csv"
    if not seen.is_file():
        return None
    with seen.open(newline="", encoding="utf-8") as file:
        before = [
            {name: row[name] for name in ("id", "target", "coordinates")} for row in csv.DictReader(file)
        ]
    return [*before, *_training_pairs(job)]


def _training_pairs(job: Job) -> Iterator[dict[str, str]]:
    ids, targets = job.dataset.column("id"), job.dataset.column("target")
    for row in job.train.rows:
        ligand = job.dataset.store.atoms(int(job.dataset.ligand_structure[row]))
        yield {"id": str(ids[row]), "target": str(targets[row]), "coordinates": coordinates_hash(ligand.xyz)}
