"""Many poses of one complex in seconds: Vina with small budgets, and displaced and optimised crystal poses.

A docking that may evaluate few poses ends in many different minima: three budgets give 20 to 50 poses at any distance
from the crystal pose, near misses (2 to 4 Å) among them. Crystal poses that are turned, moved and then optimised give
near-native ones.
"""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.decoys.dock import Docked, heavy_order, pdbqt_positions, to_pdbqt


@dataclass(frozen=True)
class SampleOptions:
    """Options of the sampling of one complex; all of them are recorded.

    Args:
        evaluations: largest number of energy evaluations of each docking; one docking a number.
        modes: poses asked of each docking.
        min_rmsd: Å between two poses of one docking (Vina's own measure).
        energy_range: kcal/mol above the best pose that are kept.
        box_margin: Å on each side of the ligand's extent.
        moved: crystal poses that are turned and moved at random and then optimised.
        turn: largest angle of such a turn, degrees.
        shift: largest such move, Å.
        apart: Å; a pose that lies nearer to one already kept is dropped.
        pH: pH of Open Babel's hydrogens.
        keep: ``all``, or ``labelled``: without the poses between near-native and decoy.
        cross: ligands of other complexes of the same target (90 % sequence identity) that are docked into each
            receptor; their poses have no RMSD and no label.

    Raises:
        UsageError: ``cross`` is below 0, or only labelled poses are kept.
    """

    evaluations: tuple[int, ...] = (4_000, 20_000, 60_000, 150_000)
    modes: int = 40
    min_rmsd: float = 1.0
    energy_range: float = 20.0
    box_margin: float = 6.0
    moved: int = 6
    turn: float = 60.0
    shift: float = 1.0
    apart: float = 0.3
    pH: float = 7.4
    keep: Literal["all", "labelled"] = "all"
    cross: int = 0

    def __post_init__(self) -> None:
        """Check the options."""
        if self.keep not in ("all", "labelled"):
            raise UsageError(f"`keep` is all or labelled, not {self.keep!r}")
        if self.cross < 0:
            raise UsageError(f"`cross` is a number of ligands, 0 or more, not {self.cross}")
        if self.cross and self.keep == "labelled":
            raise UsageError(
                "`cross` needs all poses kept: poses of a ligand of another complex have no label"
            )

    def as_dict(self) -> dict[str, Any]:
        """Return the options, ready for JSON."""
        return asdict(self) | {"evaluations": list(self.evaluations)}


@dataclass(frozen=True, eq=False)
class Sampled:
    """One sampled pose and its origin."""

    pose: Docked
    origin: str  #: ``crystal``, ``relaxed``, ``moved``, ``docked-<evaluations>`` or ``cross-<evaluations>``


class Sampling:
    """One receptor and one ligand, prepared for Vina once."""

    def __init__(
        self,
        receptor_pdb: str,
        ligand: str,
        xyz: NDArray[Any],
        options: SampleOptions,
        *,
        seed: int = 1,
        ligand_format: str = "pdb",
    ) -> None:
        """Prepare both and compute Vina's maps.

        Args:
            receptor_pdb: PDB text of the receptor around the box.
            ligand: text of the crystal pose.
            xyz: (n, 3) Å, the heavy atoms of the ligand as in its text.
            options: see :class:`SampleOptions`.
            seed: seed of the dockings and of the random moves.
            ligand_format: Open Babel's name of the format of ``ligand``, such as ``pdb`` or ``mol``.

        Raises:
            AffinityZooError: Open Babel cannot read one of the two.
        """
        from vina import Vina

        self.options, self.seed = options, seed
        self.xyz = np.asarray(xyz, np.float64)
        self.pdbqt = to_pdbqt(ligand, False, options.pH, ligand_format)
        self.order = heavy_order(self.pdbqt, self.xyz)
        self.engine = Vina(sf_name="vina", cpu=1, seed=seed, verbosity=0)
        with tempfile.TemporaryDirectory() as folder:  # Vina reads a rigid receptor from a file only
            path = Path(folder) / "receptor.pdbqt"
            path.write_text(to_pdbqt(receptor_pdb, True, options.pH), encoding="utf-8")
            self.engine.set_receptor(str(path))
        self.engine.set_ligand_from_string(self.pdbqt)
        low, high = self.xyz.min(axis=0), self.xyz.max(axis=0)
        size = (high - low + 2 * options.box_margin).tolist()
        self.engine.compute_vina_maps(center=((low + high) / 2).tolist(), box_size=size)

    def run(self) -> list[Sampled]:
        """Return all poses: crystal pose, optimised crystal pose, displaced poses, docked poses."""
        engine = self.engine
        found = [Sampled(Docked(self.xyz, float(engine.score()[0]), self.seed), "crystal")]
        energy = float(engine.optimize()[0])
        found.append(Sampled(Docked(self._written(), energy, self.seed), "relaxed"))
        for evaluations in self.options.evaluations:
            found += [Sampled(pose, f"docked-{evaluations}") for pose in self._docked(evaluations)]
        found += [Sampled(pose, "moved") for pose in self._moved()]
        return found

    def cross(self) -> list[Sampled]:
        """Return the docked poses of a ligand that has no crystal pose in this receptor."""
        return [
            Sampled(pose, f"cross-{evaluations}")
            for evaluations in self.options.evaluations
            for pose in self._docked(evaluations)
        ]

    def _docked(self, evaluations: int) -> list[Docked]:
        o = self.options
        # every docking of one engine starts from the engine's seed again: the budget makes the difference
        self.engine.dock(exhaustiveness=1, n_poses=o.modes, min_rmsd=o.min_rmsd, max_evals=evaluations)
        text = self.engine.poses(n_poses=o.modes, energy_range=o.energy_range)
        energies = self.engine.energies(n_poses=o.modes, energy_range=o.energy_range)
        poses = [pdbqt_positions(model)[self.order] for model in text.split("MODEL")[1:]]
        return [
            Docked(np.round(pose, 3), float(row[0]), self.seed)
            for pose, row in zip(poses, energies, strict=True)
        ]

    def _moved(self) -> list[Docked]:
        random = np.random.default_rng(self.seed)
        lines, atoms = self.pdbqt.splitlines(), pdbqt_positions(self.pdbqt)
        centre, made = atoms.mean(axis=0), []
        for _ in range(self.options.moved):
            axis = random.normal(size=3)
            angle = np.deg2rad(self.options.turn) * random.random()
            turn = Rotation.from_rotvec(axis / np.linalg.norm(axis) * angle)
            direction = random.normal(size=3)
            shift = direction / np.linalg.norm(direction) * self.options.shift * random.random()
            placed = turn.apply(atoms - centre) + centre + shift
            self.engine.set_ligand_from_string(_with_positions(lines, placed))
            try:
                energy = float(self.engine.optimize()[0])
            except RuntimeError:  # the moved ligand leaves the box
                continue
            made.append(Docked(self._written(), energy, self.seed))
        return made

    def _written(self) -> NDArray[np.float64]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "pose.pdbqt"
            self.engine.write_pose(str(path), overwrite=True)
            return np.round(pdbqt_positions(path.read_text(encoding="utf-8"))[self.order], 3)


def _with_positions(lines: list[str], xyz: NDArray[np.float64]) -> str:
    """The PDBQT lines with other positions, (N, 3) Å, atom by atom."""
    atoms, made = iter(xyz.tolist()), []
    for line in lines:
        if line.startswith(("ATOM", "HETATM")):
            x, y, z = next(atoms)
            made.append(f"{line[:30]}{x:8.3f}{y:8.3f}{z:8.3f}{line[54:]}")
        else:
            made.append(line)
    return "\n".join([*made, ""])
