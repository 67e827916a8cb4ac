// The page of an explanation: atoms coloured by what they add to the score, tables beside them.
(function () {
  var kind = DATA.kinds[0].key, byElement = false;
  var look = { ligand: { name: 'ligand', atom: 0.34, bond: 0.17, detail: 3, sides: 14 },
    pocket: { name: 'receptor', atom: 0.2, bond: 0.11, detail: 2, sides: 8 } };
  var ligand = molecule(DATA.ligand, look.ligand), pocket = molecule(DATA.pocket, look.pocket);
  var halo = { type: 'scatter3d', mode: 'markers', x: [], y: [], z: [], hoverinfo: 'skip', showlegend: false,
    marker: { size: 22, color: 'rgba(255,200,0,0.35)', line: { width: 0 } } };
  var named = DATA.residues.filter(function (r) { return r.named; });
  var names = words(named.map(function (r) { return r.xyz; }), named.map(function (r) { return r.label; }), '#3c4654', 12);
  var hetero = [];
  DATA.ligand.element.forEach(function (e, i) { if (e !== 'C') { hetero.push(i); } });
  var letters = words(hetero.map(function (i) { return DATA.ligand.xyz[i]; }),
    hetero.map(function (i) { return DATA.ligand.element[i]; }), '#000000', 15);
  var traces = [pocket, ligand, lines(DATA.backbone, '#c3cad4', 2, 'backbone'), names, letters, halo];
  var scene = document.getElementById('scene');

  function strongest() {
    var values = DATA.ligand.values[kind].concat(DATA.pocket.values[kind]);
    return values.reduce(function (m, v) { return Math.max(m, Math.abs(v || 0)); }, 1e-12);
  }
  function full() { return strongest() / parseFloat(document.getElementById('contrast').value); }
  function colours(atoms, scale) {
    return atoms.values[kind].map(function (v, i) {
      return byElement ? elementColour(atoms.element[i]) : valueColour((v || 0) / scale);
    });
  }
  function texts(atoms) {
    return atoms.label.map(function (label, i) {
      return '<b>' + label + '</b>' + DATA.kinds.map(function (k) {
        var v = atoms.values[k.key][i];
        return v === null ? '' : '<br>' + k.label + ': ' + v.toFixed(4) + (atoms.note && k.key === 'occlusion' ? atoms.note : '');
      }).join('');
    });
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
    var s = full();
    document.getElementById('low').textContent = '−' + s.toPrecision(2) + ' lowers';
    document.getElementById('high').textContent = 'raises +' + s.toPrecision(2);
  }
  function paint() {
    var scale = full();
    Plotly.restyle(scene, { vertexcolor: [colourVertices(pocket, colours(DATA.pocket, scale)),
      colourVertices(ligand, colours(DATA.ligand, scale))] }, [0, 1]);
    tables();
  }
  function ring(points) {
    Plotly.restyle(scene, { x: [points.map(function (p) { return p[0]; })], y: [points.map(function (p) { return p[1]; })],
      z: [points.map(function (p) { return p[2]; })] }, [5]);
  }
  function hovering(id, points) {
    var body = document.getElementById(id);
    body.addEventListener('mouseover', function (event) {
      var row = event.target.closest('tr');
      if (row) { ring(points(parseInt(row.dataset.row, 10))); }
    });
    body.addEventListener('mouseleave', function () { ring([]); });
  }

  var initial = full();
  [[pocket, DATA.pocket], [ligand, DATA.ligand]].forEach(function (pair) {
    var text = texts(pair[1]);
    pair[0].text = pair[0].owner.map(function (atom) { return text[atom]; });
    pair[0].vertexcolor = colourVertices(pair[0], colours(pair[1], initial));
  });
  tables();
  Plotly.newPlot(scene, traces, layout(DATA.range), PLOT).then(function () {
    document.getElementById('kind').addEventListener('change', function (e) { kind = e.target.value; paint(); });
    document.getElementById('contrast').addEventListener('input', paint);
    document.getElementById('elements').addEventListener('change', function (e) { byElement = e.target.checked; paint(); });
    [['names', 3], ['letters', 4], ['backbone', 2], ['receptor', 0]].forEach(function (pair) {
      document.getElementById(pair[0]).addEventListener('change', function (e) {
        Plotly.restyle(scene, { visible: e.target.checked }, [pair[1]]);
      });
    });
    hovering('residues', function (index) {
      return DATA.pocket.xyz.filter(function (_, i) { return DATA.pocket.residue[i] === index; });
    });
    hovering('atoms', function (index) { return [DATA.ligand.xyz[index]]; });
    document.body.dataset.ready = String(document.querySelectorAll('#scene canvas').length);
  });
}());
