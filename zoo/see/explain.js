// The page of an explanation: atoms coloured by what they add to the score, tables beside them.
(function () {
  var kind = DATA.kinds[0].key, byElement = false, drawn = null, labels = [], rings = [];
  var hetero = DATA.ligand.element.map(function (e, i) { return i; }).filter(function (i) { return DATA.ligand.element[i] !== 'C'; });

  function strongest() {
    var values = DATA.ligand.values[kind].concat(DATA.receptor.values[kind]);
    return values.reduce(function (m, v) { return Math.max(m, Math.abs(v || 0)); }, 1e-12);
  }
  function full() { return strongest() / parseFloat(document.getElementById('contrast').value); }
  function colour(atom, mine) {
    if (byElement) { return mine ? ligandColour(atom.elem) : elementColour(atom.elem); }
    return valueColour(((mine ? DATA.ligand : DATA.receptor).values[kind][atom.index] || 0) / scale);
  }
  var scale = full();
  function told(label, i, mine) {
    var atoms = mine ? DATA.ligand : DATA.receptor;
    return label + DATA.kinds.map(function (k) {
      var v = atoms.values[k.key][i];
      return v === null ? '' : '\n' + k.label + ': ' + v.toFixed(4) + (!mine && k.key === 'occlusion' ? atoms.note : '');
    }).join('');
  }
  function number(v) { return v === null ? '' : (v > 0 ? '+' : '') + v.toFixed(3); }
  function rail(v, most) {
    var share = Math.min(50, 50 * Math.abs(v || 0) / most), side = v < 0 ? 50 - share : 50;
    return '<div class="rail"><b></b><i style="left:' + side + '%;width:' + share + '%;background:' +
      (v < 0 ? '#d55e00' : '#0072b2') + '"></i></div>';
  }
  function fill(id, rows, columns) {
    var most = rows.reduce(function (m, r) { return Math.max(m, Math.abs(r.values[kind] || 0)); }, 1e-12);
    var sorted = rows.slice().sort(function (a, b) {
      return Math.abs(b.values[kind] || 0) - Math.abs(a.values[kind] || 0);
    }).slice(0, 15);
    document.getElementById(id).innerHTML = sorted.map(function (r) {
      return '<tr data-row="' + r.index + '"><td>' + escapeText(r.label) + '</td>' +
        columns.map(function (c) { return '<td class="number">' + escapeText(r[c]) + '</td>'; }).join('') +
        '<td class="number">' + number(r.values[kind]) + '</td><td>' + rail(r.values[kind], most) + '</td></tr>';
    }).join('');
  }
  var atomRows = DATA.ligand.label.map(function (label, i) {
    var values = {};
    DATA.kinds.forEach(function (k) { values[k.key] = DATA.ligand.values[k.key][i]; });
    return { label: label, index: i, values: values };
  });
  function tables() {
    fill('residues', DATA.residues, ['distance']);
    fill('atoms', atomRows, []);
    document.getElementById('unit').textContent = DATA.kinds.filter(function (k) { return k.key === kind; })[0].about;
    document.getElementById('low').textContent = '−' + scale.toPrecision(2) + ' lowers';
    document.getElementById('high').textContent = 'raises +' + scale.toPrecision(2);
  }
  function names() {
    labels.forEach(function (label) { VIEW.removeLabel(label); });
    labels = checked('names') ? DATA.residues.filter(function (r) { return r.named; }).map(function (r) {
      return words(r.label, r.xyz, 12);
    }).concat(hetero.map(function (i) { return words(DATA.ligand.element[i], DATA.ligand.xyz[i], 14); })) : [];
  }
  function paint() { scale = full(); tables(); if (drawn) { drawn.repaint(); } }
  function ring(points) {
    rings.forEach(function (shape) { VIEW.removeShape(shape); });
    rings = points.map(function (p) { return VIEW.addSphere({ center: at(p), radius: 0.6, color: '#ffc800', opacity: 0.45 }); });
    VIEW.render();
  }
  function hovering(id, points) {
    var body = document.getElementById(id);
    body.addEventListener('mouseover', function (event) {
      var row = event.target.closest('tr');
      if (row) { ring(points(parseInt(row.dataset.row, 10))); }
    });
    body.addEventListener('mouseleave', function () { ring([]); });
  }
  function scene() {
    drawn = molecules({ colour: colour, told: told, sticks: 0.1 });
    var atoms = drawn.receptor.selectedAtoms({});
    names();
    changed('names', function () { names(); VIEW.render(); });
    hovering('residues', function (index) {
      return DATA.receptor.pocket.filter(function (_, n) { return DATA.receptor.residue[n] === index; }).map(function (i) {
        return [atoms[i].x, atoms[i].y, atoms[i].z];
      });
    });
    hovering('atoms', function (index) { return [DATA.ligand.xyz[index]]; });
    followTheme(names);
    look({ or: [{ model: drawn.ligand.getID() }, { model: drawn.receptor.getID(), index: DATA.receptor.pocket }] }, 1.25);
    document.body.dataset.drawn = [drawn.ligand.selectedAtoms({}).length, atoms.length, drawn.count()].join(' ');
  }

  contactTable();
  tables();
  changed('kind', function (e) { kind = e.target.value; paint(); });
  document.getElementById('contrast').addEventListener('change', paint);
  changed('elements', function (e) { byElement = e.target.checked; paint(); });
  if (VIEW) { scene(); }
  document.body.dataset.ready = String(document.querySelectorAll('#scene canvas').length);
}());
