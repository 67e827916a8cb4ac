"""Commands: leaderboard, compare, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from affinity_zoo.zoo.commands import completion, options


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    app.command("leaderboard", rich_help_panel=options.TRAIN)(leaderboard)
    app.command("compare", rich_help_panel=options.TRAIN)(compare)
    app.command("report", rich_help_panel=options.TRAIN)(report)


def leaderboard(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Run folders, folders of runs, or result files; default: summaries."),
    ] = None,
    benchmark: Annotated[
        str | None,
        typer.Option(
            help="Benchmark to show: name or start of its hash.", autocompletion=completion.benchmarks
        ),
    ] = None,
    sort: Annotated[str | None, typer.Option(help="Metric to sort by; default: the first.")] = None,
    csv: Annotated[Path | None, typer.Option(help="CSV file to write, with one line per metric.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Markdown file to write.")] = None,
    html: Annotated[Path | None, typer.Option(help="Self-contained HTML page with plots to write.")] = None,
    site: Annotated[
        Path | None, typer.Option(help="Folder of HTML pages to write: benchmarks, models, comparisons.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Show all metrics, not only the first ones.")] = False,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Show all baselines, not only the best two and chance.")
    ] = False,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Recompute all metrics from the scores, and baselines on all pairs."),
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
    run: Annotated[
        str, typer.Argument(help="Number of the run, or one of its folders.", autocompletion=completion.runs)
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="HTML page to write; default: x_logs/report.html.")
    ] = None,
    benchmark: Annotated[str | None, typer.Option(help="Benchmark to show.")] = None,
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("summaries"),
) -> None:
    """Write an HTML page about a run: metrics, curves, worst complexes and baselines.

    Example: affinity-zoo report 1 -o run1.html
    """
    from affinity_zoo.zoo.models.run_folder import RunFolder
    from affinity_zoo.zoo.reports.page import report_run
    from affinity_zoo.zoo.runtime import terminal

    folder = RunFolder.find(run, runs)
    page = out if out is not None else folder.logs / "report.html"
    terminal.say(f"wrote {report_run(folder.logs, folder.root / 'baselines', page, benchmark)}")


def compare(
    a: Annotated[
        str,
        typer.Argument(
            help="First model: run number, folder, result file, or row of the leaderboard.",
            autocompletion=completion.models,
        ),
    ],
    b: Annotated[
        str, typer.Argument(help="Second model, in the same forms.", autocompletion=completion.models)
    ],
    benchmark: Annotated[
        str | None,
        typer.Option(
            help="Benchmark to compare on, if both have several.", autocompletion=completion.benchmarks
        ),
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
            terminal.warn(f"{name} has no score for {number} of {found.rows} pairs: they rank last")
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
