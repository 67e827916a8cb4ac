"""Make the table that the shipped affinity model is trained on, from two open sets of modelled complexes with pK.

    python benchmarks/shipped_affinity.py DATA DATA/affinity.csv
    affinity-zoo index DATA/affinity.csv -o affinity
    affinity-zoo split affinity --split-by sequence --identity 0.4 --fractions 0.7,0.15,0.15

DATA holds the folders ``unifep`` (Uni-FEP-Benchmarks, Apache-2.0) and ``fep`` (Schrödinger's public binding free
energy benchmark, MIT), each with its ``index.csv``. Receptors are the 12 Å pockets of both. Left out: rows without
pK, two systems whose poses do not belong to their receptors, and poses with a heavy atom within 1.8 Å of the
receptor's. The same molecule on the same target becomes one row with the median pK.
"""

from __future__ import annotations

import csv
import re
import statistics
import sys
from collections import defaultdict
from pathlib import Path

from rdkit import Chem

from affinity_zoo.zoo.chem.geometry import shortest_distance
from affinity_zoo.zoo.data.readers import read_poses, read_receptor
from affinity_zoo.zoo.runtime.files import whole

CLASH = 1.8  #: Å between heavy atoms
BAD_SYSTEMS = ("opls_stress__cr_bace1", "opls_stress__cr_bace2")
COLUMNS = (
    "id",
    "receptor",
    "ligand",
    "record",
    "target",
    "molecule",
    "pK",
    "measurements",
    "group",
    "archive",
)


def main(data: Path, out: Path) -> None:
    """Write the table."""
    found = [row for archive in ("unifep", "fep") for row in _rows(data, archive)]
    by_compound: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in found:
        by_compound[row["group"], row["molecule"]].append(row)
    made = []
    for same in by_compound.values():
        usable = [row for row in same if not _clashes(data, row)]
        if usable:
            median = statistics.median(float(row["pK"]) for row in same)
            made.append(usable[0] | {"pK": f"{median:.3f}", "measurements": str(len(same))})
    with whole(out) as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(made)
    sys.stdout.write(
        f"{len(found)} poses with pK, {len(by_compound)} compounds on targets, {len(made)} rows\n"
    )


def _rows(data: Path, archive: str) -> list[dict[str, str]]:
    """The rows of one archive that have a pK, in our columns."""
    with (data / archive / "index.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["pK"] and row["system"] not in BAD_SYSTEMS]
    return [
        {
            "id": f"{archive}-{row['id']}",
            "receptor": f"{archive}/{row['pocket']}",
            "ligand": f"{archive}/{row['ligand']}",
            "record": row.get("record", "0"),
            "target": row.get("target") or row["protein"],
            "molecule": _canonical(row["smiles"]),
            "pK": row["pK"],
            "group": _protein(row.get("target") or row["protein"]),
            "archive": archive,
        }
        for row in rows
        if archive == "fep" or float(row["min_dist"]) >= 1.0
    ]


def _protein(name: str) -> str:
    """``TAF1(2)`` and ``taf1`` are one protein."""
    return re.sub(r"\(.*?\)|[^a-z0-9]", "", name.lower())


def _canonical(smiles: str) -> str:
    molecule = Chem.MolFromSmiles(smiles)
    return smiles if molecule is None else Chem.MolToSmiles(molecule)


def _clashes(data: Path, row: dict[str, str]) -> bool:
    pose = next((p for p in read_poses(data / row["ligand"]) if p.record == int(row["record"])), None)
    if pose is None or pose.atoms is None:
        return True
    return shortest_distance(read_receptor(data / row["receptor"]).atoms, pose.atoms) < CLASH


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
