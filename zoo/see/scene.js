// Molecules as ball-and-stick meshes for plotly. Everything here is drawn from the page's own data.
'use strict';
var DATA = JSON.parse(document.getElementById('data').textContent);
var ELEMENTS = { C: '#8c8c8c', N: '#3050f8', O: '#e02020', S: '#d4a800', P: '#ff8000', F: '#4fb84f', Cl: '#1fb01f',
  Br: '#a62929', I: '#940094', B: '#ffb5b5', Zn: '#7d80b0', Mg: '#2a9d2a', Ca: '#3dbd3d', Fe: '#e06633', Mn: '#9c7ac7' };
var PLOT = { displaylogo: false, responsive: true, scrollZoom: true, topojsonURL: '',
  modeBarButtonsToRemove: ['sendDataToCloud', 'tableRotation', 'resetCameraLastSave3d'] };

function elementColour(symbol) { return ELEMENTS[symbol] || '#a0a0a0'; }

// value in [-1, 1]: vermilion lowers, grey does nothing, blue raises (told apart by colour-blind eyes too)
function valueColour(x) {
  var stops = [[213, 94, 0], [240, 181, 138], [224, 224, 224], [138, 189, 224], [0, 114, 178]];
  var t = (Math.max(-1, Math.min(1, x)) + 1) * 2, k = Math.min(3, Math.floor(t)), f = t - k;
  var rgb = stops[k].map(function (c, i) { return Math.round(c + (stops[k + 1][i] - c) * f); });
  return 'rgb(' + rgb.join(',') + ')';
}

// a ball's points and triangles: an octahedron, its edges halved `times` times
function ball(times) {
  var p = [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]];
  var f = [[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]];
  for (var n = 0; n < times; n++) {
    var known = {}, next = [];
    var middle = function (a, b) {
      var key = Math.min(a, b) + '-' + Math.max(a, b);
      if (known[key] === undefined) {
        var m = [0, 1, 2].map(function (k) { return p[a][k] + p[b][k]; });
        var length = Math.hypot(m[0], m[1], m[2]);
        known[key] = p.push(m.map(function (c) { return c / length; })) - 1;
      }
      return known[key];
    };
    f.forEach(function (t) {
      var a = middle(t[0], t[1]), b = middle(t[1], t[2]), c = middle(t[2], t[0]);
      next.push([t[0], a, c], [a, t[1], b], [c, b, t[2]], [a, b, c]);
    });
    f = next;
  }
  return { points: p, faces: f };
}

// the light stands behind the first camera: plotly's lights do not turn with it
function light() {
  var eye = (DATA.camera || { eye: { x: 0, y: 0, z: 1 } }).eye;
  return { x: eye.x * 1e5, y: eye.y * 1e5, z: eye.z * 1e5 };
}

// A mesh trace of atoms and bonds; its vertices remember their atom, so that it can be coloured anew.
function molecule(atoms, look) {
  var x = [], y = [], z = [], i = [], j = [], k = [], owner = [], unit = ball(look.detail);
  function point(p, atom) { x.push(p[0]); y.push(p[1]); z.push(p[2]); owner.push(atom); return x.length - 1; }
  atoms.xyz.forEach(function (centre, atom) {
    var first = x.length;
    unit.points.forEach(function (u) {
      point([0, 1, 2].map(function (c) { return centre[c] + look.atom * u[c]; }), atom);
    });
    unit.faces.forEach(function (t) { i.push(first + t[0]); j.push(first + t[1]); k.push(first + t[2]); });
  });
  atoms.bonds.forEach(function (bond) {
    var a = atoms.xyz[bond[0]], b = atoms.xyz[bond[1]], d = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
    var length = Math.hypot(d[0], d[1], d[2]) || 1, e = d.map(function (c) { return c / length; });
    var s = Math.abs(e[0]) < 0.8 ? [1, 0, 0] : [0, 1, 0];
    var u = [e[1] * s[2] - e[2] * s[1], e[2] * s[0] - e[0] * s[2], e[0] * s[1] - e[1] * s[0]];
    var norm = Math.hypot(u[0], u[1], u[2]); u = u.map(function (c) { return c / norm; });
    var v = [e[1] * u[2] - e[2] * u[1], e[2] * u[0] - e[0] * u[2], e[0] * u[1] - e[1] * u[0]];
    // two half bonds, each in the colour of its atom
    [[0, 0.5, bond[0]], [0.5, 1, bond[1]]].forEach(function (half) {
      var first = x.length, sides = look.sides;
      [half[0], half[1]].forEach(function (along) {
        for (var n = 0; n < sides; n++) {
          var c = look.bond * Math.cos(2 * Math.PI * n / sides), w = look.bond * Math.sin(2 * Math.PI * n / sides);
          point([0, 1, 2].map(function (q) { return a[q] + along * d[q] + c * u[q] + w * v[q]; }), half[2]);
        }
      });
      for (var n = 0; n < sides; n++) {
        var m = (n + 1) % sides;
        i.push(first + n, first + m); j.push(first + m, first + sides + m); k.push(first + sides + n, first + sides + n);
      }
    });
  });
  return {
    type: 'mesh3d', x: x, y: y, z: z, i: i, j: j, k: k, name: look.name, owner: owner,
    hoverinfo: 'text', text: owner.map(function (atom) { return atoms.label[atom]; }),
    vertexcolor: owner.map(function (atom) { return elementColour(atoms.element[atom]); }),
    opacity: look.opacity || 1, flatshading: false, showscale: false,
    lighting: { ambient: 0.72, diffuse: 0.42, specular: 0.12, roughness: 0.6, fresnel: 0.05 },
    lightposition: light()
  };
}

function colourVertices(trace, colours) { return trace.owner.map(function (atom) { return colours[atom]; }); }

function lines(points, colour, width, name) {
  return { type: 'scatter3d', mode: 'lines', hoverinfo: 'skip', name: name, showlegend: false, connectgaps: false,
    x: points.map(function (p) { return p ? p[0] : null; }), y: points.map(function (p) { return p ? p[1] : null; }),
    z: points.map(function (p) { return p ? p[2] : null; }), line: { color: colour, width: width } };
}

function words(points, text, colour, size) {
  return { type: 'scatter3d', mode: 'text', hoverinfo: 'skip', showlegend: false, text: text,
    x: points.map(function (p) { return p[0]; }), y: points.map(function (p) { return p[1]; }),
    z: points.map(function (p) { return p[2]; }), textfont: { color: colour, size: size } };
}

function layout(range) {
  var axis = { visible: false, showspikes: false };
  var scene = { aspectmode: 'data', dragmode: 'orbit', xaxis: axis, yaxis: axis, zaxis: axis,
    camera: DATA.camera || { eye: { x: 0, y: 0, z: 1.6 }, up: { x: 0, y: 1, z: 0 }, center: { x: 0, y: 0, z: 0 } } };
  if (range) {
    ['x', 'y', 'z'].forEach(function (name, c) {
      scene[name + 'axis'] = Object.assign({}, axis, { range: range[c], autorange: false });
    });
  }
  return { margin: { l: 0, r: 0, t: 0, b: 0 }, scene: scene, showlegend: false, paper_bgcolor: '#ffffff',
    hoverlabel: { bgcolor: '#ffffff', bordercolor: '#888888', font: { color: '#1c2330', size: 13 } } };
}

function escapeText(text) {
  return String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
