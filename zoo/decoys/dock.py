"""Docking with AutoDock Vina (Python package) and Open Babel: the ``[docking]`` extra."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError

BOX_MARGIN = 10.0  #: Å on each side of the ligand's extent; with 5 Å some ligands give no far pose
RECEPTOR_MARGIN = 10.0  #: Å around the box; residues farther off are not seen by any pose
_SAME = 0.01  #: Å; an atom of the PDBQT file that lies this near is the input's atom


@dataclass(frozen=True)
class DockOptions:
    """Options of one docking; all of them are recorded.

    Args:
        exhaustiveness: independent runs inside Vina.
        modes: poses asked for; many, so that far ones are among them.
        min_rmsd: Å between two poses (Vina's own measure).
        energy_range: kcal/mol above the best that are kept.
        box_margin: Å on each side of the ligand's extent.
        passes: dockings, each with the next seed, while decoys are missing.
        pH: for Open Babel's hydrogens.
    """

    exhaustiveness: int = 4
    modes: int = 40
    min_rmsd: float = 1.0
    energy_range: float = 20.0
    box_margin: float = BOX_MARGIN
    passes: int = 3
    pH: float = 7.4

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Docked:
    """One pose, its atoms in the order of the input."""

    xyz: NDArray[np.float64]  #: (n, 3) Å, heavy atoms
    energy: float  #: kcal/mol, lower is better
    seed: int


def versions() -> dict[str, str]:
    """Return the versions of the docking programs.

    Raises:
        AffinityZooError: something is not installed.
    """
    found, missing = {}, []
    for package in ("vina", "openbabel-wheel"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            missing.append(package)
    if missing:
        raise AffinityZooError(
            f"docking needs {' and '.join(missing)}: pip install 'affinity-zoo[docking]', or use `method='displace'`"
        )
    return found


def to_pdbqt(text: str, receptor: bool, pH: float = 7.4, file_format: str = "pdb") -> str:
    """Return a structure as PDBQT: hydrogens for a pH, Open Babel's atom types and bonds.

    Args:
        text: the structure.
        receptor: True: one rigid molecule; False: a ligand with its torsions.
        pH: pH of the hydrogens that Open Babel adds.
        file_format: Open Babel's name of the format of ``text``; bonds are perceived where it has none.

    Raises:
        AffinityZooError: Open Babel cannot read or write it.
    """
    from openbabel import openbabel

    openbabel.obErrorLog.SetOutputLevel(0)
    conversion = openbabel.OBConversion()
    conversion.SetInAndOutFormats(file_format, "pdbqt")
    molecule = openbabel.OBMol()
    if not conversion.ReadString(molecule, text) or not molecule.NumAtoms():
        raise AffinityZooError(f"Open Babel cannot read its {file_format.upper()} text")
    molecule.AddHydrogens(False, True, pH)
    if receptor:
        conversion.AddOption("r", conversion.OUTOPTIONS)
    made = conversion.WriteString(molecule)
    if "ATOM" not in made:
        raise AffinityZooError("Open Babel cannot convert it to PDBQT")
    return made


def pdbqt_positions(text: str) -> NDArray[np.float64]:
    """The positions of all atoms of a PDBQT text, (N, 3) Å, in its order.

    Args:
        text: Content of a PDBQT file.
    """
    lines = [line for line in text.splitlines() if line.startswith(("ATOM", "HETATM"))]
    return np.array([[float(line[k : k + 8]) for k in (30, 38, 46)] for line in lines]).reshape(-1, 3)


def heavy_order(ligand_pdbqt: str, xyz: NDArray[Any]) -> NDArray[np.int64]:
    """Index of each input atom in the PDBQT text (whose order is that of its branches).

    Args:
        ligand_pdbqt: PDBQT text of the ligand.
        xyz: (n, 3) Å.

    Raises:
        AffinityZooError: an atom is not there.
    """
    from scipy.spatial import cKDTree

    distance, order = cKDTree(pdbqt_positions(ligand_pdbqt)).query(xyz)
    if distance.max() > _SAME or len(set(order.tolist())) < len(xyz):
        raise AffinityZooError("Open Babel's PDBQT does not contain every heavy atom of the ligand")
    return np.asarray(order, np.int64)


class Docking:
    """One receptor and one ligand, prepared."""

    def __init__(
        self, receptor_pdb: str, ligand_pdb: str, xyz: NDArray[Any], options: DockOptions, cpu: int = 1
    ) -> None:
        """Prepare both.

        Args:
            receptor_pdb, ligand_pdb: PDB texts.
            xyz: (n, 3) Å, the ligand's heavy atoms as in its text.
            options: see there.
            cpu: threads.
        """
        self.options, self.cpu = options, cpu
        self.xyz = np.asarray(xyz, np.float64)
        self.receptor = to_pdbqt(receptor_pdb, True, options.pH)
        self.ligand = to_pdbqt(ligand_pdb, False, options.pH)
        self.order = heavy_order(self.ligand, self.xyz)
        low, high = self.xyz.min(axis=0), self.xyz.max(axis=0)
        self.centre = ((low + high) / 2).tolist()
        self.size = (high - low + 2 * options.box_margin).tolist()

    def _vina(self, seed: int) -> Any:
        from vina import Vina

        engine = Vina(sf_name="vina", cpu=self.cpu, seed=seed, verbosity=0)
        with tempfile.TemporaryDirectory() as folder:  # Vina reads a rigid receptor from a file only
            path = Path(folder) / "receptor.pdbqt"
            path.write_text(self.receptor, encoding="utf-8")
            engine.set_receptor(str(path))
        engine.set_ligand_from_string(self.ligand)
        engine.compute_vina_maps(center=self.centre, box_size=self.size)
        return engine

    def crystal(self, seed: int = 1) -> tuple[float, Docked]:
        """Vina's score of the unchanged crystal pose (kcal/mol), and the pose after Vina's local optimiser.

        Args:
            seed: Seed of the random numbers.
        """
        engine = self._vina(seed)
        before = float(engine.score()[0])
        after = float(engine.optimize()[0])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "relaxed.pdbqt"
            engine.write_pose(str(path), overwrite=True)
            positions = pdbqt_positions(path.read_text(encoding="utf-8"))
        return before, Docked(np.round(positions[self.order], 3), after, seed)

    def dock(self, seed: int) -> list[Docked]:
        """Dock once, best score first. The same seed and one thread give the same poses.

        Args:
            seed: Seed of the random numbers.
        """
        engine = self._vina(seed)
        o = self.options
        engine.dock(exhaustiveness=o.exhaustiveness, n_poses=o.modes, min_rmsd=o.min_rmsd)
        # Not coordinates_only=True: those come in Vina's own order of atoms, the text in the input's.
        text = engine.poses(n_poses=o.modes, energy_range=o.energy_range)
        poses = [pdbqt_positions(model)[self.order] for model in text.split("MODEL")[1:]]
        energies = engine.energies(n_poses=o.modes, energy_range=o.energy_range)
        return [Docked(pose, float(e[0]), seed) for pose, e in zip(poses, energies, strict=True)]
