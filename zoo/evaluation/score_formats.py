"""Scores of other programs: which column or property holds them, and which end is better.

The table is what `docs/judging.md` shows. Names are compared without regard to case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Direction = Literal["higher", "lower"]


@dataclass(frozen=True)
class KnownScore:
    """A column or SDF property that a program writes."""

    name: str
    program: str
    direction: Direction
    unit: str = ""


#: in the order of preference within a file
KNOWN: tuple[KnownScore, ...] = (
    KnownScore("CNNscore", "gnina", "higher", "probability"),
    KnownScore("CNN_VS", "gnina", "higher"),
    KnownScore("CNNaffinity", "gnina", "higher", "pK"),
    KnownScore("minimizedAffinity", "gnina or smina", "lower", "kcal/mol"),
    KnownScore("vina_affinity", "Vina", "lower", "kcal/mol"),
    KnownScore("vina_score", "Vina", "lower", "kcal/mol"),
    KnownScore("affinity (kcal/mol)", "Vina", "lower", "kcal/mol"),
    KnownScore("vinardo_score", "Vinardo", "lower", "kcal/mol"),
    KnownScore("free_energy", "Vina (PDBQT converted by Meeko)", "lower", "kcal/mol"),
    KnownScore("r_i_docking_score", "Glide", "lower", "kcal/mol"),
    KnownScore("r_i_glide_gscore", "Glide", "lower", "kcal/mol"),
    KnownScore("docking_score", "docking", "lower", "kcal/mol"),
    KnownScore("affinity_probability_binary", "Boltz", "higher", "probability"),
    KnownScore("affinity_pred_value", "Boltz", "lower", "log10 of IC50 in µM"),
    KnownScore("confidence_score", "Boltz", "higher"),
    KnownScore("ligand_iptm", "Boltz", "higher"),
    KnownScore("confidence", "DiffDock", "higher", "logit"),
    KnownScore("rtmscore", "RTMScore", "higher"),
)


def known_score(name: str) -> KnownScore | None:
    """The entry of a column; None: its direction is not known.

    Args:
        name: Column or property of a program's output.
    """
    return next((known for known in KNOWN if known.name.lower() == name.lower()), None)


def preferred(names: list[str]) -> KnownScore | None:
    """The first known score among a file's columns; None: there is none.

    Args:
        names: Columns or properties of a program's output.
    """
    lower = {name.lower(): name for name in names}
    for known in KNOWN:
        if known.name.lower() in lower:
            return KnownScore(lower[known.name.lower()], known.program, known.direction, known.unit)
    return None
