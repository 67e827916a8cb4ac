"""From the arguments of ``view`` to its files and what it prints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from affinity_zoo.zoo.data.readers import ReadOptions
from affinity_zoo.zoo.runtime.terminal import print_json, say, table, warn
from affinity_zoo.zoo.see.view import ImagedComplex, box_from, featurizer_of, make_view


def viewed(
    receptor: Path,
    ligand: Path,
    *,
    model: str | None,
    featurizer: str | None,
    options: Mapping[str, str],
    box: tuple[int, float] | None,
    record: int,
    number: int,
    seed: int,
    runs: Path,
) -> ImagedComplex:
    """Make the view. Of a model only the recipe is read, unless its voxelizer is a custom layer.

    Args:
        receptor: Structure file.
        ligand: Pose file.
        model: Model directory or name; None: use ``featurizer``.
        featurizer: Name of a featurizer; None: the model's.
        options: Options by name.
        box: Voxels and spacing; None: the default.
        record: Record of the pose file, from 0.
        number: Number of the view.
        seed: Seed of the rotations.
        runs: Folder that holds ``x_logs`` and ``x_netstate`` of each run.

    Raises:
        AffinityZooError: model, featurizer or a file is missing or cannot be read.
    """
    if model is None:
        assert featurizer is not None
        made = featurizer_of(featurizer, options)
        where = box_from(box, made)
        _start_where_needed(_may_have_layer(made))
        return make_view(receptor, ligand, made, where, record=record, number=number, seed=seed)
    from affinity_zoo.zoo.models.folders import find_model_folder
    from affinity_zoo.zoo.models.loading import (
        box_of,
        load_model,
        plugins_of,
        read_model_recipe,
    )

    folder = find_model_folder(model, runs)
    recipe = read_model_recipe(folder)
    made, _ = plugins_of(recipe, folder)
    where = box_from(box, made, box_of(recipe))
    layer: Any = None
    if _may_have_layer(made):
        _start_where_needed(True)
        layer = load_model(folder).network.voxelizer if box is None else None
    read = ReadOptions.from_dict(recipe.data.read_options)
    return make_view(
        receptor, ligand, made, where, record=record, number=number, seed=seed, options=read, layer=layer
    )


def _may_have_layer(featurizer: Any) -> bool:
    """Return whether the featurizer may have a custom layer, which needs Keras."""
    from affinity_zoo.plugins.contracts import Featurizer

    return type(featurizer).voxelizer is not Featurizer.voxelizer


def _start_where_needed(needed: bool) -> None:
    if needed:
        from affinity_zoo.zoo.runtime.keras import start_keras

        start_keras()


def write(view: ImagedComplex, out: Path, command: str) -> Path:
    """Write the page or, for ``.png``, the picture.

    Args:
        view: Image of one complex, with its atoms.
        out: Output file.
        command: Command line, shown in the output.
    """
    if out.suffix.lower() == ".png":
        from affinity_zoo.zoo.see.view_picture import write_picture

        return write_picture(view, out)
    from affinity_zoo.zoo.see.view_page import write_view_page

    return write_view_page(view, out, command)


def report(view: ImagedComplex, out: Path, as_json: bool) -> None:
    """Print a summary of each channel.

    Args:
        view: Image of one complex, with its atoms.
        out: Output file.
        as_json: Print JSON on standard output, not tables.
    """
    rows, box, found = view.described(), view.box, view.complex
    if as_json:
        print_json(
            {
                "receptor": str(found.receptor_file),
                "pose": {"file": str(found.pose_file), "record": found.pose.record},
                "featurizer": {"name": view.featurizer.name, "options": view.featurizer.options()},
                "box": {"side": box.side, "spacing": box.spacing, "grid": box.grid},
                "view": view.number,
                "receptor_atoms_in_the_box": int(view.inside.sum()),
                "unknown_atoms": view.unknown,
                "channels": rows,
                "written": str(out),
            }
        )
        return
    filled = [row for row in rows if row["voxels"]]
    table(
        f"{found.name} as {view.featurizer.name} images it, {box.side}³ voxels of {box.spacing:g} Å",
        ["channel", "voxels that are not 0", "sum", "least", "largest"],
        [(r["channel"], r["voxels"], r["sum"], r["min"], r["max"]) for r in filled],
    )
    if empty := [row["channel"] for row in rows if not row["voxels"]]:
        say("empty: " + ", ".join(empty))
    if view.unknown:
        warn(f"{view.unknown} atoms that the featurizer cannot represent")
    for note in found.notes:
        warn(note)
    say(f"written: {out}")
