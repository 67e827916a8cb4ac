"""The page of a search: history, importance of the parameters, and every trial, in one file without a network."""

from __future__ import annotations

import io
from html import escape
from pathlib import Path
from typing import Any

from affinity_zoo.zoo.runtime.files import whole
from affinity_zoo.zoo.search.run import STORAGE, SearchResult


def write_page(found: SearchResult, path: Path) -> Path:
    """Write the page.

    Args:
        found: from :func:`~affinity_zoo.zoo.search.run.search`.
        path: HTML file to write.

    Returns:
        ``path``.
    """
    import optuna

    storage = f"sqlite:///{found.folder.resolve() / STORAGE}"
    study = optuna.load_study(study_name="affinity-zoo", storage=storage)
    parts = [f"<h1>Search: {escape(found.note)}</h1>"]
    parts += [
        f"<figure>{svg}<figcaption>{title}</figcaption></figure>" for title, svg in _plots(optuna, study)
    ]
    parts.append(_table(found))
    with whole(path) as file:
        file.write(
            '<!doctype html><html lang="en"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Search</title>'
            f"<style>{_STYLE}</style><body>{''.join(parts)}</body></html>\n"
        )
    return path


def _plots(optuna: Any, study: Any) -> list[tuple[str, str]]:
    import warnings

    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    made = []
    complete = [t for t in study.trials if t.value is not None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna's matplotlib plots are marked experimental
        if complete:
            optuna.visualization.matplotlib.plot_optimization_history(study)
            made.append(("Validation figure of each trial, and the best so far", _svg(pyplot)))
        varied = {name for t in complete for name in t.params}
        if len(complete) > 3 and len(varied) > 1:
            try:
                optuna.visualization.matplotlib.plot_param_importances(study)
                made.append(("Share of the variance that each parameter explains (fANOVA)", _svg(pyplot)))
            except (ValueError, RuntimeError):  # all trials equal: nothing is explained
                pyplot.close("all")
    return made


def _svg(pyplot: Any) -> str:
    text = io.StringIO()
    pyplot.gcf().savefig(text, format="svg", bbox_inches="tight")
    pyplot.close("all")
    drawing = text.getvalue()
    return drawing[drawing.index("<svg") :]


def _table(found: SearchResult) -> str:
    names = list(dict.fromkeys(name for record in found.trials for name in record["parameters"]))
    head = ["trial", "state", "run", found.monitor or "value", *names]
    rows = []
    for r in found.trials:
        value = "" if r["value"] is None else f"{r['value']:.4f}"
        run = "" if r["run"] is None else str(r["run"])
        cells = [
            str(r["trial"]),
            r["state"],
            run,
            value,
            *(str(r["parameters"].get(name, "")) for name in names),
        ]
        best = ' class="best"' if r["run"] is not None and r["run"] == found.best else ""
        rows.append(f"<tr{best}>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    return (
        "<table><thead><tr>" + "".join(f"<th>{escape(h)}</th>" for h in head) + "</tr></thead><tbody>"
        + "".join(rows) + "</tbody></table>"
    )  # fmt: skip


_STYLE = (
    ":root{color-scheme:light dark}body{font-family:system-ui,sans-serif;margin:1rem auto;max-width:70rem;"
    "padding:0 1rem}"
    "figure{margin:1rem 0;background:#fff;overflow-x:auto}figcaption{background:Canvas;padding-top:.3rem}"
    "table{border-collapse:collapse;display:block;overflow-x:auto}"
    "td,th{border:1px solid #8886;padding:.25rem .6rem;text-align:left}.best{font-weight:bold}"
)
