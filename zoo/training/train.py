"""Training one featurizer with one architecture on an index: the function behind ``affinity-zoo train``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers import layers
from affinity_zoo.featurizers.views import ViewOptions
from affinity_zoo.plugins.contracts import Architecture, Box, Featurizer
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo import inference, models
from affinity_zoo.zoo.data.batches import BatchMaker, Imaging, choose_place
from affinity_zoo.zoo.data.dataset import Dataset
from affinity_zoo.zoo.data.pairs import IndexedPairs
from affinity_zoo.zoo.data.pipeline import TrainingBatches, TrainingPlan, training_data
from affinity_zoo.zoo.files import write_whole
from affinity_zoo.zoo.provenance import coordinates_hash
from affinity_zoo.zoo.scoring_model import ScoringModel
from affinity_zoo.zoo.terminal import say as print_line
from affinity_zoo.zoo.training import callbacks, checkpoints, resolve
from affinity_zoo.zoo.training.device import Device, find_device
from affinity_zoo.zoo.training.history import History
from affinity_zoo.zoo.training.losses import WeightedCrossEntropy, logit_correction
from affinity_zoo.zoo.training.recipe import Recipe, check_training, read_recipe
from affinity_zoo.zoo.training.run_folder import DEFAULT_ROOT, RunFolder
from affinity_zoo.zoo.training.validation import best_threshold, validation_scores

OUTPUTS = ("pose",)


@dataclass(frozen=True, eq=False)
class Job:
    """One training with every choice resolved."""

    dataset: Dataset
    recipe: Recipe
    featurizer: Featurizer
    architecture: Architecture
    box: Box
    train: resolve.Rows
    validation: resolve.Rows
    run: RunFolder
    device: Device
    imaging: Imaging
    workers: int
    say: Callable[[str], None]


def train(
    data: str | Path,
    featurizer: str | None = None,
    architecture: str | None = None,
    *,
    featurizer_options: Mapping[str, Any] | None = None,
    architecture_options: Mapping[str, Any] | None = None,
    recipe: str | Path | None = None,
    runs: str | Path = DEFAULT_ROOT,
    resume: str | int | Path | None = None,
    voxelize: str = "auto",
    workers: int = 2,
    logical_cpus: int = 0,
    say: Callable[[str], None] = print_line,
    **training: Any,
) -> RunFolder:
    """Train a model.

    Args:
        data: a folder made by ``affinity-zoo index``.
        featurizer, architecture: names; they win over the recipe's.
        featurizer_options, architecture_options: option names to values.
        recipe: a TOML file or the name of a preset such as ``ancestor``.
        runs: folder of the runs.
        resume: a run to go on with, from its last whole epoch.
        voxelize: where images are made: ``auto``, ``host`` or ``device``.
        workers: threads that make batches.
        logical_cpus: train on so many logical CPU devices (a try-out of several accelerators).
        say: receives each line of output.
        training: fields of the recipe's table ``training``: ``epochs``, ``batch_size``, ...

    Returns:
        The run's folders; the model is in ``run.model``.

    Raises:
        AffinityZooError: nothing to train on, or the loss became NaN; the message says what to do.
    """
    dataset = Dataset.open(Path(data))
    device = find_device(logical_cpus)
    if resume is not None:
        run = RunFolder.find(str(resume), Path(runs))
        wanted = read_recipe(run.logs / "recipe.toml")
        if wanted.data.content_hash != dataset.content_hash:
            raise AffinityZooError(
                f"run {run.x} was trained on other data than {data}: give the same folder to --resume"
            )
    else:
        run, wanted = None, read_recipe(recipe) if recipe is not None else Recipe()
    resolved, made_featurizer, made_architecture = _resolve(
        wanted.with_training(**training),
        featurizer,
        architecture,
        featurizer_options,
        architecture_options,
        device,
    )
    job = _prepare(
        dataset, resolved, made_featurizer, made_architecture, run, Path(runs), device, voxelize, workers, say
    )
    _announce(job)
    _fit(job)
    _finish(job)
    return job.run


def _resolve(
    recipe: Recipe,
    featurizer: str | None,
    architecture: str | None,
    featurizer_options: Mapping[str, Any] | None,
    architecture_options: Mapping[str, Any] | None,
    device: Device,
) -> tuple[Recipe, Featurizer, Architecture]:
    check_training(recipe.training)
    chosen_f, made_f = resolve.choose("featurizer", recipe.featurizer, featurizer, featurizer_options or {})
    chosen_a, made_a = resolve.choose(
        "architecture", recipe.architecture, architecture, architecture_options or {}
    )
    # a box of the recipe belongs to its featurizer; with another one its own box is right
    if chosen_f.name != recipe.featurizer.name:
        recipe = replace(recipe, box=type(recipe.box)())
    recipe = replace(recipe, featurizer=chosen_f, architecture=chosen_a)
    recipe = replace(recipe, box=resolve.choose_box(recipe, made_f, made_a))
    return recipe.with_training(batch_size=device.round_batch(recipe.training.batch_size)), made_f, made_a


def _prepare(
    dataset: Dataset,
    recipe: Recipe,
    featurizer: Featurizer,
    architecture: Architecture,
    run: RunFolder | None,
    runs: Path,
    device: Device,
    voxelize: str,
    workers: int,
    say: Callable[[str], None],
) -> Job:
    box = models.box_of(recipe)
    sources = resolve.choose_sources(dataset, recipe.training.sources)
    train_rows, too_long = resolve.without_too_long(
        dataset, resolve.labelled_rows(dataset, "train", sources), box
    )
    validation = resolve.labelled_rows(dataset, "validation", sources)
    if sum(too_long.values()):
        say(
            f"left out of training, too long for a box of {box.extent:g} Å: "
            f"{too_long['positive']} positive and {too_long['negative']} negative poses"
        )
    if not train_rows.positives or train_rows.positives == len(train_rows):
        raise AffinityZooError(
            f"{dataset.path}: the training set has {train_rows.positives} positive and "
            f"{len(train_rows) - train_rows.positives} negative poses of source {', '.join(sources)}; both are needed: "
            "index poses of both labels, or split again"
        )
    if recipe.training.shuffle_labels:
        labels = np.random.default_rng([recipe.training.seed, 2]).permutation(train_rows.labels)
        train_rows = resolve.Rows(train_rows.rows, labels)
    recipe = replace(
        recipe.with_training(sources=sources), data=resolve.describe_data(dataset, train_rows, validation)
    )
    place = choose_place(featurizer, box, voxelize, device.accelerator)
    shift = ViewOptions(recipe.views.max_shift, recipe.views.keep_inside, recipe.views.rotate)
    run = run or RunFolder.create(runs)
    recipe.write(run.logs / "recipe.toml")
    return Job(
        dataset, recipe, featurizer, architecture, box, train_rows, validation, run, device,
        Imaging(featurizer, box, shift, place), workers, say,
    )  # fmt: skip


def _announce(job: Job) -> None:
    t, data = job.recipe.training, job.recipe.data
    job.say(
        f"run {job.run.x}: {job.recipe.featurizer.name} + {job.recipe.architecture.name} on {job.device.description}"
    )
    job.say(
        f"{data.n_train:,} training poses ({data.n_positive:,} positive), {data.n_validation:,} for validation, "
        f"from {', '.join(s or 'unnamed source' for s in t.sources)}; box {job.box.side}^3 at {job.box.spacing:g} Å, "
        f"images made on the {job.imaging.place}"
        + ("; labels SHUFFLED: a control run, it must not learn" if t.shuffle_labels else "")
    )


def build_model(featurizer: Featurizer, architecture: Architecture, imaging: Imaging) -> ScoringModel:
    """Build voxelizer and network as one model, not compiled."""
    network = architecture.build(imaging.image_shape, OUTPUTS)
    return ScoringModel(network, layers.for_featurizer(featurizer, imaging.box), name="scoring_model")


def compile_model(model: ScoringModel, recipe: Recipe) -> None:
    """Give the model its optimizer and loss."""
    t = recipe.training
    optimizer = (
        keras.optimizers.AdamW(t.learning_rate, weight_decay=t.weight_decay)
        if t.optimizer == "adamw"
        else keras.optimizers.Adam(t.learning_rate)
    )
    # jit_compile makes Conv3D several times slower on a CPU
    model.compile(optimizer, loss=WeightedCrossEntropy(t.false_positive_weight), jit_compile=False)


def _fit(job: Job) -> None:
    t, run = job.recipe.training, job.run
    keras.utils.set_random_seed(t.seed)
    policy = keras.config.dtype_policy()
    if t.mixed_precision:
        keras.config.set_dtype_policy("mixed_float16" if job.device.accelerator else "mixed_bfloat16")
    try:
        with job.device.scope():
            model = build_model(job.featurizer, job.architecture, job.imaging)
            compile_model(model, job.recipe)
    finally:
        keras.config.set_dtype_policy(policy)
    history, done = History(t.monitor), checkpoints.latest(run.netstate) or 0
    if done:
        history = History.from_state(checkpoints.load(run.netstate, done, model))
        job.say(f"going on after epoch {done}")
    stopped = bool(t.early_stopping) and done - history.best_epoch >= t.early_stopping
    if done >= t.epochs or stopped:
        job.say(f"nothing left to train: {done} epochs are done")
    else:
        _fit_epochs(job, model, history, done)
    best = (
        history.best_epoch if t.keep == "best" and len(job.validation) else checkpoints.latest(run.netstate)
    )
    assert best is not None
    checkpoints.load(run.netstate, best, model, optimizer=False)
    _save(job, model, history, best)


def _fit_epochs(job: Job, model: ScoringModel, history: History, done: int) -> None:
    t, run = job.recipe.training, job.run
    maker = BatchMaker(IndexedPairs(job.dataset), job.imaging, t.seed)
    plan = TrainingPlan(job.train.rows, job.train.labels, t.batch_size, t.seed, t.balance)
    batches = TrainingBatches(maker, plan)
    display = callbacks.Display(t.epochs, batches.steps, t.batch_size, history, job.say)
    end = callbacks.EpochEnd(
        lambda epoch: _validate(job, model, maker, epoch)[0],
        history,
        run.netstate,
        t.early_stopping,
        callbacks.Curves(run.train, run.test),
        job.say,
    )
    # checks first, the display closes its bar before validation begins
    watchers = [callbacks.SeedDropout(t.seed), callbacks.StopOnNonFinite(), display, end]
    try:
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


def _validate(
    job: Job, model: ScoringModel, maker: BatchMaker, epoch: int
) -> tuple[dict[str, float], NDArray[np.float64]]:
    t = job.recipe.training
    outputs = inference.outputs(model, maker, job.validation.rows, 1, t.batch_size, job.workers)
    logits = outputs[:, 0, 0].astype(np.float64)
    groups = job.dataset.column("receptor")[job.validation.rows]
    scores = validation_scores(logits, job.validation.labels, groups, t.false_positive_weight, t.seed, epoch)
    return scores, logits


def _save(job: Job, model: ScoringModel, history: History, best: int) -> None:
    """Write the model directory: network and voxelizer of the chosen epoch, without the optimizer."""
    t, rows = job.recipe.training, job.train
    maker = BatchMaker(IndexedPairs(job.dataset), job.imaging, t.seed)
    scores, logits = _validate(job, model, maker, best)
    copies = (len(rows) - rows.positives) / rows.positives if t.balance == "oversample" else 1.0
    threshold = best_threshold(logits, job.validation.labels)
    card = {
        "format": 1,
        "name": f"{job.recipe.featurizer.name}+{job.recipe.architecture.name} run {job.run.x}",
        "outputs": [{"name": name, "unit": "logit", "direction": "higher is better"} for name in OUTPUTS],
        "logit_correction": logit_correction(t.false_positive_weight, copies),
        "threshold": None if np.isnan(threshold) else threshold,
        "threshold_from": "validation, largest TPR - FPR",
        "epoch": best,
        "validation": {name: None if np.isnan(value) else value for name, value in scores.items()},
        "training_ids_hash": job.recipe.data.ids_hash,
        "shuffled_labels": t.shuffle_labels,
        "device": job.device.description,
    }
    models.save_model(
        job.run.model, ScoringModel(model.network, model.voxelizer, name="scoring_model"), job.recipe, card,
        list(_training_pairs(job)),
    )  # fmt: skip
    with write_whole(job.run.logs / "history.json") as file:
        json.dump(history.state(), file, indent=2)


def _training_pairs(job: Job) -> Any:
    ids, targets = job.dataset.column("id"), job.dataset.column("target")
    for row in job.train.rows:
        ligand = job.dataset.store.atoms(int(job.dataset.ligand_structure[row]))
        yield {"id": str(ids[row]), "target": str(targets[row]), "coordinates": coordinates_hash(ligand.xyz)}


def _finish(job: Job) -> None:
    with write_whole(job.run.logs / "run.json") as file:
        json.dump(
            {"data": str(job.dataset.path.resolve()), "finished": time.strftime("%Y-%m-%dT%H:%M:%S")}, file
        )
    job.say(f"model: {job.run.model} (curves: tensorboard --logdir {job.run.root})")
