"""``explain.html``: the complex in 3D with atoms coloured by their contribution to the score, and tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.runtime.files import whole
from affinity_zoo.zoo.see.drawn import drawn_interactions, drawn_ligand, drawn_receptor, drawn_rows, turned
from affinity_zoo.zoo.see.explain import Explanation
from affinity_zoo.zoo.see.explain_files import WORDS, ranked_residues, residue_distances
from affinity_zoo.zoo.see.page import INTERACTIONS, SHOWN, page

POCKET = 5.0  #: Å; residues within this distance of the ligand are drawn with their atoms
STRONGEST = 12  #: number of strongest residues that are drawn so and listed at any distance
NAMED = 8  #: number of residues with labels in the scene

ABOUT = {
    "gradient": "Change of the score with the weight of the atom in the image (residue: sum over its atoms).",
    "integrated": "The atom's share of the score difference between this complex and an empty box (sum rule).",
    "occlusion": "Decrease of the score if this atom or residue is removed.",
}


def write_page(explanation: Explanation, path: Path, command: str = "") -> Path:
    """Write the page.

    Args:
        explanation: The explanation.
        path: Output file.
        command: how it was made, shown at the foot.
    """
    with whole(path) as file:
        file.write(page_of(explanation, command))
    return path


def page_of(explanation: Explanation, command: str = "") -> str:
    """Return the page as HTML.

    Args:
        explanation: The explanation.
        command: how it was made, shown at the foot.
    """
    complex_, output = explanation.complex, explanation.output
    introduction = (
        f"<p>{escape(output['name'])} score <b>{explanation.score:.3f}</b> {escape(output['unit'])} "
        f"({escape(output['direction'])}), mean of {explanation.views} "
        f"view{'' if explanation.views == 1 else 's'}; model {escape(explanation.model)}. "
        f"{sum_rule(explanation)}</p>"
    )
    notes = "".join(f"<p class='soft'>{escape(note)}</p>" for note in explanation.notes)
    about = (
        f"<p class='soft'>{escape(str(complex_.receptor_file))} with {escape(str(complex_.pose_file))}, record "
        f"{complex_.pose.record}. An attribution says what this network uses, right or wrong; it is not an energy.</p>"
        f"{notes}" + (f"<pre>{escape(command)}</pre>" if command else "")
    )
    return page(
        f"What {explanation.model} sees in {complex_.name}", introduction, _side(explanation),
        page_data(explanation), ("explain.js",), about,
    )  # fmt: skip


def sum_rule(explanation: Explanation) -> str:
    """State the sum rule in words; empty without gradients.

    Args:
        explanation: Contributions of the atoms of one complex to its score.
    """
    if not math.isfinite(explanation.gap):
        return ""
    difference = explanation.score - explanation.empty
    return (
        f"Integrated gradients add up to {explanation.integrated.sum():.3f}, the way from an empty box "
        f"({explanation.empty:.3f}) is {difference:.3f}: off by {abs(explanation.gap):.3f} "
        f"({100 * abs(explanation.gap) / max(abs(difference), 1e-9):.1f} %) with {explanation.steps} steps."
    )


def _side(explanation: Explanation) -> str:
    options = "".join(f"<option value='{kind}'>{WORDS[kind]}</option>" for kind in explanation.kinds)
    return (
        f"<div class='controls'><label>values <select id='kind'>{options}</select></label>"
        "<label>contrast <input type='range' id='contrast' min='1' max='6' step='0.1' value='2.2'></label>"
        f"{SHOWN}<label><input type='checkbox' id='names' checked> names</label>"
        "<label><input type='checkbox' id='elements'> colour by element</label></div>"
        "<div class='ramp'></div><div class='ends'><span id='low'></span><span id='high'></span></div>"
        "<p class='soft' id='unit'></p>"
        "<h2>Residues</h2><table><thead><tr><th>residue</th><th>Å</th><th>value</th><th></th></tr></thead>"
        "<tbody id='residues'></tbody></table>"
        "<h2>Ligand atoms</h2><table><thead><tr><th>atom</th><th>value</th><th></th></tr></thead>"
        f"<tbody id='atoms'></tbody></table>{INTERACTIONS}"
    )


def page_data(explanation: Explanation) -> dict[str, Any]:
    """Return the data that the page's script draws.

    Args:
        explanation: Contributions of the atoms of one complex to its score.
    """
    complex_, split, kinds = explanation.complex, explanation.split, explanation.kinds
    distances = residue_distances(explanation)
    ranked = ranked_residues(explanation)
    drawn = sorted(set(ranked[:STRONGEST]) | set(np.flatnonzero(distances <= POCKET).tolist()))
    # a ligand far from everything has no pocket
    nothing = np.zeros(0, np.int64)
    atoms = np.concatenate([nothing, *(explanation.residues[i].atoms for i in drawn)])
    owner = np.concatenate([nothing, *(np.full(len(explanation.residues[i].atoms), i) for i in drawn)])
    rows = drawn_rows(complex_)
    ligand_values = {k: _numbers(getattr(explanation, k)[split:]) for k in kinds}
    unit = f"Unit: {explanation.output['unit']}."
    place = {int(atom): row for row, atom in enumerate(rows)}
    receptor, ligand = complex_.receptor.xyz, complex_.ligand.xyz
    return {
        "kinds": [{"key": k, "label": WORDS[k], "about": f"{ABOUT[k]} {unit}"} for k in kinds],
        "ligand": {**drawn_ligand(complex_, ligand), "values": ligand_values},
        "receptor": {
            **drawn_receptor(complex_, rows, receptor),
            "pocket": [place[atom] for atom in atoms.tolist() if atom in place],
            "residue": [
                number for atom, number in zip(atoms.tolist(), owner.tolist(), strict=True) if atom in place
            ],
            "values": {k: _numbers(getattr(explanation, k)[rows]) for k in kinds},
            "note": " (whole residue)",
        },
        "residues": _residues(explanation, drawn, distances, set(ranked[:NAMED])),
        "interactions": drawn_interactions(complex_, receptor, ligand),
        "turned": camera(ligand, receptor[atoms]),
    }


def _residues(
    explanation: Explanation, drawn: Sequence[int], distances: NDArray[np.float64], named: set[int]
) -> list[dict[str, Any]]:
    values = {k: explanation.per_residue(k) for k in explanation.kinds}
    return [
        {
            "index": i,
            "label": explanation.residues[i].label,
            "distance": f"{distances[i]:.1f}",
            "named": i in named,
            "xyz": [
                round(float(c), 3)
                for c in explanation.complex.receptor.xyz[explanation.residues[i].atoms].mean(axis=0)
            ],
            "values": {k: _number(values[k][i]) for k in explanation.kinds},
        }
        for i in drawn
    ]


def camera(ligand: NDArray[np.float32], pocket: NDArray[np.float32]) -> list[float]:
    """Look along the ligand's thinnest direction, from where less of the pocket is in the way.

    Args:
        ligand: (n, 3) Å.
        pocket: (m, 3) Å.

    Returns:
        Quaternion x, y, z, w.
    """
    centred = ligand.astype(np.float64) - ligand.mean(axis=0)
    axes = np.linalg.svd(np.vstack([centred, np.eye(3) * 1e-3]), full_matrices=False)[2]
    look = axes[2]
    if len(pocket) and float(((pocket - ligand.mean(axis=0)) @ look).mean()) > 0:
        look = -look
    return turned(look, axes[1])


def _number(value: float) -> float | None:
    return round(float(value), 5) if math.isfinite(value) else None


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return [_number(value) for value in values]
