"""Loaded models that score structures in memory; the result of :func:`affinity_zoo.load_model`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from affinity_zoo.zoo.api.pocket import Pocket, Receptor, make_pocket
from affinity_zoo.zoo.api.poses import as_items, read_items
from affinity_zoo.zoo.api.table import Scores, conformer_of, sources_of
from affinity_zoo.zoo.data.readers.records import unique
from affinity_zoo.zoo.importers import first_use
from affinity_zoo.zoo.inference.choices import ScoringChoices
from affinity_zoo.zoo.inference.ready import ReadyModel, ready
from affinity_zoo.zoo.models.folders import Name
from affinity_zoo.zoo.models.loading import Model, ModelEnsemble
from affinity_zoo.zoo.prediction.columns import columns_of
from affinity_zoo.zoo.prediction.extras import Extras
from affinity_zoo.zoo.prediction.ranking import choose_ranking
from affinity_zoo.zoo.prediction.rows import PosePrediction
from affinity_zoo.zoo.prediction.scoring import prepared, score, ways_of
from affinity_zoo.zoo.prediction.trust import calibration_for, in_range, trusted
from affinity_zoo.zoo.runtime.keras import start_keras


class Scoring:
    """Base class of loaded models and ensembles, which score poses."""

    @cached_property
    def _ready(self) -> list[ReadyModel]:
        return [ready(model) for model in self]  # type: ignore[attr-defined]

    def pocket(self, receptor: Receptor | Pocket) -> Pocket:
        """Prepare a receptor for repeated scoring.

        Args:
            receptor: a PDB, mmCIF or other structure file, ProDy atoms, an RDKit molecule,
                :class:`~affinity_zoo.plugins.contracts.Atoms`, or a tuple (positions, elements).

        Returns:
            The receptor as this model reads it.

        Raises:
            AffinityZooError: it cannot be read.
        """
        return make_pocket(receptor, ways_of(self._ready))

    def score(
        self,
        receptor: Receptor | Pocket,
        molecules: Any,
        *,
        views: int | None = None,
        seed: int = 0,
        batch_size: int = 32,
        threads: int = 2,
        voxelize: str = "auto",
        mixed_precision: bool = False,
        rank_by: str | None = None,
        validity: bool | str = False,
        similarity: bool = False,
    ) -> Scores:
        """Score poses against a receptor, in memory.

        Args:
            receptor: what :meth:`pocket` takes or gives.
            molecules: one or several of: pose files or folders, RDKit molecules with conformers, ProDy atoms,
                :class:`~affinity_zoo.plugins.contracts.Atoms`, tuples (positions, elements). Every record,
                conformer, coordinate set or set of positions is a row.
            views: fixed rotations averaged, the given orientation first; None: as many as the model's card says.
            seed: of the rotations.
            batch_size: images at once.
            threads: threads that make images.
            voxelize: where images are made: ``auto``, ``host`` or ``device``.
            mixed_precision: compute the network's convolutions in bfloat16; scores differ slightly.
            rank_by: pose, activity, affinity, rmsd or product; None: the first that the model gives.
            validity: check the poses: True: by PoseBusters where it is installed, else by RDKit alone; or
                ``posebusters`` or ``rdkit``.
            similarity: give the similarity of ligand and protein to the training data.

        Returns:
            One row a pose, in the order of the input, with its rank. What cannot be read is a failed row.

        Raises:
            UsageError: an option is out of its range, or the model does not give what to rank by.
            AffinityZooError: the receptor or a file that was named cannot be read.
        """
        models, cards = self._ready, [one.model.card for one in self._ready]
        choices = ScoringChoices(views, seed, batch_size, voxelize, threads, mixed_precision).resolved(cards)
        ranked_by = choose_ranking(rank_by, cards)
        pocket, items = self.pocket(receptor), as_items(molecules)
        read = {way: read_items(items, pocket, way) for way in ways_of(models)}
        readings = {way: [pose for poses in each for pose in poses] for way, each in read.items()}
        folders = [str(one.model.folder) for one in models]
        extras = Extras.asked(validity, similarity, folders)
        sources = sources_of(items, read[models[0].options])
        molecules = [conformer_of(source) for source in sources] if extras else []
        scored = score(prepared(models, choices, readings, extras=extras, molecules=molecules))
        calibration = calibration_for(folders, None)
        rows = trusted([PosePrediction.from_dict(row) for row in scored.rows], calibration)
        rows = in_range(rows, cards)
        names = unique(row.id for row in rows)
        rows = [replace(row, id=name) for row, name in zip(rows, names, strict=True)]
        columns = columns_of(
            (one.names for one in models),
            choices.n_views,
            calibrated=calibration is not None,
            extras=extras.columns,
        )
        return Scores.ranked(rows, columns, ranked_by, sources)


class LoadedModel(Scoring, Model):
    """A :class:`Model` with methods to score poses.

    Example:
        >>> model = load_model("zoo-small")  # doctest: +SKIP
        >>> pocket = model.pocket("receptor.pdb")  # doctest: +SKIP
        >>> model.score(pocket, molecules).to_pandas()  # doctest: +SKIP
    """

    def __iter__(self) -> Any:
        """Yield the one model."""
        yield self

    def __repr__(self) -> str:
        outputs = ", ".join(str(output["name"]) for output in self.card["outputs"])
        return f"<model {self.card.get('name', self.folder.name)}: {outputs}>"


class LoadedEnsemble(Scoring, ModelEnsemble):
    """An ensemble that scores as one; iterating gives its members."""

    def __repr__(self) -> str:
        return f"<ensemble {self.name} of {len(self)} models>"


def load_model(
    model: Name, runs: str | Path = "summaries", *, offline: bool = False
) -> LoadedModel | LoadedEnsemble:
    """Load a model or an ensemble by name, folder or run; a published one is fetched at its first use.

    Args:
        model: a model or ensemble directory, a run, or the name of a shipped, downloaded or published model.
        runs: folder of the runs, for a number.
        offline: download nothing.

    Returns:
        The model, or an ensemble of several, with ``score`` and ``pocket``; :func:`affinity_zoo.predict` takes both.

    Raises:
        AffinityZooError: it is no model, it needs a plugin that is not installed, or it cannot be had.
    """
    start_keras()
    found = first_use.load_model(model, runs, offline=offline)
    if isinstance(found, ModelEnsemble):
        return LoadedEnsemble(found.name, found.models)
    return as_loaded(found)


def as_loaded(model: Model) -> LoadedModel:
    """A loaded model with ``score`` and ``pocket``.

    Args:
        model: as :func:`affinity_zoo.zoo.models.loading.load_model` gives it.
    """
    return LoadedModel(**{field.name: getattr(model, field.name) for field in fields(Model)})


def load_models(
    names: Sequence[Name] | Name, runs: str | Path = "summaries", *, offline: bool = False
) -> list[LoadedModel]:
    """Load several models; an ensemble such as ``gnina-default`` is replaced by its members.

    Args:
        names: models, or one.
        runs: folder of the runs, for numbers.
        offline: download nothing.

    Returns:
        The models, each once.

    Raises:
        AffinityZooError: as :func:`load_model`.
    """
    start_keras()
    return [as_loaded(model) for model in first_use.load_models(names, runs, offline=offline)]
