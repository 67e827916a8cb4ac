"""``view`` as a picture: a projection of each channel along one axis, with the atoms in the box."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.chem.symmetry import bonds_from_distances
from affinity_zoo.zoo.runtime.files import whole
from affinity_zoo.zoo.see.complexes import symbols
from affinity_zoo.zoo.see.view import ImagedComplex

MOST_PANELS: Final = 48
ELEMENT_COLOURS: Final = {
    "C": "#555555", "N": "#3050f8", "O": "#e02020", "S": "#c8a000", "P": "#ff8000",
    "F": "#1fb01f", "CL": "#1fb01f", "BR": "#a62929", "I": "#940094",
}  # fmt: skip


def needs_matplotlib() -> None:
    """Check that a picture can be made.

    Raises:
        AffinityZooError: matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise AffinityZooError(
            "a PNG picture needs matplotlib: pip install 'affinity-zoo[see]', or write a page: `out` FILE.html"
        )


def write_picture(view: ImagedComplex, path: Path, dpi: int = 100) -> Path:
    """Write a PNG: the complex, then one panel for each channel that is not empty, largest values along z.

    Args:
        view: Image of one complex, with its atoms.
        path: Output file.
        dpi: Dots per inch.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    filled = [c for c in range(len(view.channels)) if view.image[..., c].any()]
    shown = filled[: MOST_PANELS - 1]
    columns = min(6, max(2, int(np.ceil(np.sqrt(len(shown) + 1)))))
    rows = -(-(len(shown) + 1) // columns)
    figure = Figure(figsize=(2.3 * columns, 2.6 * rows + 0.5), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    figure.suptitle(_title(view, len(filled), len(shown)), fontsize=10)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    _complex(panels[0], view)
    for panel, c in zip(panels[1:], shown, strict=False):
        _channel(panel, view, c)
    for panel in panels[len(shown) + 1 :]:
        panel.axis("off")
    with whole(path, "wb") as file:
        canvas.print_png(file, metadata={"Software": None}, pil_kwargs={"optimize": True})
    return path


def _title(view: ImagedComplex, filled: int, shown: int) -> str:
    box = view.box
    empty = len(view.channels) - filled
    left = f", {filled - shown} more not drawn" if filled > shown else ""
    return (
        f"{view.complex.name} as {view.featurizer.name} images it: {box.side}³ voxels of {box.spacing:g} Å, "
        f"view {view.number}\nlargest value along z; {filled} channels filled, {empty} empty{left}"
    )


def _frame(panel: Any, view: ImagedComplex, title: str) -> None:
    half = view.box.extent / 2
    panel.set(
        xlim=(-half - 0.5, half + 0.5), ylim=(-half - 0.5, half + 0.5), aspect="equal", xticks=[], yticks=[]
    )
    panel.set_title(title, fontsize=7, pad=3)
    for spine in panel.spines.values():
        spine.set_visible(False)
    panel.plot([-half, half, half, -half, -half], [-half, -half, half, half, -half], color="#444444", lw=0.8)


def _complex(panel: Any, view: ImagedComplex) -> None:
    _frame(panel, view, f"complex\nbox of {view.box.extent:g} Å")
    inside = np.flatnonzero(view.inside)
    receptor = view.complex.receptor
    _sticks(panel, view.receptor[inside], receptor.element[inside], "#bbbbbb", 0.6)
    _sticks(panel, view.ligand, view.complex.ligand.element, "#222222", 1.6)
    colours = [ELEMENT_COLOURS.get(s.upper(), "#777777") for s in symbols(view.complex.ligand)]
    panel.scatter(view.ligand[:, 0], view.ligand[:, 1], s=9, c=colours, zorder=3)


def _sticks(panel: Any, xyz: Any, element: Any, colour: str, width: float) -> None:
    from matplotlib.collections import LineCollection

    bonds = bonds_from_distances(xyz, element)
    panel.add_collection(
        LineCollection([xyz[[a, b], :2] for a, b in bonds.tolist()], colors=colour, linewidths=width)
    )


def _channel(panel: Any, view: ImagedComplex, c: int) -> None:
    values = view.image[..., c]
    most = np.abs(values).max(axis=2)
    largest = float(most.max())
    half = view.box.extent / 2 if view.box.grid == "cells" else view.box.extent / 2 + view.box.spacing / 2
    _frame(panel, view, f"{view.channels[c]}\nlargest {values.flat[np.abs(values).argmax()]:.3g}")
    panel.imshow(
        most.T, origin="lower", extent=(-half, half, -half, half), cmap="Blues", vmin=0, vmax=largest,
        interpolation="nearest", zorder=0,
    )  # fmt: skip
    _sticks(panel, view.ligand, view.complex.ligand.element, "#d55e00", 0.7)
