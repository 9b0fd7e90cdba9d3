/* This script holds features as blocks of typed arrays: in-page data cut to tiles, and what a block says of a feature. */
(function (global) {
  "use strict";
  var T = (global.MapappTiles = global.MapappTiles || {});
  var parts = (T.parts = T.parts || {});
  var EXTENT = 4096, SIZE = 256;

  /* Packed data: {types: [..], parts: [per feature], lengths: [per part], xy: [1e-6 degrees, longitude and latitude, each
     less the one before], columns: {name: {values: [..], codes: [value + 1, or 0]}}}. Returns features in world pixels. */
  function unpack(data) {
    var n = data.types.length, columns = data.columns, total = data.xy.length / 2, i, lon = 0, lat = 0;
    var w = { n: n, type: Uint8Array.from(data.types), part: sums(data.parts), from: sums(data.lengths), columns: columns,
      xy: new Float64Array(2 * total), box: new Float64Array(4 * n), names: Object.keys(columns), codes: {} };
    w.names.forEach(function (name) { w.codes[name] = Uint32Array.from(columns[name].codes); });
    for (i = 0; i < total; i++) {
      lon += data.xy[2 * i]; lat += data.xy[2 * i + 1];
      var sin = Math.sin(lat * 1e-6 * Math.PI / 180);
      w.xy[2 * i] = SIZE * (lon * 1e-6 / 360 + 0.5);
      w.xy[2 * i + 1] = SIZE * (0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI));
    }
    for (i = 0; i < n; i++) {
      var b = [Infinity, Infinity, -Infinity, -Infinity];
      for (var v = w.from[w.part[i]]; v < w.from[w.part[i + 1]]; v++) {
        b[0] = Math.min(b[0], w.xy[2 * v]); b[1] = Math.min(b[1], w.xy[2 * v + 1]);
        b[2] = Math.max(b[2], w.xy[2 * v]); b[3] = Math.max(b[3], w.xy[2 * v + 1]);
      }
      w.box.set(b, 4 * i);
    }
    return w;
  }

  function sums(counts) {
    var out = new Uint32Array(counts.length + 1);
    for (var i = 0; i < counts.length; i++) out[i + 1] = out[i] + counts[i];
    return out;
  }

  function cut(w, coords) {
    var scale = Math.pow(2, coords.z), span = SIZE / scale, m = span / 16;
    var left = coords.x * span, top = coords.y * span, some = [], parts = 0, vertices = 0, i, p, v;
    for (i = 0; i < w.n; i++) {
      if (w.box[4 * i] > left + span + m || w.box[4 * i + 2] < left - m ||
          w.box[4 * i + 1] > top + span + m || w.box[4 * i + 3] < top - m) continue;
      some.push(i);
      parts += w.part[i + 1] - w.part[i];
      vertices += w.from[w.part[i + 1]] - w.from[w.part[i]];
    }
    if (!some.length) return null;
    var block = { n: some.length, type: new Uint8Array(some.length), part: new Uint32Array(some.length + 1), keys: w.names,
      from: new Uint32Array(parts + 1), xy: new Float32Array(2 * vertices), codes: {}, tables: {} };
    parts = vertices = 0;
    for (i = 0; i < some.length; i++) {
      var f = some[i];
      block.type[i] = w.type[f];
      for (p = w.part[f]; p < w.part[f + 1]; p++) {
        for (v = w.from[p]; v < w.from[p + 1]; v++, vertices++) {
          block.xy[2 * vertices] = (w.xy[2 * v] - left) / span * EXTENT;
          block.xy[2 * vertices + 1] = (w.xy[2 * v + 1] - top) / span * EXTENT;
        }
        block.from[++parts] = vertices;
      }
      block.part[i + 1] = parts;
    }
    w.names.forEach(function (name) {
      var codes = block.codes[name] = new Uint32Array(some.length);
      for (i = 0; i < some.length; i++) codes[i] = w.codes[name][some[i]];
      block.tables[name] = w.columns[name].values;
    });
    return block;
  }

  function table(block, name) { return block.tables ? block.tables[name] : block.values; }

  function property(block, name, f) {
    var codes = block.codes[name], code = codes ? codes[f] : 0;
    return code ? table(block, name)[code - 1] : null;
  }

  function properties(block, f) {
    var out = {};
    block.keys.forEach(function (name) { if (block.codes[name][f]) out[name] = property(block, name, f); });
    return out;
  }

  /* Length of the line from vertex a up to, not with, vertex b, in the units of xy. */
  function length(xy, a, b) {
    var total = 0;
    for (var v = a + 1; v < b; v++) total += Math.hypot(xy[2 * v] - xy[2 * v - 2], xy[2 * v + 1] - xy[2 * v - 1]);
    return total;
  }

  /* The place half-way along that line, whose length is known, and its direction there. */
  function halfway(xy, a, b, total) {
    for (var v = a + 1, half = total / 2; v < b; v++) {
      var dx = xy[2 * v] - xy[2 * v - 2], dy = xy[2 * v + 1] - xy[2 * v - 1], d = Math.hypot(dx, dy);
      if (half <= d) return { x: xy[2 * v - 2] + dx * half / d, y: xy[2 * v - 1] + dy * half / d, angle: Math.atan2(dy, dx) };
      half -= d;
    }
    return null;
  }

  parts.unpack = unpack;
  parts.cut = cut;
  parts.table = table;
  parts.property = property;
  parts.properties = properties;
  parts.length = length;
  parts.halfway = halfway;
  T.unpack = unpack;
}(typeof window === "undefined" ? self : window));
