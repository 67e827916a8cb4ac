"""Pieces of HTML for notebooks: they take the notebook's colours, and bring their own style."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

#: of the class `affinity-zoo` only, so that nothing else in the notebook changes
STYLE = """
.affinity-zoo table { border-collapse:collapse; margin:.2rem 0 .6rem; font-variant-numeric:tabular-nums; }
.affinity-zoo { overflow-x:auto; }
.affinity-zoo .beside { display:flex; flex-wrap:wrap; gap:0 2rem; align-items:start; }
.affinity-zoo caption { text-align:left; white-space:nowrap; font-weight:600; padding:.2rem 0; caption-side:top; }
.affinity-zoo th, .affinity-zoo td { padding:.2rem .6rem; text-align:left; border-bottom:1px solid #8884;
  white-space:nowrap; background:none; }
.affinity-zoo .plots { display:flex; flex-wrap:wrap; gap:1rem; }
.affinity-zoo figure { margin:0; width:300px; text-align:left; }
.affinity-zoo figcaption { font-weight:600; font-style:normal; margin:0; max-width:none; }
.affinity-zoo figure > svg { width:100%; height:auto; }
.affinity-zoo text { font-size:11px; fill:currentColor; opacity:.75; }
.affinity-zoo .grid { stroke:#8884; stroke-width:1; }
.affinity-zoo .legend { list-style:none; padding:0; margin:.2rem 0; font-size:.85rem; }
.affinity-zoo .legend li { margin:0; font-size:.85rem; list-style:none; }
.affinity-zoo .legend svg { width:24px; height:10px; margin-right:6px; vertical-align:middle; }
.affinity-zoo .soft { opacity:.75; margin:.2rem 0; max-width:80ch; }
.affinity-zoo svg.bar { width:110px; height:14px; vertical-align:middle; }
.affinity-zoo svg.bar line, .affinity-zoo svg.bar circle { stroke:#0072b2; stroke-width:2; fill:#0072b2; }
.affinity-zoo svg.bar.baseline line, .affinity-zoo svg.bar.baseline circle { stroke:#888; fill:#888; }
.affinity-zoo svg.bar .rail { stroke:#8884; stroke-width:1; }
.affinity-zoo tr.baseline { opacity:.75; font-style:italic; }
.affinity-zoo iframe { width:100%; border:0; }
"""


def fragment(*parts: str) -> str:
    """Return pieces with their style.

    Args:
        parts: HTML.
    """
    return f"<div class='affinity-zoo'><style>{STYLE}</style>{''.join(parts)}</div>"


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table; what it is given is text, not HTML.

    Args:
        caption: above the table.
        head: names of the columns; empty: none.
        rows: the cells.
    """
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    top = f"<thead><tr>{top}</tr></thead>" if top else ""
    return f"<table><caption>{escape(caption)}</caption>{top}<tbody>{body}</tbody></table>"


def beside(*parts: str) -> str:
    """Return pieces that stand side by side where there is room.

    Args:
        parts: HTML.
    """
    return f"<div class='beside'>{''.join(parts)}</div>"


def framed(page: str, height: int) -> str:
    """Return a whole page in a frame of its own, which reaches neither the notebook nor a network.

    Args:
        page: an HTML document.
        height: of the frame, CSS pixels.
    """
    text = escape(page, quote=True)
    return f"<iframe sandbox='allow-scripts' width='100%' height='{height}' srcdoc=\"{text}\"></iframe>"
