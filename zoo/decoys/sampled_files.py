"""Files of sampled poses: one SDF (or multi-model PDB) per complex, and the whole receptor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.decoys.work import NEAR_NATIVE, DecoyTask, pdb_text
from affinity_zoo.zoo.runtime.files import whole

if TYPE_CHECKING:
    from affinity_zoo.zoo.decoys.sample import Sampled

_SAME = 0.02  #: Å; an atom of the source file that lies this near is the stored atom


def read_molecule(task: DecoyTask) -> Any:
    """Read the crystal pose from its SDF file, for its bond orders.

    Args:
        task: The complex and its options.

    Returns:
        An RDKit molecule without hydrogens, its atoms in the order of ``task.ligand``; None where the source is no
        SDF file, or does not hold the same atoms.
    """
    from rdkit import Chem
    from scipy.spatial import cKDTree

    file, record = task.source
    if not file.lower().endswith(".sdf") or not Path(file).is_file():
        return None
    supplier = Chem.SDMolSupplier(file, sanitize=False, removeHs=False)
    molecule = supplier[record] if record < len(supplier) else None
    if molecule is None:
        return None
    molecule = Chem.RemoveHs(molecule, sanitize=False)
    positions = molecule.GetConformer().GetPositions() + np.array(task.move)
    distance, order = cKDTree(positions).query(task.ligand.xyz)
    if len(positions) != len(task.ligand) or distance.max() > _SAME or len(set(order)) < len(order):
        return None
    return Chem.RenumberAtoms(molecule, order.tolist())


def mol_block(molecule: Any, task: DecoyTask, xyz: NDArray[Any] | None = None) -> str:
    """Return a pose as the text of one SDF record, without its data fields.

    Args:
        molecule: from :func:`read_molecule`.
        task: the complex.
        xyz: (n, 3) Å; None: the crystal pose.
    """
    from rdkit import Chem
    from rdkit.Geometry import Point3D

    conformer = molecule.GetConformer()
    for i, (x, y, z) in enumerate(np.asarray(task.ligand.xyz if xyz is None else xyz, np.float64).tolist()):
        conformer.SetAtomPosition(i, Point3D(x, y, z))
    return str(Chem.MolToMolBlock(molecule, kekulize=False))


def write_sampled(
    task: DecoyTask, kept: list[tuple[float, Sampled]], dropped: dict[str, int], seed: int, molecule: Any
) -> dict[str, Any]:
    """Write the poses of one complex and its receptor.

    Args:
        task: the complex.
        kept: symmetric RMSD in Å (NaN: there is no crystal pose to compare with), and the pose.
        dropped: reason -> number of poses that were dropped.
        seed: seed of the sampling.
        molecule: the crystal pose with bond orders; None: poses are written as PDB models.

    Returns:
        See :func:`~affinity_zoo.zoo.decoys.work.make_complex`.
    """
    file = f"poses/{task.id}.{'pdb' if molecule is None else 'sdf'}"
    rows, parts = [], []
    for record, (rmsd, pose) in enumerate(kept):
        columns = {
            **({} if np.isnan(rmsd) else {"rmsd": round(rmsd, 3)}),
            "docking_score": round(pose.pose.energy, 3),
            "seed": pose.pose.seed,
        }
        name = f"{task.id}_{record:03d}"
        if molecule is None:
            text = pdb_text(task.ligand, xyz=pose.pose.xyz).replace("END\n", "")
            parts.append(f"MODEL     {record + 1:4d}\n{text}ENDMDL\n")
        else:
            block = mol_block(molecule, task, pose.pose.xyz).split("\n", 1)[1]
            fields = "".join(f">  <{key}>\n{value}\n\n" for key, value in columns.items())
            parts.append(f"{name}\n{block}{fields}$$$$\n")
        label = 1 if rmsd < NEAR_NATIVE else 0 if rmsd > task.min_rmsd else None
        rows.append({
            "file": file, "record": record, "id": name, "complex": task.host or task.id, "kind": pose.origin,
            "pose_label": label, "n_heavy": len(task.ligand), **task.columns, **columns,
        })  # fmt: skip
    with whole(task.folder / file) as handle:
        handle.write("".join(parts))
    with whole(task.folder / "receptors" / f"{task.host or task.id}.pdb") as handle:
        handle.write(pdb_text(task.receptor))
    decoys = sum(row["pose_label"] == 0 for row in rows)
    made = {"id": task.id, "rows": rows, "decoys": decoys, "dropped": dropped, "seeds": [seed]}
    return {**made, "cross": True} if task.host else made
