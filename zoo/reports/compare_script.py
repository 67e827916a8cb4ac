"""The script of the page that compares two rows: it chooses among comparisons that were computed before."""

from __future__ import annotations

COMPARE = """
(function () {
  var pairs = JSON.parse(document.getElementById('pairs').textContent);
  var chosen = { benchmark: null, a: null, b: null };
  var lists = {};
  Object.keys(chosen).forEach(function (key) { lists[key] = document.getElementById(key); });
  function unique(values) { return values.filter(function (v, i) { return values.indexOf(v) === i; }); }
  function fill(list, names, wanted) {
    list.textContent = '';
    names.forEach(function (name) {
      var option = document.createElement('option');
      option.value = option.textContent = name;
      list.appendChild(option);
    });
    list.value = names.indexOf(wanted) >= 0 ? wanted : names[0];
  }
  function of(benchmark) { return pairs.filter(function (p) { return p[0] === benchmark; }); }
  function rows() {
    var here = of(lists.benchmark.value), names = [];
    here.forEach(function (p) { names.push(p[4], p[5]); });
    names = unique(names);
    fill(lists.a, names, lists.a.value);
    fill(lists.b, names, lists.b.value === lists.a.value ? names[1] : lists.b.value || names[1]);
  }
  function number(x) { return x === null ? '' : Number(x.toPrecision(3)).toString(); }
  function show() {
    var a = lists.a.value, b = lists.b.value, place = document.getElementById('found');
    place.textContent = '';
    var table = document.createElement('table'), head = table.createTHead().insertRow();
    ['figure', a, b, 'difference', '95 % interval', 'in words'].forEach(function (text) {
      var cell = document.createElement('th');
      cell.scope = 'col';
      cell.textContent = text;
      head.appendChild(cell);
    });
    var body = table.createTBody();
    of(lists.benchmark.value).forEach(function (p) {
      var same = p[4] === a && p[5] === b, turned = p[4] === b && p[5] === a;
      if (!same && !turned) { return; }
      var mine = same ? p[6] : p[7], other = same ? p[7] : p[6];
      var low = same ? p[8] : 0 - p[9], high = same ? p[9] : 0 - p[8];
      var better = (mine > other) === (p[3] === 'higher') ? a : b;
      var words = low > 0 || high < 0 ? better + ' is better' : 'no difference is shown';
      var line = body.insertRow();
      [p[1] + (p[2] ? ', ' + p[2] : ''), number(mine), number(other), number(mine - other),
        '[' + number(low) + ', ' + number(high) + ']', words].forEach(function (text) {
        line.insertCell().textContent = text;
      });
    });
    if (!body.rows.length) {
      place.textContent = a === b ? 'Choose two different rows.' : 'These two are not compared here.';
      return;
    }
    var scroll = document.createElement('div');
    scroll.className = 'scroll';
    scroll.appendChild(table);
    place.appendChild(scroll);
  }
  fill(lists.benchmark, unique(pairs.map(function (p) { return p[0]; })), null);
  rows();
  show();
  lists.benchmark.addEventListener('change', function () { rows(); show(); });
  lists.a.addEventListener('change', show);
  lists.b.addEventListener('change', show);
})();
"""
