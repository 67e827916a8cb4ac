"""Interactions by distance: made pairs at and beyond each limit, the same from any direction, and a known complex."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from affinity_zoo.plugins.contracts import AtomFlag, Atoms
from affinity_zoo.zoo.see.complexes import labels, read_complex
from affinity_zoo.zoo.see.interactions import CUTOFFS, interactions

DONOR, ACCEPTOR = AtomFlag.DONOR, AtomFlag.ACCEPTOR
KINDS = {
    "hydrogen bond": ((7, DONOR), (8, ACCEPTOR)),
    "salt bridge": ((8, ACCEPTOR | AtomFlag.NEGATIVE), (7, DONOR | AtomFlag.POSITIVE)),
    "hydrophobic contact": ((6, AtomFlag.HYDROPHOBIC), (6, AtomFlag.HYDROPHOBIC)),
    "metal contact": ((30, AtomFlag.METAL), (8, ACCEPTOR)),
}


def atoms(role: Any, xyz: Any, element: Any, flags: Any) -> Atoms:
    n = len(xyz)
    return Atoms(
        role=role, xyz=np.asarray(xyz, np.float32), element=np.asarray(element, np.uint8),
        atom_type=np.zeros(n, np.uint8), flags=np.asarray(flags, np.uint16), charge=np.zeros(n, np.int8),
        name=np.full(n, b"X", "S4"), residue_name=np.full(n, b"RES", "S4"),
        residue_number=np.ones(n, np.int32), chain=np.full(n, b"A", "S4"),
    )  # fmt: skip


def pair(kind: str, distance: float) -> tuple[Atoms, Atoms]:
    (z, flags), (own, mine) = KINDS[kind]
    return atoms("receptor", [[0, 0, 0]], [z], [flags]), atoms("ligand", [[distance, 0, 0]], [own], [mine])


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_ends_at_its_distance(kind: str) -> None:
    (found,) = interactions(*pair(kind, CUTOFFS[kind] - 0.01))
    assert (found.kind, found.receptor, found.ligand) == (kind, 0, 0)
    assert found.distance == pytest.approx(CUTOFFS[kind] - 0.01)
    assert kind not in [one.kind for one in interactions(*pair(kind, CUTOFFS[kind] + 0.01))]


@pytest.mark.parametrize(("angle", "bond"), [(120.0, True), (95.0, True), (80.0, False), (30.0, False)])
def test_a_hydrogen_bond_does_not_go_through_the_bond_of_its_donor(angle: float, bond: bool) -> None:
    receptor, _ = pair("hydrogen bond", 3.0)
    turned = np.radians(angle)
    carbon = [3.0 - 1.4 * np.cos(turned), 1.4 * np.sin(turned), 0]
    ligand = atoms("ligand", [[3, 0, 0], carbon], [8, 6], [ACCEPTOR, 0])
    assert bool(interactions(receptor, ligand)) is bond


@given(st.integers(0, 1000))
def test_turning_and_moving_the_complex_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    flags = [
        int(f)
        for f in (
            DONOR,
            ACCEPTOR,
            AtomFlag.HYDROPHOBIC,
            ACCEPTOR | AtomFlag.NEGATIVE,
            DONOR | AtomFlag.POSITIVE,
        )
    ]
    element = np.array([7, 8, 6, 8, 7])
    kinds = [rng.integers(0, 5, 12), rng.integers(0, 5, 8)]
    where = [rng.uniform(-5, 5, (12, 3)), rng.uniform(-5, 5, (8, 3))]
    turn, shift = Rotation.random(random_state=seed), rng.uniform(-50, 50, 3)

    def found(places: list[Any]) -> list[tuple[str, int, int]]:
        both = [
            atoms(role, xyz, element[k], np.array(flags)[k])
            for role, xyz, k in zip(("receptor", "ligand"), places, kinds, strict=True)
        ]
        return sorted((one.kind, one.receptor, one.ligand) for one in interactions(*both))

    assert found(where) == found([turn.apply(xyz) + shift for xyz in where])


def test_a_known_complex(real_complex: Any) -> None:
    """Every pair lies as far apart as it says, and no hydrogen bond of a carbon is found."""
    complex_ = read_complex(real_complex.receptor, real_complex.ligand)
    found = interactions(complex_.receptor, complex_.ligand)
    assert found and labels(complex_.receptor)
    for one in found:
        a, b = complex_.receptor.xyz[one.receptor], complex_.ligand.xyz[one.ligand]
        assert one.distance == pytest.approx(float(np.linalg.norm(a - b)), abs=1e-4)
        assert one.distance <= CUTOFFS[one.kind]
        elements = {int(complex_.receptor.element[one.receptor]), int(complex_.ligand.element[one.ligand])}
        assert (6 in elements) == (one.kind == "hydrophobic contact") or elements & {9, 17, 35, 53}
