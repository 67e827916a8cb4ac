// The page of a view: the box, its atoms, and the channels of the image.
(function () {
  var ligand = molecule(DATA.ligand, { name: 'ligand', atom: 0.3, bond: 0.16, detail: 2, sides: 10 });
  var receptor = molecule(DATA.receptor, { name: 'receptor', atom: 0.09, bond: 0.06, detail: 1, sides: 5, opacity: 1 });
  var h = DATA.half, corners = [];
  [[0, 1, 2], [1, 2, 0], [2, 0, 1]].forEach(function (axes) {
    [[-h, -h], [-h, h], [h, -h], [h, h]].forEach(function (pair) {
      [-h, h].forEach(function (end) {
        var p = [0, 0, 0]; p[axes[0]] = end; p[axes[1]] = pair[0]; p[axes[2]] = pair[1]; corners.push(p);
      });
      corners.push(null);
    });
  });
  var scene = document.getElementById('scene'), side = DATA.side;
  var traces = [receptor, ligand, lines(corners, '#444444', 3, 'box')], first = traces.length;
  var place = [];
  for (var n = 0; n < side; n++) { place.push(DATA.origin + n * DATA.spacing); }

  function values(channel) {
    var text = atob(channel.data), found = new Float32Array(text.length);
    for (var n = 0; n < text.length; n++) { found[n] = (text.charCodeAt(n) - 128) / 127 * channel.scale; }
    return found;
  }
  function surface(channel) {
    var x = [], y = [], z = [];
    for (var a = 0; a < side; a++) { for (var b = 0; b < side; b++) { for (var c = 0; c < side; c++) {
      x.push(place[a]); y.push(place[b]); z.push(place[c]);
    } } }
    var level = settings.level * channel.scale;
    return { type: 'isosurface', x: x, y: y, z: z, value: Array.from(values(channel)), isomin: level, isomax: level,
      surface: { count: 1 }, caps: { x: { show: false }, y: { show: false }, z: { show: false } }, showscale: false,
      colorscale: [[0, channel.colour], [1, channel.colour]], opacity: settings.opacity, hoverinfo: 'skip', name: channel.name,
      lighting: { ambient: 0.7, diffuse: 0.5, specular: 0.1, roughness: 0.7, fresnel: 0 }, flatshading: false };
  }
  function voxels(channel) {
    var v = values(channel), x = [], y = [], z = [], shade = [], text = [];
    for (var n = 0; n < v.length; n++) {
      if (v[n] !== 0 && Math.abs(v[n]) >= settings.level * 0.2 * channel.scale) {
        x.push(place[Math.floor(n / (side * side))]); y.push(place[Math.floor(n / side) % side]); z.push(place[n % side]);
        shade.push(v[n]); text.push(escapeText(channel.name) + ': ' + v[n].toPrecision(3));
      }
    }
    if (x.length <= 4000) { return cubes(channel, x, y, z, shade, text); }
    return { type: 'scatter3d', mode: 'markers', x: x, y: y, z: z, text: text, hoverinfo: 'text', name: channel.name,
      marker: { symbol: 'square', size: Math.max(2, 150 / side), opacity: settings.opacity, color: shade, cmin: 0,
        cmax: channel.scale, colorscale: [[0, '#ffffff'], [0.25, channel.colour], [1, channel.colour]], line: { width: 0 } } };
  }
  // one mesh of all voxels as cubes of their own size; the smaller the value, the paler
  function cubes(channel, cx, cy, cz, shade, text) {
    var x = [], y = [], z = [], i = [], j = [], k = [], colour = [], told = [], r = 0.47 * DATA.spacing;
    var faces = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]];
    var rgb = [1, 3, 5].map(function (at) { return parseInt(channel.colour.slice(at, at + 2), 16); });
    cx.forEach(function (_, n) {
      var base = x.length, full = 0.25 + 0.75 * Math.min(1, Math.abs(shade[n]) / channel.scale);
      var c = 'rgb(' + rgb.map(function (v) { return Math.round(255 + (v - 255) * full); }).join(',') + ')';
      for (var corner = 0; corner < 8; corner++) {
        x.push(cx[n] + (corner & 4 ? r : -r)); y.push(cy[n] + (corner & 2 ? r : -r)); z.push(cz[n] + (corner & 1 ? r : -r));
        colour.push(c); told.push(text[n]);
      }
      faces.forEach(function (f) {
        i.push(base + f[0], base + f[0]); j.push(base + f[1], base + f[2]); k.push(base + f[2], base + f[3]);
      });
    });
    return { type: 'mesh3d', x: x, y: y, z: z, i: i, j: j, k: k, vertexcolor: colour, text: told, hoverinfo: 'text',
      name: channel.name, opacity: settings.opacity, flatshading: true, lighting: { ambient: 0.85, diffuse: 0.3 } };
  }
  var settings = { level: 0.4, opacity: 0.45 };
  function drawn() {
    return DATA.channels.filter(function (c) { return c.shown && c.data; }).map(function (c) {
      return c.surface ? surface(c) : voxels(c);
    });
  }
  function draw() {
    var camera = scene.layout && scene.layout.scene.camera, made = layout([[-h, h], [-h, h], [-h, h]].map(function (r) {
      return [r[0] - 1, r[1] + 1];
    }));
    if (camera) { made.scene.camera = camera; }
    ['receptor', 'ligand', 'box'].forEach(function (id, n) { traces[n].visible = document.getElementById(id).checked; });
    return Plotly.react(scene, traces.concat(drawn()), made, PLOT);
  }
  function table() {
    var order = DATA.channels.map(function (_, n) { return n; });
    order.sort(function (a, b) { return !DATA.channels[a].data - !DATA.channels[b].data || a - b; });  // empty ones last
    document.getElementById('channels').innerHTML = order.map(function (n) {
      var c = DATA.channels[n];
      return '<tr data-row="' + n + '"><td><input type="checkbox"' + (c.shown && c.data ? ' checked' : '') +
        (c.data ? '' : ' disabled') + '></td><td><span class="swatch" style="background:' + c.colour + '"></span>' +
        escapeText(c.name) + '</td><td class="number">' + c.voxels + '</td><td class="number">' +
        (c.data ? (Math.abs(c.least) > Math.abs(c.largest) ? c.least : c.largest) : '') + '</td></tr>';
    }).join('');
  }
  function every(shown) { DATA.channels.forEach(function (c) { c.shown = shown; }); table(); draw(); }
  document.getElementById('channels').addEventListener('click', function (event) {
    var row = event.target.closest('tr'), channel = row && DATA.channels[parseInt(row.dataset.row, 10)];
    if (channel && channel.data) { channel.shown = !channel.shown; table(); draw(); }
  });
  document.getElementById('none').addEventListener('click', function () { every(false); });
  document.getElementById('all').addEventListener('click', function () { every(true); });
  ['receptor', 'ligand', 'box'].forEach(function (id) { document.getElementById(id).addEventListener('change', draw); });
  ['level', 'opacity'].forEach(function (id) {
    document.getElementById(id).addEventListener('change', function (e) { settings[id] = parseFloat(e.target.value); draw(); });
  });
  table();
  draw().then(function () { document.body.dataset.ready = String(document.querySelectorAll('#scene canvas').length); });
}());
