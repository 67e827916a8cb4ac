"""One row a pose: what a prediction says of it, and in what unit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

NAN: Final = math.nan


@dataclass(frozen=True, slots=True)
class PosePrediction:
    """One pose in, one row out. Rows without a score stand last, with the reason. NaN: there is none.

    Of several models probabilities and affinities are means over the models, and a score is the logit of
    the mean probability; of one model the score is its own logit, mean over the views.
    """

    rank: int = 0  #: from 1; 0 without a score
    id: str = ""  #: of the table, or file and record
    target: str = ""
    molecule: str = ""  #: see :func:`affinity_zoo.zoo.prediction.reading.molecule_of`
    name: str = ""  #: the record's own
    file: str = ""
    record: int = 0  #: in the file, from 0
    receptor: str = ""
    score: float = NAN  #: logit that the pose is near-native, higher is better
    probability: float = NAN  #: that the pose is near-native, at the prevalence of the training data
    spread: float = (
        NAN  #: standard deviation of the pose logit over the views, mean over the models; NaN with one
    )
    model_spread: float = NAN  #: standard deviation of the probability over the models; NaN with one model
    activity_score: float = NAN  #: logit that the molecule is active, higher is better
    activity_probability: float = NAN
    affinity: float = NAN  #: pK, higher binds better
    affinity_spread: float = NAN  #: pK, standard deviation over the views, mean over the models
    affinity_variance: float = NAN  #: pK², population variance over the models; NaN with one model
    product: float = NAN  #: probability x affinity
    predicted_rmsd: float = NAN  #: Å to the true pose, as the network guesses it; lower is better
    poses: int = 1  #: poses of this molecule that were compared, with ``best_per``
    status: str = "ok"  #: ok, or failed
    reason: str = ""  #: of a failure
    warnings: str = ""  #: separated by "; "; each begins with its kind
    docking_score: float = NAN  #: the file's own, lower is better

    def as_dict(self) -> dict[str, object]:
        """The fields; NaN as None, for JSON."""
        values = {name: getattr(self, name) for name in FIELDS}
        return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PosePrediction:
        """Read back what :meth:`as_dict` gave."""
        given: dict[str, Any] = {k: NAN if v is None else v for k, v in values.items()}
        return cls(**given)


FIELDS: Final = tuple(field.name for field in fields(PosePrediction))

#: CSV header: unit and direction of each column that has one
HEADER: Final = {
    "score": "score (logit, higher is better)",
    "probability": "probability (of a near-native pose, higher is better)",
    "spread": "spread (logit, standard deviation over views)",
    "model_spread": "model_spread (of the probability, standard deviation over models)",
    "activity_score": "activity_score (logit, higher is better)",
    "activity_probability": "activity_probability (that the molecule is active, higher is better)",
    "affinity": "affinity (pK, higher binds better)",
    "affinity_spread": "affinity_spread (pK, standard deviation over views)",
    "affinity_variance": "affinity_variance (pK², population variance over models)",
    "product": "product (probability x affinity, higher is better)",
    "predicted_rmsd": "predicted_rmsd (Å, lower is better)",
    "docking_score": "docking_score (of the file, lower is better)",
}

#: what a ranking may go by -> field of the row
RANKINGS: Final = {
    "pose": "score",
    "activity": "activity_score",
    "affinity": "affinity",
    "product": "product",
    "rmsd": "predicted_rmsd",
}
#: rankings whose smallest value comes first
ASCENDING: Final = frozenset({"rmsd"})
