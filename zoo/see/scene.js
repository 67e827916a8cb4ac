// What the 3D pages have in common: the viewer, the molecules, surfaces and interactions. All is drawn from the page's own data.
'use strict';
var DATA = JSON.parse(document.getElementById('data').textContent);
var ELEMENTS = { H: '#d0d0d0', C: '#8c8c8c', N: '#3050f8', O: '#e02020', S: '#d4a800', P: '#ff8000', F: '#4fb84f', CL: '#1fb01f',
  BR: '#a62929', I: '#940094', B: '#ffb5b5', ZN: '#7d80b0', MG: '#2a9d2a', CA: '#3dbd3d', FE: '#e06633', MN: '#9c7ac7' };
var LINES = { 'hydrogen bond': '#2f7de1', 'salt bridge': '#d4a017', 'hydrophobic contact': '#7f8a99', 'metal contact': '#8e44ad' };
var SCENE = document.getElementById('scene'), TIP = document.createElement('div');

function elementColour(symbol) { return ELEMENTS[String(symbol).toUpperCase()] || '#a0a0a0'; }
function ligandColour(symbol) { return symbol === 'C' ? '#2a9d6f' : elementColour(symbol); }

// value in [-1, 1]: vermilion lowers, grey does nothing, blue raises (told apart by colour-blind eyes too)
function valueColour(x) {
  var stops = [[213, 94, 0], [240, 181, 138], [224, 224, 224], [138, 189, 224], [0, 114, 178]];
  var t = (Math.max(-1, Math.min(1, x)) + 1) * 2, k = Math.min(3, Math.floor(t)), f = t - k;
  return '#' + stops[k].map(function (c, i) {
    return Math.round(c + (stops[k + 1][i] - c) * f).toString(16).padStart(2, '0');
  }).join('');
}

function escapeText(text) {
  return String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
function theme(name) { return getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim(); }
function checked(id) { var box = document.getElementById(id); return !box || box.checked; }

// null where the browser has no WebGL: the tables beside the scene work all the same
var VIEW = (function () {
  try {
    var made = $3Dmol.createViewer(SCENE, { backgroundColor: theme('back') || '#ffffff', antialias: true, cartoonQuality: 6,
      hoverDuration: 60 });
    if (made) { return made; }
  } catch (error) { }
  SCENE.innerHTML = '<p>The scene needs WebGL, which this browser does not offer. The tables work without it.</p>';
  return null;
}());
$3Dmol.setSyncSurface(true);  // the page's policy forbids workers
TIP.className = 'tip';
SCENE.appendChild(TIP);

// The molecules. `look` has: colour(atom, isLigand), told(label, number, isLigand), sticks (radius of the pocket's).
function molecules(look) {
  var ligand = VIEW.addModel(), receptor = VIEW.addModel(DATA.receptor.pdb, 'pdb'), surface = null, shapes = [];
  var bonds = DATA.ligand.xyz.map(function () { return []; }), orders = bonds.map(function () { return []; });
  DATA.ligand.bonds.forEach(function (pair, n) {
    [[0, 1], [1, 0]].forEach(function (ends) {
      bonds[pair[ends[0]]].push(pair[ends[1]]); orders[pair[ends[0]]].push(DATA.ligand.order[n]);
    });
  });
  ligand.addAtoms(DATA.ligand.xyz.map(function (p, i) {
    return { elem: DATA.ligand.element[i], atom: DATA.ligand.label[i], x: p[0], y: p[1], z: p[2], bonds: bonds[i],
      bondOrder: orders[i], serial: i, resn: 'LIG', chain: '', hetflag: true };
  }));
  function own(atom) { return atom.model === ligand.getID(); }
  function paint(atom) { return look.colour(atom, own(atom)); }
  function style() {
    VIEW.setStyle({ model: ligand.getID() }, checked('ligand') ?
      { stick: { radius: 0.17, colorfunc: paint }, sphere: { radius: 0.33, colorfunc: paint } } : {});
    VIEW.setStyle({ model: receptor.getID() }, checked('cartoon') ?
      { cartoon: { color: '#aab4c2', opacity: 0.55, arrows: true } } : {});
    if (checked('sticks')) {
      VIEW.addStyle({ model: receptor.getID(), index: DATA.receptor.pocket },
        { stick: { radius: look.sticks, colorfunc: paint }, sphere: { radius: 1.6 * look.sticks, colorfunc: paint } });
    }
  }
  function skin() {
    if (surface !== null) { VIEW.removeSurface(surface); surface = null; }
    if (checked('surface')) {
      var pocket = { model: receptor.getID(), index: DATA.receptor.pocket };
      VIEW.addSurface('SES', { opacity: 0.75, colorfunc: paint }, pocket, { model: receptor.getID() })
        .then(function (id) { surface = id; VIEW.render(); });
    }
  }
  function lines() {
    shapes.forEach(function (shape) { VIEW.removeShape(shape); });
    shapes = checked('contacts') ? DATA.interactions.map(function (one) {
      return VIEW.addCylinder({ start: at(one.start), end: at(one.end), radius: 0.06, dashed: true, dashLength: 0.25,
        gapLength: 0.18, fromCap: 1, toCap: 1, color: LINES[one.kind] });
    }) : [];
  }
  VIEW.setHoverable({}, true, function (atom) {
    var mine = own(atom);
    TIP.textContent = look.told((mine ? DATA.ligand : DATA.receptor).label[atom.index], atom.index, mine);
  }, function () { TIP.textContent = ''; });
  ['ligand', 'sticks', 'cartoon'].forEach(function (id) { changed(id, function () { style(); VIEW.render(); }); });
  changed('surface', skin);
  changed('contacts', function () { lines(); VIEW.render(); });
  style(); lines();
  return { ligand: ligand, receptor: receptor, count: function () { return shapes.length; },
    repaint: function () { style(); skin(); VIEW.render(); } };
}

function at(p) { return { x: p[0], y: p[1], z: p[2] }; }
function changed(id, act) { document.getElementById(id).addEventListener('change', act); }

function words(text, p, size) {
  return VIEW.addLabel(text, { position: at(p), backgroundOpacity: 0, fontColor: theme('ink'), fontSize: size, inFront: true,
    alignment: 'center' });
}

// first view: all that is selected fits, turned so that the ligand lies flat
function look(selection, closer) {
  VIEW.zoomTo(selection);
  VIEW.zoom(closer * Math.min(1, SCENE.clientWidth / SCENE.clientHeight));  // the viewer fits the height only
  VIEW.setView(VIEW.getView().slice(0, 4).concat(DATA.turned));
  VIEW.render();
}

function contactTable() {
  document.getElementById('interactions').innerHTML = DATA.interactions.map(function (one) {
    return '<tr><td><span class="swatch" style="background:' + LINES[one.kind] + '"></span>' + one.kind + '</td><td>' +
      escapeText(one.ligand) + '</td><td>' + escapeText(one.receptor) + '</td><td class="number">' + one.distance.toFixed(2) +
      '</td></tr>';
  }).join('') || '<tr><td colspan="4">none</td></tr>';
}

// the scene follows the page when the reader's system turns dark or light
function followTheme(again) {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', function () {
    VIEW.setBackgroundColor(theme('back'), 1); again(); VIEW.render();
  });
}
