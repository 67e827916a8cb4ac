"""Commands on poses: label, decoys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    app.command("label")(label)


def label(
    poses: Annotated[list[Path], typer.Argument(help="Pose files, or folders with them.")],
    reference: Annotated[Path, typer.Option("--reference", "-r", help="The true pose: SDF, MOL2, PDB, ...")],
    near: Annotated[float, typer.Option(help="Below this RMSD (Å) pose_label is 1.")] = 2.0,
    far: Annotated[float, typer.Option(help="Above this RMSD (Å) pose_label is 0.")] = 4.0,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="CSV file to write; default: a table.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the labels as JSON.")] = False,
) -> None:
    """Measure the RMSD of poses to a crystal pose (in place, symmetry-corrected) and label them."""
    from affinity_zoo.zoo import terminal
    from affinity_zoo.zoo.data.files import write_csv
    from affinity_zoo.zoo.data.labels import COLUMNS, label_poses

    found = list(label_poses(poses, reference, near=near, far=far))
    rows = [item.as_dict() for item in found]
    if out is not None:
        write_csv(out, COLUMNS, rows)
    failed = [item for item in found if item.rmsd is None]
    counts = {
        "near_native": sum(item.pose_label == 1 for item in found),
        "between": sum(item.pose_label is None and item.rmsd is not None for item in found),
        "wrong": sum(item.pose_label == 0 for item in found),
        "failed": len(failed),
    }
    if json:
        terminal.print_json({"near": near, "far": far, "counts": counts, "out": out, "poses": rows})
    else:
        if out is None:
            cells = [(i.file, i.record, i.name, i.rmsd, i.pose_label, i.notes or i.reason) for i in found]
            terminal.table("", ["file", "record", "name", "RMSD (Å)", "pose_label", "notes"], cells)
        terminal.say(
            f"{len(found)} poses: {counts['near_native']} under {near:g} Å (pose_label 1), {counts['between']} between "
            f"(no label), {counts['wrong']} over {far:g} Å (pose_label 0)"
            + (f", written to {out}" if out else "")
        )
        if failed:
            first = failed[0]
            terminal.warn(
                f"{len(failed)} poses have no RMSD, the first is {first.file} record {first.record}: {first.reason}"
            )
    raise typer.Exit(1 if len(failed) == len(found) else 3 if failed else 0)
