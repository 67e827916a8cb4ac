"""Rows of a prediction, one per pose. The columns are described in :mod:`.columns`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, NamedTuple

NAN: Final = math.nan


@dataclass(frozen=True, slots=True)
class PosePrediction:
    """The prediction of one pose. Rows without a score come last, with the reason. NaN: not available.

    :mod:`affinity_zoo.zoo.inference.combine` describes how numbers of several views and models are combined.
    """

    rank: int = 0  #: from 1; 0 without a score
    id: str = ""  #: of the table, or file and record
    molecule: str = ""  #: see :func:`affinity_zoo.zoo.data.readers.records.molecule_of`
    target: str = ""
    name: str = ""  #: the record's own
    pose_logit: float = NAN
    pose_probability: float = NAN
    pose_logit_sd: float = NAN
    near_native_probability: float = NAN  #: calibrated P(RMSD < 2 Å)
    activity_logit: float = NAN
    activity_probability: float = NAN
    activity_logit_sd: float = NAN
    rmsd_expected: float = NAN  #: Å
    rmsd_sd: float = NAN  #: Å
    affinity_pk: float = NAN
    affinity_sd: float = NAN  #: pK
    product: float = NAN  #: probability times affinity
    docking_score: float = NAN  #: the file's own, lower is better
    poses: int = 1  #: poses of this molecule that were compared, with ``best_per``
    status: str = "ok"  #: ok, failed, or abstained: too great a risk, with ``abstain``
    reason: str = ""  #: of a failure
    warnings: str = ""  #: separated by "; "; each begins with its kind
    file: str = ""
    record: int = 0  #: in the file, from 0
    receptor: str = ""
    skeleton: str = ""  #: a hash of elements and bonds without orders
    #: columns on request, such as those of validity; None: not available
    extras: Mapping[str, Any] = field(default_factory=dict)

    def value(self, name: str) -> Any:
        """The value of a column; NaN where the row has no such column.

        Args:
            name: of the column.
        """
        return getattr(self, name) if name in _OWN else self.extras.get(name, NAN)

    def as_dict(self) -> dict[str, object]:
        """The fields and the columns on request; NaN as None, for JSON."""
        values = {name: getattr(self, name) for name in FIELDS} | dict(self.extras)
        return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PosePrediction:
        """Read back what :meth:`as_dict` gave.

        Args:
            values: by field; None is NaN.
        """
        given: dict[str, Any] = {k: NAN if v is None else v for k, v in values.items() if k in _OWN}
        return cls(**given, extras={k: v for k, v in values.items() if k not in _OWN})


FIELDS: Final = tuple(one.name for one in fields(PosePrediction) if one.name != "extras")
_OWN: Final = frozenset(FIELDS)


class RankedBy(NamedTuple):
    """A column that rows may be ranked by."""

    field: str
    sign: int  #: 1: higher is better, -1: lower is better


#: what a ranking may go by
RANKINGS: Final = {
    "pose": RankedBy("pose_logit", 1),
    "activity": RankedBy("activity_logit", 1),
    "affinity": RankedBy("affinity_pk", 1),
    "rmsd": RankedBy("rmsd_expected", -1),
    "product": RankedBy("product", 1),
    "consensus": RankedBy("consensus_z", 1),
    "consensus-rank": RankedBy("consensus_rank", 1),
}
CONSENSUS: Final = ("consensus", "consensus-rank")  #: rankings by a consensus
OF_OUTPUTS: Final = tuple(
    name for name in RANKINGS if name not in CONSENSUS
)  #: rankings by outputs of models
