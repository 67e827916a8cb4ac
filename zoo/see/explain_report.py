"""Output files and printed summary of an explanation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from affinity_zoo.zoo.runtime.files import check_folder
from affinity_zoo.zoo.runtime.terminal import print_json, say, table, warn
from affinity_zoo.zoo.see.complexes import labels
from affinity_zoo.zoo.see.explain import Explanation
from affinity_zoo.zoo.see.explain_files import (
    WORDS,
    atom_table,
    ranked_residues,
    residue_distances,
    residue_table,
    write_pdb,
    write_sdf,
    write_tables,
)
from affinity_zoo.zoo.see.explain_page import sum_rule, write_page

LISTED = 10


def write_all(explanation: Explanation, folder: Path, page: bool, command: str = "") -> list[Path]:
    """Write ``atoms.csv``, ``residues.csv``, ``explain.pdb``, ``ligand.sdf`` and, if wanted, ``explain.html``.

    Args:
        explanation: Contributions of the atoms of one complex to its score.
        folder: Folder to write to.
        page: Write ``explain.html`` too.
        command: Command line, shown in the output.
    """
    check_folder(folder).mkdir(parents=True, exist_ok=True)
    written = [*write_tables(explanation, folder), write_pdb(explanation, folder / "explain.pdb")]
    note = write_sdf(explanation, folder / "ligand.sdf")
    written.append(folder / "ligand.sdf")
    if note:
        warn(f"{folder / 'ligand.sdf'}: {note}")
    if page:
        written.append(write_page(explanation, folder / "explain.html", command))
    return written


def print_explanation(explanation: Explanation, written: Sequence[Path], as_json: bool) -> None:
    """Print the strongest residues and ligand atoms, the sum rule and what was written.

    Args:
        explanation: Contributions of the atoms of one complex to its score.
        written: Files that were written.
        as_json: Print JSON on standard output, not tables.
    """
    if as_json:
        print_json(as_dict(explanation, written))
        return
    output, kinds = explanation.output, explanation.kinds
    say(
        f"{explanation.complex.name}: {output['name']} {explanation.score:.4f} {output['unit']} "
        f"({output['direction']}), mean of {explanation.views} view{'' if explanation.views == 1 else 's'}"
    )
    columns = [f"{WORDS[kind]} ({output['unit']})" for kind in kinds]
    distances = residue_distances(explanation)
    by_residue = {kind: explanation.per_residue(kind) for kind in kinds}
    rows = [
        (
            explanation.residues[i].label,
            f"{distances[i]:.1f}",
            *(float(by_residue[kind][i]) for kind in kinds),
        )
        for i in ranked_residues(explanation)[:LISTED]
    ]
    table("residues, strongest first; positive raises the score", ["residue", "Å", *columns], rows)
    names = labels(explanation.complex.ligand)
    values = {kind: getattr(explanation, kind)[explanation.split :] for kind in kinds}
    order = sorted(range(len(names)), key=lambda i: -abs(values[kinds[0]][i]))[:LISTED]
    table(
        "ligand atoms, strongest first",
        ["atom", *columns],
        [(names[i], *(float(values[kind][i]) for kind in kinds)) for i in order],
    )
    if rule := sum_rule(explanation):
        say(rule)
    for note in explanation.notes:
        warn(note)
    say("written: " + ", ".join(str(path) for path in written))


def as_dict(explanation: Explanation, written: Sequence[Path]) -> dict[str, object]:
    """Return the explanation as JSON-ready values.

    Args:
        explanation: Contributions of the atoms of one complex to its score.
        written: Files that were written.
    """
    kinds = explanation.kinds
    gradients = "integrated" in kinds
    return {
        "model": explanation.model,
        "output": explanation.output,
        "pose": {"file": str(explanation.complex.pose_file), "record": explanation.complex.pose.record},
        "receptor": str(explanation.complex.receptor_file),
        "score": explanation.score,
        "empty_box": explanation.empty if gradients else None,
        "sum_of_integrated": float(explanation.integrated.sum()) if gradients else None,
        "gap": explanation.gap if gradients else None,
        "steps": explanation.steps,
        "views": explanation.views,
        "seed": explanation.seed,
        "values": list(kinds),
        "residues": residue_table(explanation)[1],
        "atoms": atom_table(explanation)[1],
        "notes": list(explanation.notes),
        "written": [str(path) for path in written],
    }
