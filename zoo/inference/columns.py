"""Result columns of model outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class OutputColumns:
    """The result columns of one output."""

    value: str
    spread: str
    probability: str = ""  #: empty for an output that is no logit


#: output -> columns
COLUMNS: Final[dict[str, OutputColumns]] = {
    "pose": OutputColumns("pose_logit", "pose_logit_sd", "pose_probability"),
    "activity": OutputColumns("activity_logit", "activity_logit_sd", "activity_probability"),
    "affinity": OutputColumns("affinity_pk", "affinity_sd"),
    "rmsd": OutputColumns("rmsd_expected", "rmsd_sd"),
}
PRODUCT: Final = "product"  #: probability times affinity, gnina's CNN_VS
