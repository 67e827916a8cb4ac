"""``explain.html``: the complex in 3D with atoms coloured by their contribution to the score, and tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.chem.symmetry import bonds_from_distances
from affinity_zoo.zoo.runtime.files import whole
from affinity_zoo.zoo.see.complexes import labels, symbols, text
from affinity_zoo.zoo.see.explain import Explanation
from affinity_zoo.zoo.see.explain_files import WORDS, ranked_residues, residue_distances
from affinity_zoo.zoo.see.imaging import take
from affinity_zoo.zoo.see.molecules import bonded, heavy_bonds, molecule_of
from affinity_zoo.zoo.see.page import drawn_atoms, page

POCKET = 5.0  #: Å; residues within this distance of the ligand are drawn
STRONGEST = 12  #: number of strongest residues that are drawn and listed at any distance
NAMED = 8  #: number of residues with labels in the scene
BACKBONE = 14.0  #: Å; the chain is drawn this far from the ligand

ABOUT = {
    "gradient": "Rate at which the score falls as the atom fades (receptor residue: sum over its atoms).",
    "integrated": "The atom's share of the score difference between this complex and an empty box (sum rule).",
    "occlusion": "Loss of score without this atom, or without this whole residue.",
}


def write_page(explanation: Explanation, path: Path, command: str = "") -> Path:
    """Write the page.

    Args:
        command: how it was made, shown at the foot.
    """
    complex_, output = explanation.complex, explanation.output
    introduction = (
        f"<p>{escape(output['name'])} score <b>{explanation.score:.3f}</b> {escape(output['unit'])} "
        f"({escape(output['direction'])}), mean of {explanation.views} views; model {escape(explanation.model)}. "
        f"{sum_rule(explanation)}</p>"
    )
    notes = "".join(f"<p class='soft'>{escape(note)}</p>" for note in explanation.notes)
    about = (
        f"<p class='soft'>{escape(str(complex_.receptor_file))} with {escape(str(complex_.pose_file))}, record "
        f"{complex_.pose.record}. An attribution says what this network uses, right or wrong; it is not an energy.</p>"
        f"{notes}" + (f"<pre>{escape(command)}</pre>" if command else "")
    )
    made = page(
        f"What {explanation.model} sees in {complex_.name}", introduction, _side(explanation),
        page_data(explanation), ("explain.js",), about,
    )  # fmt: skip
    with whole(path) as file:
        file.write(made)
    return path


def sum_rule(explanation: Explanation) -> str:
    """State the sum rule in words; empty without gradients.

    Args:
        explanation: The explanation.
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
    boxes = "".join(
        f"<label><input type='checkbox' id='{key}'{' checked' if on else ''}> {words}</label>"
        for key, words, on in (
            ("receptor", "receptor", True),
            ("backbone", "backbone", True),
            ("names", "names", True),
            ("letters", "elements", True),
            ("elements", "colour by element", False),
        )
    )
    return (
        f"<div class='controls'><label>values <select id='kind'>{options}</select></label>"
        "<label>contrast <input type='range' id='contrast' min='1' max='6' step='0.1' value='2.2'></label>"
        f"{boxes}</div><div class='ramp'></div><div class='ends'><span id='low'></span><span id='high'></span></div>"
        "<p class='soft' id='unit'></p>"
        "<h2>Residues</h2><table><thead><tr><th>residue</th><th>Å</th><th>value</th><th></th></tr></thead>"
        "<tbody id='residues'></tbody></table>"
        "<h2>Ligand atoms</h2><table><thead><tr><th>atom</th><th>value</th><th></th></tr></thead>"
        "<tbody id='atoms'></tbody></table>"
    )


def page_data(explanation: Explanation) -> dict[str, Any]:
    """Return the data that the page's script draws.

    Args:
        explanation: The explanation.
    """
    complex_, split, kinds = explanation.complex, explanation.split, explanation.kinds
    distances = residue_distances(explanation)
    ranked = ranked_residues(explanation)
    drawn = sorted(set(ranked[:STRONGEST]) | set(np.flatnonzero(distances <= POCKET).tolist()))
    # a ligand far from everything has no pocket
    nothing = np.zeros(0, np.int64)
    atoms = np.concatenate([nothing, *(explanation.residues[i].atoms for i in drawn)])
    owner = np.concatenate([nothing, *(np.full(len(explanation.residues[i].atoms), i) for i in drawn)])
    pocket = take(complex_.receptor, atoms)
    molecule, place, _ = molecule_of(complex_.ligand, complex_.pose_file, complex_.pose.record)
    ligand_values = {k: _numbers(getattr(explanation, k)[split:]) for k in kinds}
    unit = f"Unit: {explanation.output['unit']}."
    data = {
        "kinds": [{"key": k, "label": WORDS[k], "about": f"{ABOUT[k]} {unit}"} for k in kinds],
        "ligand": drawn_atoms(
            complex_.ligand.xyz, symbols(complex_.ligand), labels(complex_.ligand),
            heavy_bonds(bonded(molecule), place), values=ligand_values,
        ),
        "pocket": drawn_atoms(
            pocket.xyz, symbols(pocket), labels(pocket), bonds_from_distances(pocket.xyz, pocket.element),
            values={k: _numbers(getattr(explanation, k)[atoms]) for k in kinds},
            residue=owner.tolist(), note=" (whole residue)",
        ),
        "residues": _residues(explanation, drawn, distances, set(ranked[:NAMED])),
        "backbone": backbone(explanation),
        "camera": camera(complex_.ligand.xyz, pocket.xyz),
    }  # fmt: skip
    return data


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


def backbone(explanation: Explanation) -> list[list[float] | None]:
    """The CA atoms near the ligand as a line; None where the chain is broken.

    Args:
        explanation: The explanation.
    """
    receptor = explanation.complex.receptor
    middle = explanation.complex.ligand.xyz.mean(axis=0)
    line: list[list[float] | None] = []
    last: NDArray[np.float32] | None = None
    for i, name in enumerate(receptor.name):
        if text(name) not in ("CA", "P"):
            continue
        here = receptor.xyz[i]
        near = float(np.linalg.norm(here - middle)) <= BACKBONE
        if not near or last is None or float(np.linalg.norm(here - last)) > 7.5:
            line.append(None)
        if near:
            line.append([round(float(c), 3) for c in here])
        last = here if near else None
    return line


def camera(ligand: NDArray[np.float32], pocket: NDArray[np.float32]) -> dict[str, Any]:
    """Look along the ligand's thinnest direction, from where less of the pocket is in the way.

    Args:
        ligand: (n, 3) Å.
        pocket: (m, 3) Å.
    """
    centred = ligand.astype(np.float64) - ligand.mean(axis=0)
    axes = np.linalg.svd(np.vstack([centred, np.eye(3) * 1e-3]), full_matrices=False)[2]
    look = axes[2]
    if len(pocket) and float(((pocket - ligand.mean(axis=0)) @ look).mean()) > 0:
        look = -look
    extent = np.ptp(np.vstack([ligand, pocket]), axis=0)
    eye = look * 0.95 * float(extent.max()) / max(float(np.cbrt(np.prod(extent))), 1.0)
    return {
        "eye": dict(zip("xyz", (round(float(c), 4) for c in eye), strict=True)),
        "up": dict(zip("xyz", (round(float(c), 4) for c in axes[1]), strict=True)),
        "center": {"x": 0, "y": 0, "z": 0},
    }


def _number(value: float) -> float | None:
    return round(float(value), 5) if math.isfinite(value) else None


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return [_number(value) for value in values]
