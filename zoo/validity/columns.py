"""The columns of validity, the same in ``predict``, ``label`` and an index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from affinity_zoo.plugins.contracts import VALID

#: column -> meaning; 1 passed, 0 failed, None not checked
CHECKS: Final[dict[str, str]] = {
    "valid_chemistry": "RDKit sanitises the molecule, its InChI can be made, it is in one piece, without radicals.",
    "valid_bond_lengths": "All bond lengths are within 25 % of the bounds of RDKit's distance geometry.",
    "valid_bond_angles": "All bond angles (as 1,3-distances) are within 25 % of these bounds.",
    "valid_internal_clash": "No two atoms of the ligand are nearer than 70 % of their lower bound.",
    "valid_aromatic_rings": "Aromatic rings are flat within 0.25 Å.",
    "valid_ring_puckers": "Saturated six-membered rings are not flat.",
    "valid_double_bonds": "Double bonds between carbons are flat within 0.25 Å.",
    "valid_strain": "The internal energy is at most 100 times the mean energy of generated conformers (UFF).",
    "valid_protein_near": "An atom of the protein is within 5 Å.",
    "valid_protein_distance": "No atom is nearer to the protein than 75 % of the sum of the van der Waals radii.",
    "valid_protein_overlap": "At most 7.5 % of the ligand's volume overlaps with the protein's.",
    "valid_cofactor_distance": "The same distance rule for cofactors; covalent radii for metals and ions.",
    "valid_cofactor_overlap": "At most 7.5 % of the volume overlaps with cofactors; covalent bonds to metals may.",
}
POSE_VALID: Final = VALID
METHOD: Final = "validity_method"
REASON: Final = "validity_reason"
#: all columns, in order
COLUMNS: Final = (POSE_VALID, *CHECKS, METHOD, REASON)
#: columns that the checks by RDKit alone do not have
_OF_POSEBUSTERS: Final = frozenset(
    ("valid_bond_lengths", "valid_bond_angles", "valid_internal_clash", "valid_aromatic_rings",
     "valid_ring_puckers", "valid_double_bonds")
)  # fmt: skip


@dataclass(frozen=True)
class Validity:
    """The checks of one pose.

    Attributes:
        checks: by column; None: not checked. A column that the method does not have is missing.
        method: what checked: ``posebusters 0.6.5`` or ``rdkit``.
        reason: why the pose could not be checked, or which checks failed; empty: all passed.
    """

    method: str
    checks: Mapping[str, bool | None] = field(default_factory=dict)
    reason: str = ""

    @property
    def pose_valid(self) -> bool | None:
        """Whether all checks passed; None: one could not be made and no other failed, or there is none."""
        values = list(self.checks.values())
        if any(value is False for value in values):
            return False
        return None if not values or None in values else True

    def as_dict(self) -> dict[str, int | str | None]:
        """All columns: 1, 0, or None where a check was not made."""
        values: dict[str, int | str | None] = {POSE_VALID: _number(self.pose_valid)}
        values |= {name: _number(self.checks.get(name)) for name in CHECKS}
        return {**values, METHOD: self.method, REASON: self.reason}


def columns_of(method: str) -> tuple[str, ...]:
    """The columns that a method fills.

    Args:
        method: of :func:`affinity_zoo.zoo.validity.check.method_of`; empty: none.
    """
    if not method:
        return ()
    return tuple(name for name in COLUMNS if method == "posebusters" or name not in _OF_POSEBUSTERS)


def _number(value: bool | None) -> int | None:
    return None if value is None else int(value)
