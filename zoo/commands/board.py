"""Commands: leaderboard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    app.command("leaderboard")(leaderboard)


def leaderboard(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Run folders, summaries folders or result files; default: summaries."),
    ] = None,
    benchmark: Annotated[
        str | None, typer.Option(help="Only this benchmark: name or start of its hash.")
    ] = None,
    sort: Annotated[str | None, typer.Option(help="Metric to sort by; default: the first.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write one line a figure.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write Markdown tables.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Take every figure again from the predictions.")
    ] = False,
) -> None:
    """Compare all results found: best first, with 95 % intervals and the baselines beside them."""
    from affinity_zoo.zoo import terminal
    from affinity_zoo.zoo.files import write_whole
    from affinity_zoo.zoo.leaderboard import as_csv, as_json, as_markdown, build_boards, headings, table_rows

    boards = build_boards(paths or [Path("summaries")], benchmark=benchmark, sort_by=sort, recompute=verify)
    for reason in boards[0].refused:
        terminal.warn(reason)
    for path, text in ((csv, as_csv), (markdown, as_markdown)):
        if path is not None:
            with write_whole(path) as file:
                file.write(text(boards))
            terminal.warn(f"wrote {path}") if json else terminal.say(f"wrote {path}")
    if json:
        terminal.print_json(as_json(boards))
        return
    for board in boards:
        caption = (
            "↑ higher is better, ↓ lower is better; [95 % interval]; (name): a baseline, nothing trained"
        )
        terminal.table(
            f"{board.benchmark} ({board.content_hash[:8]})", headings(board), table_rows(board), caption
        )
