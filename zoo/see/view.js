// The page of a view: the box, its atoms, and the channels of the image.
(function () {
  var side = DATA.side, settings = { level: 0.4, opacity: 0.7 }, box = [], shapes = [];

  function frame() {
    box.forEach(function (shape) { VIEW.removeShape(shape); });
    box = [];
    if (!checked('box')) { return; }
    var h = DATA.half, colour = theme('soft');
    [[0, 1, 2], [1, 2, 0], [2, 0, 1]].forEach(function (axes) {
      [[-h, -h], [-h, h], [h, -h], [h, h]].forEach(function (pair) {
        var ends = [-h, h].map(function (end) {
          var p = [0, 0, 0]; p[axes[0]] = end; p[axes[1]] = pair[0]; p[axes[2]] = pair[1]; return at(p);
        });
        box.push(VIEW.addCylinder({ start: ends[0], end: ends[1], radius: 0.04, color: colour }));
      });
    });
  }
  function values(channel) {
    var text = atob(channel.data), found = new Float32Array(text.length);
    for (var n = 0; n < text.length; n++) { found[n] = (text.charCodeAt(n) - 128) / 127 * channel.scale; }
    return found;
  }
  // The viewer puts a surface halfway between voxels: it gets values between them, by trilinear interpolation.
  function finer(v, times) {
    var n = (side - 1) * times + 1, found = new Float32Array(n * n * n), k = 0;
    function between(a, b, c) { return v[(a * side + b) * side + c]; }
    for (var a = 0; a < n; a++) {
      var a0 = Math.min(side - 2, Math.floor(a / times)), fa = a / times - a0;
      for (var b = 0; b < n; b++) {
        var b0 = Math.min(side - 2, Math.floor(b / times)), fb = b / times - b0;
        var row = [0, 0, 0, 0].map(function (_, corner) { return [a0 + (corner >> 1), b0 + (corner & 1)]; });
        var share = [(1 - fa) * (1 - fb), (1 - fa) * fb, fa * (1 - fb), fa * fb];
        for (var c = 0; c < n; c++) {
          var c0 = Math.min(side - 2, Math.floor(c / times)), fc = c / times - c0, sum = 0;
          for (var corner = 0; corner < 4; corner++) {
            var p = row[corner];
            sum += share[corner] * (between(p[0], p[1], c0) * (1 - fc) + between(p[0], p[1], c0 + 1) * fc);
          }
          found[k++] = sum;
        }
      }
    }
    return { data: found, side: n };
  }
  // the surface at a level, and as a mesh the one at the same level below zero
  function surfaces(channel) {
    var volume = new $3Dmol.VolumeData('', ''), level = settings.level * channel.scale;
    var times = side < 2 ? 1 : side <= 32 ? 3 : side <= 64 ? 2 : 1, made = [];
    var image = times === 1 ? { data: values(channel), side: side } : finer(values(channel), times);
    volume.size = { x: image.side, y: image.side, z: image.side };
    volume.unit = { x: DATA.spacing / times, y: DATA.spacing / times, z: DATA.spacing / times };
    volume.origin = { x: DATA.origin, y: DATA.origin, z: DATA.origin };
    volume.data = image.data;
    if (channel.largest > 0) {
      made.push(VIEW.addIsosurface(volume, { isoval: level, color: channel.colour, opacity: settings.opacity, smoothness: 3 }));
    }
    if (channel.least < 0) {
      made.push(VIEW.addIsosurface(volume, { isoval: -level, color: channel.colour, opacity: settings.opacity, wireframe: true }));
    }
    return made;
  }
  // all voxels as one shape of cubes; the smaller the value, the paler
  function voxels(channel) {
    var v = values(channel), r = 0.47 * DATA.spacing, points = [], normals = [], faces = [], colours = [];
    var rgb = [1, 3, 5].map(function (k) { return parseInt(channel.colour.slice(k, k + 2), 16); });
    function place(n) { return DATA.origin + n * DATA.spacing; }
    for (var n = 0; n < v.length; n++) {
      if (v[n] === 0 || Math.abs(v[n]) < settings.level * 0.2 * channel.scale) { continue; }
      var full = 0.25 + 0.75 * Math.min(1, Math.abs(v[n]) / channel.scale);
      var colour = rgb.map(function (c) { return (255 + (c - 255) * full) / 255; });
      var centre = [place(Math.floor(n / (side * side))), place(Math.floor(n / side) % side), place(n % side)];
      for (var axis = 0; axis < 3; axis++) {
        for (var sign = -1; sign < 2; sign += 2) {
          var base = points.length, normal = [0, 0, 0];
          normal[axis] = sign;
          [[-1, -1], [1, -1], [1, 1], [-1, 1]].forEach(function (corner) {
            var p = centre.slice();
            p[axis] += sign * r; p[(axis + 1) % 3] += corner[0] * r; p[(axis + 2) % 3] += corner[1] * r;
            points.push(at(p)); normals.push(at(normal));
            colours.push({ r: colour[0], g: colour[1], b: colour[2] });
          });
          var turn = sign > 0 ? [0, 1, 2, 0, 2, 3] : [0, 2, 1, 0, 3, 2];
          turn.forEach(function (k) { faces.push(base + k); });
        }
      }
    }
    if (!points.length) { return []; }
    return [VIEW.addCustom({ vertexArr: points, normalArr: normals, faceArr: faces, color: colours, opacity: settings.opacity })];
  }
  function draw() {
    if (!VIEW) { return; }
    shapes.forEach(function (shape) { VIEW.removeShape(shape); });
    shapes = [];
    DATA.channels.filter(function (c) { return c.shown && c.data; }).forEach(function (c) {
      shapes = shapes.concat(c.surface ? surfaces(c) : voxels(c));
    });
    VIEW.render();
    document.body.dataset.channels = String(shapes.length);
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
  ['level', 'opacity'].forEach(function (id) {
    changed(id, function (e) { settings[id] = parseFloat(e.target.value); draw(); });
  });
  contactTable();
  table();
  if (VIEW) {
    var drawn = molecules({ sticks: 0.07, told: function (label) { return label; },
      colour: function (atom, mine) { return mine ? ligandColour(atom.elem) : elementColour(atom.elem); } });
    frame();
    changed('box', function () { frame(); VIEW.render(); });
    draw();
    look({ or: [{ model: drawn.ligand.getID() }, { model: drawn.receptor.getID(), index: DATA.receptor.pocket }] }, 0.85);
    followTheme(frame);
    document.body.dataset.drawn = [drawn.ligand.selectedAtoms({}).length, drawn.receptor.selectedAtoms({}).length,
      drawn.count()].join(' ');
  }
  document.body.dataset.ready = String(document.querySelectorAll('#scene canvas').length);
}());
