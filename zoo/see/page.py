"""Frame of an interactive 3D page. The page is self-contained and its policy forbids network requests.

The molecules are drawn by 3Dmol.js (BSD 3-clause, Rego and Koes, Bioinformatics 31, 1322, 2015). Its bundle lies
in this folder as its makers publish it (3dmol 2.5.5 of npm), with its licence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any

from affinity_zoo.zoo.reports.style import STYLE

#: content security policy: inline scripts and styles only, no requests
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"

#: what of the molecules is shown
SHOWN = "".join(
    f"<label><input type='checkbox' id='{key}'{' checked' if on else ''}> {words}</label>"
    for key, words, on in (
        ("ligand", "ligand", True),
        ("sticks", "pocket", True),
        ("cartoon", "cartoon", True),
        ("surface", "surface", False),
        ("contacts", "interactions", True),
    )
)
#: their table
INTERACTIONS = (
    "<h2>Interactions</h2><table><thead><tr><th>kind</th><th>ligand</th><th>receptor</th><th>Å</th></tr></thead>"
    "<tbody id='interactions'></tbody></table><p class='soft'>By distances and angles of heavy atoms: "
    "hydrogen bonds to 3.5 Å, salt bridges and hydrophobic contacts to 4.0 Å, metals to 3.0 Å.</p>"
)

_LAYOUT = """
body { max-width:none; padding:1rem 1.4rem; } p { max-width:120ch; overflow-wrap:anywhere; }
.stage { display:flex; gap:1.2rem; align-items:stretch; flex-wrap:wrap; margin-top:.6rem; }
.scene { flex:1 1 640px; min-width:320px; height:80vh; min-height:420px; border:1px solid var(--line);
  border-radius:8px; background:var(--back); overflow:hidden; position:relative; }
.scene canvas { outline:none; } .scene > p { padding:1rem; }
.tip { position:absolute; left:.6rem; bottom:.6rem; z-index:5; padding:.3rem .6rem; border:1px solid var(--line);
  border-radius:6px; background:var(--back); font-size:.85rem; white-space:pre-line; pointer-events:none; }
.tip:empty { display:none; }
.side { flex:0 1 400px; min-width:300px; max-height:80vh; overflow-y:auto; }
.side h2 { margin:.9rem 0 .3rem; font-size:1.05rem; } .side h2:first-child { margin-top:0; }
.side td, .side th { padding:.18rem .4rem; } .side td.number { text-align:right; white-space:nowrap; }
.side tr[data-row]:hover, .side tr.chosen { background:var(--panel); cursor:pointer; }
.controls { display:flex; flex-wrap:wrap; gap:.4rem 1rem; align-items:center; margin:.5rem 0; }
.controls label { white-space:nowrap; }
select, button { font:inherit; color:var(--ink); background:var(--back); border:1px solid var(--line);
  border-radius:6px; padding:.2rem .5rem; }
.ramp { height:12px; border-radius:6px; margin:.4rem 0 .1rem;
  background:linear-gradient(90deg,#d55e00,#f0b58a,#e0e0e0,#8abde0,#0072b2); }
.ends { display:flex; justify-content:space-between; font-size:.85rem; color:var(--soft); }
.swatch { display:inline-block; width:.9em; height:.9em; border-radius:3px; margin-right:.4em; vertical-align:-1px; }
.bar { display:inline-block; height:9px; border-radius:2px; }
.rail { width:110px; position:relative; height:10px; }
.rail i { position:absolute; top:0; height:10px; border-radius:2px; } .rail b { position:absolute; left:50%; top:-2px;
  width:1px; height:14px; background:var(--soft); }
@media (max-width:1050px) { .scene { height:min(65vh, 90vw); min-height:300px; }
  .side { flex:1 1 100%; max-height:none; overflow-x:auto; } }
"""


def page(
    title: str, introduction: str, side: str, data: Mapping[str, Any], scripts: Sequence[str], about: str = ""
) -> str:
    """Make the whole page.

    Args:
        title: plain text.
        introduction, side, about: HTML above, beside and below the scene.
        data: JSON-ready, for the scripts.
        scripts: files of this package that draw, after the common ``scene.js``.

    Returns:
        HTML of about 1 MB, including the viewer.
    """
    here = resources.files("affinity_zoo.zoo.see")
    drawing = "\n".join((here / name).read_text(encoding="utf-8") for name in ("scene.js", *scripts))
    # "</" would end the enclosing script
    values = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{_LAYOUT}</style></head><body>"
        f"<h1>{escape(title)}</h1>{introduction}"
        f"<div class='stage'><div class='scene' id='scene'></div><div class='side'>{side}</div></div>{about}"
        f"<script>{(here / '3Dmol-min.js').read_text(encoding='utf-8')}</script>"
        f"<script type='application/json' id='data'>{values}</script>"
        f"<script>{drawing}</script></body></html>\n"
    )
