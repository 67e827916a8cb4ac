"""``view`` as a page: atoms in the box, and each channel's image as a surface or as voxels."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.runtime.files import whole
from affinity_zoo.zoo.see.drawn import drawn_interactions, drawn_ligand, drawn_receptor, drawn_rows, turned
from affinity_zoo.zoo.see.page import INTERACTIONS, SHOWN, page
from affinity_zoo.zoo.see.view import ImagedComplex

MOST_BYTES: Final = (
    3_000_000  #: largest number of voxels in the page, one byte each; keeps the page below 10 MB
)
MOST_VOXELS: Final = (
    48**3
)  #: largest number of voxels of a channel that a browser rotates smoothly as a surface

#: distinguishable for colour-blind people as far as possible (Okabe and Ito, then Tol's muted)
COLOURS: Final = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#882255", "#117733",
    "#332288", "#aa4499", "#999933", "#44aa99", "#661100", "#6699cc", "#888888",
    "#ee8866", "#77aadd", "#ee99aa", "#bbcc33", "#aaaa00", "#004488", "#994455", "#44bb99", "#bb5566", "#ddaa33",
    "#997700", "#225555", "#663333",
)  # fmt: skip

#: direction from which the box is seen at first
CAMERA: Final = (1.4, 1.05, 0.8)


def write_view_page(view: ImagedComplex, path: Path, command: str = "") -> Path:
    """Write the page.

    Args:
        view: Image of one complex, with its atoms.
        path: Output file.
        command: Command line, shown in the output.
    """
    box, found = view.box, view.complex
    plural = "" if len(view.channels) == 1 else "s"
    introduction = (
        f"<p>{escape(view.featurizer.name)}: {len(view.channels)} channel{plural} of {box.side}³ voxels, "
        f"{box.spacing:g} Å apart (a box of {box.extent:g} Å); view {view.number}"
        f"{' (as the files lie)' if view.number == 0 else ''}. "
        f"{int(view.inside.sum())} of {len(view.receptor)} receptor atoms lie in the box.</p>"
    )
    files = f"{found.receptor_file} with {found.pose_file}, record {found.pose.record}."
    about = f"<p class='soft'>{escape(files)}</p>"
    about += f"<pre>{escape(command)}</pre>" if command else ""
    data = view_data(view)
    side = (
        "<div class='controls'>"
        "<label>level <input type='range' id='level' min='0.05' max='0.95' step='0.05' value='0.4'></label>"
        "<label>opacity <input type='range' id='opacity' min='0.1' max='1' step='0.05' value='0.7'></label>"
        f"{SHOWN}<label><input type='checkbox' id='box' checked> box</label>"
        "<button id='none'>no channel</button> <button id='all'>all</button></div>"
        "<h2>Channels</h2><table><thead><tr><th></th><th>channel</th><th>voxels</th><th>largest</th></tr></thead>"
        "<tbody id='channels'></tbody></table>"
        "<p class='soft'>Densities are drawn as surfaces at the level times the channel's largest value, images of few "
        "values (tags, 0 and 1) as voxels, paler the smaller the value. Negative densities are drawn as a mesh.</p>"
    )
    if data["step"] > 1:
        side += (
            f"<p class='warning'>The image has {box.side}³ voxels; drawn are the largest values of blocks of "
            f"{data['step']}³, so that the page stays small.</p>"
        )
    side += INTERACTIONS
    made = page(
        f"{found.name} as {view.featurizer.name} images it", introduction, side, data, ("view.js",), about
    )
    with whole(path) as file:
        file.write(made)
    return path


def view_data(view: ImagedComplex) -> dict[str, Any]:
    """Return the data that the page's script draws.

    Args:
        view: Image of one complex, with its atoms.
    """
    step = thinning(view.box.side, sum(bool(view.image[..., c].any()) for c in range(len(view.channels))))
    rows = drawn_rows(view.complex)
    channels = []
    for c, row in enumerate(view.described()):
        values = thinned(view.image[..., c], step)
        largest = float(np.abs(values).max(initial=0.0))
        channels.append(
            {
                "name": row["channel"],
                "colour": COLOURS[c % len(COLOURS)],
                "voxels": row["voxels"],
                "largest": float(f"{row['max']:.4g}"),
                "least": float(f"{row['min']:.4g}"),
                "scale": largest,
                "surface": _smooth(values),
                "data": coded(values, largest) if row["voxels"] else "",
            }
        )
    shown = first_channels([c["name"] for c in channels], [r["sum"] for r in view.described()])
    return {
        "side": int(thinned(view.image[..., 0], step).shape[0]),
        "spacing": view.box.spacing * step,
        "origin": view.box.origin + 0.5 * (step - 1) * view.box.spacing,
        "half": view.box.extent / 2,
        "step": step,
        "channels": [{**channel, "shown": i in shown} for i, channel in enumerate(channels)],
        "ligand": drawn_ligand(view.complex, view.ligand),
        "receptor": {
            **drawn_receptor(view.complex, rows, view.receptor),
            "pocket": np.flatnonzero(view.inside[rows]).tolist(),
        },
        "interactions": drawn_interactions(view.complex, view.receptor, view.ligand),
        "turned": turned(np.array(CAMERA), np.array([0.0, 0.0, 1.0])),
    }


def thinning(side: int, channels: int) -> int:
    """Return the edge length of the blocks of voxels that are drawn as one voxel.

    Args:
        side: Voxels along an edge.
        channels: Number of channels.
    """
    step = 1
    while True:
        voxels = -((-side // step) ** 3)
        if voxels * max(channels, 1) <= MOST_BYTES and voxels <= MOST_VOXELS:
            return step
        step += 1


def thinned(values: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """The value of largest size in each block of step³ voxels, its sign kept.

    Args:
        values: (D, D, D).
        step: Edge of the blocks.
    """
    if step == 1:
        return values
    side = -(-values.shape[0] // step)
    padded = np.zeros((side * step,) * 3, np.float32)
    padded[tuple(slice(0, n) for n in values.shape)] = values
    blocks = (
        padded.reshape(side, step, side, step, side, step)
        .transpose(0, 2, 4, 1, 3, 5)
        .reshape(side, side, side, -1)
    )
    most = np.abs(blocks).argmax(axis=-1)
    return np.take_along_axis(blocks, most[..., None], axis=-1)[..., 0]


def coded(values: NDArray[np.float32], largest: float) -> str:
    """Values of -largest to largest as bytes 1 to 255 (128: 0), base64.

    Args:
        values: Values to encode.
        largest: Largest absolute value.
    """
    steps = np.rint(values / largest * 127.0)
    # a non-zero value must not be rounded to 0
    steps = np.where((steps == 0) & (values != 0), np.sign(values), steps)
    return base64.b64encode((steps + 128).astype(np.uint8).tobytes()).decode("ascii")


def first_channels(names: list[str], sums: list[float]) -> set[int]:
    """The channels that are shown at first: the three fullest, of the ligand where names say so.

    Args:
        names: Names of the channels.
        sums: Sum of each channel.
    """
    own = [i for i, name in enumerate(names) if "ligand" in name and sums[i]]
    candidates = own or [i for i in range(len(names)) if sums[i]]
    return set(sorted(candidates, key=lambda i: -abs(sums[i]))[:3])


def _smooth(values: NDArray[np.float32]) -> bool:
    """Return whether a channel has many values, like a density, and not only tags or 0 and 1."""
    return bool(len(np.unique(values)) > 40)
