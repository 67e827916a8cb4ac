"""Options of scoring, ranking and computation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.data.readers import ReadOptions
from affinity_zoo.zoo.inference.choices import ScoringChoices
from affinity_zoo.zoo.prediction import ranking
from affinity_zoo.zoo.prediction.chunks import CHUNK
from affinity_zoo.zoo.prediction.consensus import WITHIN, Member
from affinity_zoo.zoo.prediction.rows import CONSENSUS
from affinity_zoo.zoo.prediction.shards import InputShard
from affinity_zoo.zoo.validity.check import method_of


@dataclass(frozen=True)
class Choices:
    """Options of scoring, ranking and computation.

    Args:
        scoring: views, seed, batch size, where images are made, threads, and precision.
        rank_by: pose, activity, affinity, rmsd, product, consensus or consensus-rank; None: the consensus where there
            is one, else the first output that the models give.
        best_per: ``molecule``: the best pose of each.
        chunk: poses of a piece of work.
        processes: processes that score; 0: this one.
        dask: address of a Dask scheduler to score on; empty: here.
        abstain: largest risk of a wrong pose that is ranked, 0 to 1; None: every pose is ranked. It needs a
            calibrated model.
        validity: check the poses: True: by PoseBusters where it is installed, else by RDKit alone; or
            ``posebusters`` or ``rdkit``.
        similarity: give the similarity of ligand and protein to the training data.
        consensus: scores that form a consensus with the models' own (:func:`.consensus.members_of`); empty: none.
        consensus_within: what the consensus compares: molecule (its poses), target or all; None: by the output.
        shard: which of the parts of a divided prediction to score.
        read: read options (:class:`affinity_zoo.zoo.data.readers.ReadOptions`) that override the models' own.

    Raises:
        UsageError: a value is out of its range.
    """

    scoring: ScoringChoices = field(default_factory=ScoringChoices)
    rank_by: str | None = None
    best_per: str | None = None
    chunk: int = CHUNK
    processes: int = 0
    dask: str = ""
    read: Mapping[str, Any] = field(default_factory=dict)
    abstain: float | None = None
    validity: bool | str = False
    similarity: bool = False
    consensus: tuple[Member, ...] = ()
    consensus_within: str | None = None
    shard: InputShard = field(default_factory=InputShard)

    def __post_init__(self) -> None:
        ReadOptions.from_dict(self.read)
        if self.abstain is not None and not 0.0 <= self.abstain <= 1.0:
            raise UsageError(f"`abstain` is a risk from 0 to 1, not {self.abstain:g}")
        if self.chunk < 1:
            raise UsageError(f"`chunk` must be at least 1, not {self.chunk}")
        method_of(self.validity)
        ranking.check_best_per(self.best_per)
        ranking.check_rank_by(self.rank_by)
        self._check_consensus()

    def _check_consensus(self) -> None:
        if self.consensus_within not in (None, *WITHIN):
            raise UsageError(
                f"`consensus_within` is one of {', '.join(WITHIN)}, not {self.consensus_within!r}"
            )
        if self.consensus and self.shard.count > 1:
            raise UsageError(
                "`consensus` compares all poses of a molecule, and `shard` divides them: predict without a shard "
                "(several processes or a cluster may score)"
            )
        if not self.consensus and self.consensus_within:
            raise UsageError("`consensus_within` needs `consensus`")
        if not self.consensus and self.rank_by in CONSENSUS:
            raise UsageError(f"`rank_by={self.rank_by!r}` needs `consensus`")

    @classmethod
    def of(cls, **options: Any) -> Choices:
        """Make choices from the fields of both classes, and ``workers`` for ``threads``.

        Args:
            options: any of them.

        Raises:
            UsageError: there is no such option, or a value is out of its range.
        """
        if "workers" in options:  # the name of the command line
            options["threads"] = options.pop("workers")
        of_scoring = {f.name for f in fields(ScoringChoices)}
        of_ranking = {f.name for f in fields(cls)} - {"scoring"}
        if unknown := sorted(options.keys() - of_scoring - of_ranking):
            known = ", ".join(sorted(of_scoring | of_ranking))
            raise UsageError(f"`{unknown[0]}` is not an option of a prediction; the options are {known}")
        scoring = ScoringChoices(**{k: v for k, v in options.items() if k in of_scoring})
        return cls(scoring, **{k: v for k, v in options.items() if k in of_ranking})
