"""Vinardo scores of the poses of an index, as the table of an external program for a leaderboard.

    python benchmarks/vinardo.py INDEX vinardo.csv
    affinity-zoo evaluate --scores vinardo.csv --name Vinardo BENCHMARK

Vinardo (Quiroga, Villarreal, PLoS ONE 2016, 11, e0155183) is a scoring function of docking programs. Its terms between
ligand and receptor are computed, with the radii and weights of AutoDock Vina 1.2. The internal energy of the pose is
left out, and so is the penalty for rotatable bonds, which is one factor for all poses of a molecule. Atom types and
coordinates are all that is read.

As a check the same code computes Vina's function. Where the index has docking scores by Vina, its energy divided by the
score of the best pose of each complex must be 1 + 0.05846 n, with n rotatable bonds (a multiple of one half); for the
other poses a docking score has the difference of internal energies in it, so that only the rank correlation is printed.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.stats import spearmanr

from affinity_zoo.featurizers.gnina_types import TYPES
from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.runtime.terminal import say

CUTOFF: Final = 8.0  #: Å
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Function:
    """Weights (kcal/mol) and shapes of a scoring function; distances are between surfaces, Å."""

    radii: dict[str, float]  #: by element
    gaussians: tuple[tuple[float, float, float], ...]  #: weight, place, width
    repulsion: float
    hydrophobic: tuple[float, float, float]  #: weight, full up to, none from
    hydrogen_bond: tuple[float, float, float]


_BOTH = {"S": 2.0, "P": 2.1, "F": 1.5, "Cl": 1.8, "Br": 2.0, "I": 2.2, "B": 1.9, "Met": 1.2}
VINARDO: Final = Function(
    {"C": 2.0, "N": 1.7, "O": 1.6, **_BOTH},
    ((-0.045, 0.0, 0.8),),
    0.8,
    (-0.035, 0.0, 2.5),
    (-0.6, -0.6, 0.0),
)
VINA: Final = Function(
    {"C": 1.9, "N": 1.8, "O": 1.7, **_BOTH},
    ((-0.035579, 0.0, 0.5), (-0.005156, 3.0, 2.0)),
    0.840245,
    (-0.035069, 0.5, 1.5),
    (-0.587439, -0.7, 0.0),
)

_NAMES: Final = [name for name, *_ in TYPES]
_ELEMENTS: Final = {
    "Carbon": "C", "Nitrogen": "N", "Oxygen": "O", "Sulfur": "S", "Phosphorus": "P", "Fluorine": "F", "Chlorine": "Cl",
    "Bromine": "Br", "Iodine": "I", "Boron": "B", "Hydrogen": "",
}  # fmt: skip


def _element(name: str) -> str:
    return next((symbol for word, symbol in _ELEMENTS.items() if word in name), "Met")


ELEMENT: Final = np.array([_element(name) for name in _NAMES])
GREASY: Final = np.array(
    [n.endswith("XSHydrophobe") or n in ("Fluorine", "Chlorine", "Bromine", "Iodine") for n in _NAMES]
)
DONOR: Final = np.array(
    ["XSDonor" in name or element == "Met" for name, element in zip(_NAMES, ELEMENT, strict=True)]
)
ACCEPTOR: Final = np.array(["Acceptor" in name and "Sulfur" not in name for name in _NAMES])


def score(receptor: Atoms, ligand: Atoms, function: Function) -> float:
    """Energy between the heavy atoms of a pose and its receptor, kcal/mol; lower is better."""
    ours, theirs = (_heavy(atoms) for atoms in (ligand, receptor))
    near = cKDTree(receptor.xyz[theirs]).query_ball_point(ligand.xyz[ours], CUTOFF)
    i = np.repeat(np.arange(len(ours)), [len(found) for found in near])
    j = np.concatenate([np.asarray(found, int) for found in near]) if len(near) else np.zeros(0, int)
    a, b = ligand.atom_type[ours][i].astype(int), receptor.atom_type[theirs][j].astype(int)
    radius = np.array([function.radii.get(element, 0.0) for element in ELEMENT])
    apart = np.linalg.norm(
        ligand.xyz[ours][i].astype(np.float64) - receptor.xyz[theirs][j].astype(np.float64), axis=1
    )
    surface = apart - radius[a] - radius[b]
    total = function.repulsion * np.where(surface < 0, surface**2, 0.0)
    for weight, place, width in function.gaussians:
        total += weight * np.exp(-(((surface - place) / width) ** 2))
    total += np.where(GREASY[a] & GREASY[b], _slope(surface, *function.hydrophobic), 0.0)
    bonded = (DONOR[a] & ACCEPTOR[b]) | (ACCEPTOR[a] & DONOR[b])
    total += np.where(bonded, _slope(surface, *function.hydrogen_bond), 0.0)
    return float(total.sum())


def _heavy(atoms: Atoms) -> NDArray[np.int64]:
    """Atoms with a type that is no hydrogen's."""
    typed = np.flatnonzero(atoms.atom_type < len(_NAMES))
    return typed[ELEMENT[atoms.atom_type[typed].astype(int)] != ""]


def _slope(surface: Array, weight: float, full: float, none: float) -> Array:
    """The weight up to a distance, falling to 0 at another."""
    return weight * np.clip((none - surface) / (none - full), 0.0, 1.0)


def main(index: Path, out: Path) -> None:
    """Write the scores of all rows, and print the check."""
    data = Dataset.open(index)
    vina = []
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "vinardo_score"))
        for row, name in enumerate(data.column("id").tolist()):
            receptor = data.store.atoms(int(data.receptor_structure[row]))
            ligand = data.store.atoms(int(data.ligand_structure[row]))
            writer.writerow((name, f"{score(receptor, ligand, VINARDO):.5f}"))
            vina.append(score(receptor, ligand, VINA))
    say(f"wrote {len(vina)} scores to {out}")
    check(np.array(vina), data.column("docking_score").astype(float), data.column("target"))


def check(vina: Array, docking: Array, target: NDArray[np.str_]) -> None:
    """Print how Vina's function by this code agrees with docking scores."""
    correlations, bonds = [], []
    for one in dict.fromkeys(target.tolist()):
        rows = np.flatnonzero((target == one) & np.isfinite(docking))
        if len(rows) > 2:
            correlations.append(float(spearmanr(vina[rows], docking[rows]).statistic))
            best = rows[np.argmin(docking[rows])]
            bonds.append((vina[best] / docking[best] - 1.0) / 0.05846)
    if bonds:
        off = np.abs(2 * np.array(bonds) - np.round(2 * np.array(bonds))) / 2
        say(
            f"check on {len(bonds)} complexes: the best pose has a multiple of half a rotatable bond within 0.05 in "
            f"{100 * np.mean(off < 0.05):.0f} % (by chance 20 %); Spearman within complexes: median "
            f"{np.nanmedian(correlations):.3f}"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
