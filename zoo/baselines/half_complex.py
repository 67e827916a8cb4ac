"""Baselines that use one half of a complex: ``ligand-only``, ``receptor-only``, ``receptor-only-site``."""

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
    """Base class: boosted trees (scikit-learn) on atom counts of one half of the complex.

    Such a baseline does not see how ligand and receptor interact. Its result measures the bias of a
    set of labels (Chen et al., Hidden bias in the DUD-E dataset, PLoS ONE 2019, 14, e0220113).

    Without ``training`` the baseline is trained on the evaluated rows by cross-validation over groups, so that
    no row is scored by trees that saw its group.
    """

    training: str = field(
        default="", metadata={"help": "index to train on; empty: cross-validation on the evaluated rows"}
    )
    split: Literal["train", "all"] = field(
        default="train", metadata={"help": "rows of the training index to train on"}
    )
    folds: int = field(default=5, metadata={"help": "number of folds of the cross-validation over groups"})
    seed: int = field(default=0, metadata={"help": "seed of the trees and the folds"})

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
    """Trained on the ligand alone: its atom types, its size and its interatomic distances."""

    name: ClassVar[str] = "ligand-only"
    spoken: ClassVar[str] = "a ligand-only model"
    summary: ClassVar[str] = "Boosted trees on the ligand's atoms alone, without the receptor."
    half: ClassVar[Literal["ligand", "receptor"]] = "ligand"


@dataclass(frozen=True)
class ReceptorOnly(HalfComplex):
    """Trained on the receptor's atoms in shells around the ligand's centre, which depends on the pose."""

    name: ClassVar[str] = "receptor-only"
    summary: ClassVar[str] = (
        "Boosted trees on the receptor's atoms around the ligand's centre, without the ligand."
    )
    half: ClassVar[Literal["ligand", "receptor"]] = "receptor"


@dataclass(frozen=True)
class ReceptorOnlySite(HalfComplex):
    """Trained on the receptor's atoms in shells around the site: one number for all poses of a receptor.

    The site is the mean centre of all evaluated (or training) poses of a receptor, so poses cannot be distinguished
    apart. Within a complex the result is chance; between complexes it measures the information in the protein alone.
    """

    name: ClassVar[str] = "receptor-only-site"
    summary: ClassVar[str] = (
        "Boosted trees on the receptor's atoms around the site, the same for all poses of a receptor."
    )
    half: ClassVar[Literal["ligand", "receptor"]] = "receptor"
    centre: ClassVar[Literal["ligand", "site"]] = "site"


@hookimpl
def register_baselines() -> list[type[Baseline]]:
    """Register the baselines of this module."""
    return [LigandOnly, ReceptorOnly, ReceptorOnlySite]
