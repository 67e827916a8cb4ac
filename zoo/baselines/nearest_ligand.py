"""Baseline ``nearest-training-ligand``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from affinity_zoo.plugins.contracts import Atoms, Baseline
from affinity_zoo.plugins.hookspecs import hookimpl


@dataclass(frozen=True)
class NearestTrainingLigand(Baseline):
    """The label of the most similar training ligand, without use of the protein or the pose.

    With measured affinities: the mean pK of the nearest training molecule. With activities: the similarity
    to the nearest active less that to the nearest inactive. With pose labels: the mean label of
    the nearest molecule's poses, which is one number for all poses of a ligand. Similarity is the
    Tanimoto coefficient of Morgan fingerprints of the skeletons. A model can reach this result by memory alone.

    Args:
        training: the index that was trained on.
        split: rows of the index that are used: train or all.
    """

    training: str = ""
    split: Literal["train", "all"] = "train"

    name: ClassVar[str] = "nearest-training-ligand"
    on_every_board: ClassVar[bool] = False  # it needs a training set
    spoken: ClassVar[str] = "the nearest training ligand"
    summary: ClassVar[str] = "Label or pK of the training ligand that is most similar; needs training=INDEX."
    unit: ClassVar[str] = "label or pK"
    direction: ClassVar[Literal["higher", "lower"]] = "higher"

    def measure(self, receptor: Atoms, ligand: Atoms, pair: Mapping[str, Any]) -> float:
        """See :class:`~affinity_zoo.plugins.contracts.Baseline`; NaN without a training index."""
        from affinity_zoo.zoo.baselines.ligand_memory import memory

        if not self.training:
            return float("nan")
        return memory(self.training, self.split).recall(ligand)


@hookimpl
def register_baselines() -> list[type[Baseline]]:
    """Register the baselines of this module."""
    return [NearestTrainingLigand]
