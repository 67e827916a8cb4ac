"""Commands on poses: label, decoys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.commands import options
from affinity_zoo.zoo.decoys.methods import METHODS, method_of


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    app.command("label", rich_help_panel=options.DATA)(label)
    app.command("decoys", rich_help_panel=options.DATA)(decoys)


def label(
    poses: Annotated[list[Path], typer.Argument(help="Pose files, or folders with them.")],
    reference: Annotated[
        Path, typer.Option("--reference", "-r", help="File of the crystal pose: SDF, MOL2, PDB, ...")
    ],
    near: Annotated[float, typer.Option(help="Largest RMSD (Å) of near-native poses (pose_label 1).")] = 2.0,
    far: Annotated[float, typer.Option(help="Smallest RMSD (Å) of wrong poses (pose_label 0).")] = 4.0,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="CSV file to write; default: a table.")
    ] = None,
    validity: Annotated[
        bool,
        typer.Option(
            "--validity", help="Also check bond lengths, angles, clashes and strain; needs --receptor."
        ),
    ] = False,
    receptor: Annotated[
        Path | None, typer.Option("--receptor", help="Structure of the receptor, for --validity.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the labels as JSON.")] = False,
) -> None:
    """Measure the RMSD of poses to a crystal pose, and label them.

    Example: affinity-zoo label docked.sdf --reference crystal.sdf -o labels.csv
    """
    from affinity_zoo.zoo.data.labels import COLUMNS, FRAME, label_poses
    from affinity_zoo.zoo.runtime import terminal
    from affinity_zoo.zoo.runtime.files import write_csv
    from affinity_zoo.zoo.validity.check import method_of, note_of
    from affinity_zoo.zoo.validity.columns import columns_of

    method = method_of(validity)
    if method and receptor is None:
        raise UsageError(
            "--validity needs --receptor FILE: distances and overlap are measured to the receptor"
        )
    found = list(label_poses(poses, reference, near=near, far=far))
    rows = [item.as_dict() for item in found]
    if method and receptor is not None:
        from affinity_zoo.zoo.validity.labels import with_validity

        checked = with_validity(found, receptor, method)
        rows = [{**row, **more} for row, more in zip(rows, checked, strict=True)]
    if out is not None:
        write_csv(out, (*COLUMNS, *columns_of(method)), rows)
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
        if method:
            _say_valid(rows, note_of(method))
        if failed:
            first = failed[0]
            terminal.warn(
                f"{len(failed)} poses have no RMSD, the first is {first.file} record {first.record}: {first.reason}"
            )
    nearest = min((item.rmsd for item in found if item.rmsd is not None), default=0.0)
    if nearest > FRAME:
        terminal.warn(
            f"the nearest pose is {nearest:.1f} Å from the reference: are both in the frame of the same receptor?"
        )
    raise typer.Exit(1 if len(failed) == len(found) else 3 if failed else 0)


def _say_valid(rows: Sequence[Mapping[str, Any]], note: str) -> None:
    """Print how many poses are valid, and why the first was not checked."""
    from affinity_zoo.zoo.runtime import terminal

    values = [row["pose_valid"] for row in rows]
    terminal.say(
        f"{values.count(1)} poses valid, {values.count(0)} not, {values.count(None)} not checked; {note}"
    )
    if None in values:
        first = rows[values.index(None)]
        terminal.warn(
            f"{values.count(None)} poses were not checked, the first is {first['file']} record {first['record']}: "
            f"{first['validity_reason']}"
        )


def decoys(
    data: Annotated[Path, typer.Argument(help="Folder that `affinity-zoo index` made.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write; `index` reads it.")],
    method: Annotated[
        str,
        typer.Option(
            help="Method: " + ", ".join(f"{name} ({entry.about})" for name, entry in METHODS.items()) + "."
        ),
    ] = "dock",
    keep: Annotated[
        str | None,
        typer.Option(
            help="Poses that `sample` keeps: all, or labelled (none between 2 Å and --min-rmsd).",
            show_default="all",
        ),
    ] = None,
    cross: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="With `sample`: number of other ligands of the same target docked into each receptor, unlabelled.",
            show_default="0",
        ),
    ] = None,
    per_ligand: Annotated[int, typer.Option(help="Number of decoys per crystal pose.")] = 10,
    min_rmsd: Annotated[float, typer.Option(help="Smallest RMSD (Å) of decoys from the crystal pose.")] = 4.0,
    seed: Annotated[int, typer.Option(help="Random seed of all poses.")] = 0,
    exhaustiveness: Annotated[
        int | None, typer.Option(help="With `dock`: exhaustiveness of the docking search.", show_default="4")
    ] = None,
    modes: Annotated[
        int | None,
        typer.Option(help="With `dock` or `sample`: number of poses per docking.", show_default="40"),
    ] = None,
    passes: Annotated[
        int | None,
        typer.Option(
            help="With `dock`: largest number of dockings per ligand, with different seeds.",
            show_default="3",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Number of worker processes; 0: none. Default: one per processor.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Time limit for one complex, seconds.")] = 600.0,
    dask: Annotated[str, typer.Option("--dask", help="Address of a Dask scheduler to run on.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Make decoys for the crystal poses of an index; the same command resumes a run.

    Example: affinity-zoo decoys DATA -o decoys --method sample
    """
    from affinity_zoo.zoo.decoys.run import make_decoys
    from affinity_zoo.zoo.runtime import terminal
    from affinity_zoo.zoo.runtime.dask_cluster import dask_cluster

    made = make_decoys(
        data,
        out,
        method=method_of(
            method, exhaustiveness=exhaustiveness, modes=modes, passes=passes, keep=keep, cross=cross
        ),
        per_ligand=per_ligand,
        min_rmsd=min_rmsd,
        seed=seed,
        workers=workers,
        timeout=timeout,
        make_executor=dask_cluster(dask) if dask else None,
    )
    if json:
        terminal.print_json(made.as_dict())
    else:
        rows = [("written", kind, n) for kind, n in made.positives.items()] + [
            ("written", "decoy", made.decoys)
        ]
        rows += [("dropped", reason, n) for reason, n in made.dropped.items()]
        title = f"{made.out}: {made.complexes:,} complexes, {made.decoys:,} decoys ({made.method})"
        caption = f"{made.seconds:.1f} s" + (
            f"; {made.resumed} complexes were made before" if made.resumed else ""
        )
        terminal.table(title, ["", "what", "poses"], rows, caption)
        if made.fewer:
            listed = ", ".join(
                f"{name} ({n})" for name, n in sorted(made.fewer.items(), key=lambda i: (i[1], i[0]))
            )
            terminal.say(f"fewer than {per_ligand} decoys: {listed}")
        for name, reason in made.failed.items():
            terminal.warn(f"{name}: {reason}")
        terminal.say(f"next: affinity-zoo index {made.out} -o DATA")
    raise typer.Exit(made.exit_code)
