"""Commands: leaderboard, compare, report, benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from affinity_zoo.zoo.commands import options
from affinity_zoo.zoo.runtime.files import check_output


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    app.command("leaderboard", rich_help_panel=options.TRAIN)(leaderboard)
    app.command("compare", rich_help_panel=options.TRAIN)(compare)
    app.command("report", rich_help_panel=options.TRAIN)(report)
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


def leaderboard(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Run folders, folders of runs, or result files; default: summaries."),
    ] = None,
    benchmark: Annotated[
        str | None, typer.Option(help="Benchmark to show: name or start of its hash.")
    ] = None,
    sort: Annotated[str | None, typer.Option(help="Metric to sort by; default: the first.")] = None,
    csv: Annotated[Path | None, typer.Option(help="CSV file to write, with one line per metric.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Markdown file to write.")] = None,
    html: Annotated[Path | None, typer.Option(help="Self-contained HTML page with plots to write.")] = None,
    site: Annotated[
        Path | None, typer.Option(help="Folder of HTML pages to write: benchmarks, models, comparisons.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Show every metric, not only the first.")] = False,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Show every baseline, not only the best two and chance.")
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Recompute every metric from scores and benchmark, and baselines on all pairs."
        ),
    ] = False,
) -> None:
    """Compare all results: best first, with 95 % intervals and the baselines.

    Example: affinity-zoo leaderboard summaries --html board.html
    """
    from affinity_zoo.zoo.board.leaderboard import build_boards
    from affinity_zoo.zoo.board.leaderboard_text import as_csv, as_json, as_markdown
    from affinity_zoo.zoo.board.terminal_board import fitting
    from affinity_zoo.zoo.runtime import terminal
    from affinity_zoo.zoo.runtime.files import whole

    boards = build_boards(paths or [Path("summaries")], benchmark=benchmark, sort_by=sort, recompute=verify)
    for reason in boards[0].refused:
        terminal.warn(reason)
    written: list[Path] = []
    for path, text in ((csv, as_csv), (markdown, as_markdown)):
        if path is not None:
            with whole(path) as file:
                file.write(text(boards))
            written.append(path)
    if html is not None:
        from affinity_zoo.zoo.reports.page import write_report

        written.append(write_report(html, boards))
    if site is not None:
        from affinity_zoo.zoo.reports.site import write_site

        written.append(write_site(site, boards))
    if json:
        terminal.print_json(as_json(boards))
        return
    for board in boards:
        shown = fitting(board, terminal.console().width, every, baselines)
        caption = "↑ higher is better, ↓ lower is better; [95 % interval]; (name): a baseline, no network"
        left = [
            f"{number} more {what} with {flag}"
            for number, what, flag in (
                (len(board.columns) - shown.metrics, "metrics", "--all"),
                (shown.baselines, "baselines", "--baselines"),
            )
            if number > 0
        ]
        title = f"{board.benchmark}: {board.pairs} pairs, best first by {board.sorted_by}"
        title += f"; intervals over {board.intervals}" if board.intervals else ""
        terminal.table(title, shown.headings, shown.rows, "; ".join([caption, *left]), unbroken=True)
        if not board.verified:
            terminal.note(board.checked)
    for path in written:
        terminal.say(f"wrote {path}")


def report(
    run: Annotated[str, typer.Argument(help="Number of the run, or one of its folders.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="HTML page to write; default: x_logs/report.html.")
    ] = None,
    benchmark: Annotated[str | None, typer.Option(help="Benchmark to show.")] = None,
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("summaries"),
) -> None:
    """Write a page about a run: metrics, curves, misses and baselines.

    Example: affinity-zoo report 1 -o run1.html
    """
    from affinity_zoo.zoo.models.run_folder import RunFolder
    from affinity_zoo.zoo.reports.page import report_run
    from affinity_zoo.zoo.runtime import terminal

    folder = RunFolder.find(run, runs)
    page = out if out is not None else folder.logs / "report.html"
    terminal.say(f"wrote {report_run(folder.logs, folder.root / 'baselines', page, benchmark)}")


def compare(
    a: Annotated[str, typer.Argument(help="First model: run number, folder, result file, or name of a row.")],
    b: Annotated[str, typer.Argument(help="Second model, in the same forms.")],
    benchmark: Annotated[
        str | None, typer.Option(help="Benchmark to compare on, where both have several.")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("summaries"),
    scorer: Annotated[list[str] | None, typer.Option(help="Scorer to compare by; may be repeated.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Compare two models by a paired bootstrap on the same rows.

    Example: affinity-zoo compare 1 2 --benchmark csar
    """
    from affinity_zoo.zoo.board.comparison import compare as run
    from affinity_zoo.zoo.board.comparison import find_pair
    from affinity_zoo.zoo.catalog.registry import catalog
    from affinity_zoo.zoo.runtime import terminal

    chosen = [catalog().create("scorer", name, {}) for name in scorer or []] or None
    found = run(*find_pair(a, b, runs, benchmark), scorers=chosen)
    if json:
        terminal.print_json(found.as_dict())
        return
    for name, number in ((found.a, found.unscored_a), (found.b, found.unscored_b)):
        if number:
            terminal.warn(f"{name} has no score for {number} of {found.rows} pairs: they count against it")
    rows = [
        [d.metric, d.unit, d.a, d.b, d.difference, f"[{d.low:.3g}, {d.high:.3g}]", d.verdict]
        for d in found.differences
    ]
    columns = ["metric", "unit", found.a, found.b, "difference", "95 % interval", "in words"]
    over = f"{found.differences[0].drawn} {found.differences[0].over}" if found.differences else "nothing"
    caption = f"paired bootstrap over {over}"
    if "trainings" not in over:
        caption += "; it does not see that another training of the same recipe would differ"
    terminal.table(f"{found.benchmark}: {found.rows} pairs", columns, rows, caption)


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
        bool, typer.Option("--replace", help="Replace a benchmark of the same name and other content.")
    ] = False,
    index: Annotated[
        Path | None,
        typer.Option(help="Index on this machine that an archive belongs to, with its structures."),
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
        what = "with its structures" if index is not None else "labels without structures: it judges results"
        terminal.say(f"{name}: {made.rows} pairs of {made.targets} targets, {what}")
        return
    dataset = Dataset.open(data)
    wanted = tuple(part for part in sources.split(",") if part)
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
            f"{len(written)} baselines judged; `affinity-zoo evaluate RUN {name}` puts a model beside them"
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
    terminal.table("benchmarks", ["name", "pairs", "targets", "truths", "split", "labels", "index"], rows)


def benchmarks_show(
    name: Annotated[str, typer.Argument(help="Name of the benchmark.")],
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("summaries"),
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show a benchmark, and whether its index is unchanged.

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
    name: Annotated[str, typer.Argument(help="Name of the benchmark.")],
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
    run: Annotated[list[str], typer.Argument(help="Numbers of runs, or folders with results.")],
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
    terminal.say(f"wrote {out}: {len(packed)} results; `affinity-zoo results add {out.name}` takes them over")


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
