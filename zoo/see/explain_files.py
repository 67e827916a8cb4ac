"""Output files of ``explain``: a PDB file with the values as B factors, an SDF file, tables."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import AtomFlag
from affinity_zoo.zoo.chem.pdb_write import CHAINS
from affinity_zoo.zoo.runtime.files import whole, write_csv
from affinity_zoo.zoo.see.complexes import labels, symbols, text
from affinity_zoo.zoo.see.explain import Explanation
from affinity_zoo.zoo.see.molecules import molecule_of, sdf_text

WORDS = {
    "gradient": "gradient x input",
    "integrated": "integrated gradients",
    "occlusion": "occlusion",
}  #: full name of each kind of values


def write_tables(explanation: Explanation, folder: Path) -> list[Path]:
    """Write ``atoms.csv`` and ``residues.csv``; headers state unit and direction.

    Args:
        explanation: Contributions of the atoms of one complex to its score.
        folder: Folder to write to.
    """
    atoms, groups = folder / "atoms.csv", folder / "residues.csv"
    columns, rows = atom_table(explanation)
    write_csv(atoms, columns, rows)
    columns, rows = residue_table(explanation)
    write_csv(groups, columns, rows)
    return [atoms, groups]


def header(explanation: Explanation, kind: str) -> str:
    """A column's name with unit and direction.

    Args:
        explanation: Contributions of the atoms of one complex to its score.
        kind: ``gradient`` or ``occlusion``.
    """
    unit = explanation.output["unit"]
    return f"{kind} ({unit}, positive raises the {explanation.output['name']} score)"


def atom_table(explanation: Explanation) -> tuple[list[str], list[dict[str, Any]]]:
    """One row for each ligand atom, then one for each receptor atom that a view can see.

    Args:
        explanation: Contributions of the atoms of one complex to its score.
    """
    complex_ = explanation.complex
    split, kinds = explanation.split, explanation.kinds
    parts = (complex_.receptor, complex_.ligand)
    names = labels(parts[0]) + labels(parts[1])
    elements = symbols(parts[0]) + symbols(parts[1])
    xyz = np.concatenate([part.xyz for part in parts])
    n = len(names)
    columns = ["part", "atom", "name", "element", "x (Å)", "y (Å)", "z (Å)"]
    rows = []
    for i in [*range(split, n), *np.flatnonzero(explanation.seen[:split]).tolist()]:
        ligand = i >= split
        row: dict[str, Any] = {
            "part": "ligand" if ligand else "receptor",
            "atom": i - split + 1 if ligand else i + 1,
            "name": names[i],
            "element": elements[i],
        }
        row |= {f"{axis} (Å)": f"{xyz[i, k]:.3f}" for k, axis in enumerate("xyz")}
        for kind in kinds:
            value = getattr(explanation, kind)[i]
            # occlusion of a receptor atom is that of its residue and is listed in residues.csv
            row[header(explanation, kind)] = _cell(math.nan if kind == "occlusion" and not ligand else value)
        rows.append(row)
    return [*columns, *(header(explanation, kind) for kind in kinds)], rows


def residue_table(explanation: Explanation) -> tuple[list[str], list[dict[str, Any]]]:
    """One row for each residue that a view can see, the strongest first.

    Args:
        explanation: Contributions of the atoms of one complex to its score.
    """
    kinds = explanation.kinds
    distances = residue_distances(explanation)
    values = {kind: explanation.per_residue(kind) for kind in kinds}
    rows = []
    for i in ranked_residues(explanation):
        residue = explanation.residues[i]
        row: dict[str, Any] = {
            "chain": residue.chain,
            "residue": residue.name,
            "number": residue.place,
            "distance (Å, to the nearest ligand atom)": f"{distances[i]:.2f}",
        }
        row |= {header(explanation, kind): _cell(values[kind][i]) for kind in kinds}
        rows.append(row)
    columns = ["chain", "residue", "number", "distance (Å, to the nearest ligand atom)"]
    return [*columns, *(header(explanation, kind) for kind in kinds)], rows


def residue_distances(explanation: Explanation) -> NDArray[np.float64]:
    """(residues,) shortest distance of each residue to the ligand, Å.

    Args:
        explanation: Contributions of the atoms of one complex to its score.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(explanation.complex.ligand.xyz)
    distance, _ = tree.query(explanation.complex.receptor.xyz)
    return np.array([distance[residue.atoms].min() for residue in explanation.residues])


def ranked_residues(explanation: Explanation) -> list[int]:
    """Numbers of the residues that a view can see, by the size of the first kind of value, largest first.

    Args:
        explanation: Contributions of the atoms of one complex to its score.
    """
    values = np.abs(np.nan_to_num(explanation.per_residue(explanation.kinds[0])))
    seen = [i for i, r in enumerate(explanation.residues) if explanation.seen[r.atoms].any()]
    return sorted(seen, key=lambda i: (-values[i], i))


def write_pdb(explanation: Explanation, path: Path, kind: str | None = None) -> Path:
    """Write the complex with the values in the B-factor column, by ProDy; the scale is in the remarks.

    Args:
        kind: kind of the values; None: the first one present.
    """
    import prody

    kind = kind or explanation.kinds[0]
    values = np.nan_to_num(getattr(explanation, kind))
    scale = beta_scale(values)
    atoms = _atom_group(explanation, values * scale)
    with _quiet(prody.LOGGER):
        stream = io.StringIO()
        prody.writePDBStream(stream, atoms)
    unit, name = explanation.output["unit"], explanation.output["name"]
    remarks = [
        f"B FACTOR = {scale:g} X {WORDS[kind].upper()} ({unit.upper()} OF {name.upper()})",
        "POSITIVE RAISES THE SCORE, 0 IS ALSO AN ATOM THAT NO VIEW SEES",
        f"SCORE {explanation.score:.4f}, MEAN OF {explanation.views} VIEWS, SEED {explanation.seed}",
    ]
    if kind == "occlusion":
        remarks.append("RECEPTOR ATOMS HAVE THE VALUE OF THEIR WHOLE RESIDUE")
    with whole(path) as file:
        file.writelines(f"REMARK 250 {line[:68]}\n" for line in remarks)
        file.write(stream.getvalue())
    return path


def beta_scale(values: NDArray[np.float64]) -> float:
    """The power of ten with which values use the six places and two decimals of the B-factor column, sign included.

    Args:
        values: Values of the atoms.
    """
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0:
        return 1.0
    return float(10.0 ** min(4, math.floor(math.log10(99.99 / largest))))


def _atom_group(explanation: Explanation, beta: NDArray[np.float64]) -> Any:
    import prody

    complex_ = explanation.complex
    receptor, ligand = complex_.receptor, complex_.ligand
    chains, free = _chain_letters([text(chain) for chain in receptor.chain])
    group = prody.AtomGroup(complex_.name[:60])
    group.setCoords(np.concatenate([receptor.xyz, ligand.xyz]).astype(np.float64))
    # PDB's places for names are four letters wide: a one-letter element starts in the second
    group.setNames([text(n)[:4] for n in receptor.name] + [name[:4] for name in labels(ligand)])
    group.setResnames(
        [text(n)[:3] or "UNK" for n in receptor.residue_name]
        + [text(n)[:3] or "LIG" for n in ligand.residue_name]
    )
    group.setResnums(np.concatenate([receptor.residue_number % 10000, np.ones(len(ligand), int)]).astype(int))
    group.setIcodes([text(code)[:1] for code in receptor.insertion] + [""] * len(ligand))
    group.setChids(chains + [free] * len(ligand))
    group.setElements([symbol.upper() for symbol in symbols(receptor) + symbols(ligand)])
    group.setBetas(beta)
    group.setOccupancies(np.ones(len(beta)))
    bits = int(AtomFlag.METAL | AtomFlag.COFACTOR | AtomFlag.WATER)
    other = (np.asarray(receptor.flags).astype(np.int64) & bits) > 0
    group.setFlags("hetatm", np.concatenate([other, np.ones(len(ligand), bool)]))
    return group


def _chain_letters(chains: Sequence[str]) -> tuple[list[str], str]:
    """Chains of one letter each (long names get a free one), and a letter for the ligand."""
    names = list(dict.fromkeys(chains))
    used = {name for name in names if len(name) == 1}
    letters = [letter for letter in CHAINS if letter not in used]
    known: dict[str, str] = {}
    for name in names:
        known[name] = name if len(name) == 1 else letters.pop(0) if letters else "A"
    free = next((letter for letter in ("L", "X", *letters) if letter not in known.values()), "L")
    return [known[chain] for chain in chains], free


@contextmanager
def _quiet(logger: Any) -> Iterator[None]:
    """Keep ProDy's progress notes from stderr (``confProDy`` would write into the user's settings)."""
    kept = logger.verbosity
    logger.verbosity = "none"
    try:
        yield
    finally:
        logger.verbosity = kept


def write_sdf(explanation: Explanation, path: Path) -> str:
    """Write the ligand with the values as atom property lists (``atom.dprop.gradient``, ...).

    Args:
        explanation: Contributions of the atoms of one complex to its score.
        path: Output file.

    Returns:
        A note on its bonds; empty if they come from the file.
    """
    complex_ = explanation.complex
    lists: dict[str, str] = {}
    molecule, place, note = molecule_of(complex_.ligand, complex_.pose_file, complex_.pose.record)
    for kind in explanation.kinds:
        values = getattr(explanation, kind)[explanation.split :]
        listed = ["n/a"] * molecule.GetNumAtoms()  # RDKit's marker of an atom without a value
        for i, value in zip(place.tolist(), values.tolist(), strict=True):
            if math.isfinite(value):
                listed[i] = f"{value:.6f}"
        lists[f"atom.dprop.{kind}"] = textwrap.fill(" ".join(listed), 190)
    unit, name = explanation.output["unit"], explanation.output["name"]
    properties = {
        **lists,
        "model": explanation.model,
        f"{name} score ({unit})": f"{explanation.score:.6f}",
        "views": str(explanation.views),
    }
    with whole(path) as file:
        file.write(sdf_text(molecule, complex_.name, properties))
    return note


def _cell(value: float) -> str:
    return f"{value:.6f}" if math.isfinite(value) else ""
