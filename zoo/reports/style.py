"""Style sheet and script of a report page; the page is self-contained."""

from __future__ import annotations

STYLE = """
:root { color-scheme:light dark; }
:root { --ink:#1c2330; --soft:#5b6675; --line:#d9dee6; --back:#ffffff; --panel:#f5f7fa; --accent:#0072b2; }
@media (prefers-color-scheme: dark) {
  :root { --ink:#e6e9ef; --soft:#9aa5b5; --line:#343c49; --back:#14181f; --panel:#1d232d; --accent:#56b4e9; }
}
* { box-sizing: border-box; }
body { margin:0 auto; padding:1.5rem; max-width:1900px; background:var(--back); color:var(--ink);
  font:15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size:1.6rem; margin:0 0 .2rem; } h2 { font-size:1.25rem; margin:2.2rem 0 .3rem; }
h3 { font-size:1rem; margin:1.4rem 0 .4rem; } p { margin:.3rem 0; max-width:75ch; } .soft { color:var(--soft); }
.tools { display:flex; gap:1rem; flex-wrap:wrap; align-items:center; margin:.8rem 0; }
input[type=search] { padding:.4rem .6rem; border:1px solid var(--line); border-radius:6px; min-width:16rem;
  background:var(--back); color:var(--ink); font:inherit; }
.scroll { overflow-x:auto; border:1px solid var(--line); border-radius:8px; }
table { border-collapse:collapse; width:100%; font-variant-numeric:tabular-nums; }
th, td { padding:.4rem .6rem; text-align:left; border-bottom:1px solid var(--line); vertical-align:top; }
thead th { background:var(--panel); white-space:nowrap; position:sticky; top:0; }
th button { font:inherit; font-weight:600; background:none; border:0; padding:0; color:inherit; cursor:pointer;
  text-align:left; }
th button small { display:block; font-weight:400; color:var(--soft); }
th[aria-sort=ascending] small::after { content:" \\25B2"; }
th[aria-sort=descending] small::after { content:" \\25BC"; }
td.figure { white-space:nowrap; } td.figure small { display:block; color:var(--soft); }
tr.baseline td { color:var(--soft); } tr.baseline td:first-child { font-style:italic; }
td.best b { color:var(--accent); }
svg.bar { width:110px; height:14px; display:block; } svg.bar line { stroke:var(--accent); stroke-width:2.4; }
svg.bar .rail { stroke:var(--line); stroke-width:1; } svg.bar circle { fill:var(--accent); }
svg.bar.baseline line:not(.rail) { stroke:#888; } svg.bar.baseline circle { fill:#888; }
table.board th:first-child, table.board td:first-child { position:sticky; left:0; background:var(--back); }
table.board thead th:first-child { background:var(--panel); z-index:1; }
.plots { display:flex; flex-wrap:wrap; gap:1rem; margin-top:1.2rem; } figure.plot { margin:0; width:340px; }
figure.plot figcaption { font-weight:600; } figure.plot > svg { width:100%; height:auto; }
figure.plot text { font-size:11px; fill:var(--soft); } figure.plot .grid { stroke:var(--line); stroke-width:1; }
.legend { list-style:none; padding:0; margin:.2rem 0; font-size:.85rem; }
.legend svg { width:24px; height:10px; margin-right:6px; vertical-align:middle; }
details { margin:.5rem 0; } summary { cursor:pointer; font-weight:600; }
code, pre { font:13px/1.4 ui-monospace, Menlo, Consolas, monospace; }
pre { background:var(--panel); padding:.6rem; border-radius:6px; overflow-x:auto; margin:.3rem 0; }
.warning { border-left:4px solid #d55e00; padding:.3rem .8rem; background:var(--panel); }
a { color:var(--accent); } nav { display:flex; gap:1rem; flex-wrap:wrap; margin-bottom:.8rem; }
a:focus-visible, button:focus-visible, select:focus-visible, input:focus-visible { outline:3px solid var(--accent);
  outline-offset:2px; }
select { font:inherit; padding:.4rem; border:1px solid var(--line); border-radius:6px; background:var(--back);
  color:var(--ink); max-width:100%; }
.choose { display:grid; grid-template-columns:repeat(auto-fit, minmax(16rem, 1fr)); gap:.8rem; margin:1rem 0; }
.choose label { display:block; } .choose select { width:100%; }
@media (max-width:600px) { body { padding:.8rem; font-size:16px; } figure.plot { width:100%; }
  input[type=search] { min-width:0; width:100%; } table.board th:first-child, table.board td:first-child {
  max-width:9rem; overflow-wrap:anywhere; } }
@media print { .tools { display:none; } body { max-width:none; } }
"""

SCRIPT = """
document.querySelectorAll('table.board').forEach(function (table) {
  var body = table.tBodies[0], heads = table.tHead.rows[0].cells;
  function value(row, column) {
    var cell = row.cells[column], number = cell.dataset.value;
    if (number === undefined) { return cell.textContent.trim().toLowerCase(); }
    return number === '' ? null : parseFloat(number);
  }
  Array.prototype.forEach.call(heads, function (head, column) {
    var button = head.querySelector('button');
    if (!button) { return; }
    button.addEventListener('click', function () {
      var first = head.dataset.first || 'ascending', now = head.getAttribute('aria-sort');
      var order = now === first ? (first === 'ascending' ? 'descending' : 'ascending') : first;
      Array.prototype.forEach.call(heads, function (other) { other.removeAttribute('aria-sort'); });
      head.setAttribute('aria-sort', order);
      Array.prototype.slice.call(body.rows).sort(function (a, b) {
        var x = value(a, column), y = value(b, column);
        if (x === null || y === null) { return (x === null) - (y === null); }
        return (x < y ? -1 : x > y ? 1 : 0) * (order === 'ascending' ? 1 : -1);
      }).forEach(function (row) { body.appendChild(row); });
    });
  });
  var section = table.closest('section'), text = section.querySelector('input[type=search]');
  var baselines = section.querySelector('input[name=baselines]'), count = section.querySelector('.count');
  function filter() {
    var words = text.value.toLowerCase().split(/\\s+/).filter(Boolean), shown = 0;
    Array.prototype.forEach.call(body.rows, function (row) {
      var line = Array.prototype.map.call(row.querySelectorAll('td:not(.figure)'), function (cell) {
        return cell.textContent;
      }).join(' ').toLowerCase();
      var hide = words.some(function (word) { return line.indexOf(word) < 0; }) ||
        (!baselines.checked && row.classList.contains('baseline'));
      row.hidden = hide;
      shown += hide ? 0 : 1;
    });
    count.textContent = shown + ' of ' + body.rows.length + ' rows';
  }
  text.addEventListener('input', filter);
  baselines.addEventListener('change', filter);
  filter();
});
"""
