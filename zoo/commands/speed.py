"""Commands: speed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from affinity_zoo.zoo.commands import options

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

speed_app = typer.Typer(
    invoke_without_command=True, no_args_is_help=False, help="Measure the speed of all parts on this machine."
)


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    app.add_typer(speed_app, name="speed", rich_help_panel=options.PARTS)


@speed_app.callback()
def speed(
    context: typer.Context,
    inputs: Annotated[
        Path | None, typer.Option(help="File (.npz) of typed complexes; default: synthetic complexes.")
    ] = None,
    peer: Annotated[str | None, typer.Option(help="Other library to compare with: molgrid.")] = None,
    peer_python: Annotated[
        str | None, typer.Option(help="Python interpreter with this library (molgrid needs numpy < 2).")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Part: kernels, feed, training or memory; may be repeated.")
    ] = None,
    passes: Annotated[int, typer.Option(help="Number of passes over the inputs per grid.")] = 5,
    batch_size: Annotated[int, typer.Option(help="Batch size of the training.", min=1)] = 32,
    workers: Annotated[int, typer.Option(help="Number of threads that make batches.", min=1)] = 2,
    steps: Annotated[int, typer.Option(help="Number of training steps per round.", min=1)] = 8,
    data: Annotated[
        Path | None, typer.Option(help="Index of the poses; default: synthetic complexes.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure the speed of kernels, input pipeline, training and scoring.

    Example: affinity-zoo speed --only kernels
    """
    if context.invoked_subcommand:
        return
    from affinity_zoo.zoo.runtime import terminal
    from affinity_zoo.zoo.speed.feed import FIGURES
    from affinity_zoo.zoo.speed.suite import measure

    report = measure(
        inputs,
        peer,
        peer_python,
        only or ("kernels", "feed", "training"),
        passes,
        batch_size,
        workers,
        steps,
        data,
        lambda line: terminal.note(f"measuring {line} ..."),
    )
    if not as_json:
        _show(report)
    elif list(only or ()) == ["feed"]:
        terminal.print_json({"feed": [{name: row[name] for name in FIGURES} for row in report["feed"]]})
    else:
        terminal.print_json(report)


@speed_app.command()
def device(
    batch_size: Annotated[int, typer.Option(help="Number of samples per batch.", min=1)] = 64,
    steps: Annotated[int, typer.Option(help="Number of timed steps.", min=2)] = 50,
    out: Annotated[Path | None, typer.Option(help="File for the report.")] = None,
    as_json: Json = False,
) -> None:
    """Measure the speed of voxelizers and training on the accelerator.

    Example: affinity-zoo speed device --batch-size 64
    """
    from affinity_zoo.zoo.runtime import terminal
    from affinity_zoo.zoo.speed.device import measure

    report = measure(
        batch_size,
        steps,
        lambda line: terminal.note(f"measuring {line} ..."),
    )
    if out is not None:
        import json

        from affinity_zoo.zoo.runtime.files import whole

        with whole(out) as file:
            json.dump(report, file, indent=2)
    if as_json:
        terminal.print_json(report)
    else:
        _show_device(report)


@speed_app.command()
def score(
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="Model or ensemble: a directory or a name; else gnina's default2018 with random weights.",
        ),
    ] = None,
    receptor: Annotated[
        Path | None, typer.Option("--receptor", "-r", help="Structure of the receptor; default: 7PBL.")
    ] = None,
    ligand: Annotated[
        Path | None, typer.Option("--ligand", "-l", help="SDF file of its poses; default: generated.")
    ] = None,
    poses: Annotated[int, typer.Option(help="Number of generated poses.", min=1)] = 512,
    rounds: Annotated[
        int, typer.Option(help="Number of rounds of each program; the median counts.", min=1)
    ] = 3,
    batch_size: Annotated[int, typer.Option(help="Number of images per batch.", min=1)] = 32,
    peer_python: Annotated[
        str | None,
        typer.Option(
            help="Python interpreter with molgrid and torch, to compare with the same network there."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure the time from an SDF file with poses of one receptor to a ranked CSV.

    Example: affinity-zoo speed score --poses 256
    """
    from affinity_zoo.plugins.errors import UsageError
    from affinity_zoo.zoo.runtime import terminal
    from affinity_zoo.zoo.runtime.keras import start_keras

    if (receptor is None) != (ligand is None):
        raise UsageError("give both -r and -l, or neither")
    from affinity_zoo.zoo.importers.first_use import model_folders

    folders = [] if model is None else model_folders([model])
    start_keras()
    from affinity_zoo.zoo.speed.scoring import measure

    report = measure(
        folders, receptor, ligand, poses, rounds, batch_size, peer_python,
        lambda line: terminal.note(f"measuring {line} ..."),
    )  # fmt: skip
    if as_json:
        terminal.print_json(report)
    else:
        _show_scoring(report)


@speed_app.command()
def index(
    seconds: Annotated[float, typer.Option(help="Approximate time per format, seconds.", min=0.05)] = 1.0,
    as_json: Json = False,
) -> None:
    """Measure the speed of reading each file format, compared with ProDy or RDKit.

    Example: affinity-zoo speed index
    """
    from affinity_zoo.zoo.runtime import terminal
    from affinity_zoo.zoo.speed import index as indexing

    if as_json:
        terminal.print_json(indexing.as_dicts(seconds))
        return
    measured = [
        (row.what, f"{row.ours:,.0f}", f"{row.plain:,.0f}", f"{row.ratio:.2f}", row.plain_loop)
        for row in indexing.rows(seconds)
    ]
    names = ("read", "ours, records/s", "plain, records/s", "ratio", "plain loop")
    terminal.table("Reading, one core", names, measured)


def _show(report: dict[str, Any]) -> None:
    from affinity_zoo.zoo.runtime import terminal

    where = report["machine"]
    terminal.say(f"{where['processor']}, {where['cores']} cores, load {where['load']}")
    if "kernels" in report:
        rows = [
            (
                row["grid"],
                f"{row['ours_per_s']:,.0f}",
                "" if row["peer_per_s"] is None else f"{row['peer_per_s']:,.0f}",
                "" if row["ratio"] is None else f"{row['ratio']:.2f}",
                row["target"],
            )
            for row in report["kernels"]
        ]
        names = ("image", "ours, images/s", "peer, images/s", "ratio", "to reach")
        terminal.table("Kernels, one core", names, rows, report["inputs"])
    if "parity" in report:
        terminal.say(
            f"largest difference from the peer: gaussian {report['parity']['gaussian']:.1e} in a voxel; "
            f"binary: {report['parity']['binary']:.1e} of the voxels differ"
        )
    if "feed" in report:
        feeds = [
            (
                row["featurizer"],
                "atoms" if row["place"] == "device" else "images",
                str(row["threads"]),
                f"{row['poses_per_s']:,}",
                f"{row['poses_per_cpu_s']:,}",
                f"{row['bytes_per_pose']:,}",
            )
            for row in report["feed"]
        ]
        feed_names = (
            "featurizer",
            "makes",
            "threads",
            "poses/s",
            "poses/s of processor time",
            "bytes/pose",
        )
        terminal.table("Feed: batches of 64, later epochs", feed_names, feeds)
    if "training" in report:
        headings = (
            "featurizer",
            "architecture",
            "pipeline alone",
            "one batch",
            "with pipeline",
            "ratio",
            "scoring",
        )
        trained = [
            (
                row["featurizer"],
                row["architecture"],
                f"{row['pipeline_per_s']:,.0f}",
                f"{row['training']['constant_per_s']:,.1f}",
                f"{row['training']['pipeline_per_s']:,.1f}",
                f"{row['training']['overhead']:.2f}",
                f"{row['scoring_per_s']:,.1f}",
            )
            for row in report["training"]
        ]
        terminal.table(
            "Training and scoring, samples/s", headings, trained, "ratio: with the pipeline / on one batch"
        )
    if "memory" in report:
        peaks = [
            (f"{row['rows']:,}", f"{row['peak_mib']:,.0f}", f"{row['ratio']:.2f}") for row in report["memory"]
        ]
        terminal.table("Memory of one epoch of the pipeline", ("rows", "peak, MiB", "ratio"), peaks)


def _show_device(report: dict[str, Any]) -> None:
    from affinity_zoo.zoo.runtime import terminal

    terminal.say(f"{report['device']}, Keras on {report['backend']}")
    images = [
        (
            row["image"],
            f"{row['images_per_s']:,.0f}",
            f"{row['alone_per_s']:,.0f}",
            f"{row['alone_gb_per_s']:,.1f}",
        )
        for row in report["voxelizers"]
    ]
    terminal.table(
        "Voxelizers on the device", ("image", "from the host, images/s", "alone, images/s", "GB/s"), images
    )
    rows = [
        (
            row["featurizer"],
            row["architecture"],
            f"{row['feed_per_s']:,.0f}",
            f"{row['training_per_s']:,.0f}",
            f"{row['one_batch_per_s']:,.0f}",
            f"{row['network_only_per_s']:,.0f}",
            f"{row['device_waits']:.0%}",
            f"{row['outside_network']:.0%}",
            f"{row['bytes_per_pose']:,}",
            f"{row['network_tflop_per_s']:.2f}",
            f"{row['ancestor_epoch_minutes']:,.1f}",
        )
        for row in report["training"]
    ]
    names = (
        "featurizer", "architecture", "feed alone", "images/s", "on one batch", "network alone", "device waits",
        "outside the network", "bytes/pose", "network, TFLOP/s", "ancestor's epoch, min",
    )  # fmt: skip
    terminal.table(
        "Training, mixed precision", names, rows, "the ancestor's epoch: 30,000 complexes x 11 poses"
    )


def _show_scoring(report: dict[str, Any]) -> None:
    from statistics import median

    from affinity_zoo.zoo.runtime import terminal

    where = report["machine"]
    terminal.say(f"{where['processor']}, {where['cores']} cores, load {where['load']}")
    sides = [("affinity-zoo, SDF to ranked CSV", report["ours_ms"], report["ours_processor_ms"])]
    if "peer" in report:
        sides.append(
            (f"{report['peer']}, typed poses to scores", report["peer_ms"], report["peer_processor_ms"])
        )
    rows = [
        (name, f"{median(wall):.2f}", f"{min(wall):.2f} to {max(wall):.2f}", f"{median(processor):.2f}")
        for name, wall, processor in sides
    ]
    names = ("side", "ms a pose", "range", "processor ms")
    terminal.table(f"Scoring {report['poses']} poses with {report['model']}", names, rows)
    if "peer" in report:
        worst = report["largest_difference"]
        terminal.say(
            f"ratio {report['ratio']:.2f} (to reach 2); largest difference: score {worst['score']:.1e}, "
            f"affinity {worst['affinity']:.1e} pK"
        )
