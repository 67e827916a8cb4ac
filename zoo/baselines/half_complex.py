"""Baselines that see half of a complex: ``ligand-only``, ``receptor-only``, ``receptor-only-site``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from affinity_zoo.plugins.contracts import Atoms, Baseline, MeasuredPair
from affinity_zoo.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class HalfComplex(Baseline):
    """What these baselines share: boosted trees (scikit-learn) on counts of atoms, one half left out.

    What such a row reaches is known without looking at how ligand and receptor meet: it is what a set of
    labels gives away (Chen et al., Hidden bias in the DUD-E dataset, PLoS ONE 2019, 14, e0220113).

    Without ``training`` the judged rows themselves are learnt from, cross-validated over groups, so that no row
    is scored by trees that saw its group.
    """

    training: str = field(
        default="", metadata={"help": "index to learn from; empty: cross-validated on the judged rows"}
    )
    split: Literal["train", "all"] = field(
        default="train", metadata={"help": "which rows of the training index are learnt"}
    )
    folds: int = field(default=5, metadata={"help": "of the cross-validation over groups"})
    seed: int = field(default=0, metadata={"help": "of the trees and the folds"})

    unit: ClassVar[str] = "logit or pK"
    direction: ClassVar[Literal["higher", "lower"]] = "higher"
    half: ClassVar[Literal["ligand", "receptor"]]
    centre: ClassVar[Literal["ligand", "site"]] = "ligand"

    def measure(self, receptor: Atoms, ligand: Atoms, pair: Mapping[str, Any]) -> float:
        """See :class:`~affinity_zoo.plugins.contracts.Baseline`; NaN without ``training``."""
        if not self.training:
            return float("nan")
        found = self.measure_all([MeasuredPair(receptor, ligand, pair)])
        return float("nan") if found is None else float(found[0])

    def measure_all(self, pairs: Sequence[MeasuredPair]) -> NDArray[np.float64] | None:
        """See :class:`~affinity_zoo.plugins.contracts.Baseline`; NaN for all where nothing can be learnt."""
        from affinity_zoo.zoo.baselines.half_learner import cross_validated, learnt

        if self.training:
            return learnt(self).score(pairs)
        return cross_validated(self, pairs)


@dataclass(frozen=True)
class LigandOnly(HalfComplex):
    """Learnt from the ligand alone: its atom types, its size and the distances within it."""

    name: ClassVar[str] = "ligand-only"
    spoken: ClassVar[str] = "a ligand-only model"
    summary: ClassVar[str] = "Trees on the ligand's atoms alone, the receptor left out."
    half: ClassVar[Literal["ligand", "receptor"]] = "ligand"


@dataclass(frozen=True)
class ReceptorOnly(HalfComplex):
    """Learnt from the receptor's atoms in shells around the ligand's centre: the pose shows in where it is centred."""

    name: ClassVar[str] = "receptor-only"
    summary: ClassVar[str] = "Trees on the receptor's atoms around the ligand's centre, the ligand left out."
    half: ClassVar[Literal["ligand", "receptor"]] = "receptor"


@dataclass(frozen=True)
class ReceptorOnlySite(HalfComplex):
    """Learnt from the receptor's atoms in shells around the site: one number for all poses of a receptor.

    The site is the mean of the centres of all judged (or learnt) poses of a receptor, so that nothing tells one
    pose from another; within a complex it is chance, between complexes it is what the protein alone gives away.
    """

    name: ClassVar[str] = "receptor-only-site"
    summary: ClassVar[str] = "Trees on the receptor's atoms around the site, the same for all its poses."
    half: ClassVar[Literal["ligand", "receptor"]] = "receptor"
    centre: ClassVar[Literal["ligand", "site"]] = "site"


@hookimpl
def register_baselines() -> list[type[Baseline]]:
    """This module's baselines."""
    return [LigandOnly, ReceptorOnly, ReceptorOnlySite]
