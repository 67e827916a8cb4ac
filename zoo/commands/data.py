"""Commands on structures: index, check, split, fetch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affinity_zoo.zoo.commands import options
from affinity_zoo.zoo.data.splits.rules import RULES

if TYPE_CHECKING:
    from affinity_zoo.zoo.data.readers.base import ReadOptions

#: which part of the data goes where, as users type it
_COLUMNS = "Names of columns in the table, such as pose_label=label,active=y; may be repeated."
_FRACTIONS = "Fractions of training, validation and test set; groups are not divided."


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    app.command("index", rich_help_panel=options.DATA)(index)
    app.command("check", rich_help_panel=options.DATA)(check)
    app.command("split", rich_help_panel=options.DATA)(split)
    app.command("fetch", rich_help_panel=options.DATA)(fetch)


def index(
    source: Annotated[Path, typer.Argument(help="Folder with structures, in a layout of docs/formats.md.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the new index.")],
    workers: Annotated[
        int | None, typer.Option(help="Number of worker processes; 0: none. Default: one per processor.")
    ] = None,
    npy: Annotated[
        bool, typer.Option("--npy", help="Also write NumPy arrays with the columns x, y, z, tag.")
    ] = False,
    fractions: Annotated[str, typer.Option(help=_FRACTIONS)] = "0.8,0.1,0.1",
    seed: Annotated[int, typer.Option(help="Seed of the split.")] = 0,
    read: Annotated[
        list[str] | None, typer.Option("--read", help="Read option, for example waters=keep.")
    ] = None,
    columns: Annotated[list[str] | None, typer.Option("--columns", help=_COLUMNS)] = None,
    receptor: Annotated[Path | None, typer.Option("-r", "--receptor", help="Receptor of all poses.")] = None,
    ligand: Annotated[
        str, typer.Option("--ligand", help="Residue name of the ligand in files of whole complexes.")
    ] = "",
    smiles: Annotated[
        str,
        typer.Option(
            help="Bond orders of the poses: a SMILES, a reference SDF file, or a column of the table with SMILES."
        ),
    ] = "",
    dask: Annotated[str, typer.Option("--dask", help="Address of a Dask scheduler to run on.")] = "",
    timeout: Annotated[float, typer.Option(help="Time limit for one file, seconds.")] = 120.0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing index.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Read complexes and write an index: structures, tables, failures, splits.

    Example: affinity-zoo index FOLDER -o DATA
    """
    from affinity_zoo.zoo.data.index.run import build_index
    from affinity_zoo.zoo.data.layouts.recognise import Hints
    from affinity_zoo.zoo.runtime import terminal
    from affinity_zoo.zoo.runtime.dask_cluster import dask_cluster

    summary = build_index(
        source,
        out,
        workers=workers,
        npy=npy,
        options=_read_options(read or []),
        fractions=_numbers(fractions),
        seed=seed,
        timeout=timeout,
        overwrite=overwrite,
        hints=Hints(_columns(columns or []), receptor, ligand, smiles),
        make_executor=dask_cluster(dask) if dask else None,
    )
    if json:
        terminal.print_json(summary.as_dict())
    else:
        _show(summary)
    raise typer.Exit(summary.exit_code)


def check(
    path: Annotated[Path, typer.Argument(help="An index, or structures in a layout of docs/formats.md.")],
    columns: Annotated[list[str] | None, typer.Option("--columns", help=_COLUMNS)] = None,
    receptor: Annotated[Path | None, typer.Option("-r", "--receptor", help="Receptor of all poses.")] = None,
    ligand: Annotated[
        str, typer.Option("--ligand", help="Residue name of the ligand in files of whole complexes.")
    ] = "",
    read: Annotated[
        list[str] | None, typer.Option("--read", help="Read option, for example waters=keep.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Number of worker processes; 0: none.")] = None,
    dask: Annotated[str, typer.Option("--dask", help="Address of a Dask scheduler to run on.")] = "",
    csv: Annotated[Path | None, typer.Option("--csv", help="CSV file for all findings.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """List readable complexes, anomalies, and simple properties that predict the label.

    Example: affinity-zoo check FOLDER --csv findings.csv
    """
    from dataclasses import asdict

    from affinity_zoo.zoo.data.checks import check as check_path
    from affinity_zoo.zoo.data.layouts.recognise import Hints
    from affinity_zoo.zoo.runtime import terminal
    from affinity_zoo.zoo.runtime.dask_cluster import dask_cluster

    hints = Hints(_columns(columns or []), receptor, ligand)
    report = check_path(
        path,
        hints=hints,
        options=_read_options(read or []),
        workers=workers,
        make_executor=dask_cluster(dask) if dask else None,
    )
    if csv is not None:
        from affinity_zoo.zoo.runtime.files import write_csv

        rows = [asdict(f) for f in report.findings]
        rows += [{"id": f["file"], "what": "failed", "detail": f["reason"]} for f in report.failures]
        write_csv(csv, ["id", "what", "detail"], rows)
    if json:
        terminal.print_json(report.as_dict())
        return
    first = {f.what: f"{f.id} {f.detail}" for f in reversed(report.findings)}
    odd = [(what, n, first[what]) for what, n in report.counts().items()]
    title = f"{path}: {report.rows:,} pairs readable, {report.failed:,} failed ({report.layout})"
    terminal.table(title, ["anomaly", "pairs", "example"], odd or [("nothing", 0, "")])
    if report.predictors:
        told = [
            (p.truth, p.what, round(p.auc, 3), "LOOK" if p.suspicious else "", p.detail)
            for p in report.predictors
        ]
        terminal.table(
            "simple properties that predict the label", ["true value", "property", "AUC", "", "detail"], told
        )
    for p in report.predictors:
        if p.suspicious:
            terminal.warn(
                f"{p.what} predicts {p.truth} with AUC {p.auc:.2f}: a network can learn this instead of binding"
            )


def split(
    data: Annotated[Path, typer.Argument(help="Folder that `affinity-zoo index` made.")],
    by: Annotated[
        str, typer.Option("--split-by", help=f"Grouping rule, one of {', '.join(RULES)}.")
    ] = "receptor",
    fractions: Annotated[str, typer.Option(help=_FRACTIONS)] = "0.8,0.1,0.1",
    identity: Annotated[
        float, typer.Option(help="Sequence identity above which proteins stay in one set.")
    ] = 0.3,
    time_column: Annotated[
        str, typer.Option(help="Column with the year or date, for the rule time.")
    ] = "year",
    folds: Annotated[int, typer.Option(help="Number of folds for cross-validation; 0: none.")] = 0,
    fold: Annotated[int, typer.Option(help="Number of the fold used as test set, from 0.")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the split.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Number of worker processes; 0: none.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Split an index into training, validation and test set, and report their overlap.

    Example: affinity-zoo split DATA --split-by sequence
    """
    from dataclasses import asdict

    from affinity_zoo.zoo.data.splits.run import split as split_data
    from affinity_zoo.zoo.data.store.dataset import Dataset
    from affinity_zoo.zoo.runtime import terminal

    summary = split_data(
        Dataset.open(data),
        by,
        fractions=_numbers(fractions),
        seed=seed,
        identity=identity,
        column=time_column,
        folds=folds,
        fold=fold,
        workers=workers,
    )
    if json:
        terminal.print_json(asdict(summary))
        return
    title = f"{data}: {summary.groups:,} groups by {summary.by}" + (f", {folds} folds" if folds else "")
    terminal.table(title, ["set", "rows"], list(summary.rows.items()))
    keys = list(dict.fromkeys(k for border in summary.leaks.values() for k in border))
    rows = [[k.replace("_", " "), *(border.get(k, "") for border in summary.leaks.values())] for k in keys]
    if rows:
        terminal.table("overlap of the sets", ["", *summary.leaks], rows)
    for note in summary.notes:
        terminal.say(note)


def fetch(
    ids: Annotated[list[str], typer.Argument(help="PDB ids, such as 1abc.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the files.")],
    format: Annotated[str, typer.Option(help="File format: cif or pdb.")] = "cif",
    server: Annotated[str | None, typer.Option(help="Address to download from: SERVER/1ABC.cif.gz.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Download structures from the PDB by id; `index` reads the folder.

    Example: affinity-zoo fetch 7pbl 3mht -o structures
    """
    from dataclasses import asdict

    from affinity_zoo.zoo.data.fetch import fetch as fetch_ids
    from affinity_zoo.zoo.runtime import terminal

    found = fetch_ids(ids, out, format=format, server=server)
    failed = [f for f in found if f.path is None]
    if json:
        terminal.print_json([asdict(f) for f in found])
    else:
        terminal.table("PDB entries", ["id", "file", ""], [(f.id, f.path or "", f.reason) for f in found])
        if len(failed) < len(found):
            terminal.say(f"next: affinity-zoo index {out} -o DATA")
    raise typer.Exit(1 if len(failed) == len(found) else 3 if failed else 0)


def _show(summary) -> None:  # type: ignore[no-untyped-def]
    from affinity_zoo.zoo.runtime import terminal

    title = f"{summary.out}: {summary.rows:,} pairs of {summary.receptors:,} receptors ({summary.layout})"
    rows = [("read", what, n) for what, n in summary.by_label.items()]
    rows += [("failed", what, n) for what, n in summary.reasons.items()]
    rows += [("split", what, n) for what, n in summary.splits.items()]
    rate = summary.rows / max(summary.seconds, 1e-9)
    caption = f"{summary.seconds:.1f} s, {rate:,.0f} pairs/s"
    if summary.untyped_atoms:
        caption += f"; {summary.untyped_atoms:,} atoms could not be typed"
    terminal.table(title, ["", "what", "rows"], rows, caption)
    for note in summary.notes:
        terminal.say(note)
    if summary.resumed:
        terminal.say("continued a run that was stopped")
    if summary.failed:
        terminal.warn(f"{summary.failed:,} inputs failed: see {summary.out}/failures.csv")


def _read_options(texts: list[str]) -> ReadOptions:
    from affinity_zoo.zoo.data.readers.base import ReadOptions, parse_read_options

    return ReadOptions.from_dict(parse_read_options(texts))


def _columns(texts: list[str]) -> dict[str, str]:
    from affinity_zoo.plugins.errors import UsageError

    found: dict[str, str] = {}
    for part in ",".join(texts).split(","):
        if part.strip():
            ours, mark, theirs = part.partition("=")
            if not mark:
                raise UsageError(f"--columns takes pairs such as pose_label=NAME, not {part!r}")
            found[ours.strip()] = theirs.strip()
    return found


def _numbers(text: str) -> list[float]:
    from affinity_zoo.plugins.errors import UsageError

    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"--fractions takes three numbers separated by commas, not {text!r}") from None
