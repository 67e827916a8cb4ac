"""Commands: benchmarks, results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from affinity_zoo.zoo.commands import completion, options
from affinity_zoo.zoo.runtime.files import check_output


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    benchmarks = typer.Typer(
        help="Register labelled sets as benchmarks, so that results can be compared.", no_args_is_help=True
    )
    benchmarks.command("add")(benchmarks_add)
    benchmarks.command("list")(benchmarks_list)
    benchmarks.command("show")(benchmarks_show)
    benchmarks.command("pack")(benchmarks_pack)
    app.add_typer(benchmarks, name="benchmarks", rich_help_panel=options.TRAIN)
    results = typer.Typer(help="Exchange results between machines.", no_args_is_help=True)
    results.command("pack")(results_pack)
    results.command("add")(results_add)
    app.add_typer(results, name="results", rich_help_panel=options.TRAIN)


def benchmarks_add(
    name: Annotated[str, typer.Argument(help="Name of the new benchmark.")],
    data: Annotated[
        Path, typer.Argument(help="Folder made by `affinity-zoo index`, or an archive of `benchmarks pack`.")
    ],
    split: Annotated[
        str, typer.Option(help="Rows of the benchmark: all, test, validation or train.")
    ] = "all",
    sources: Annotated[str, typer.Option(help="Sources of the poses, comma-separated; default: all.")] = "",
    about: Annotated[str, typer.Option(help="Description of the benchmark, one sentence.")] = "",
    baselines: Annotated[bool, typer.Option(help="Evaluate the baselines on the benchmark.")] = True,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a benchmark that has the same name but other content.")
    ] = False,
    index: Annotated[
        Path | None,
        typer.Option(help="For an archive: index on this machine with the structures."),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("summaries"),
) -> None:
    """Register a labelled set as a benchmark, and evaluate the baselines on it.

    Example: affinity-zoo benchmarks add csar DATA --split all
    """
    from affinity_zoo.zoo.board import benchmarks
    from affinity_zoo.zoo.data.store.dataset import Dataset
    from affinity_zoo.zoo.runtime import terminal

    if data.is_file():
        from affinity_zoo.zoo.board.benchmark_pack import add_benchmark

        made = add_benchmark(data, root=runs, name=name, data=index, swap=replace)
        what = (
            "with its structures"
            if index is not None
            else "labels without structures: it can only evaluate results"
        )
        terminal.say(f"{name}: {made.rows} pairs of {made.targets} targets, {what}")
        return
    dataset = Dataset.open(data)
    wanted = tuple(part.strip() for part in sources.split(",") if part.strip())
    made = benchmarks.describe(name, dataset, split, wanted, about)
    path = benchmarks.add(runs, made, swap=replace)
    terminal.say(
        f"{name}: {made.rows} pairs of {made.targets} targets, labels {made.labels_hash[:12]}; wrote {path}"
    )
    if baselines:
        from affinity_zoo.zoo.board.baseline_results import judge_baselines

        written = judge_baselines(
            runs / "baselines", dataset, benchmarks.select_rows(dataset, split, wanted), made
        )
        terminal.say(
            f"{len(written)} baselines evaluated; `affinity-zoo evaluate RUN {name}` adds a model to the same board"
        )


def benchmarks_list(
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("summaries"),
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List the benchmarks.

    Example: affinity-zoo benchmarks list
    """
    from dataclasses import asdict

    from affinity_zoo.zoo.board import benchmarks
    from affinity_zoo.zoo.runtime import terminal

    known = benchmarks.load_all(runs)
    if json:
        terminal.print_json([asdict(benchmark) for benchmark in known])
        return
    rows = [
        [b.name, b.rows, b.targets, ", ".join(b.counts), b.split, b.labels_hash[:12], b.path] for b in known
    ]
    terminal.table(
        "benchmarks", ["name", "pairs", "targets", "true values", "split", "labels", "index"], rows
    )


def benchmarks_show(
    name: Annotated[str, typer.Argument(help="Name of the benchmark.", autocompletion=completion.benchmarks)],
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("summaries"),
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show a benchmark, and check that its index is unchanged.

    Example: affinity-zoo benchmarks show csar
    """
    from dataclasses import asdict

    from affinity_zoo.plugins.errors import AffinityZooError
    from affinity_zoo.zoo.board import benchmarks
    from affinity_zoo.zoo.runtime import terminal

    found = benchmarks.find(runs, name)
    changed = benchmarks.check(found)
    if json:
        terminal.print_json({**asdict(found), "changed": changed})
    else:
        rows = [
            [key, ", ".join(value) if isinstance(value, tuple) else value]
            for key, value in asdict(found).items()
        ]
        rows = [row for row in rows if row[0] != "counts"]
        for truth, count in found.counts.items():
            rows.append([truth, ", ".join(f"{key} {number:g}" for key, number in count.items())])
        terminal.table(name, ["what", "value"], [*rows, ["state", changed or "unchanged"]])
    if changed:
        raise AffinityZooError(f"benchmark {name!r} cannot be used: {changed}")


def benchmarks_pack(
    name: Annotated[str, typer.Argument(help="Name of the benchmark.", autocompletion=completion.benchmarks)],
    out: Annotated[Path, typer.Option("--out", "-o", help="Archive to write.")],
    ids_only: Annotated[
        bool, typer.Option("--ids-only", help="Pack only ids and hashes, without labels.")
    ] = False,
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("summaries"),
) -> None:
    """Write a benchmark's pairs and labels into an archive, without the structures.

    Example: affinity-zoo benchmarks pack csar -o csar.zip
    """
    from affinity_zoo.zoo.board.benchmark_pack import pack_benchmark
    from affinity_zoo.zoo.runtime import terminal

    packed = pack_benchmark(name, check_output(out), root=runs, ids_only=ids_only)
    terminal.say(f"wrote {out}: {packed.rows} {'ids' if ids_only else 'pairs with their labels'}")


def results_pack(
    run: Annotated[
        list[str],
        typer.Argument(help="Numbers of runs, or folders with results.", autocompletion=completion.runs),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Archive to write.")],
    weights: Annotated[bool, typer.Option("--weights", help="Pack the models' weights too.")] = False,
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("summaries"),
) -> None:
    """Write results, predictions, recipes and cards of some runs into an archive.

    Example: affinity-zoo results pack 1 2 -o results.zip
    """
    from affinity_zoo.zoo.board.pack import pack_results
    from affinity_zoo.zoo.runtime import terminal

    packed = pack_results(run, check_output(out), root=runs, weights=weights)
    terminal.say(
        f"wrote {out}: {len(packed)} results; `affinity-zoo results add {out.name}` adds them on another machine"
    )


def results_add(
    source: Annotated[Path, typer.Argument(help="Archive of `results pack`, or a folder with results.")],
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("summaries"),
) -> None:
    """Add results from elsewhere; metrics are recomputed if the benchmark is available.

    Example: affinity-zoo results add results.zip
    """
    from affinity_zoo.zoo.board.pack import add_results
    from affinity_zoo.zoo.runtime import terminal

    added = add_results(source, root=runs)
    for reason in added.refused:
        terminal.warn(f"refused: {reason}")
    if added.unchecked:
        names = ", ".join(dict.fromkeys(str(result.benchmark["name"]) for result in added.unchecked))
        terminal.warn(
            f"the benchmarks {names} are not available: labels and groups are taken from the results"
        )
    terminal.say(f"added {len(added.results)} results to {added.folder}")
    if added.refused:
        raise typer.Exit(3)
