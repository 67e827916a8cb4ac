"""Attribution of a pose's score to atoms: the function behind ``affinity-zoo explain``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers.views import rotations_of
from affinity_zoo.zoo.batches.pairs import PosesOfReceptor
from affinity_zoo.zoo.data.readers import ReadOptions
from affinity_zoo.zoo.inference.choices import ScoringChoices
from affinity_zoo.zoo.inference.columns import COLUMNS
from affinity_zoo.zoo.inference.combine import combine
from affinity_zoo.zoo.inference.ready import ready
from affinity_zoo.zoo.models.loading import Model
from affinity_zoo.zoo.runtime.notebook import ShownInNotebooks
from affinity_zoo.zoo.runtime.terminal import progress
from affinity_zoo.zoo.see.attribution import Gradients, OutputScorer, gradients, occlusion
from affinity_zoo.zoo.see.checks import check_method, output_column
from affinity_zoo.zoo.see.complexes import Complex, Residue, read_complex, residues
from affinity_zoo.zoo.see.imaging import WeightedImager

Method = Literal["gradient", "occlusion", "both"]
#: kinds of values; the first one present colours the atoms
KINDS = ("gradient", "integrated", "occlusion")


@dataclass(frozen=True, eq=False)
class Explanation(ShownInNotebooks):
    """Contribution of each atom to a score. ``n`` atoms: receptor first, then ligand; NaN: not computed.

    Positive: the atom raises the score. Unit of all values: the output's.
    """

    complex: Complex
    model: str
    output: dict[str, str]  #: name, unit, direction
    score: float  #: mean over the views
    empty: float  #: score of an empty box; NaN without gradients
    views: int
    seed: int
    steps: int  #: along the path of the integrated gradients; 0 without
    seen: NDArray[np.bool_]  #: (n,) whether some view can see the atom
    gradient: NDArray[np.float64]  #: (n,) gradient x input
    integrated: NDArray[np.float64]  #: (n,) integrated gradients
    occlusion: NDArray[np.float64]  #: (n,) score drop without the atom; a receptor atom has its residue's
    residues: tuple[Residue, ...]
    residue_occlusion: NDArray[np.float64]  #: (residues,)
    notes: tuple[str, ...] = ()

    @property
    def split(self) -> int:
        """Number of receptor atoms: where the ligand's begin."""
        return len(self.complex.receptor)

    @property
    def gap(self) -> float:
        """Sum of ``integrated`` minus (score of the complex - score of an empty box); NaN without gradients."""
        return float(self.integrated.sum() - (self.score - self.empty))

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of values that were computed; the first colours the atoms."""
        return tuple(kind for kind in KINDS if np.isfinite(getattr(self, kind)).any())

    def per_residue(self, kind: str) -> NDArray[np.float64]:
        """(residues,) values: sums over the residue's atoms; of occlusion the drop without the whole residue.

        Args:
            kind: ``gradient`` or ``occlusion``.
        """
        if kind == "occlusion":
            return self.residue_occlusion
        values = getattr(self, kind)
        return np.array([values[residue.atoms].sum() for residue in self.residues])


def explain(
    model: Model,
    receptor: str | Path,
    pose: str | Path,
    *,
    record: int = 0,
    method: str = "both",
    output: str | None = None,
    views: int | None = None,
    seed: int = 0,
    steps: int = 32,
    batch_size: int = 16,
) -> Explanation:
    """Attribute a model's score of one pose to the atoms of ligand and receptor.

    Args:
        model: from :func:`affinity_zoo.load_model`.
        receptor, pose: files, read as the training data was; ``record`` of the pose file, from 0.
        method: ``gradient`` (gradient x input and integrated gradients), ``occlusion``, or ``both``.
        output: name of one of the model's outputs; None: the first.
        views: number of fixed rotations that are averaged, the first without rotation; None: as on the model's card.
        seed: of the rotations.
        steps: of the integrated gradients.

    Raises:
        AffinityZooError: a file cannot be read, or the method does not apply to the featurizer.
        UsageError: there is no such method or output.
    """
    check_method(method)
    choices = ScoringChoices(views, seed, max(batch_size, 1)).resolved([model.card])
    column, described = output_column(model.card, output)
    found = read_complex(receptor, pose, record, ReadOptions.from_dict(model.recipe.data.read_options))
    imager = WeightedImager(
        model.featurizer, model.box, found.receptor, found.ligand, layer=model.network.voxelizer
    )
    scorer = OutputScorer(model.network.network, column, imager, batch_size)
    notes = [*found.notes]
    if imager.unknown:
        notes.append(f"{imager.unknown} atoms that the featurizer cannot represent")
    if method == "both" and imager.how == "host":
        method = "occlusion"
        notes.append("the featurizer makes its image on the host, which has no gradients: occlusion only")
    rotations = rotations_of(choices.fixed_views())
    with progress("explaining", None, "images") as advance:
        slopes = gradients(scorer, rotations, steps, advance) if method != "occlusion" else None
        drops = _drops(scorer, rotations, found, advance) if method != "gradient" else None
    score = _score(model, described["name"], found, choices)
    return _explanation(model, described, found, imager, slopes, drops, score, choices, notes)


def _score(model: Model, output: str, found: Complex, choices: ScoringChoices) -> float:
    """The score that ``predict`` gives."""
    one = ready(model)
    maker = one.batches(PosesOfReceptor(found.receptor, [found.ligand]))
    columns = combine([one], [one.outputs(maker, np.arange(1), choices)])
    return float(columns[COLUMNS[output].value][0])


def _drops(
    scorer: OutputScorer, rotations: NDArray[np.float32], found: Complex, advance: Callable[[int], None]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return score drops without each ligand atom and without each residue."""
    split = len(found.receptor)
    atoms: Sequence[NDArray[np.int64]] = [np.array([split + i]) for i in range(len(found.ligand))]
    if len(atoms) == 1:
        atoms = []  # no atom would be left to centre the box on
    groups = [*atoms, *(residue.atoms for residue in residues(found.receptor))]
    drops, _ = occlusion(scorer, rotations, groups, advance)
    ligand = drops[: len(atoms)] if atoms else np.full(1, np.nan)
    return ligand, drops[len(atoms) :]


def _explanation(
    model: Model,
    output: dict[str, str],
    found: Complex,
    imager: WeightedImager,
    slopes: Gradients | None,
    drops: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
    score: float,
    choices: ScoringChoices,
    notes: list[str],
) -> Explanation:
    nothing = np.full(imager.n, np.nan)
    groups = tuple(residues(found.receptor))
    lost, by_residue = nothing.copy(), np.full(len(groups), np.nan)
    if drops is not None:
        lost[len(found.receptor) :], by_residue = drops[0], drops[1]
        for residue, drop in zip(groups, by_residue, strict=True):
            lost[residue.atoms] = drop
    seen = np.zeros(imager.n, bool)
    seen[imager.seen] = True
    return Explanation(
        complex=found,
        model=str(model.card.get("name") or model.folder.name),
        output=output,
        score=score,
        empty=slopes.empty if slopes else float("nan"),
        views=choices.n_views,
        seed=choices.seed,
        steps=slopes.steps if slopes else 0,
        seen=seen,
        gradient=slopes.gradient if slopes else nothing,
        integrated=slopes.integrated if slopes else nothing,
        occlusion=lost,
        residues=groups,
        residue_occlusion=by_residue,
        notes=tuple(notes),
    )
